"""A number beside the range that is usual, as a picture of one line; pure.

What comes in: the number and the range. What goes out: places that a template only prints.
Guaranteed: everything lies inside; more than usual, as usual and less have a shape each.
"""

from dataclasses import dataclass

from anomaly.selectors.day_so_far import Usual

WIDTH, HEIGHT, EDGE = 240.0, 26.0, 10.0
LEAST_SPAN = 1.0
SHAPES = {
    "more": "M0-7 7 5H-7Z",
    "usual": "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0Z",
    "fewer": "M0 7 7-5H-7Z",
}


@dataclass(frozen=True)
class RangeBar:
    """Everything to print; the band is what is usual, the tick its middle."""

    width: float
    height: float
    left: float
    right: float
    y: float
    band_x: float
    band_width: float
    middle: float
    at: float
    shape: str


def side_of(value: float, usual: Usual) -> str:
    """Tell on which side of what is usual a number lies."""
    if value > usual.high:
        return "more"
    return "fewer" if value < usual.low else "usual"


def draw(value: float, usual: Usual) -> RangeBar:
    """Return the picture of a number beside what is usual."""
    most = max(value, usual.high, LEAST_SPAN) * 1.1

    def x(of: float) -> float:
        return round(EDGE + (WIDTH - 2 * EDGE) * min(of / most, 1.0), 1)

    return RangeBar(
        width=WIDTH,
        height=HEIGHT,
        left=EDGE,
        right=WIDTH - EDGE,
        y=HEIGHT / 2,
        band_x=x(usual.low),
        band_width=round(max(x(usual.high) - x(usual.low), 4.0), 1),
        middle=x(usual.middle),
        at=x(value),
        shape=SHAPES[side_of(value, usual)],
    )
