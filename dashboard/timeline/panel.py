"""What was said of one recording: the panel beside the timeline, which is a page of its own too.

What comes in: the viewer and a recording. What goes out: a `Panel` that a template prints.
Guaranteed: a recording that the viewer may not see answers like one that does not exist; the audio
is offered to those only who may listen, and where it is still there.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from anomaly.selectors.channels import Usual, usual_of
from anomaly.selectors.judged import recording_in_full
from anomaly.selectors.similar import Similar, similar_to
from dashboard import words
from dashboard.sound import Sounding, sounding_of
from dashboard.standing import Look, look_of_recording, sounds_elsewhere
from dashboard.timeline import labels
from dashboard.timeline.asked import CHANNEL_NAMES
from dashboard.timeline.channels import SHOWN, with_unit
from infants.access import Viewer
from infants.listening import may_listen
from infants.models import Infant, Recording
from infants.notes import may_write


@dataclass(frozen=True)
class ChannelLine:
    """A channel's value beside the infant's usual range."""

    label: str
    value: str
    usual: str
    place: str


@dataclass(frozen=True)
class SimilarLine:
    """A recording that sounds alike."""

    id: UUID
    time: str
    at: str
    distance: float
    p_value: str


@dataclass(frozen=True)
class Panel:
    """Everything to print."""

    id: UUID
    at: str
    time: str
    look: Look
    fate: str
    p_value: str
    gate: str
    review: str
    reasons: list[str]
    scorers: list[tuple[str, str]]
    room: str
    channels: list[ChannelLine]
    made_by: str
    sound: Sounding
    may_write: bool


def visible_recording(viewer: Viewer, infant: Infant, recording_id: UUID) -> Recording | None:
    """Return a recording of this infant with what was decided on it, or None."""
    found = recording_in_full(viewer, recording_id)
    return found if found is not None and found.infant_id == infant.id else None


def panel_of(
    viewer: Viewer, infant: Infant, recording: Recording, name: str, now: dt.datetime
) -> Panel:
    """Return what was said of a recording; `name` is what the page calls the infant."""
    look = look_of_recording(recording)
    judgement = getattr(recording, "judgement", None)
    p_values = judgement.p_values if judgement else {}
    time = words.capital(words.time_words(infant, recording.recorded_at, now))
    return Panel(
        id=recording.id,
        at=recording.recorded_at.astimezone(infant.zone).isoformat(timespec="seconds"),
        time=time,
        look=look,
        fate=words.fate_words(recording, look),
        p_value=words.p_words(judgement.p_value if judgement else None),
        gate=words.gate_words(recording),
        review=_review_words(recording),
        reasons=_reasons(recording),
        scorers=[(str(labels.SCORERS[name]), words.p_words(p)) for name, p in p_values.items()],
        room=_room_words(recording),
        channels=_channel_lines(recording, usual_of(viewer, infant)),
        made_by=_made_by(recording),
        sound=sounding_of(
            recording,
            infant,
            time=time,
            name=name,
            may_listen=may_listen(viewer, infant),
        ),
        may_write=may_write(viewer, infant.id),
    )


def similar_lines(
    viewer: Viewer, infant: Infant, recording: Recording, now: dt.datetime
) -> list[SimilarLine]:
    """Return the recordings that sound most like this one, nearest first."""
    return [_similar_line(infant, one, now) for one in similar_to(viewer, recording)]


def _similar_line(infant: Infant, one: Similar, now: dt.datetime) -> SimilarLine:
    time = words.capital(words.time_words(infant, one.time, now))
    at = one.time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%MZ")
    return SimilarLine(one.recording, time, at, one.distance, words.p_words(one.p_value))


def _review_words(recording: Recording) -> str:
    decision = getattr(recording, "gate_decision", None)
    if decision is None or decision.review is None:
        return ""
    words_of = labels.script_words()
    return str(words_of["reviewedIn" if decision.review else "reviewedOut"])


def _reasons(recording: Recording) -> list[str]:
    decision = getattr(recording, "gate_decision", None)
    parts = decision.parts if decision is not None else []
    return [
        _("%(reason)s (confidence %(confidence).2f)")
        % {"reason": part["reason"], "confidence": float(part.get("confidence", 1.0))}
        for part in parts
        if part.get("reason")
    ]


def _room_words(recording: Recording) -> str:
    judgement = getattr(recording, "judgement", None)
    if judgement is None or judgement.room_p_value is None:
        return ""
    said = (
        _("The room or the monitor sounds unlike those that are known")
        if sounds_elsewhere(judgement)
        else _("The room and the monitor sound like those that are known")
    )
    return f"{said} (p = {words.p_words(judgement.room_p_value)})"


def _made_by(recording: Recording) -> str:
    judgement = getattr(recording, "judgement", None)
    decision = getattr(recording, "gate_decision", None)
    if judgement is None or judgement.model is None or decision is None:
        return ""
    return _("Model %(number)d, encoder %(encoder)s, gate %(gate)s") % {
        "number": judgement.model.number,
        "encoder": judgement.encoder,
        "gate": decision.gate_version,
    }


def _channel_lines(recording: Recording, usual: Usual) -> list[ChannelLine]:
    return [
        _channel_line(name, float(recording.channels[name]["value"]), usual)
        for name in CHANNEL_NAMES
        if "value" in recording.channels.get(name, {})
    ]


def _channel_line(name: str, value: float, usual: Usual) -> ChannelLine:
    label, shown = str(SHOWN[name].label), with_unit(name, value)
    if name not in usual.ranges:
        return ChannelLine(label, shown, "", "")
    low, high = usual.ranges[name]
    place = _("above") if value > high else _("below") if value < low else _("within")
    return ChannelLine(label, shown, f"{with_unit(name, low)} – {with_unit(name, high)}", place)
