"""The marks of the protocol of 24 hours, each a shape of its own; pure.

What comes in: the kind of a mark. What goes out: its outline as lines between points around its
middle, for browsers as a path and for paper as points. Guaranteed: no two look alike in black and
white, and all are inside a circle of `REACH`.
"""

import math
from dataclasses import dataclass

from infants.models import DiaryEntry

REACH = 5.0
Points = tuple[tuple[float, float], ...]
Kind = DiaryEntry.Kind


@dataclass(frozen=True)
class Shape:
    """Lines from point to point; `is_closed` ones are filled or, where `is_open`, outlined."""

    lines: tuple[Points, ...]
    is_closed: bool = True
    is_filled: bool = True

    @property
    def path(self) -> str:
        """The shape as SVG writes it."""
        end = "Z" if self.is_closed else ""
        return "".join(f"M{'L'.join(f'{x:g} {y:g}' for x, y in line)}{end}" for line in self.lines)


def _ring(radius: float, n_points: int = 20) -> Points:
    turns = (2 * math.pi * n / n_points for n in range(n_points))
    return tuple((round(radius * math.cos(a), 2), round(radius * math.sin(a), 2)) for a in turns)


def _strokes(n_strokes: int, first: float) -> tuple[Points, ...]:
    angles = [math.radians(first + 180 * n / n_strokes) for n in range(n_strokes)]
    ends = [(round(4.4 * math.cos(a), 2), round(4.4 * math.sin(a), 2)) for a in angles]
    return tuple(((-x, -y), (x, y)) for x, y in ends)


CROSS = (
    *((-1.4, -4.4), (1.4, -4.4), (1.4, -1.4), (4.4, -1.4), (4.4, 1.4), (1.4, 1.4)),
    *((1.4, 4.4), (-1.4, 4.4), (-1.4, 1.4), (-4.4, 1.4), (-4.4, -1.4), (-1.4, -1.4)),
)
UNUSUAL = "unusual"
DOZED_OFF = "dozed_off"
SHAPES: dict[str, Shape] = {
    UNUSUAL: Shape((((0, -4.8), (4.8, 0), (0, 4.8), (-4.8, 0)),)),
    DOZED_OFF: Shape((((-3, -4), (3, 0), (-3, 4)),), is_closed=False, is_filled=False),
    Kind.FEED: Shape((_ring(3.6),)),
    Kind.NAPPY: Shape((((-3.4, -3.4), (3.4, -3.4), (3.4, 3.4), (-3.4, 3.4)),), is_filled=False),
    Kind.TEMPERATURE: Shape((((0, -4.4), (4.2, 3.4), (-4.2, 3.4)),), is_filled=False),
    Kind.MEDICINE: Shape((CROSS,)),
    Kind.VACCINATION: Shape((((-4.2, -3.4), (4.2, -3.4), (0, 4.4)),)),
    Kind.ILLNESS: Shape(_strokes(2, 45.0), is_closed=False, is_filled=False),
    Kind.SYMPTOM: Shape(_strokes(3, 30.0), is_closed=False, is_filled=False),
    Kind.NOTE: Shape((_ring(3.4),), is_filled=False),
}
