"""Judged recordings of an infant, with all that was decided on them."""

from uuid import UUID

from django.db.models import Count, Prefetch, QuerySet

from anomaly.models import Episode
from infants.access import Viewer
from infants.models import Cry, Infant, Recording, RecordingSession
from infants.selectors import visible_recordings, visible_sessions


def judged_recordings(viewer: Viewer, infant: Infant) -> QuerySet[Recording]:
    """Return the infant's recordings that carry a judgement, oldest first, in one query."""
    recordings = visible_recordings(viewer).filter(infant=infant, judgement__isnull=False)
    return (
        recordings.select_related("judgement__model", "gate_decision")
        .annotate(n_cries=Count("cries"))
        .order_by("recorded_at", "id")
    )


def episodes_of(viewer: Viewer, infant: Infant) -> QuerySet[Episode]:
    """Return the infant's episodes, oldest first, if the viewer may see the infant."""
    if not visible_recordings(viewer).filter(infant=infant).exists():
        return Episode.objects.none()
    return Episode.objects.filter(infant=infant).order_by("opened_at")


def recording_in_full(viewer: Viewer, recording_id: UUID) -> Recording | None:
    """Return a visible recording with its cries and all that was decided on it, in two queries."""
    cries = Cry.objects.defer("embedding").order_by("index")
    return (
        visible_recordings(viewer)
        .filter(id=recording_id)
        .defer("gate_features", "room")
        .select_related("gate_decision", "judgement__model")
        .prefetch_related(Prefetch("cries", cries))
        .first()
    )


def session_in_full(viewer: Viewer, session_id: UUID) -> RecordingSession | None:
    """Return a visible session with its judgement and the number of its recordings."""
    sessions = visible_sessions(viewer).filter(id=session_id).select_related("judgement__model")
    return sessions.annotate(n_recordings=Count("recordings")).first()
