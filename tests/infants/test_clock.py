"""Reading a device's clock: every answer is accepted, every faulty one flagged."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.models import Device
from infants.clock import FUTURE_TOLERANCE, Reading, Saying, read_clock
from infants.models import Recording

Clock = Recording.Clock
NOW = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("said", "expected", "clock"),
    [
        ("2026-03-01T08:00:00Z", NOW - 3600 * SECOND, Clock.OK),
        ("2026-03-01T09:00:00+01:00", NOW - 3600 * SECOND, Clock.OK),
        (" 2026-03-01T08:00:00.250Z ", NOW - 3600 * SECOND + SECOND / 4, Clock.OK),
        ("2026-03-01 08:00:00+00:00", NOW - 3600 * SECOND, Clock.OK),
        ("2026-03-01T08:00:00", NOW - 3600 * SECOND, Clock.NO_ZONE),
        ("", NOW, Clock.MISSING),
        ("   ", NOW, Clock.MISSING),
        ("yesterday", NOW, Clock.UNREADABLE),
        ("1772355600", NOW, Clock.UNREADABLE),
        ("2026-02-30T08:00:00Z", NOW, Clock.UNREADABLE),
        ("2026-03-01T25:00:00Z", NOW, Clock.UNREADABLE),
        ("0001-01-01T00:00:00+14:00", NOW, Clock.UNREADABLE),
        ("9999-12-31T23:59:59-14:00", NOW, Clock.UNREADABLE),
        ("1970-01-01T00:00:12Z", NOW, Clock.UNSET),
        ("1980-01-06T00:00:00", NOW, Clock.UNSET),
        ("2000-01-01T00:07:00Z", NOW, Clock.UNSET),
        ("2019-12-31T23:59:59Z", NOW, Clock.UNSET),
        ("2020-01-01T00:00:00Z", dt.datetime(2020, 1, 1, tzinfo=dt.UTC), Clock.OK),
        ("2026-03-04T09:00:00Z", NOW, Clock.FUTURE),
    ],
)
def test_what_a_clock_says(said: str, expected: dt.datetime, clock: Clock) -> None:
    assert _read(said) == Reading(expected, clock)


def test_old_recordings_are_imported_with_their_time() -> None:
    archive = Device(kind=Device.Kind.ARCHIVE, clock_skew_s=900.0)
    old = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
    assert read_clock(Saying(old.isoformat()), NOW, archive) == Reading(old, Clock.OK)
    unset = Saying("2000-01-01T00:07:00Z")
    assert read_clock(unset, NOW, archive).clock == Clock.UNSET


def test_a_clock_may_run_ahead_by_minutes() -> None:
    ahead = NOW + FUTURE_TOLERANCE
    assert _read(ahead.isoformat()) == Reading(ahead, Clock.OK)
    assert _read((ahead + SECOND).isoformat()) == Reading(NOW, Clock.FUTURE)


# --- a clock that is off -------------------------------------------------------------------------


def test_what_is_known_of_a_clock_is_taken_off() -> None:
    hour_ahead = Device(clock_skew_s=3600.0)
    read = _read("2026-03-01T09:30:00Z", hour_ahead)
    assert read == Reading(NOW - 1800 * SECOND, Clock.CORRECTED, 3600.0)
    late = Device(clock_skew_s=-86400.0)
    assert _read("2026-02-28T08:00:00Z", late).at == NOW - 3600 * SECOND


@pytest.mark.parametrize("skew_s", [None, 0.0, 1.9, -1.9])
def test_what_a_message_may_take_is_no_fault_of_the_clock(skew_s: float | None) -> None:
    read = _read("2026-03-01T08:00:00Z", Device(clock_skew_s=skew_s))
    assert read == Reading(NOW - 3600 * SECOND, Clock.OK)


def test_what_came_along_counts_where_it_says_much_else() -> None:
    just_set = Device(clock_skew_s=3 * 86400.0)
    saying = Saying("2026-03-01T08:00:00Z", clock="2026-03-01T09:00:00Z")
    assert read_clock(saying, NOW, just_set) == Reading(NOW - 3600 * SECOND, Clock.OK)
    slow_upload = Saying("2026-03-01T08:00:00Z", clock="2026-03-01T08:58:00Z")
    assert read_clock(slow_upload, NOW, Device(clock_skew_s=0.5)).clock == Clock.OK
    unknown = Saying("2026-03-01T10:00:00Z", clock="2026-03-01T11:00:00Z")
    assert read_clock(unknown, NOW, Device()) == Reading(
        NOW - 3600 * SECOND, Clock.CORRECTED, 7200.0
    )


def test_an_unset_clock_is_never_corrected() -> None:
    saying = Saying("1970-01-01T00:10:00Z", clock="1970-01-01T00:12:00Z")
    assert read_clock(saying, NOW, Device(clock_skew_s=60.0)) == Reading(NOW, Clock.UNSET)


@pytest.mark.parametrize("said", ["", "yesterday", "1970-01-01T00:00:12Z", "2026-03-04T09:00:00Z"])
def test_how_long_ago_stands_in_for_a_clock(said: str) -> None:
    read = read_clock(Saying(said, age_s=90.5), NOW, Device())
    assert read == Reading(NOW - 90.5 * SECOND, Clock.RELATIVE)


def test_a_usable_clock_comes_before_how_long_ago_it_was() -> None:
    read = read_clock(Saying("2026-03-01T08:00:00Z", age_s=90.5), NOW, Device())
    assert read == Reading(NOW - 3600 * SECOND, Clock.OK)


@given(
    st.text(max_size=80),
    st.text(max_size=40) | st.datetimes().map(str),
    st.none() | st.floats(0, 1e8),
    st.none() | st.floats(-1e10, 1e10),
)
def test_no_text_is_refused_and_the_moment_is_always_usable(
    said: str, clock: str, age_s: float | None, skew_s: float | None
) -> None:
    device = Device(clock_skew_s=skew_s)
    read = read_clock(Saying(said, age_s, clock), NOW, device)
    assert read.at.tzinfo is dt.UTC
    assert read.at <= NOW + FUTURE_TOLERANCE
    assert read.clock in Clock


def _read(said: str, device: Device | None = None) -> Reading:
    return read_clock(Saying(said), NOW, device or Device())
