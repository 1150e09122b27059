"""Dead letters sent on their way again, once somebody has looked at what they failed by."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from infants.models import Recording
from infants.signals import recording_received
from infants.states import Reason, State


def revive(ids: Sequence[UUID] | None = None) -> list[UUID]:
    """Send these failed recordings, or all, on their way again; return which. Commits one by one.

    What they have of results is written anew. One that has no infant stays where it is.
    """
    dead = Recording.objects.filter(state=State.FAILED, infant__isnull=False)
    chosen = dead if ids is None else dead.filter(id__in=list(ids))
    in_order = list(chosen.order_by("recorded_at").values_list("id", flat=True))
    return [recording_id for recording_id in in_order if _revive(recording_id)]


def _revive(recording_id: UUID) -> bool:
    with transaction.atomic():
        recording = Recording.objects.filter(id=recording_id, state=State.FAILED).first()
        if recording is None:
            return False
        now, start = timezone.now(), _start(recording)
        recording.state, recording.reason, recording.detail = start, Reason.NONE, ""
        recording.state_changed_at, recording.attempts = now, 0
        recording.passed |= {start: {"at": now.isoformat(), "try": 1}}
        recording.save()
        recording_received.send(Recording, recording=recording)
    return True


def _start(recording: Recording) -> State:
    """Return where its way begins: behind the embedding, where the audio is gone by policy."""
    embedded = recording.cries.filter(embedding__isnull=False).exists()
    return State.EMBEDDED if recording.audio_erased_at and embedded else State.RECEIVED
