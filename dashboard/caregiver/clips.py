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
from dashboard.standing import Look, look_of_recording, sounds_elsewhere
from infants.listening import may_listen
from infants.models import Recording

WAV = "audio/wav"
MEDIA_TYPES = {
    "wav": WAV,
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "mp3": "audio/mpeg",
    "mov": "audio/mp4",
    "caf": "audio/x-caf",
    "amr": "audio/amr",
    "amrnb": "audio/amr",
    "amrwb": "audio/amr-wb",
    "aac": "audio/aac",
    "aiff": "audio/aiff",
    "au": "audio/basic",
    "matroska": "audio/webm",
}
"""By the first name that the decoder gives a container."""
UNKNOWN = "application/octet-stream"


@dataclass(frozen=True)
class Source:
    """Where the sound comes from; a browser takes the first that it can play."""

    href: str
    media_type: str


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


def media_type(recording: Recording) -> str:
    """Return what kind of file a recording is, as far as the decoder found out."""
    container = str(recording.source_format.get("container", ""))
    return MEDIA_TYPES.get(container.partition(",")[0], UNKNOWN)


def sources_of(recording: Recording) -> list[Source]:
    """Return the file as it came in, and a rendering that every browser can play."""
    rendered = Source(reverse("dashboard:recording-wav", args=[recording.id]), WAV)
    kind = media_type(recording)
    if kind == UNKNOWN:
        return [rendered]
    return [Source(reverse("dashboard:recording-audio", args=[recording.id]), kind), rendered]


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
