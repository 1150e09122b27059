"""By how much a device's clock is off, from what it said of its own time; pure.

What comes in: samples, each the device's present time beside the moment at which it came in. What
goes out: the skew in seconds (above zero: the device's clock is ahead), with a bound. Guaranteed:
one odd sample moves nothing; a clock that was set is followed from the second sample on that says
so; a clock that nobody ever set gives none.

A message takes time, so that a clock seems late by as long as its message was under way. Where a
device tells how long its last exchange took, half of that is taken off, and the other half is the
bound (as NTP does, RFC 5905); otherwise the bound is how far the samples lie apart.
"""

import datetime as dt
import statistics
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import NamedTuple

KEPT = 9
KEPT_FOR = dt.timedelta(days=7)
AGREE_WITHIN_S = 60.0
FIRST_SET_YEAR = 2020
"""Clocks that nobody has set start in 1970, 1980, 2000 or at the making of their firmware."""
LONGEST_ROUND_TRIP_S = 120.0


class Sample(NamedTuple):
    """The device's clock beside ours; `round_trip_s` is how long its last exchange took."""

    at: dt.datetime
    clock: dt.datetime
    round_trip_s: float | None = None

    @property
    def skew_s(self) -> float:
        """By how much the clock is ahead, by this sample alone."""
        return (self.clock - self.at).total_seconds() + (self.round_trip_s or 0.0) / 2


class Skew(NamedTuple):
    """By how much a clock is ahead, and how far that may be off."""

    skew_s: float
    bound_s: float


def skew_of(samples: Sequence[Sample]) -> Skew | None:
    """Return the skew by samples in the order in which they came; None without any."""
    if not samples:
        return None
    newest = samples[-1].skew_s
    run = list(takewhile(lambda one: abs(one.skew_s - newest) <= AGREE_WITHIN_S, reversed(samples)))
    counted = run if len(run) > 1 else list(samples)
    skew_s = statistics.median(one.skew_s for one in counted)
    spread_s = statistics.median(abs(one.skew_s - skew_s) for one in counted)
    trips_s = [one.round_trip_s / 2 for one in counted if one.round_trip_s is not None]
    return Skew(round(skew_s, 3), round(max(spread_s, *trips_s[:1], 0.0), 3))


def with_sample(samples: Iterable[Sample], new: Sample) -> list[Sample]:
    """Return the samples to keep; what was said twice counts once, an unset clock not at all."""
    young = [one for one in samples if new.at - one.at < KEPT_FOR]
    is_said = any(one.clock == new.clock for one in young)
    if is_said or new.clock.year < FIRST_SET_YEAR:
        return young
    return [*young, new][-KEPT:]


def to_json(samples: Iterable[Sample]) -> list[list[str | float | None]]:
    """Return samples as a row keeps them."""
    return [[one.at.isoformat(), one.clock.isoformat(), one.round_trip_s] for one in samples]


def from_json(kept: Iterable[Sequence[str]]) -> list[Sample]:
    """Return samples as a row kept them."""
    return [
        Sample(
            dt.datetime.fromisoformat(at),
            dt.datetime.fromisoformat(clock),
            None if trip is None else float(trip),
        )
        for at, clock, trip in kept
    ]
