"""Acoustic channels of one infant: what is usual for it, and how they lay in buckets of its time.

What comes in: a visible infant, names of channels and, for buckets, where they start. What goes
out: quantiles in the units in which channels are stored. Guaranteed: a fixed number of queries;
hours come from the recordings, days and weeks from the daily rows: a week has the medians of its
days' quantiles, as of p-values; where a channel has no value there is no number.
"""

import datetime as dt
import statistics
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models.fields.json import KeyTransform

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
    gather = _hours if bucket is Bucket.HOUR else _days
    return gather(viewer, infant, starts, names)


def _days(
    viewer: Viewer, infant: Infant, starts: Sequence[dt.datetime], names: Sequence[str]
) -> list[dict[str, Quantiles]]:
    """Return the medians of what is kept of each day; of a single day, just that."""
    first = [local_day_of(start, infant) for start in starts]
    rows = DailyChannels.objects.filter(infant=infant, infant__in=infants_for(viewer))
    kept = rows.filter(day__gte=first[0], day__lt=first[-1]).order_by("day")
    asked = [KeyTransform(name, "quantiles") for name in names]  # the others are not decoded
    by_bucket: list[list[dict[str, list[float]]]] = [[] for _ in starts[1:]]
    for day, *found in kept.values_list("day", *asked):
        told = {name: own for name, own in zip(names, found, strict=True) if own is not None}
        by_bucket[bisect_right(first, day) - 1].append(told)
    return [_medians(days, names) for days in by_bucket]


def _medians(
    days: Sequence[Mapping[str, Sequence[float]]], names: Sequence[str]
) -> dict[str, Quantiles]:
    found = {}
    for name in names:
        own = [day[name] for day in days if name in day]
        if len(own) == 1:
            found[name] = Quantiles(*own[0])
        elif own:
            found[name] = Quantiles(*map(statistics.median, zip(*own, strict=True)))
    return found


def _hours(
    viewer: Viewer, infant: Infant, starts: Sequence[dt.datetime], names: Sequence[str]
) -> list[dict[str, Quantiles]]:
    """Return the quantiles of the judged recordings of each hour."""
    judged = Recording.objects.filter(
        infant=infant,
        infant__in=infants_for(viewer),
        judgement__isnull=False,
        recorded_at__gte=starts[0],
        recorded_at__lt=starts[-1],
    ).values_list("recorded_at", "channels")
    told: list[list[Told]] = [[] for _ in starts[1:]]
    for time, channels in judged:
        told[bisect_right(starts, time) - 1].append(channels)
    return [
        {
            name: Quantiles(*three_quantiles(own))
            for name, own in values_by_channel(recordings, names).items()
        }
        for recordings in told
    ]


def local_day_of(start: dt.datetime, infant: Infant) -> dt.date:
    """Return the infant's day that begins with a bucket; where it has no midnight, just after."""
    return infant.local_day(start + dt.timedelta(hours=1))
