"""Listening: whether a viewer may hear a recording, whether it can be heard.

What comes in: a viewer and a recording. What goes out: the recording, or what stands in the way.
Guaranteed: nothing is heard without the right to listen; what was erased by policy is never looked
for.
"""

import enum
from uuid import UUID

from django.core.files.storage import default_storage

from infants.access import Right, Viewer, infants_for
from infants.depot.errors import DepotAwayError
from infants.models import Infant, Recording


class Hearing(enum.StrEnum):
    """Whether a recording can be heard, and otherwise why not."""

    AUDIBLE = "audible"
    NOT_ALLOWED = "not_allowed"
    ERASED = "erased"
    MISSING = "missing"
    AWAY = "away"


def may_listen(viewer: Viewer, infant: Infant) -> bool:
    """Tell whether this viewer may hear the infant."""
    return infants_for(viewer, Right.LISTEN).filter(id=infant.id).exists()


def hearing_of(recording: Recording, *, may_listen: bool) -> Hearing:
    """Return whether a recording can be heard by somebody who may listen, or may not."""
    if not may_listen:
        return Hearing.NOT_ALLOWED
    if recording.audio_erased_at is not None:
        return Hearing.ERASED
    try:
        is_there = bool(recording.audio) and default_storage.exists(recording.audio)
    except DepotAwayError:
        return Hearing.AWAY
    return Hearing.AUDIBLE if is_there else Hearing.MISSING


def audible_recording(viewer: Viewer, recording_id: UUID) -> Recording | None:
    """Return a recording that this viewer may hear, unless its audio is gone by policy."""
    heard = Recording.objects.filter(infant__in=infants_for(viewer, Right.LISTEN))
    kept = heard.filter(id=recording_id, audio_erased_at=None).exclude(audio="")
    return kept.defer("gate_features", "room").first()
