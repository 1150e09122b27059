"""The small pictures: everything shows, nothing lies outside, no kind is told by colour alone."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from anomaly.selectors.day_so_far import Usual
from dashboard.caregiver import day_strip, range_bar
from dashboard.caregiver.day_strip import Lane, Stretch

NOW = dt.datetime(2026, 3, 20, 13, 7, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ZURICH = ZoneInfo("Europe/Zurich")


def _drawn(*stretches: Stretch, width: float = 360.0, zone: ZoneInfo = ZURICH) -> day_strip.Strip:
    return day_strip.draw([Lane("crying", stretches), Lane("sleep", [])], NOW, zone, width)


def _stretch(start: dt.datetime, end: dt.datetime) -> Stretch:
    return Stretch(start, end, "cry", "a bout")


def test_a_moment_shows_and_lies_inside() -> None:
    strip = _drawn(_stretch(NOW, NOW), _stretch(NOW - 24 * HOUR, NOW - 24 * HOUR))
    bars = strip.lanes[0].bars
    assert len(bars) == 2
    for bar in bars:
        assert bar.box.width >= day_strip.NARROWEST
        assert strip.plot.x <= bar.box.x
        assert bar.box.right <= strip.plot.right
        assert strip.lanes[0].box.y <= bar.box.y
        assert bar.box.bottom <= strip.lanes[0].box.bottom


def test_what_reaches_in_is_cut_and_what_lies_outside_is_left_out() -> None:
    strip = _drawn(
        _stretch(NOW - 30 * HOUR, NOW - 23 * HOUR),
        _stretch(NOW - 30 * HOUR, NOW - 25 * HOUR),
        _stretch(NOW + HOUR, NOW + 2 * HOUR),
    )
    [bar] = strip.lanes[0].bars
    assert (bar.box.x, bar.box.width) == (strip.plot.x, pytest.approx(strip.plot.width / 24, abs=1))


def test_hours_are_those_of_the_infant_and_have_room() -> None:
    narrow, wide = _drawn(), _drawn(width=860.0)
    assert [tick.label for tick in narrow.hours] == ["16", "20", "00", "04", "08", "12"]
    assert [tick.label for tick in wide.hours][:3] == ["16", "18", "20"]
    assert narrow.midnight == narrow.hours[2].at


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Australia/Lord_Howe", "UTC"])
def test_every_zone_has_its_hours(zone: str) -> None:
    ticks = _drawn(zone=ZoneInfo(zone)).hours
    assert len(ticks) == 6
    assert ticks == sorted(ticks, key=lambda tick: tick.at)


def test_an_hour_that_is_there_twice_is_drawn_twice() -> None:
    night = dt.datetime(2026, 10, 25, 12, 0, tzinfo=dt.UTC)
    strip = day_strip.draw([Lane("crying", [])], night, ZURICH, 2000.0)
    assert [tick.label for tick in strip.hours].count("02") == 2


USUAL = Usual(2.0, 4.0, 7.0)


@pytest.mark.parametrize(
    ("value", "side"), [(0, "fewer"), (2, "usual"), (7, "usual"), (8, "more"), (500, "more")]
)
def test_each_side_has_a_shape_of_its_own(value: float, side: str) -> None:
    picture = range_bar.draw(value, USUAL)
    assert range_bar.side_of(value, USUAL) == side
    assert picture.shape == range_bar.SHAPES[side]
    assert len(set(range_bar.SHAPES.values())) == 3


@pytest.mark.parametrize("value", [0.0, 3.0, 1000.0])
@pytest.mark.parametrize("usual", [USUAL, Usual(0.0, 0.0, 0.0), Usual(900.0, 900.0, 900.0)])
def test_the_picture_holds_everything(value: float, usual: Usual) -> None:
    bar = range_bar.draw(value, usual)
    places = (bar.band_x, bar.band_x + bar.band_width, bar.middle, bar.at)
    assert all(bar.left <= place <= bar.right for place in places)


def test_the_picture_keeps_the_order_of_numbers() -> None:
    bar = range_bar.draw(8.0, USUAL)
    assert bar.band_x < bar.middle < bar.band_x + bar.band_width < bar.at
