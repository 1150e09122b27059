"""A stretch of one infant's time, as fine as there is room to draw it.

What comes in: the viewer, a visible infant, the stretch, the width in pixels and what is wanted.
What goes out: a `Focus`: recording by recording where these are few enough, otherwise buckets.
Guaranteed: a fixed number of queries, and at most about as many rows as there are pixels; every
judged recording has the number that it has in the infant's life, whatever is shown.
"""

import datetime as dt
import math
import statistics
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from anomaly.models import GateDecision, ScorePoint, SessionJudgement
from anomaly.selectors.channels import Quantiles, channel_buckets
from anomaly.selectors.timeline import LENGTH, Bucket, Row, bucket_starts, timeline_buckets
from infants.access import Viewer
from infants.models import Infant, Recording
from infants.selectors import check_visible

COMBINED = ScorePoint.Scorer.COMBINED
LEAST_SINGLE = 150
PX_EACH = 2
"""A recording is drawn by itself where each has so many pixels, and always where they are few."""
PX_A_BUCKET = 3
ANY_WIDTH = 10**6
Told = Mapping[str, Mapping[str, float | str]]


@dataclass(frozen=True)
class Wanted:
    """What is asked for: a stretch, the width to draw it in, and what beside the p-values."""

    start: dt.datetime
    end: dt.datetime
    width: int
    channels: tuple[str, ...] = ()
    scorers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Single:
    """One recording, judged or not; `number` counts the judged ones of the infant's life."""

    id: UUID
    time: dt.datetime
    number: int | None
    session: UUID | None
    device: UUID
    state: str
    reason: str
    duration_s: float | None
    channels: Told
    outcome: str | None
    p_value: float | None
    p_values: Mapping[str, float]
    room_p_value: float | None
    version: int | None
    is_cry: bool | None
    accepted: bool | None
    review: bool | None
    parts: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class SessionMark:
    """One session's judgement."""

    id: UUID
    time: dt.datetime
    p_value: float
    p_values: Mapping[str, float]
    n_recordings: int


@dataclass(frozen=True)
class SumUp:
    """One bucket: what was heard and judged, and what became of it.

    `first_number` is the number of its first judged recording, or of the next one after it.
    `session_p_values` are smallest and median of its sessions; `scorers` medians of theirs.
    """

    row: Row
    first_number: int
    n_not_cries: int
    n_reviewed: int
    session_p_values: tuple[float, float] | None
    scorers: Mapping[str, float]
    channels: Mapping[str, Quantiles]


@dataclass(frozen=True)
class Focus:
    """What there is to draw: `singles` and `sessions` where `bucket` is None, else `buckets`.

    Between `widths`, in pixels, the answer is the same.
    """

    wanted: Wanted
    bucket: Bucket | None
    widths: tuple[int, int]
    first_number: int
    singles: list[Single] = field(default_factory=list)
    sessions: list[SessionMark] = field(default_factory=list)
    buckets: list[SumUp] = field(default_factory=list)


def focus_of(viewer: Viewer, infant: Infant, wanted: Wanted) -> Focus:
    """Return what there is to draw of a stretch; UnknownInfantError where none may be seen."""
    check_visible(viewer, infant)
    heard = Recording.objects.filter(
        infant=infant, recorded_at__gte=wanted.start, recorded_at__lt=wanted.end
    )
    n_recordings = heard.count()
    bucket, widths = bucket_for(n_recordings, wanted), widths_for(n_recordings, wanted)
    if bucket is None:
        number = 1 + _judged_before(infant, wanted.start)
        singles, sessions = list(_singles(heard, number)), list(_sessions(infant, wanted))
        return Focus(wanted, None, widths, number, singles, sessions)
    starts = list(bucket_starts(infant, bucket, wanted.start, wanted.end))
    number = 1 + _judged_before(infant, starts[0])
    buckets = _sum_up(viewer, infant, wanted, bucket, starts)
    return Focus(wanted, bucket, widths, number, buckets=list(_numbered(buckets, number)))


