"""The timeline as a viewer may read it: point by point, or in buckets of the infant's own time.

A bucket says what there is: `ScoredBucket` has numbers, `LearningBucket` says how far the learning
has come, `AbsentBucket` that nothing was judged. Days and weeks come from the daily rollup, hours
from the points. Each reading costs a fixed number of queries, whatever its length.
"""

import datetime as dt
import enum
import itertools
import statistics
import zoneinfo
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from anomaly.models import DailyRollup, ScorePoint
from anomaly.models.judgement import Outcome
from infants.access import Viewer, infants_for
from infants.models import Cry, Infant
from pipelines.score import Learning

COMBINED = ScorePoint.Scorer.COMBINED
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


class Bucket(enum.StrEnum):
    """How long a stretch of the infant's time is summed up in one row."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


LENGTH = {Bucket.HOUR: HOUR, Bucket.DAY: DAY, Bucket.WEEK: 7 * DAY}


@dataclass(frozen=True)
class Stretch:
    """From one moment to another, in the infant's own zone."""

    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True)
class Heard:
    """How much was heard and judged; `n_cries` and `cry_s` count in what was judged."""

    n_recordings: int
    n_cries: int
    cry_s: float
    n_accepted: int
    n_scored: int


@dataclass(frozen=True)
class ScoredBucket:
    """There are numbers."""

    stretch: Stretch
    heard: Heard
    p_value_min: float
    p_value_median: float
    outcome: str = Outcome.SCORED.value


@dataclass(frozen=True)
class LearningBucket:
    """The baseline was still being learnt, so there is no number."""

    stretch: Stretch
    heard: Heard
    learning: Learning
    outcome: str = Outcome.LEARNING.value


@dataclass(frozen=True)
class AbsentBucket:
    """Nothing was judged: no crying, or nobody listening."""

    stretch: Stretch
    outcome: str = "absent"


Row = ScoredBucket | LearningBucket | AbsentBucket
Judged = TypeVar("Judged", DailyRollup, ScorePoint)


def timeline_points(
    viewer: Viewer, infant: Infant, scorer: str, start: dt.datetime | None, end: dt.datetime | None
) -> QuerySet[ScorePoint]:
    """Return the points of one scorer, and those that say that the baseline was being learnt."""
    spoken = Q(scorer=scorer) | Q(outcome=Outcome.LEARNING, scorer=COMBINED)
    points = ScorePoint.objects.filter(
        spoken, infant=infant, infant__in=infants_for(viewer)
    ).select_related("model")
    if start is not None:
        points = points.filter(time__gte=start)
    return points if end is None else points.filter(time__lt=end)


def bucket_starts(
    infant: Infant, bucket: Bucket, start: dt.datetime, end: dt.datetime
) -> Iterator[dt.datetime]:
    """Yield where the buckets that touch a span start, and where the last one ends, in UTC."""
    step = {Bucket.HOUR: _next_hour, Bucket.DAY: _next_day, Bucket.WEEK: _next_week}[bucket]
    at = _floor(start, infant.zone, bucket)
    while at < end:
        yield at
        at = step(at, infant.zone)
    yield at


def timeline_buckets(
    viewer: Viewer, infant: Infant, bucket: Bucket, scorer: str, starts: Sequence[dt.datetime]
) -> list[Row]:
    """Return a row for each bucket between these starts, those without data included."""
    local = [start.astimezone(infant.zone) for start in starts]
    stretches = [Stretch(*ends) for ends in itertools.pairwise(local)]
    if not stretches:
        return []
    if bucket is Bucket.HOUR:
        return _hours(viewer, infant, scorer, stretches)
    return _days(viewer, infant, bucket, stretches)


# --- where buckets start ---------------------------------------------------------------------


def _floor(moment: dt.datetime, zone: zoneinfo.ZoneInfo, bucket: Bucket) -> dt.datetime:
    if bucket is Bucket.HOUR:
        return _hour_start(moment, zone)
    day = moment.astimezone(zone).date()
    if bucket is Bucket.WEEK:
        day -= day.weekday() * DAY
    return _day_start(day, zone)


