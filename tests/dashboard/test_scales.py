"""From times and p-values to places in a drawing."""

import datetime as dt
import itertools
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.scales import Box, PScale, TimeScale, silences

ZURICH = zoneinfo.ZoneInfo("Europe/Zurich")
BOX = Box(50, 20, 300, 200)
END = dt.datetime(2026, 3, 31, 15, 0, tzinfo=ZURICH)
DAY = dt.timedelta(days=1)


def _time(days: int = 30) -> TimeScale:
    start = dt.datetime.combine(END.date() - (days - 1) * DAY, dt.time(), ZURICH)
    return TimeScale(start, END, BOX)


def test_the_more_unusual_the_higher() -> None:
    scale = PScale.over([0.5, 0.02], BOX)
    places = [scale.y(p) for p in (1.0, 0.5, 0.05, 0.01)]
    assert places == sorted(places, reverse=True)
    assert (places[0], places[-1]) == (BOX.bottom, BOX.y)
    assert scale.y(0.1) == BOX.middle


@given(st.floats(min_value=0.0, max_value=2.0))
def test_no_p_value_leaves_the_box(p_value: float) -> None:
    assert BOX.y <= PScale.over([p_value], BOX).y(p_value) <= BOX.bottom


def test_very_small_p_values_stretch_the_scale() -> None:
    assert [tick.label for tick in PScale.over([0.01], BOX).ticks()][-1] == "0.01"
    assert [tick.label for tick in PScale.over([0.004], BOX).ticks()][-1] == "0.001"
    assert "0.05" in [tick.label for tick in PScale.over([], BOX).ticks()]


def test_time_runs_from_edge_to_edge() -> None:
    time = _time()
    assert (time.x(time.start), time.x(time.end)) == (BOX.x, BOX.right)
    assert time.x(time.start - DAY) == BOX.x
    assert time.x(time.end + DAY) == BOX.right


def test_a_short_span_at_the_edge_stays_visible_and_inside() -> None:
    x, width = _time().span(END, END, least=4.0)
    assert (x + width, width) == (BOX.right, 4.0)


@pytest.mark.parametrize("days", [7, 30, 90])
def test_dates_are_midnights_that_do_not_touch(days: int) -> None:
    time = _time(days)
    ticks = time.dates(ZURICH)
    assert ticks[-1].label == "31 Mar"
    places = [tick.at for tick in ticks]
    assert places == sorted(places)
    assert all(later - earlier > 40 for earlier, later in itertools.pairwise(places))


def test_a_date_stands_at_midnight_across_a_change_of_the_clock() -> None:
    time = _time(7)  # the clock changes on 29 March
    midnight = dt.datetime(2026, 3, 29, tzinfo=ZURICH)
    by_label = {tick.label: tick.at for tick in time.dates(ZURICH)}
    assert by_label["29 Mar"] == time.x(midnight)


def test_only_a_long_silence_is_a_gap() -> None:
    start = END - 6 * DAY
    heard = [start + 3 * DAY, start + DAY, start + 4 * DAY]
    assert list(silences(heard, start, END)) == [
        (start + DAY, start + 3 * DAY),
        (start + 4 * DAY, END),
    ]
    assert list(silences([], start, END)) == [(start, END)]
    assert list(silences([END], END - DAY, END)) == []
