"""Every infant that a viewer may see, at a glance: what is known of each, and how fresh it is.

What comes in: the viewer and the moment. What goes out: one `Overview` for each infant. Guaranteed:
a fixed number of queries, however many infants there are; nothing is judged here, only read.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from anomaly.models import (
    BaselineEntry,
    DailyRollup,
    Episode,
    GateDecision,
    PersonalModel,
    ScorePoint,
)
from anomaly.models import SessionJudgement as Judged
from anomaly.models.judgement import Outcome
from devices.models import Device
from infants.access import Viewer
from infants.models import DeviceAssignment, Infant, Recording
from infants.selectors import visible_infants, visible_recordings
from infants.states import ON_THE_WAY, State
from pipelines.score import MINIMUM_DAYS, Learning

SHOWN = dt.timedelta(days=30)
RECENT = dt.timedelta(hours=24)
NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
Rows = Mapping[UUID, list[Any]]


@dataclass(frozen=True)
class SessionValue:
    """One session's p-value, and when the session began."""

    time: dt.datetime
    p_value: float


@dataclass(frozen=True)
class Overview:
    """What is known of one infant.

    `learning` is set while there is no whole personal model; `was_scored` tells whether the newest
    judgement has a number, and an early one has too. `episodes` are open or belong to the last 24
    hours, newest first; `waiting` recordings are on their way, `failed` ones were set aside in the
    last 24 hours.
    """

    infant: Infant
    is_identified: bool
    last_cry_at: dt.datetime | None
    last_recorded_at: dt.datetime | None
    was_scored: bool
    learning: Learning | None
    episodes: list[Episode]
    sessions: list[SessionValue]
    days: list[DailyRollup]
    waiting: int
    failed: int
    monitor: Device | None


def overviews(
    viewer: Viewer,
    now: dt.datetime,
    only: UUID | None = None,
    *,
    among: QuerySet[Infant] | None = None,
    is_counted: bool = True,
    has_history: bool = True,
) -> list[Overview]:
    """Return what is known of each infant that the viewer may see, or of one or some of them.

    Where it is not `is_counted`, what waits and what failed is not looked for, and told as none: no
    index serves that in a year's recordings. Without `has_history` the sessions and the days are
    left out: what remains is enough to tell whose turn it is.
    """
    seen = _infants(viewer)
    seen = seen if only is None else seen.filter(id=only)
    infants = list(seen if among is None else seen.filter(id__in=among.order_by().values("id")))
    by_id = {infant.id: infant for infant in infants}
    remembered = by_id if has_history else {}
    episodes = _episodes(by_id, now)
    sessions, days = _sessions(remembered, now), _days(remembered, now)
    counts = _counts(viewer, by_id, now) if is_counted else Counter[Any]()
    monitors = _monitors(by_id, now)
    learning = _learning(infants, now)
    return [
        Overview(
            infant=infant,
            is_identified=infant.is_identified,
            last_cry_at=infant.last_cry_at,
            last_recorded_at=infant.last_recorded_at,
            was_scored=infant.outcome == Outcome.SCORED,
            learning=learning.get(infant.id),
            episodes=episodes[infant.id],
            sessions=sessions[infant.id],
            days=days[infant.id],
            waiting=counts[infant.id, "waiting"],
            failed=counts[infant.id, "failed"],
            monitor=monitors.get(infant.id),
        )
        for infant in infants
    ]


def _infants(viewer: Viewer) -> QuerySet[Any]:
    """Return the infants with what is newest of each, read along the indexes of time."""
    recordings = Recording.objects.filter(infant=OuterRef("id")).order_by("-recorded_at")
    cries = recordings.filter(
        gate_decision__is_cry=True, gate_decision__answer__in=GateDecision.COUNTED
    )
    combined = ScorePoint.Scorer.COMBINED
    points = ScorePoint.objects.filter(infant=OuterRef("id"), scorer=combined).order_by("-time")
    model = PersonalModel.objects.filter(
        PersonalModel.WHOLE, infant=OuterRef("id"), encoder=OuterRef("encoder"), withdrawn_at=None
    )
    return visible_infants(viewer).annotate(
        last_recorded_at=Subquery(recordings.values("recorded_at")[:1]),
        last_cry_at=Subquery(cries.values("recorded_at")[:1]),
        outcome=Subquery(points.values("outcome")[:1]),
        encoder=Subquery(points.values("encoder")[:1]),
        has_model=Exists(model),
    )


def _episodes(infants: Iterable[UUID], now: dt.datetime) -> Rows:
    current = Q(closed_at=None) | Q(last_at__gte=now - RECENT)
    rows = Episode.objects.filter(current, infant__in=list(infants)).order_by("-opened_at")
    return _grouped((row.infant_id, row) for row in rows)


def _sessions(infants: Iterable[UUID], now: dt.datetime) -> Rows:
    rows = Judged.objects.filter(infant__in=list(infants), started_at__gte=now - SHOWN)
    values = rows.order_by("started_at").values_list("infant_id", "started_at", "p_value")
    return _grouped((infant, SessionValue(time, p_value)) for infant, time, p_value in values)


def _days(infants: Iterable[UUID], now: dt.datetime) -> Rows:
    rows = DailyRollup.objects.filter(infant__in=list(infants), day__gte=(now - SHOWN).date())
    return _grouped((row.infant_id, row) for row in rows.order_by("day"))


def _counts(viewer: Viewer, infants: Iterable[UUID], now: dt.datetime) -> Counter[Any]:
    """Count what is on its way, and what was set aside of late, by infant."""
    recordings = visible_recordings(viewer).filter(infant__in=list(infants)).order_by()
    chosen = {
        "waiting": recordings.filter(state__in=ON_THE_WAY),
        "failed": recordings.filter(state=State.FAILED, state_changed_at__gte=now - RECENT),
    }
    found: Counter[Any] = Counter()
    for name, rows in chosen.items():
        for infant_id, n in rows.values_list("infant").annotate(n=Count("id")):
            found[infant_id, name] = n
    return found


def _monitors(infants: Iterable[UUID], now: dt.datetime) -> dict[UUID, Device]:
    """Return the device that serves each infant now; of several, the one last heard from."""
    still = Q(ends_at=None) | Q(ends_at__gt=now)
    serving = DeviceAssignment.objects.filter(
        still, infant__in=list(infants), starts_at__lte=now, device__revoked_at=None
    ).select_related("device")
    longest_silent_first = sorted(serving, key=lambda row: row.device.last_seen_at or NEVER)
    return {row.infant_id: row.device for row in longest_silent_first}


def _learning(infants: Iterable[Any], now: dt.datetime) -> dict[UUID, Learning]:
    """Return how far the learning has come of those who have no whole model yet."""
    young = {infant.id: infant for infant in infants if not infant.has_model}
    entries = BaselineEntry.objects.filter(
        infant__in=list(young), withdrawn_at=None, recording__session__ended_at__lt=now
    )
    rows = entries.values_list("infant_id", "recorded_at", "recording__judgement__encoder")
    days = {
        (id_, young[id_].local_day(time)) for id_, time, name in rows if name == young[id_].encoder
    }
    counted = Counter(id_ for id_, _ in days)
    return {id_: Learning(counted[id_], MINIMUM_DAYS) for id_ in young}


def _grouped(rows: Iterable[tuple[UUID, Any]]) -> Rows:
    groups: dict[UUID, list[Any]] = defaultdict(list)
    for key, row in rows:
        groups[key].append(row)
    return groups
