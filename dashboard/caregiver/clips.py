"""A recording as a line of a list: when, what was found, and the sound to be played in place.

What comes in: a recording as `anomaly.selectors.heard` gives it. What goes out: a `Clip` that a
template only prints. Guaranteed: no source of sound for who may not listen, or where it is gone.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from anomaly.selectors.heard import learnt_recordings
from dashboard.caregiver import sentences
from dashboard.caregiver.place import Place
from dashboard.sound import Source, sources_of
from dashboard.standing import Look, look_of_recording, sounds_elsewhere
from infants.listening import may_listen
from infants.models import Recording


@dataclass(frozen=True)
class Clip:
    """Everything to print of one recording."""

    id: UUID
    href: str
    at: dt.datetime
    time: str
    clock: str
    length: str
    look: Look
    fate: str
    p_plainly: str
    gate: str
    is_learnt: bool
    room: str
    sources: list[Source]
    silence: str


@dataclass(frozen=True)
class Known:
    """What is the same for all recordings of a page: who looks, and what the model rests on."""

    may_listen: bool
    learnt: frozenset[UUID]

    @classmethod
    def at(cls, place: Place) -> "Known":
        """Return it, in two queries."""
        return cls(
            may_listen(place.viewer, place.infant), learnt_recordings(place.viewer, place.infant)
        )


def clip_of(recording: Recording, place: Place, known: Known) -> Clip:
    """Return a recording as a line of a list."""
    look = look_of_recording(recording)
    is_learnt = recording.id in known.learnt
    judgement = getattr(recording, "judgement", None)
    is_elsewhere = judgement is not None and sounds_elsewhere(judgement)
    is_kept = recording.audio_erased_at is None and bool(recording.audio)
    return Clip(
        id=recording.id,
        href=reverse("dashboard:recording", args=[recording.id]),
        at=recording.recorded_at.astimezone(place.infant.zone),
        time=sentences.when(place.infant, recording.recorded_at, place.now),
        clock=sentences.clock(recording.recorded_at.astimezone(place.infant.zone)),
        length="" if recording.duration_s is None else sentences.minutes(recording.duration_s),
        look=look,
        fate=sentences.fate(recording, look),
        p_plainly=sentences.p_plainly(judgement.p_value if judgement else None, place.name),
        gate=sentences.gate(recording, is_learnt=is_learnt),
        is_learnt=is_learnt,
        room=_("the room or the monitor sounds different") if is_elsewhere else "",
        sources=sources_of(recording) if known.may_listen and is_kept else [],
        silence="" if is_kept or not known.may_listen else _("The sound was not kept."),
    )
