"""Notes of the care team: a clinician's or a caregiver's own words, in the infant's diary.

What comes in: a viewer, an infant, a text and the moment that it is about. What goes out: the diary
entry, with its author. Guaranteed: only who may write in the diary writes, and only who may know
the name reads the words.
"""

import datetime as dt
from uuid import UUID

from django.utils import timezone

from infants.access import Right, Viewer, infants_for
from infants.models import DiaryEntry, Infant

LONGEST = 4000
NEWEST = 10


def may_write(viewer: Viewer, infant_id: UUID) -> bool:
    """Tell whether this viewer may write in the infant's diary."""
    return infants_for(viewer, Right.WRITE_DIARY).filter(id=infant_id).exists()


def write_note(
    viewer: Viewer, infant_id: UUID, text: str, moment: dt.datetime | None = None
) -> DiaryEntry | None:
    """Note something of an infant at a moment, now by default.

    None where the viewer may write none of this infant, or nothing is said.
    """
    if not may_write(viewer, infant_id) or not text.strip():
        return None
    return DiaryEntry.objects.create(
        infant_id=infant_id,
        author=viewer.user,
        kind=DiaryEntry.Kind.NOTE,
        starts_at=moment or timezone.now(),
        text=text.strip()[:LONGEST],
    )


def newest_notes(viewer: Viewer, infant: Infant) -> list[DiaryEntry]:
    """Return the newest notes of an infant, newest first, for who may know whom they name."""
    notes = DiaryEntry.objects.filter(
        infant=infant,
        infant__in=infants_for(viewer, Right.IDENTIFY),
        kind=DiaryEntry.Kind.NOTE,
    )
    return list(notes.select_related("author").order_by("-starts_at")[:NEWEST])
