"""Notes: what a person writes down about a moment, on the same axis as the crying.

What comes in: a viewer, an infant, a moment and a text. What goes out: the row of the diary.
Guaranteed: only who may write in the diary does; a text of nothing but blanks is refused.
"""

import datetime as dt
from uuid import UUID

from infants.access import Right, Viewer, infants_for
from infants.models import DiaryEntry

MOST_CHARACTERS = 2000


def may_write(viewer: Viewer, infant_id: UUID) -> bool:
    """Tell whether this viewer may write in the infant's diary."""
    return infants_for(viewer, Right.WRITE_DIARY).filter(id=infant_id).exists()


def write_note(
    viewer: Viewer, infant_id: UUID, moment: dt.datetime, text: str
) -> DiaryEntry | None:
    """Write a note about a moment; None where the viewer may write none of this infant."""
    if not may_write(viewer, infant_id) or not text.strip():
        return None
    return DiaryEntry.objects.create(
        infant_id=infant_id,
        author=viewer.user,
        kind=DiaryEntry.Kind.NOTE,
        starts_at=moment,
        text=text.strip()[:MOST_CHARACTERS],
    )
