"""An infant's recordings by day, all of them or those with one fate.

What comes in: a place, the fate that is asked for and a cursor. What goes out: a page of days with
their recordings. Guaranteed: days and times are the infant's own; a fixed number of queries.
"""

from dataclasses import dataclass
from itertools import groupby

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anomaly.selectors.heard import Fate, heard_recordings
from dashboard.caregiver import sentences
from dashboard.caregiver.clips import Known, clip_of
from dashboard.caregiver.diary_page import Day
from dashboard.caregiver.paging import page_of
from dashboard.caregiver.place import Link, Place

RECORDINGS = 30
FATES: dict[Fate, str | Promise] = {
    Fate.ALL: _("All"),
    Fate.UNUSUAL: _("Unusual"),
    Fate.LEARNT: _("Learnt from"),
    Fate.REFUSED: _("Not learnt"),
}
NONE_OF: dict[Fate, str | Promise] = {
    Fate.ALL: _("Nothing was recorded yet."),
    Fate.UNUSUAL: _("No recording was unusual."),
    Fate.LEARNT: _("No recording was learnt from yet."),
    Fate.REFUSED: _("No crying was refused."),
}


@dataclass(frozen=True)
class RecordingsPage:
    """Everything to print."""

    fate: Fate
    choices: list[Link]
    days: list[Day]
    none: str | Promise
    older: str
    is_first: bool
    may_listen: bool


def fate_asked(said: str) -> Fate:
    """Return the fate that a query string names; what is none is taken for all."""
    return Fate(said) if said in set(Fate) else Fate.ALL


def recordings_page(place: Place, fate: Fate, cursor: str) -> RecordingsPage:
    """Return one page of the recordings."""
    known = Known.at(place)
    heard = heard_recordings(place.viewer, place.infant, fate)
    paged = page_of(heard, "recorded_at", cursor, RECORDINGS)
    clips = [clip_of(recording, place, known) for recording in paged.rows]
    today = place.infant.local_day(place.now)
    return RecordingsPage(
        fate=fate,
        choices=[Link(f"?fate={one}", said, one is fate) for one, said in FATES.items()],
        days=[
            Day(sentences.day_name(day, today), list(of_day))
            for day, of_day in groupby(clips, key=lambda clip: clip.at.date())
        ],
        none=NONE_OF[fate],
        older=paged.older,
        is_first=paged.is_first,
        may_listen=known.may_listen,
    )
