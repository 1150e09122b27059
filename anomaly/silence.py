"""Silence: when something was last heard from an infant's side, and whether that is long ago.

What comes in: an overview of the infant and the moment. What goes out: the last sign, and a
`DataGap` where there is one. Guaranteed: pure; what was imported is not taken for a monitor that
has gone silent.
"""

import datetime as dt
import enum
import itertools
import statistics
from dataclasses import dataclass

from anomaly.selectors.overview import Overview
from infants.stretches import SPEAKS_WITHIN

SILENT_AFTER = SPEAKS_WITHIN
UNHEARD_AFTER = dt.timedelta(hours=24)
"""A monitor that is there and has heard nothing for a day and a night."""
TIMES_USUAL = 2.0
ENOUGH_GAPS = 20
USUAL_FRAC = 0.95


class GapKind(enum.StrEnum):
    """What is missing."""

    MONITOR = "monitor"  # the monitor itself has not been heard from
    CRYING = "crying"  # the monitor is there, or none is assigned, and nothing was recorded


@dataclass(frozen=True)
class DataGap:
    """Since when something is missing, and after how long it would be for this infant."""

    kind: GapKind
    since: dt.datetime
    expected_s: float


def last_sign(seen: Overview) -> dt.datetime | None:
    """Return when something was last heard from the infant's side.

    An archive was read, not listening: its newest recording counts, not the time of its reading.
    """
    monitor = seen.monitor
    if monitor is None or monitor.kind == monitor.Kind.ARCHIVE or monitor.last_seen_at is None:
        return seen.last_recorded_at
    return monitor.last_seen_at


def is_stale(seen: Overview, now: dt.datetime) -> bool:
    """Tell whether what is known of an infant may be out of date."""
    sign = last_sign(seen)
    return sign is not None and now - sign > SILENT_AFTER


def usual_silence(seen: Overview) -> dt.timedelta | None:
    """Return the silence between bouts of crying that 95 % of the last 30 days' are shorter than.

    None where there were too few to know.
    """
    times = [one.time for one in seen.sessions]
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(times)]
    if len(gaps) < ENOUGH_GAPS:
        return None
    cut = round(1 / (1 - USUAL_FRAC))
    return dt.timedelta(seconds=statistics.quantiles(gaps, n=cut, method="inclusive")[-1])


def gap_of(seen: Overview, now: dt.datetime) -> DataGap | None:
    """Return the gap in an infant's data that is open now.

    The rule: nothing came from the monitor for 12 hours, or nothing was recorded for 24 hours; and
    in both cases for twice as long as nearly all silences (95 %) of this infant last. An infant of
    whom nothing was ever heard has no gap, and neither has one whose recordings were imported.
    """
    monitor, sign = seen.monitor, last_sign(seen)
    if sign is None or (monitor is not None and monitor.kind == monitor.Kind.ARCHIVE):
        return None
    usual = usual_silence(seen) or dt.timedelta(0)
    silent, unheard = (max(least, TIMES_USUAL * usual) for least in (SILENT_AFTER, UNHEARD_AFTER))
    if monitor is not None and monitor.last_seen_at is not None and now - sign > silent:
        return DataGap(GapKind.MONITOR, sign, silent.total_seconds())
    heard = seen.last_recorded_at
    if heard is not None and now - heard > unheard:
        return DataGap(GapKind.CRYING, heard, unheard.total_seconds())
    return None
