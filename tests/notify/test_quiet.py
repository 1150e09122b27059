"""Quiet hours: may somebody be told now, and if not, when next."""

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.quiet import EVERY_DAY, Quiet, may_be_told_at

ZURICH = zoneinfo.ZoneInfo("Europe/Zurich")
UTC = zoneinfo.ZoneInfo("UTC")
DAY = dt.timedelta(days=1)


def _local(day: int, hour: int, minute: int = 0, zone: dt.tzinfo = ZURICH) -> dt.datetime:
    return dt.datetime(2026, 3, day, hour, minute, tzinfo=zone)


def _nights(days: frozenset[int] = EVERY_DAY) -> Quiet:
    return Quiet(dt.time(22), dt.time(6), days, ZURICH)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (_local(12, 21, 59), None),
        (_local(12, 22), _local(13, 6)),
        (_local(12, 23, 30), _local(13, 6)),
        (_local(13, 0), _local(13, 6)),
        (_local(13, 5, 59), _local(13, 6)),
        (_local(13, 6), None),
        (_local(13, 12), None),
    ],
)
def test_nights_cross_midnight(now: dt.datetime, until: dt.datetime | None) -> None:
    assert _nights().until(now) == until
    assert _nights().until(now.astimezone(dt.UTC)) == until


def test_hours_of_one_day_end_on_it() -> None:
    noon = Quiet(dt.time(12), dt.time(14), EVERY_DAY, UTC)
    assert noon.until(_local(12, 13, zone=UTC)) == _local(12, 14, zone=UTC)
    assert noon.until(_local(12, 11, zone=UTC)) is None
    assert noon.until(_local(12, 14, zone=UTC)) is None


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    fridays = _nights(frozenset({5}))  # 13 March 2026 is a Friday
    assert fridays.until(_local(13, 2)) is None
    assert fridays.until(_local(13, 23)) == _local(14, 6)
    assert fridays.until(_local(14, 2)) == _local(14, 6)
    assert fridays.until(_local(14, 23)) is None


def test_clocks_that_change_change_the_end_with_them() -> None:
    spring = _local(28, 23)  # clocks go forward at two in that night, and it is an hour shorter
    until = _nights().until(spring)
    assert until is not None
    assert until.astimezone(ZURICH).time() == dt.time(6)
    assert until - spring == dt.timedelta(hours=6)
    before, after = (dt.datetime(2026, 10, 25, 2, 30, tzinfo=ZURICH, fold=fold) for fold in (0, 1))
    short = Quiet(dt.time(1), dt.time(2, 15), EVERY_DAY, ZURICH)
    assert short.until(before) is None
    assert short.until(after) is None


def test_the_first_who_may_be_told_counts() -> None:
    night = _local(13, 2)
    early = Quiet(dt.time(22), dt.time(4), EVERY_DAY, ZURICH)
    assert may_be_told_at([], night) is None
    assert may_be_told_at([_nights(), None], night) == night
    assert may_be_told_at([_nights(), early], night) == _local(13, 4)
    assert may_be_told_at([_nights()], _local(13, 12)) == _local(13, 12)


@given(
    starts=st.times(),
    ends=st.times(),
    days=st.frozensets(st.integers(1, 7)),
    now=st.datetimes(
        min_value=dt.datetime(2020, 1, 1),  # noqa: DTZ001  the zone is given beside
        max_value=dt.datetime(2030, 1, 1),  # noqa: DTZ001
        timezones=st.just(dt.UTC),
    ),
)
def test_nothing_is_held_for_ever(
    starts: dt.time, ends: dt.time, days: frozenset[int], now: dt.datetime
) -> None:
    if starts == ends:
        return
    quiet = Quiet(starts, ends, days, ZURICH)
    until = quiet.until(now)
    if until is not None:
        assert now < until <= now + DAY + dt.timedelta(hours=1)
        again = quiet.until(until)
        assert again is None or days == EVERY_DAY or len(days) > 1
    if not days:
        assert until is None
