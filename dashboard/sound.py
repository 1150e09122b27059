"""A recording's sound as pages offer it: where it comes from, its cries, and why there is none.

What comes in: a recording and whether the viewer may listen. What goes out: a `Sounding` that a
template only prints. Guaranteed: no source of sound for who may not listen, or where it is gone.
"""

from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from infants.listening import Hearing, hearing_of
from infants.models import Cry, Infant, Recording

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
class UnitMark:
    """One cry in the recording, where it lies in it: per cent of its length, and seconds."""

    number: int
    start_s: float
    end_s: float
    x: float
    width: float
    words: str


@dataclass(frozen=True)
class Sounding:
    """Everything to print of one recording's sound; `silence` says why there is none."""

    id: UUID
    time: str
    sources: list[Source]
    silence: str
    units: list[UnitMark]


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


def sounding_of(
    recording: Recording, infant: Infant, *, time: str, name: str, may_listen: bool
) -> Sounding:
    """Return a recording's sound; `time` and `name` are what the page calls moment and infant."""
    hearing = hearing_of(recording, may_listen=may_listen)
    duration_s = recording.duration_s or 0.0
    return Sounding(
        id=recording.id,
        time=time,
        sources=sources_of(recording) if hearing is Hearing.AUDIBLE else [],
        silence=_silence(hearing, recording, infant, name),
        units=[_mark(cry, duration_s) for cry in recording.cries.all()] if duration_s else [],
    )


def _silence(hearing: Hearing, recording: Recording, infant: Infant, name: str) -> str:
    """Say why there is nothing to hear."""
    if hearing is Hearing.NOT_ALLOWED:
        return _("You may read what was found in this recording, but not listen to it.")
    if hearing is Hearing.ERASED and recording.audio_erased_at is not None:
        day = date_format(recording.audio_erased_at.astimezone(infant.zone), "DATE_FORMAT")
        return _(
            "The sound was erased on %(day)s, as %(name)s’s records ask: only what was measured "
            "is kept."
        ) % {"day": day, "name": name}
    if hearing is Hearing.MISSING:
        return _(
            "The sound cannot be found in the storage. Tell those who run this installation; what "
            "was measured is still here."
        )
    if hearing is Hearing.AWAY:
        return _("The storage of sounds does not answer at the moment. Try again in a minute.")
    return ""


def _mark(cry: Cry, duration_s: float) -> UnitMark:
    x = 100.0 * min(cry.onset_s / duration_s, 1.0)
    end = 100.0 * min(cry.offset_s / duration_s, 1.0)
    number = cry.index + 1
    said = _("Cry %(number)d: from %(start)s to %(end)s seconds") % {
        "number": number,
        "start": _tenths(cry.onset_s),
        "end": _tenths(cry.offset_s),
    }
    return UnitMark(number, cry.onset_s, cry.offset_s, round(x, 2), round(end - x, 2), said)


def _tenths(seconds: float) -> str:
    return number_format(round(seconds, 1), 1)
