"""Gaps: when nothing was heard of an infant, and what is known of why.

What comes in: when there were recordings, who was listening, the stretch and the moment. What goes
out: gaps in the order of time. Guaranteed: pure; gaps do not overlap and lie in the stretch;
nothing is said of a monitor that was not known: of the past it is only known whether there was one.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from anomaly.selectors.lanes import Serving
from dashboard.scales import silences
from dashboard.standing import STALE_AFTER
from devices.models import Device

QUIET, SILENT, UNASSIGNED = "quiet", "silent", "unassigned"


@dataclass(frozen=True)
class Gap:
    """A stretch without a recording: quiet, the monitor silent, or none assigned."""

    start: dt.datetime
    end: dt.datetime
    kind: str


def gaps_of(
    times: Iterable[dt.datetime],
    serving: Sequence[Serving],
    start: dt.datetime,
    end: dt.datetime,
    now: dt.datetime,
) -> list[Gap]:
    """Return the gaps of a stretch; the future is none."""
    until = min(end, now)
    if until <= start:
        return []
    return [
        gap
        for before, after in silences(times, start, until)
        for gap in _told(before, after, serving, now)
    ]


def _told(
    start: dt.datetime, end: dt.datetime, serving: Sequence[Serving], now: dt.datetime
) -> Iterator[Gap]:
    """Say why nothing was heard, as far as that is known."""
    there = [one for one in serving if one.starts_at < end and (one.ends_at or now) > start]
    if not there:
        yield Gap(start, end, UNASSIGNED)
        return
    last_sign = _last_sign(there, end, now)
    if last_sign is None or last_sign >= end:
        yield Gap(start, end, QUIET)
        return
    if last_sign > start:
        yield Gap(start, last_sign, QUIET)
    yield Gap(max(start, last_sign), end, SILENT)


def _last_sign(
    serving: Sequence[Serving], end: dt.datetime, now: dt.datetime
) -> dt.datetime | None:
    """Return when a monitor that is silent to this day was last heard from; else None."""
    signs = [
        one.last_seen_at
        for one in serving
        if one.ends_at is None and one.last_seen_at and one.kind != Device.Kind.ARCHIVE
    ]
    is_to_this_day = now - end < STALE_AFTER
    if not signs or not is_to_this_day or now - max(signs) <= STALE_AFTER:
        return None
    return max(signs)
