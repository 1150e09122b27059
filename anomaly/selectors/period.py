"""What was judged in a stretch of one infant's time, as a report tells it.

What comes in: the viewer, a visible infant and the stretch. What goes out: sessions, episodes with
their reviewers, versions that began to judge, and monitors that began to listen. Guaranteed: a
fixed number of queries; everything is in order of time.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from anomaly.models import DailyRollup, Episode, PersonalModel, SessionJudgement
from infants.access import Viewer, infants_for
from infants.models import DeviceAssignment, Infant

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """From `start` to `end`; `episodes` were open in it, `rollups` are by the infant's date."""

    start: dt.datetime
    end: dt.datetime
    sessions: list[SessionJudgement]
    episodes: list[Episode]
    models: list[PersonalModel]
    assignments: list[DeviceAssignment]
    rollups: dict[dt.date, DailyRollup]


def period_of(viewer: Viewer, infant: Infant, start: dt.datetime, end: dt.datetime) -> Period:
    """Return what was judged of the infant between two moments."""
    visible: dict[str, Any] = {"infant": infant, "infant__in": infants_for(viewer)}
    still = Q(closed_at=None) | Q(closed_at__gt=start)
    days = {"day__gte": infant.local_day(start), "day__lt": infant.local_day(end) + ONE_DAY}
    sessions = SessionJudgement.objects.filter(**visible, started_at__gte=start, started_at__lt=end)
    episodes = Episode.objects.filter(still, **visible, opened_at__lt=end)
    models = PersonalModel.objects.filter(
        **visible, withdrawn_at=None, in_force_after__gte=start, in_force_after__lt=end
    )
    assignments = DeviceAssignment.objects.filter(
        **visible, starts_at__gte=start, starts_at__lt=end
    )
    rollups = DailyRollup.objects.filter(**visible, **days)
    return Period(
        start=start,
        end=end,
        sessions=list(sessions.order_by("started_at")),
        episodes=list(episodes.select_related("reviewed_by").order_by("opened_at")),
        models=list(models.order_by("in_force_after")),
        assignments=list(assignments.select_related("device").order_by("starts_at")),
        rollups={rollup.day: rollup for rollup in rollups},
    )
