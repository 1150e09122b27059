"""Sessions and reviews as the monitor takes them, and what it made of each day."""

import datetime as dt
import math

import numpy as np
from numpy.typing import NDArray

from anomaly.models import Episode, SessionJudgement, SessionSummary
from anomaly.models import WatchedDay as Stored
from infants.access import Viewer, infants_for
from infants.models import Infant
from pipelines.episode import (
    HeardSession,
    Review,
    ScoredSession,
    Summary,
    Verdict,
    embedding_deviate,
    follow_infant,
    watch_of,
)
from pipelines.guard import ROOM_DIRECTIONS
from pipelines.lasting import WatchedDay
from pipelines.prior import bundled_priors
from pipelines.timetable import WATCHED


def scored_sessions(infant: Infant) -> list[ScoredSession]:
    """Return the infant's judged sessions."""
    rows = SessionJudgement.objects.filter(infant=infant).order_by("started_at")
    return [
        ScoredSession(
            row.started_at,
            infant.local_day(row.started_at),
            row.p_value,
            row.n_recordings,
            row.room_p_value,
        )
        for row in rows
    ]


def heard_sessions(infant: Infant) -> list[HeardSession]:
    """Return the infant's sessions with a cry, judged or not."""
    rows = SessionSummary.objects.filter(infant=infant).select_related("session__judgement")
    return [_heard(infant, row) for row in rows]


def _heard(infant: Infant, row: SessionSummary) -> HeardSession:
    judgement: SessionJudgement | None = getattr(row.session, "judgement", None)
    return HeardSession(
        time=row.session.started_at,
        day=infant.local_day(row.session.started_at),
        summary=Summary(
            np.array([row.levels.get(name, math.nan) for name in WATCHED]),
            np.array([row.counts.get(name, 0) for name in WATCHED], dtype=np.int64),
            _room(row),
        ),
        deviate=embedding_deviate({} if judgement is None else judgement.p_values),
        device=str(row.device_id),
        n_recordings=row.n_recordings,
        age_days=math.nan if row.age_days is None else row.age_days,
    )


def _room(row: SessionSummary) -> NDArray[np.float64]:
    if row.room is None or len(row.room) != ROOM_DIRECTIONS:
        return np.full(ROOM_DIRECTIONS, math.nan)
    return np.array(row.room, dtype=np.float64)


def reviews_of(infant: Infant) -> list[Review]:
    """Return what reviewers said of the infant's shifts."""
    reviewed = Episode.objects.filter(
        infant=infant, kind=Episode.Kind.PERSISTENT_SHIFT, reviewed_at__isnull=False
    )
    said = reviewed.order_by("reviewed_at").values_list("reviewed_at", "verdict")
    return [Review(at, Verdict(verdict)) for at, verdict in said if at is not None]


def watched_days(
    viewer: Viewer, infant: Infant, start: dt.datetime, end: dt.datetime
) -> list[WatchedDay]:
    """Return what the monitor made of each day of a stretch, oldest first.

    Rows are written with the episodes. An infant that was watched before there were such rows has
    none until the next recording, so that they are worked out here and not kept.
    """
    first, last = infant.local_day(start), infant.local_day(end)
    own = Stored.objects.filter(infant=infant, infant__in=infants_for(viewer))
    kept = own.filter(day__gte=first, day__lte=last).order_by("day")
    rows = [WatchedDay(*row) for row in kept.values_list("day", "highest", "last", "surroundings")]
    if rows or own.exists() or not infants_for(viewer).filter(id=infant.id).exists():
        return rows
    return [row for row in _worked_out(infant, end) if first <= row.day <= last]


def _worked_out(infant: Infant, now: dt.datetime) -> list[WatchedDay]:
    """Return an infant's watched days, not stored."""
    heard, watch = heard_sessions(infant), watch_of(bundled_priors("").views)
    return follow_infant([], heard, now, watch, reviews=reviews_of(infant)).days
