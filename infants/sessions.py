"""Recording sessions: how gaps of quiet cut an infant's recordings into bouts of crying.

The rule stands at `RecordingSession`. What comes in: a recording with its length. What goes out:
the session it belongs to, extended, or joined from several. Guaranteed: the sessions depend on the
recordings alone, not on the order in which they arrive.
"""

import datetime as dt

from django.conf import settings
from django.utils import timezone

from infants.models import Recording, RecordingSession


def gap() -> dt.timedelta:
    """Return how much quiet parts two sessions."""
    return dt.timedelta(seconds=settings.ICLAS_SESSION_GAP_S)


def join_session(recording: Recording) -> RecordingSession:
    """Return the session of a recording, creating, extending or joining sessions as needed.

    Call inside a transaction that holds the infant's lock. The recording itself is not saved.
    """
    near = RecordingSession.objects.filter(
        infant=recording.subject,
        started_at__lte=recording.ended_at + gap(),
        ended_at__gte=recording.recorded_at - gap(),
    ).order_by("started_at", "id")
    first, *others = list(near) or [_new_session(recording)]
    for other in others:
        other.recordings.update(session=first)
        first.ended_at = max(first.ended_at, other.ended_at)
        other.delete()
    first.started_at = min(first.started_at, recording.recorded_at)
    first.ended_at = max(first.ended_at, recording.ended_at)
    first.closed_at = None if timezone.now() < first.ended_at + gap() else timezone.now()
    first.save()
    return first


def _new_session(recording: Recording) -> RecordingSession:
    return RecordingSession(
        infant=recording.subject,
        started_at=recording.recorded_at,
        ended_at=recording.ended_at,
    )


def close_quiet_sessions(now: dt.datetime) -> int:
    """Close every session after which the rule's gap of quiet has passed; return how many."""
    quiet = RecordingSession.objects.filter(closed_at=None, ended_at__lt=now - gap())
    return quiet.update(closed_at=now)
