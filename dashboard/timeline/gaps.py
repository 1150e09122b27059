"""Gaps: when nothing was heard of an infant, and what is known of why.

What comes in: when there were recordings, who was listening, the stretch and the moment. What goes
out: gaps in the order of time. Guaranteed: pure; gaps do not overlap and lie in the stretch;
nothing is said of a monitor that was not known. Of monitors that send heartbeats it is known when
they were there; of others, as to the past, only whether there was one.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from anomaly.selectors.lanes import Serving
from dashboard.scales import silences
from dashboard.standing import STALE_AFTER
from devices.heartbeats import silent_after
from devices.models import Device
from infants.stretches import Span, inside, joined, outside

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
    known = inside(_known(there, now), start, end)
    heard = joined(span for one in there for span in _listened(one, now))
    found = [Gap(*span, QUIET) for at in known for span in inside(heard, *at)]
    found += [Gap(*span, SILENT) for at in known for span in outside(heard, *at)]
    for span in outside(known, start, end):
        found += _guessed(*span, there, now)
    yield from _merged(sorted(found, key=lambda gap: gap.start))


def _merged(gaps: Iterable[Gap]) -> list[Gap]:
    """Return gaps in order, those of one kind that touch as one."""
    merged: list[Gap] = []
    for gap in gaps:
        last = merged[-1] if merged else None
        if last is not None and (last.end, last.kind) == (gap.start, gap.kind):
            merged[-1] = Gap(last.start, gap.end, gap.kind)
        else:
            merged.append(gap)
    return merged


def _known(serving: Sequence[Serving], now: dt.datetime) -> list[Span]:
    """Return when it is known of each monitor that served whether it was there."""
    known: list[Span] = []
    unknown: list[Span] = []
    for one in serving:
        served = Span(one.starts_at, one.ends_at or now)
        own = [] if one.known_from is None else inside([served], one.known_from, now)
        known += own
        unknown += _less(served, own)
    return [span for one in joined(known) for span in _less(one, unknown)]


def _less(span: Span, others: Sequence[Span]) -> list[Span]:
    return outside(others, *span) if span.start < span.end else []


def _listened(one: Serving, now: dt.datetime) -> list[Span]:
    """Return when a monitor listened; one that is not silent yet still does."""
    spans = [
        Span(at.start, now if now - at.end <= silent_after() else at.end) for at in one.listened
    ]
    return inside(spans, one.starts_at, one.ends_at or now)


def _guessed(
    start: dt.datetime, end: dt.datetime, there: Sequence[Serving], now: dt.datetime
) -> Iterator[Gap]:
    """Say why nothing was heard, of monitors that send no heartbeats."""
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
