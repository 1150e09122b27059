"""When a monitor listened, as far as can be known; pure.

What comes in: moments at which a monitor gave a sign, and from when to when it served the infant.
What goes out: stretches in which it listened. Guaranteed: in order, apart from each other, inside
the time of service; what is in none of them is not known, and not hearing is not quiet.
"""

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

SPEAKS_WITHIN = dt.timedelta(hours=12)
"""A monitor speaks only when it uploads, and an infant may sleep through a night."""


class Span(NamedTuple):
    """From one moment to another."""

    start: dt.datetime
    end: dt.datetime

    @property
    def length_s(self) -> float:
        """How long it lasts."""
        return (self.end - self.start).total_seconds()


def joined(spans: Iterable[Span], within: dt.timedelta = dt.timedelta()) -> list[Span]:
    """Return the spans in order, those no further apart than this joined into one."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start - found[-1].end <= within:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def inside(spans: Iterable[Span], start: dt.datetime, end: dt.datetime) -> list[Span]:
    """Return what of the spans lies between two moments."""
    cut = (Span(max(span.start, start), min(span.end, end)) for span in spans)
    return [span for span in cut if span.start < span.end]


def outside(spans: Iterable[Span], start: dt.datetime, end: dt.datetime) -> list[Span]:
    """Return what between two moments lies in none of the spans."""
    edges = [start, *(edge for span in joined(inside(spans, start, end)) for edge in span), end]
    left = (Span(edges[at], edges[at + 1]) for at in range(0, len(edges), 2))
    return [span for span in left if span.start < span.end]


def length_s(spans: Iterable[Span]) -> float:
    """Return how long spans last together; those that overlap count once."""
    return sum(span.length_s for span in joined(spans))
