"""The drawing of the protocol: a pure function of the days, and everything lies inside it."""

import datetime as dt
import random
import zoneinfo
from collections.abc import Sequence

import pytest

from anomaly.selectors.protocol import Bout, CriedPart, Lived
from dashboard.report.days import Day, days_of, midnight
from dashboard.report.phrases import Phrases
from dashboard.report.protocol_chart import NARROW, Chart, Layout, draw, wide_layout
from dashboard.report.shapes import REACH, SHAPES, UNUSUAL
from dashboard.scales import Box
from infants.models import DiaryEntry
from infants.stretches import Span

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
AUTUMN = dt.date(2026, 10, 25)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
LABELS = Phrases(BERLIN, is_identified=True).labels
LAYOUTS = pytest.mark.parametrize("layout", [NARROW, wide_layout(7), wide_layout(28)])


def _days(n_days: int = 4, first: dt.date = AUTUMN - 2 * DAY) -> list[Day]:
    rng = random.Random(3)
    start, end = midnight(first, BERLIN), midnight(first + n_days * DAY, BERLIN)
    moments = [start + rng.random() * (end - start) for _ in range(60)]
    bouts = [
        Bout([CriedPart(Span(at, at + HOUR / 5), 2, 9.0)], rng.choice([None, 0.01, 0.6]))
        for at in moments[:20]
    ]
    kinds = [kind for kind in DiaryEntry.Kind if kind != DiaryEntry.Kind.TEMPERATURE]
    diary = [
        DiaryEntry(kind=rng.choice(kinds), starts_at=at, ends_at=rng.choice([None, at + 3 * HOUR]))
        for at in moments[20:]
    ]
    listened = [Span(start + 5 * HOUR, end - 30 * HOUR)]
    lived = Lived(start, end - 6 * HOUR, bouts, diary, listened)
    return days_of(lived, [first + n * DAY for n in range(n_days)], BERLIN)


def _chart(days: Sequence[Day], layout: Layout = NARROW) -> Chart:
    return draw(days, BERLIN, layout, LABELS)


def _is_inside(box: Box, strip: Box) -> bool:
    across = strip.x - 0.1 <= box.x and box.right <= strip.right + 0.1
    return across and strip.y - 0.1 <= box.y and box.bottom <= strip.bottom + 0.1


@LAYOUTS
def test_everything_lies_inside(layout: Layout) -> None:
    chart = _chart(_days(), layout)
    for row in chart.rows:
        assert _is_inside(row.strip, Box(0, 0, chart.width, chart.height))
        boxes = [*row.unknown, *(bar.box for bar in row.bars)]
        assert all(_is_inside(box, row.strip) for box in boxes)
        assert all(row.strip.x <= mark.x <= row.strip.right for mark in row.marks)
        assert all(row.strip.y <= mark.y <= row.strip.bottom for mark in row.marks)


def test_the_same_days_give_the_same_chart() -> None:
    assert _chart(_days()) == _chart(_days())


def test_a_day_of_25_hours_is_to_a_scale_of_its_own() -> None:
    plain, changed = (row for row in _chart(_days()).rows[1:3])
    assert [tick.label for tick in plain.ticks] == [
        "0",
        "3",
        "6",
        "9",
        "12",
        "15",
        "18",
        "21",
        "24",
    ]
    assert [tick.label for tick in changed.ticks] == [tick.label for tick in plain.ticks]
    assert changed.strip.width == plain.strip.width
    assert changed.ticks[0].at == plain.ticks[0].at
    assert changed.ticks[-1].at == plain.ticks[-1].at
    third = (changed.ticks[1].at - changed.strip.x) / changed.strip.width
    assert third == pytest.approx(4 / 25, abs=0.001)
    assert (plain.note, changed.note) == ("", "25 hours")


def test_an_unusual_bout_has_a_mark_and_an_uncompared_one_an_open_box() -> None:
    start = midnight(dt.date(2026, 6, 1), BERLIN)
    bouts = [
        Bout([CriedPart(Span(start + n * HOUR, start + (n + 0.5) * HOUR), 2, 9.0)], p_value)
        for n, p_value in ((1, 0.01), (3, 0.6), (5, None))
    ]
    lived = Lived(start, start + DAY, bouts)
    [row] = _chart(days_of(lived, [dt.date(2026, 6, 1)], BERLIN)).rows
    assert [bar.look for bar in row.bars] == ["bout"] * 3 + ["cry", "cry", "uncompared"]
    [mark] = row.marks
    assert (mark.kind, mark.x) == (UNUSUAL, row.bars[0].box.x)
    assert "unusual" in mark.label


def test_what_is_to_come_is_left_blank() -> None:
    rows = _chart(_days()).rows
    assert [row.to_come is not None for row in rows] == [False, False, False, True]


def test_shapes_are_told_apart_without_colour() -> None:
    looks = [(shape.lines, shape.is_filled) for shape in SHAPES.values()]
    assert len(set(looks)) == len(looks)
    drawn = set(DiaryEntry.Kind) - {DiaryEntry.Kind.SLEEP}
    assert drawn <= set(SHAPES)
    for shape in SHAPES.values():
        points = [point for line in shape.lines for point in line]
        assert all(x * x + y * y <= (1.3 * REACH) ** 2 for x, y in points)
        assert shape.path.count("M") == len(shape.lines)
