"""The protocol of 24 hours as shapes that a page or a paper only prints; pure.

What comes in: days, and how much room there is. What goes out: a `Chart`: for each day a strip from
midnight to midnight with its crying, sleep, feeds and other marks, when nobody is known to have
listened, and its totals. Guaranteed: the same days give the same chart; everything lies inside it;
nothing is told by colour alone. A day of 23 or 25 hours is as wide as the others, to a scale of its
own, with its own hours marked.

From top to bottom in a strip: unusual bouts, crying, sleep, feeds and the other marks.
"""

import datetime as dt
import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from anomaly.selectors.protocol import Bout
from dashboard.report.days import HOUR, Day, Kind, is_unusual_bout
from dashboard.report.shapes import DOZED_OFF, UNUSUAL
from dashboard.scales import Box, Tick
from infants.models import DiaryEntry

SLIMMEST = 1.6
"""A cry of seconds is still to be seen on a strip of a day."""
EVERY_HOURS = 3
HEAD = 32.0
LASTING_KINDS = (Kind.ILLNESS, Kind.SYMPTOM)


@dataclass(frozen=True)
class Layout:
    """How much room there is: `strip_height` for each day, totals beside or above the strips."""

    width: float
    left: float
    totals_width: float
    strip_height: float
    gap: float
    words_height: float = 0.0

    @property
    def strip_width(self) -> float:
        """How wide midnight to midnight is."""
        return self.width - self.left - self.totals_width


def wide_layout(n_days: int) -> Layout:
    """Return the room on a screen or on a page of A4, which as many days fill as are shown."""
    height = 90.0 if n_days <= 7 else 54.0 if n_days <= 14 else 26.0
    return Layout(820.0, 92.0, 212.0, height, 6.0 if n_days <= 14 else 4.0)


NARROW = Layout(352.0, 6.0, 6.0, 44.0, 10.0, words_height=20.0)


@dataclass(frozen=True)
class Bar:
    """A box with its look and its words."""

    box: Box
    look: str
    label: str


@dataclass(frozen=True)
class Mark:
    """A shape's place and its words."""

    x: float
    y: float
    kind: str
    label: str


@dataclass(frozen=True)
class Row:
    """One day's strip; `words_y` is where its name and totals stand, as columns or as a line."""

    strip: Box
    name: str
    note: str
    totals: Sequence[str]
    line: str
    words_y: float
    ticks: list[Tick]
    unknown: list[Box]
    to_come: Box | None
    bars: list[Bar]
    marks: list[Mark]


@dataclass(frozen=True)
class Chart:
    """Everything to print."""

    width: float
    height: float
    hours: list[Tick]
    hours_y: float
    totals_x: list[float]
    rows: list[Row]


@dataclass(frozen=True)
class Labels:
    """How a day, its totals, and what happened on it are put into words."""

    name: Callable[[Day], str]
    note: Callable[[Day], str]
    totals: Callable[[Day], Sequence[str]]
    line: Callable[[Day], str]
    bout: Callable[[Bout], str]
    entry: Callable[[DiaryEntry], str]


def draw(days: Sequence[Day], zone: zoneinfo.ZoneInfo, layout: Layout, labels: Labels) -> Chart:
    """Return the protocol of these days."""
    step = layout.words_height + layout.strip_height + layout.gap
    rows = [_row(day, zone, layout, HEAD + n * step, labels) for n, day in enumerate(days)]
    strip = Box(layout.left, 0.0, layout.strip_width, 0.0)
    hours = [
        Tick(round(strip.x + strip.width * hour / 24, 1), str(hour))
        for hour in range(0, 25, EVERY_HOURS)
    ]
    column = layout.totals_width / 4
    return Chart(
        width=layout.width,
        height=HEAD + step * len(rows),
        hours=hours,
        hours_y=HEAD - 6,
        totals_x=[round(strip.right + column * (n + 1) - 6, 1) for n in range(4) if column > 10],
        rows=rows,
    )


