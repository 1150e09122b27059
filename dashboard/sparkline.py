"""The last thirty days of an infant in a picture as small as a line of text; pure.

What comes in: sessions with their p-values, and moments that were only learnt from. What goes out:
places to print. Guaranteed: every session shows once; the unusual ones are higher, larger and of
another shape.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from anomaly.charts import UNUSUAL
from dashboard.scales import Box, PScale, TimeScale
from dashboard.standing import is_unusual
from dashboard.timeline_chart import Dot, SessionMark

WIDTH, HEIGHT, EDGE = 300.0, 56.0, 6.0


@dataclass(frozen=True)
class Sparkline:
    """Everything to print."""

    width: float
    height: float
    box: Box
    unusual_y: float
    usual: list[Dot]
    unusual: list[Dot]
    learning_path: str


def draw(
    start: dt.datetime,
    end: dt.datetime,
    sessions: Sequence[SessionMark],
    learning: Sequence[dt.datetime],
) -> Sparkline:
    """Return the picture of a stretch of time."""
    box = Box(EDGE, EDGE, WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE)
    time, scale = TimeScale(start, end, box), PScale.over([s.p_value for s in sessions], box)
    dots = [(is_unusual(s.p_value), Dot(time.x(s.time), scale.y(s.p_value), "")) for s in sessions]
    places = sorted({time.x(moment) for moment in learning})
    return Sparkline(
        width=WIDTH,
        height=HEIGHT,
        box=box,
        unusual_y=scale.y(UNUSUAL),
        usual=[dot for unusual, dot in dots if not unusual],
        unusual=[dot for unusual, dot in dots if unusual],
        learning_path="".join(f"M{x} {box.bottom - 7}v7" for x in places),
    )
