"""Fourteen days of an infant as a few paths: small enough for hundreds of rows; pure.

What comes in: sessions with their p-values, and moments that were only learnt from. What goes out:
a `Strip`. Guaranteed: every session shows once; the unusual ones are higher, larger and of another
shape.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from anomaly.charts import UNUSUAL
from dashboard.scales import Box, PScale, TimeScale
from dashboard.standing import is_unusual
from dashboard.timeline_chart import SessionMark

WIDTH, HEIGHT, EDGE = 160.0, 44.0, 5.0


@dataclass(frozen=True)
class Strip:
    """Everything to print: a dot is a line of no length with a round end."""

    width: float
    height: float
    axis_path: str
    threshold_path: str
    usual_path: str
    unusual_path: str
    learning_path: str
    n_sessions: int
    n_unusual: int


def draw(
    start: dt.datetime,
    end: dt.datetime,
    sessions: Sequence[SessionMark],
    learning: Sequence[dt.datetime],
) -> Strip:
    """Return the picture of a stretch of time."""
    box = Box(EDGE, EDGE, WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE)
    time, scale = TimeScale(start, end, box), PScale.over([s.p_value for s in sessions], box)
    unusual = [one for one in sessions if is_unusual(one.p_value)]
    usual = [one for one in sessions if not is_unusual(one.p_value)]
    return Strip(
        width=WIDTH,
        height=HEIGHT,
        axis_path=f"M{box.x} {box.bottom}H{box.right}",
        threshold_path=f"M{box.x} {scale.y(UNUSUAL)}H{box.right}",
        usual_path="".join(f"M{time.x(s.time)} {scale.y(s.p_value)}h0" for s in usual),
        unusual_path="".join(
            f"M{time.x(s.time)} {scale.y(s.p_value) - 4:.1f}l4 7h-8Z" for s in unusual
        ),
        learning_path="".join(f"M{x} {box.bottom - 7}v7" for x in sorted(map(time.x, learning))),
        n_sessions=len(sessions),
        n_unusual=len(unusual),
    )
