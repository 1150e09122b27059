"""Reading a device's clock: every answer is accepted, every faulty one flagged."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infants.clock import FUTURE_TOLERANCE, read_clock
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
        ("2001-01-01T00:00:00Z", dt.datetime(2001, 1, 1, tzinfo=dt.UTC), Clock.OK),
        ("2026-03-04T09:00:00Z", NOW, Clock.FUTURE),
    ],
)
def test_what_a_clock_says(said: str, expected: dt.datetime, clock: Clock) -> None:
    assert read_clock(said, NOW) == (expected, clock)


def test_a_clock_may_run_ahead_by_minutes() -> None:
    ahead = NOW + FUTURE_TOLERANCE
    assert read_clock(ahead.isoformat(), NOW) == (ahead, Clock.OK)
    assert read_clock((ahead + SECOND).isoformat(), NOW) == (NOW, Clock.FUTURE)


@given(st.text(max_size=80))
def test_no_text_is_refused_and_the_moment_is_always_usable(said: str) -> None:
    at, clock = read_clock(said, NOW)
    assert at.tzinfo is dt.UTC
    assert at <= NOW + FUTURE_TOLERANCE
    assert clock in Clock
