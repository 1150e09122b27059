"""Acoustic channels of one infant: what is usual for it, and how they lay in buckets of its time.

What comes in: a visible infant, names of channels and, for buckets, where they start. What goes
out: quantiles in the units in which channels are stored. Guaranteed: a fixed number of queries;
days and weeks come from the daily rows, hours from the recordings; where a channel has no value
there is no number.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from anomaly.models import BaselineEntry, DailyChannels, PersonalModel
from anomaly.selectors.timeline import Bucket
from infants.access import Viewer, infants_for
from infants.models import Infant, Recording
from infants.selectors import visible_recordings
from pipelines.acoustics import USUAL_FRACS, quantile, values_by_channel

LEAST_KNOWN = 9
"""With fewer recordings nothing is called usual."""
MOST_READ = 400


@dataclass(frozen=True)
class Usual:
    """The infant's own usual range by channel: eight in ten of what the baseline holds.

    `version` is the number of the personal model that learnt these `n_recordings`; None while
    there is none, and the range is that of what was accepted so far. `smallest_p_value` is the
    smallest that this version can give.
    """

    version: int | None
    n_recordings: int
    ranges: dict[str, tuple[float, float]]
    smallest_p_value: float | None = None


@dataclass(frozen=True)
class Quantiles:
    """A tenth, half and nine tenths of the values lie under these."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Quantiles":
        """Take them from rising values."""
        low, high = (quantile(values, frac) for frac in USUAL_FRACS)
        return cls(low, quantile(values, 0.5), high)


def usual_of(viewer: Viewer, infant: Infant, names: Sequence[str]) -> Usual:
    """Return what is usual for an infant, by the newest version in force."""
    models = PersonalModel.objects.filter(infant=infant, withdrawn_at=None)
    newest = models.order_by("-number").values_list("number", "facts").first()
    number, facts = newest or (None, {})
    learnt = facts.get("recordings") if facts else None
    told = _channels_of(viewer, infant, learnt)
    known = told if len(told) >= LEAST_KNOWN else []
    values = values_by_channel(known, names)
    ranges = {
        name: (quantile(own, USUAL_FRACS[0]), quantile(own, USUAL_FRACS[1]))
        for name, own in values.items()
        if len(own) >= LEAST_KNOWN
    }
    return Usual(number, len(known), ranges, facts.get("smallest_p_value"))


def _channels_of(
    viewer: Viewer, infant: Infant, learnt: Sequence[str] | None
) -> list[dict[str, dict[str, float | str]]]:
    """Return the channels of what a version learnt, or of what was admitted so far."""
    if learnt is None:
        entries = BaselineEntry.objects.filter(infant=infant, withdrawn_at=None)
        ids = list(entries.order_by("-recorded_at").values_list("recording_id", flat=True))
        learnt = [str(one) for one in ids]
    recordings = visible_recordings(viewer).filter(infant=infant, id__in=learnt[-MOST_READ:])
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
    gather = _from_recordings if bucket is Bucket.HOUR else _from_days
    gathered: list[dict[str, list[float]]] = [{} for _ in starts[1:]]
    for at, values in gather(viewer, infant, starts, names):
        for name, own in values.items():
            gathered[at].setdefault(name, []).extend(own)
    return [
        {name: Quantiles.of(sorted(own)) for name, own in values.items()} for values in gathered
    ]


Placed = Iterable[tuple[int, dict[str, list[float]]]]


def _from_days(
    viewer: Viewer, infant: Infant, starts: Sequence[dt.datetime], names: Sequence[str]
) -> Placed:
    """Yield the days' values with the number of their bucket."""
    first = [local_day_of(start, infant) for start in starts]
    rows = DailyChannels.objects.filter(
        infant=infant, infant__in=infants_for(viewer), day__gte=first[0], day__lt=first[-1]
    )
    for day, values in rows.order_by("day").values_list("day", "values"):
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
