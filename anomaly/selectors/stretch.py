"""Everything that belongs to a stretch of one infant's time, as the infant's page shows it.

What comes in: the viewer, a visible infant and the stretch. What goes out: judged recordings,
sessions, episodes, versions of the model, monitors, diary and what is not judged. Guaranteed: a
fixed number of queries; at most `MOST` recordings, the newest, and a word on how many there are.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from anomaly.models import Episode, GateDecision, PersonalModel, SessionJudgement
from anomaly.selectors.judged import judged_recordings
from infants.access import Viewer, infants_for
from infants.models import DeviceAssignment, DiaryEntry, Infant, Recording
from infants.selectors import visible_recordings

MOST = 1500
NEWEST = 20


@dataclass(frozen=True)
class Stretch:
    """From `start` to `end`; every list is in order of time, `newest` the other way round.

    `judged` holds the newest `MOST` of `n_judged`. `unjudged` counts the recordings without a
    judgement by state and reason.
    """

    start: dt.datetime
    end: dt.datetime
    judged: list[Recording]
    n_judged: int
    sessions: list[SessionJudgement]
    episodes: list[Episode]
    models: list[PersonalModel]
    assignments: list[DeviceAssignment]
    diary: list[DiaryEntry]
    newest: list[Recording]
    unjudged: list[tuple[str, str, int]]


def stretch_of(viewer: Viewer, infant: Infant, start: dt.datetime, end: dt.datetime) -> Stretch:
    """Return what is known of the infant between two moments."""
    visible: dict[str, Any] = {"infant": infant, "infant__in": infants_for(viewer)}
    recordings = visible_recordings(viewer).filter(infant=infant).defer("gate_features", "room")
    heard = recordings.filter(recorded_at__gte=start, recorded_at__lte=end)
    judged = judged_recordings(viewer, infant).defer("gate_features", "room")
    judged = judged.filter(
        recorded_at__gte=start,
        recorded_at__lte=end,
        gate_decision__answer__in=GateDecision.COUNTED,
    )
    newest_judged = list(judged.order_by("-recorded_at", "-id")[:MOST])
    still = Q(closed_at=None) | Q(closed_at__gte=start)
    return Stretch(
        start=start,
        end=end,
        judged=newest_judged[::-1],
        n_judged=len(newest_judged) if len(newest_judged) < MOST else judged.count(),
        sessions=list(_sessions(visible, start, end)),
        episodes=list(
            Episode.objects.filter(still, **visible, opened_at__lte=end).order_by("opened_at")
        ),
        models=list(_models(visible, start, end)),
        assignments=list(_assignments(visible, start, end)),
        diary=list(_diary(visible, start, end)),
        newest=list(_newest(recordings)),
        unjudged=_unjudged(heard),
    )


def _sessions(
    visible: dict[str, Any], start: dt.datetime, end: dt.datetime
) -> QuerySet[SessionJudgement]:
    rows = SessionJudgement.objects.filter(**visible, started_at__gte=start, started_at__lte=end)
    return rows.order_by("started_at")


def _models(
    visible: dict[str, Any], start: dt.datetime, end: dt.datetime
) -> QuerySet[PersonalModel]:
    """Return the versions that began to judge in the stretch; withdrawn ones are left out."""
    rows = PersonalModel.objects.filter(
        **visible, withdrawn_at=None, in_force_after__gte=start, in_force_after__lte=end
    )
    return rows.order_by("in_force_after")


def _assignments(
    visible: dict[str, Any], start: dt.datetime, end: dt.datetime
) -> QuerySet[DeviceAssignment]:
    """Return the assignments that began in the stretch."""
    rows = DeviceAssignment.objects.filter(**visible, starts_at__gte=start, starts_at__lte=end)
    return rows.select_related("device").order_by("starts_at")


def _diary(visible: dict[str, Any], start: dt.datetime, end: dt.datetime) -> QuerySet[DiaryEntry]:
    lasting = Q(starts_at__gte=start) | Q(ends_at__gte=start)
    return DiaryEntry.objects.filter(lasting, **visible, starts_at__lte=end).order_by("starts_at")


def _newest(recordings: QuerySet[Recording]) -> QuerySet[Recording]:
    """Return the newest recordings, judged or not, with what was decided on them."""
    rows = recordings.select_related("judgement", "gate_decision")
    return rows.order_by("-recorded_at", "-id")[:NEWEST]


def _unjudged(heard: QuerySet[Recording]) -> list[tuple[str, str, int]]:
    rows = heard.filter(judgement=None).order_by().values_list("state", "reason")
    return sorted(rows.annotate(n=Count("id")))
