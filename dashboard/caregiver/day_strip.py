"""The last 24 hours of an infant on one axis: crying, sleep, feeds and the rest; pure.

What comes in: lanes of spans of time, and a width. What goes out: places that a template only
prints. Guaranteed: every span shows, however short; nothing lies outside; a lane's kind is told by
its place and its word, what is unusual by a shape of its own.
"""

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.scales import Box, Tick, TimeScale

SHOWN = dt.timedelta(hours=24)
QUARTER = dt.timedelta(minutes=15)
"""Every zone's whole hours lie on quarters of an hour."""
LANE_HEIGHT, BAR_HEIGHT, TOP, BOTTOM = 30.0, 16.0, 8.0, 22.0
LEFT, RIGHT = 64.0, 14.0
NARROWEST = 4.0
ROOM_FOR_AN_HOUR = 44.0
STEPS_H = (1, 2, 3, 4, 6, 12)


@dataclass(frozen=True)
class Stretch:
    """Something that lasted, or a moment: its look is a class of the stylesheet."""

    start: dt.datetime
    end: dt.datetime
    look: str
    label: str
    is_marked: bool = False


@dataclass(frozen=True)
class Lane:
    """One kind of thing."""

    name: str
    stretches: Sequence[Stretch]


@dataclass(frozen=True)
class Bar:
    """A stretch where it is drawn; a mark stands over its middle."""

    box: Box
    look: str
    label: str
    is_marked: bool
    middle: float


@dataclass(frozen=True)
class DrawnLane:
    """A lane where it is drawn."""

    name: str
    box: Box
    text_y: float
    bars: list[Bar]


@dataclass(frozen=True)
class Strip:
    """Everything to print."""

    width: float
    height: float
    plot: Box
    lanes: list[DrawnLane]
    hours: list[Tick]
    midnight: float | None
    hours_y: float
    mark_path: str


def draw(lanes: Sequence[Lane], now: dt.datetime, zone: zoneinfo.ZoneInfo, width: float) -> Strip:
    """Return the strip of the day that ends now."""
    plot = Box(LEFT, TOP, width - LEFT - RIGHT, LANE_HEIGHT * len(lanes))
    time = TimeScale(now - SHOWN, now, plot)
    midnight = dt.datetime.combine(now.astimezone(zone).date(), dt.time(), zone)
    return Strip(
        width=width,
        height=plot.bottom + BOTTOM,
        plot=plot,
        lanes=[_lane(lane, index, time) for index, lane in enumerate(lanes)],
        hours=_hours(time, zone),
        midnight=time.x(midnight) if midnight > time.start else None,
        hours_y=plot.bottom + BOTTOM - 6,
        mark_path="M0-8 4.5-1h-9Z",
    )


def _lane(lane: Lane, index: int, time: TimeScale) -> DrawnLane:
    box = Box(time.box.x, time.box.y + index * LANE_HEIGHT, time.box.width, LANE_HEIGHT)
    shown = [one for one in lane.stretches if one.end >= time.start and one.start <= time.end]
    return DrawnLane(lane.name, box, box.middle + 4, [_bar(one, box, time) for one in shown])


def _bar(stretch: Stretch, lane: Box, time: TimeScale) -> Bar:
    x, width = time.span(stretch.start, stretch.end, NARROWEST)
    box = Box(x, round(lane.y + (LANE_HEIGHT - BAR_HEIGHT) / 2, 1), width, BAR_HEIGHT)
    middle = round(x + width / 2, 1)
    return Bar(box, stretch.look, stretch.label, stretch.is_marked, middle)


def _hours(time: TimeScale, zone: zoneinfo.ZoneInfo) -> list[Tick]:
    """Return whole hours where the infant lives, as many as have room."""
    room = time.box.width / ROOM_FOR_AN_HOUR
    step = next((step for step in STEPS_H if 24 / step <= room), STEPS_H[-1])
    at = time.start.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
    ticks = []
    while at <= time.end:
        local = at.astimezone(zone)
        if at >= time.start and local.minute == 0 and local.hour % step == 0:
            ticks.append(Tick(time.x(at), f"{local:%H}"))
        at += QUARTER
    return ticks
