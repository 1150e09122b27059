"""Days of the protocol run from midnight to midnight, whatever the clocks do."""

import datetime as dt
import zoneinfo

import pytest

from anomaly.selectors.protocol import Bout, CriedPart, Lived
from dashboard.report.days import clock_change, dates_between, days_of, midnight
from infants.models import DiaryEntry
from infants.stretches import Span

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
SPRING, AUTUMN, PLAIN = dt.date(2026, 3, 29), dt.date(2026, 10, 25), dt.date(2026, 6, 1)


def _lived(date: dt.date, **given: object) -> Lived:
    start = midnight(date, BERLIN)
    return Lived(start, midnight(date + 2 * dt.timedelta(days=1), BERLIN), **given)  # type: ignore[arg-type]


def _bout(start: dt.datetime, minutes: float, p_value: float | None = 0.5) -> Bout:
    span = Span(start, start + minutes * MINUTE)
    return Bout([CriedPart(span, 3, 30.0)], p_value)


@pytest.mark.parametrize(
    ("date", "hours", "change"),
    [
        (PLAIN, 24, None),
        (SPRING, 23, ("02:00", "03:00")),
        (AUTUMN, 25, ("03:00", "02:00")),
    ],
)
def test_a_day_has_the_hours_of_its_own_clock(
    date: dt.date, hours: float, change: tuple[str, str] | None
) -> None:
    [day] = days_of(_lived(date), [date], BERLIN)
    assert day.hours == hours
    assert day.has_clock_change == (hours != 24)
    assert clock_change(day, BERLIN) == change
    assert day.frac(day.start) == 0.0
    assert day.frac(day.start + hours / 2 * HOUR) == 0.5
    assert day.frac(day.end + HOUR) == 1.0


def test_what_lasts_over_midnight_is_divided() -> None:
    start = midnight(PLAIN, BERLIN)
    night = DiaryEntry(kind="sleep", starts_at=start + 22 * HOUR, ends_at=start + 30 * HOUR)
    late = _bout(start + 24 * HOUR - 5 * MINUTE, 10)
    lived = _lived(PLAIN, diary=[night], bouts=[late])
    first, second = days_of(lived, [PLAIN, PLAIN + dt.timedelta(days=1)], BERLIN)
    assert (first.sleep_s, second.sleep_s) == (2 * 3600, 6 * 3600)
    assert (first.bouts, second.bouts) == ([late], [])
    assert first.longest_s == 600


def test_totals_of_a_day() -> None:
    start = midnight(PLAIN, BERLIN)
    diary = [
        DiaryEntry(kind="feed", starts_at=start - HOUR, ends_at=start + HOUR),
        DiaryEntry(kind="feed", starts_at=start + 3 * HOUR),
        DiaryEntry(kind="sleep", starts_at=start + 4 * HOUR, ends_at=start + 6 * HOUR),
        DiaryEntry(kind="sleep", starts_at=start + 5 * HOUR, ends_at=start + 7 * HOUR),
        DiaryEntry(kind="sleep", starts_at=start + 8 * HOUR),
    ]
    bouts = [_bout(start + HOUR, 2, 0.01), _bout(start + 9 * HOUR, 4, None)]
    listened = [Span(start + HOUR, start + 10 * HOUR)]
    lived = _lived(PLAIN, diary=diary, bouts=bouts, listened=listened)
    [day] = days_of(lived, [PLAIN], BERLIN)
    assert (day.cry_s, day.n_unusual, day.n_feeds, day.sleep_s) == (60.0, 1, 1, 3 * 3600)
    assert day.dozed_off == [start + 8 * HOUR]
    assert day.heard_s == 9 * 3600
    assert [span.length_s for span in day.unknown] == [3600, 14 * 3600]


def test_what_is_still_to_come_is_not_unknown() -> None:
    start = midnight(PLAIN, BERLIN)
    lived = Lived(start, start + 6 * HOUR)
    today, tomorrow = days_of(lived, [PLAIN, PLAIN + dt.timedelta(days=1)], BERLIN)
    assert [span.length_s for span in today.unknown] == [6 * 3600]
    assert (today.over_at, tomorrow.unknown) == (start + 6 * HOUR, [])


def test_dates_run_from_first_to_last() -> None:
    found = list(dates_between(dt.date(2026, 2, 27), dt.date(2026, 3, 1)))
    assert [date.day for date in found] == [27, 28, 1]
    assert list(dates_between(PLAIN, PLAIN - dt.timedelta(days=1))) == []