def bucket_for(n_recordings: int, wanted: Wanted) -> Bucket | None:
    """Return how finely to sum up so many recordings, or None: not at all."""
    if n_recordings <= max(LEAST_SINGLE, wanted.width // PX_EACH):
        return None
    room = max(wanted.width // PX_A_BUCKET, 1)
    fitting = (one for one in Bucket if (wanted.end - wanted.start) / LENGTH[one] <= room)
    return next(fitting, Bucket.WEEK)


def widths_for(n_recordings: int, wanted: Wanted) -> tuple[int, int]:
    """Return the narrowest and the widest width for which so many are summed up as finely."""
    length = wanted.end - wanted.start  # weeks are taken where nothing else fits
    needed = [_pixels(length / LENGTH[one]) for one in Bucket if one is not Bucket.WEEK]
    single = 0 if n_recordings <= LEAST_SINGLE else n_recordings * PX_EACH
    if wanted.width >= single:
        return single, ANY_WIDTH
    finer = [width for width in needed if width > wanted.width]
    coarser = [width for width in needed if width <= wanted.width]
    return max(coarser, default=0), min([single, *finer]) - 1


def _pixels(buckets: float) -> int:
    return math.ceil(buckets) * PX_A_BUCKET


def _judged_before(infant: Infant, moment: dt.datetime) -> int:
    points = ScorePoint.objects.filter(infant=infant, time__lt=moment, scorer=COMBINED)
    return points.count()


# --- one by one ----------------------------------------------------------------------------------

COLUMNS = (
    *("id", "recorded_at", "session_id", "device_id", "state", "reason", "duration_s", "channels"),
    *("judgement__outcome", "judgement__p_value", "judgement__p_values"),
    *("judgement__room_p_value", "judgement__model__number"),
    *("gate_decision__is_cry", "gate_decision__accepted", "gate_decision__review"),
    "gate_decision__parts",
)


def _singles(heard: QuerySet[Recording], number: int) -> Iterator[Single]:
    """Yield the recordings in order, the judged ones numbered from here on."""
    for row in heard.order_by("recorded_at", "id").values_list(*COLUMNS):
        (id_, time, session, device, state, reason, duration_s, channels, outcome, p_value) = row[
            :10
        ]
        p_values, room_p_value, version, is_cry, accepted, review, parts = row[10:]
        yield Single(
            id=id_,
            time=time,
            number=None if outcome is None else number,
            session=session,
            device=device,
            state=state,
            reason=reason,
            duration_s=duration_s,
            channels=channels,
            outcome=outcome,
            p_value=p_value,
            p_values=p_values or {},
            room_p_value=room_p_value,
            version=version,
            is_cry=is_cry,
            accepted=accepted,
            review=review,
            parts=parts or [],
        )
        number += outcome is not None


def _sessions(infant: Infant, wanted: Wanted) -> Iterator[SessionMark]:
    columns = ("session_id", "started_at", "p_value", "p_values", "n_recordings")
    for row in _judged_sessions(infant, wanted.start, wanted.end).values_list(*columns):
        yield SessionMark(*row)


def _judged_sessions(
    infant: Infant, start: dt.datetime, end: dt.datetime
) -> QuerySet[SessionJudgement]:
    rows = SessionJudgement.objects.filter(infant=infant, started_at__gte=start, started_at__lt=end)
    return rows.order_by("started_at")


# --- in buckets ----------------------------------------------------------------------------------


def _sum_up(
    viewer: Viewer,
    infant: Infant,
    wanted: Wanted,
    bucket: Bucket,
    starts: Sequence[dt.datetime],
) -> list[SumUp]:
    rows = timeline_buckets(viewer, infant, bucket, COMBINED, starts)
    channels = channel_buckets(viewer, infant, bucket, starts, wanted.channels)
    said = _said_of_sessions(infant, starts, wanted.scorers)
    not_cries, reviewed = _gate_counts(infant, starts)
    return [
        SumUp(row, 0, not_cries[at], reviewed[at], *said[at], channels[at])
        for at, row in enumerate(rows)
    ]


def _numbered(buckets: Sequence[SumUp], number: int) -> Iterator[SumUp]:
    """Yield the buckets with the numbers of their first recordings."""
    for one in buckets:
        yield SumUp(
            *(one.row, number, one.n_not_cries, one.n_reviewed),
            *(one.session_p_values, one.scorers, one.channels),
        )
        heard = getattr(one.row, "heard", None)
        number += heard.n_recordings if heard is not None else 0


Said = tuple[tuple[float, float] | None, dict[str, float]]


def _said_of_sessions(
    infant: Infant, starts: Sequence[dt.datetime], scorers: Sequence[str]
) -> list[Said]:
    """Return of each bucket's sessions the smallest p-value and the medians."""
    columns = ("started_at", "p_value", "p_values") if scorers else ("started_at", "p_value")
    own: dict[int, list[float]] = defaultdict(list)
    by_scorer: dict[tuple[int, str], list[float]] = defaultdict(list)
    judged = _judged_sessions(infant, starts[0], starts[-1])
    for time, p_value, *rest in judged.values_list(*columns):
        at = bisect_right(starts, time) - 1
        own[at].append(p_value)
        for name in scorers:
            if name in rest[0]:
                by_scorer[at, name].append(rest[0][name])
    return [
        (
            (min(own[at]), statistics.median(own[at])) if at in own else None,
            {n: statistics.median(by_scorer[at, n]) for n in scorers if (at, n) in by_scorer},
        )
        for at in range(len(starts) - 1)
    ]


def _gate_counts(
    infant: Infant, starts: Sequence[dt.datetime]
) -> tuple[Counter[int], Counter[int]]:
    """Count by bucket what was no cry, and what a reviewer decided on."""
    decisions = GateDecision.objects.filter(
        infant=infant,
        recording__recorded_at__gte=starts[0],
        recording__recorded_at__lt=starts[-1],
    )
    times = (
        decisions.filter(chosen).values_list("recording__recorded_at", flat=True)
        for chosen in (Q(is_cry=False), Q(review__isnull=False))
    )
    not_cries, decided = (Counter(bisect_right(starts, t) - 1 for t in rows) for rows in times)
    return not_cries, decided