def _row(day: Day, zone: zoneinfo.ZoneInfo, layout: Layout, top: float, labels: Labels) -> Row:
    y = top + layout.words_height
    strip = Box(layout.left, y, layout.strip_width, layout.strip_height)
    row = Row(
        strip=strip,
        name=labels.name(day),
        note=labels.note(day),
        totals=labels.totals(day),
        line=labels.line(day),
        words_y=top + layout.words_height - 6 if layout.words_height else strip.middle + 4,
        ticks=_ticks(day, zone, strip),
        unknown=[_box(day, strip, span.start, span.end) for span in day.unknown],
        to_come=_box(day, strip, day.over_at, day.end) if day.over_at < day.end else None,
        bars=[],
        marks=[],
    )
    return replace(row, bars=_bars(day, strip, labels), marks=_marks(day, strip, labels))


def _ticks(day: Day, zone: zoneinfo.ZoneInfo, strip: Box) -> list[Tick]:
    """Return the hours of the day's own clock."""
    ticks, at = [], day.start
    while at <= day.end:
        local = at.astimezone(zone)
        if local.hour % EVERY_HOURS == 0 and local.minute == 0:
            ticks.append(Tick(_x(day, strip, at), str(local.hour if at < day.end else 24)))
        at += HOUR / 2
    return ticks


# --- places --------------------------------------------------------------------------------------


def _x(day: Day, strip: Box, moment: dt.datetime) -> float:
    return round(strip.x + strip.width * day.frac(moment), 1)


def _box(
    day: Day, strip: Box, start: dt.datetime, end: dt.datetime, lane: tuple[float, float] = (0, 1)
) -> Box:
    """Return the place of a span in a lane of the strip, wide enough to be seen."""
    left, right = _x(day, strip, start), _x(day, strip, end)
    width = round(max(right - left, SLIMMEST), 1)
    x = round(min(left, strip.right - width), 1)
    top, bottom = (strip.y + strip.height * frac for frac in lane)
    return Box(x, round(top, 1), width, round(bottom - top, 1))


ABOVE, CRYING, SLEEP, BELOW = (0.02, 0.22), (0.22, 0.52), (0.56, 0.74), (0.76, 1.0)


def _middle(strip: Box, lane: tuple[float, float]) -> float:
    return round(strip.y + strip.height * sum(lane) / 2, 1)


# --- what happened -------------------------------------------------------------------------------


def _bars(day: Day, strip: Box, labels: Labels) -> list[Bar]:
    bars = []
    for bout in _bouts_on(day):
        box = _box(day, strip, *bout.span, lane=CRYING)
        bars.append(Bar(box, "bout", labels.bout(bout)))
    for part, bout in day.crying:
        look = "cry" if bout.p_value is not None else "uncompared"
        bars.append(Bar(_box(day, strip, *part.span, lane=CRYING), look, ""))
    for span in day.sleeps:
        bars.append(Bar(_box(day, strip, *span, lane=SLEEP), "sleep", ""))
    for entry in day.diary:
        if entry.ends_at is not None and entry.kind not in (Kind.SLEEP, Kind.NAPPY):
            box = _box(day, strip, entry.starts_at, entry.ends_at, lane=(0.86, 0.9))
            bars.append(Bar(box, "lasting", labels.entry(entry)))
    return bars


def _bouts_on(day: Day) -> list[Bout]:
    """Return the bouts of which something falls into the day."""
    return list({id(bout): bout for _, bout in day.crying}.values())


def _marks(day: Day, strip: Box, labels: Labels) -> list[Mark]:
    above, asleep, below = (_middle(strip, lane) for lane in (ABOVE, SLEEP, BELOW))
    marks = [
        Mark(_x(day, strip, bout.span.start), above, UNUSUAL, labels.bout(bout))
        for bout in day.bouts
        if is_unusual_bout(bout)
    ]
    marks += [Mark(_x(day, strip, at), asleep, DOZED_OFF, "") for at in day.dozed_off]
    marks += [
        Mark(_x(day, strip, entry.starts_at), below, entry.kind, labels.entry(entry))
        for entry in day.diary
        if entry.kind != Kind.SLEEP and entry.starts_at >= day.start
    ]
    return [replace(mark, x=_within(mark.x, strip)) for mark in marks]


def _within(x: float, strip: Box) -> float:
    return round(min(max(x, strip.x + 3), strip.right - 3), 1)