def _hour_start(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Return the start of the clock's hour; the hour that autumn repeats is two hours."""
    local = moment.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    return local.astimezone(dt.UTC)


def _next_hour(start: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Return the next clock hour's start; where clocks change by half an hour, some are longer."""
    later = start + HOUR
    while (following := _hour_start(later, zone)) <= start:
        later += HOUR
    return following


def _day_start(day: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def _next_day(start: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    return _day_start(_day_of(start, zone) + DAY, zone)


def _next_week(start: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    return _day_start(_day_of(start, zone) + 7 * DAY, zone)


def _day_of(start: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.date:
    """Return the day that starts here; where it has no midnight, it starts after it."""
    return (start + HOUR).astimezone(zone).date()


# --- days and weeks, from the rollup ---------------------------------------------------------


def _days(
    viewer: Viewer, infant: Infant, bucket: Bucket, stretches: Sequence[Stretch]
) -> list[Row]:
    days = [_day_of(stretch.start, infant.zone) for stretch in stretches]
    behind = _day_of(stretches[-1].end, infant.zone)
    keys = [_key(stretch) for stretch in stretches]
    rollups = DailyRollup.objects.filter(
        infant=infant, infant__in=infants_for(viewer), day__gte=days[0], day__lt=behind
    )
    by_start = _grouped(
        rollups.order_by("day"), lambda rollup: keys[bisect_right(days, rollup.day) - 1]
    )
    learning = _learning(viewer, infant, stretches, bucket)
    return [
        _day_row(stretch, by_start.get(key, ()), learning.get(key))
        for stretch, key in zip(stretches, keys, strict=True)
    ]


def _learning(
    viewer: Viewer, infant: Infant, stretches: Sequence[Stretch], bucket: Bucket
) -> dict[dt.datetime, Learning]:
    """Return how far the learning had come at the end of each bucket in which there was some."""
    points = ScorePoint.objects.filter(
        infant=infant,
        infant__in=infants_for(viewer),
        outcome=Outcome.LEARNING,
        time__gte=stretches[0].start,
        time__lt=stretches[-1].end,
    )
    rows = points.order_by("time").values_list("time", "baseline_days", "baseline_days_needed")
    return {_floor(time, infant.zone, bucket): Learning(days, of) for time, days, of in rows}


def _day_row(stretch: Stretch, rollups: Sequence[DailyRollup], learning: Learning | None) -> Row:
    heard = _heard(rollups)
    smallest = [day.p_value_min for day in rollups if day.p_value_min is not None]
    medians = [day.p_value_median for day in rollups if day.p_value_median is not None]
    return _row(stretch, heard, smallest, medians, learning)


def _heard(rows: Iterable[DailyRollup]) -> Heard:
    days = list(rows)
    return Heard(
        n_recordings=sum(day.n_recordings for day in days),
        n_cries=sum(day.n_cries for day in days),
        cry_s=sum(day.cry_s for day in days),
        n_accepted=sum(day.n_accepted for day in days),
        n_scored=sum(day.n_scored for day in days),
    )


def _row(
    stretch: Stretch,
    heard: Heard,
    smallest: Sequence[float],
    middling: Sequence[float],
    learning: Learning | None,
) -> Row:
    if smallest and middling:
        return ScoredBucket(stretch, heard, min(smallest), statistics.median(middling))
    if heard.n_recordings and learning is not None:
        return LearningBucket(stretch, heard, learning)
    return AbsentBucket(stretch)


# --- hours, from the points ------------------------------------------------------------------


def _hours(viewer: Viewer, infant: Infant, scorer: str, stretches: Sequence[Stretch]) -> list[Row]:
    cries = Cry.objects.filter(recording=OuterRef("recording")).order_by().values("recording")
    length = Sum(F("offset_s") - F("onset_s"))
    points = (
        timeline_points(viewer, infant, scorer, stretches[0].start, stretches[-1].end)
        .select_related(None)
        .annotate(
            n_cries=Coalesce(Subquery(cries.annotate(n=Count("id")).values("n")), 0),
            cry_s=Coalesce(Subquery(cries.annotate(s=length).values("s")), 0.0),
        )
    )
    zone = infant.zone
    by_start = _grouped(points.order_by("time"), lambda point: _hour_start(point.time, zone))
    return [_hour_row(stretch, by_start.get(_key(stretch), ())) for stretch in stretches]


def _hour_row(stretch: Stretch, points: Sequence[ScorePoint]) -> Row:
    p_values = [point.p_value for point in points if point.p_value is not None]
    heard = Heard(
        n_recordings=len(points),
        n_cries=sum(point.n_cries for point in points),  # type: ignore[attr-defined]
        cry_s=sum(point.cry_s for point in points),  # type: ignore[attr-defined]
        n_accepted=sum(point.gate_accepted for point in points),
        n_scored=len(p_values),
    )
    last = points[-1] if points else None
    learning = Learning(last.baseline_days, last.baseline_days_needed) if last else None
    return _row(stretch, heard, p_values, p_values, learning)


def _grouped(
    rows: Iterable[Judged], start_of: Callable[[Judged], dt.datetime]
) -> Mapping[dt.datetime, list[Judged]]:
    groups: dict[dt.datetime, list[Judged]] = defaultdict(list)
    for row in rows:
        groups[start_of(row)].append(row)
    return groups


def _key(stretch: Stretch) -> dt.datetime:
    return stretch.start.astimezone(dt.UTC)
