"""Acoustic channels of one infant: what is usual for it, and how they lay in buckets of its time.

What comes in: a visible infant, names of channels and, for buckets, where they start. What goes
out: quantiles in the units in which channels are stored. Guaranteed: a fixed number of queries;
days and weeks come from the daily rows, hours from the recordings; where a channel has no value
there is no number.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from anomaly.models import BaselineEntry, DailyChannels, PersonalModel
from anomaly.selectors.timeline import Bucket
from infants.access import Viewer, infants_for
from infants.models import Infant, Recording
from infants.selectors import visible_recordings
from pipelines.acoustics import LEAST_KNOWN, three_quantiles, usual_ranges, values_by_channel

MOST_READ = 400
Told = Mapping[str, Mapping[str, float | str]]


@dataclass(frozen=True)
class Usual:
    """The infant's own usual range by channel: eight in ten of what the baseline holds.

    `version` is the number of the personal model that learnt these `n_recordings`; None while
    there is none, and the range is that of what was accepted so far.
    """

    version: int | None
    n_recordings: int
    ranges: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Quantiles:
    """A tenth, half and nine tenths of the values lie under these."""

    low: float
    middle: float
    high: float


def usual_of(viewer: Viewer, infant: Infant) -> Usual:
    """Return what is usual for an infant, by the newest version in force."""
    models = PersonalModel.objects.filter(infant=infant, infant__in=infants_for(viewer))
    in_force = models.filter(withdrawn_at=None).order_by("-number")
    newest = in_force.values_list("number", "n_recordings", "facts").first()
    if newest is None:
        entries = BaselineEntry.objects.filter(infant=infant, withdrawn_at=None)
        admitted = entries.order_by("-recorded_at").values_list("recording_id", flat=True)
        told = _channels_of(viewer, infant, [str(one) for one in admitted[:MOST_READ]])
        ranges = usual_ranges(told)
        return Usual(None, len(told) if len(told) >= LEAST_KNOWN else 0, ranges)
    number, n_recordings, facts = newest
    if "usual" not in facts:  # it was learnt before versions said so themselves
        facts["usual"] = usual_ranges(_channels_of(viewer, infant, facts.get("recordings", [])))
    return Usual(number, n_recordings if facts["usual"] else 0, facts["usual"])


def _channels_of(viewer: Viewer, infant: Infant, chosen: Sequence[str]) -> list[Told]:
    """Return the channels of some recordings."""
    recordings = visible_recordings(viewer).filter(infant=infant, id__in=chosen[-MOST_READ:])
    return list(recordings.order_by().values_list("channels", flat=True))


def channel_buckets(
    viewer: Viewer,
    infant: Infant,
    bucket: Bucket,
    starts: Sequence[dt.datetime],
    names: Sequence[str],
) -> list[dict[str, Quantiles]]:
    """Return for each bucket between these starts the quantiles of each of the channels."""
    if len(starts) < 2 or not names:
        return [{} for _ in starts[1:]]
    if bucket is Bucket.DAY:
        return _of_days(viewer, infant, starts, names)
    gather = _from_recordings if bucket is Bucket.HOUR else _from_days
    gathered: list[dict[str, list[float]]] = [{} for _ in starts[1:]]
    for at, values in gather(viewer, infant, starts, names):
        for name, own in values.items():
            gathered[at].setdefault(name, []).extend(own)
    return [
        {name: Quantiles(*three_quantiles(sorted(own))) for name, own in values.items()}
        for values in gathered
    ]


def _of_days(
    viewer: Viewer, infant: Infant, starts: Sequence[dt.datetime], names: Sequence[str]
) -> list[dict[str, Quantiles]]:
    """Return the quantiles that are kept of each day."""
    days = [local_day_of(start, infant) for start in starts]
    kept = dict(_daily(viewer, infant, days).values_list("day", "quantiles"))
    return [
        {name: Quantiles(*found[name]) for name in names if name in found}
        for found in (kept.get(day, {}) for day in days[:-1])
    ]


def _daily(viewer: Viewer, infant: Infant, days: Sequence[dt.date]) -> QuerySet[DailyChannels]:
    rows = DailyChannels.objects.filter(infant=infant, infant__in=infants_for(viewer))
    return rows.filter(day__gte=days[0], day__lt=days[-1]).order_by("day")


Placed = Iterable[tuple[int, dict[str, list[float]]]]


def _from_days(
    viewer: Viewer, infant: Infant, starts: Sequence[dt.datetime], names: Sequence[str]
) -> Placed:
    """Yield the days' values with the number of their bucket."""
    first = [local_day_of(start, infant) for start in starts]
    for day, values in _daily(viewer, infant, first).values_list("day", "values"):
        kept = {name: values[name] for name in names if name in values}
        yield bisect_right(first, day) - 1, kept


def _from_recordings(
    viewer: Viewer, infant: Infant, starts: Sequence[dt.datetime], names: Sequence[str]
) -> Placed:
    """Yield the judged recordings' values with the number of their bucket."""
    judged: Iterable[tuple[dt.datetime, dict[str, dict[str, float | str]]]] = (
        Recording.objects.filter(
            infant=infant,
            infant__in=infants_for(viewer),
            judgement__isnull=False,
            recorded_at__gte=starts[0],
            recorded_at__lt=starts[-1],
        ).values_list("recorded_at", "channels")
    )
    for time, channels in judged:
        yield bisect_right(starts, time) - 1, values_by_channel([channels], names)


def local_day_of(start: dt.datetime, infant: Infant) -> dt.date:
    """Return the infant's day that begins with a bucket; where it has no midnight, just after."""
    return infant.local_day(start + dt.timedelta(hours=1))
