"""One recording: its sound, and what each stage said of it in plain words.

What comes in: a viewer and a recording's id. What goes out: the place and a `RecordingPage`, which
a template only prints. Guaranteed: a fixed number of queries; nothing of the sound for who may not
listen; what a stage has not reached yet is not guessed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from anomaly.evidence import unit_words
from anomaly.figures import sentence as whole_sentence
from anomaly.models import GateDecision, RecordingJudgement
from anomaly.selectors.heard import neighbours, session_mates
from anomaly.selectors.judged import recording_in_full, session_in_full
from anomaly.selectors.moved import Placed, placed_channels
from dashboard import words
from dashboard.caregiver import sentences
from dashboard.caregiver.clips import Clip, Known, clip_of
from dashboard.caregiver.place import Link, Place, place_of
from dashboard.gate_reasons import reason_words
from dashboard.sound import Sounding, sounding_of
from dashboard.standing import look_of_recording, sounds_elsewhere
from infants.access import Viewer
from infants.models import Recording

MOST_MOVED = 4


@dataclass(frozen=True)
class Stage:
    """What one stage said, in sentences."""

    question: str
    answers: list[str]


@dataclass(frozen=True)
class RecordingPage:
    """Everything to print."""

    clip: Clip
    day: str
    sound: Sounding
    stages: list[Stage]
    mates: list[Link]
    earlier: str
    later: str


def recording_page(request: HttpRequest, recording_id: UUID) -> tuple[Place, RecordingPage]:
    """Return a recording with its place, or raise `Http404`."""
    viewer = Viewer.of(request.user)
    recording = recording_in_full(viewer, recording_id)
    if recording is None or recording.infant_id is None:
        raise Http404
    place = place_of(request, recording.infant_id, "recordings")
    known = Known.at(place)
    local = recording.recorded_at.astimezone(place.infant.zone)
    earlier, later = neighbours(viewer, recording)
    clip = clip_of(recording, place, known)
    return place, RecordingPage(
        clip=clip,
        day=sentences.day_name(local.date(), place.infant.local_day(place.now)),
        sound=sounding_of(
            recording,
            place.infant,
            time=clip.time,
            name=place.name,
            may_listen=known.may_listen,
        ),
        stages=[stage for stage in _stages(recording, clip, place) if stage.answers],
        mates=_mates(recording, place),
        earlier=_href(earlier),
        later=_href(later),
    )


def _href(recording: Recording | None) -> str:
    return reverse("dashboard:recording", args=[recording.id]) if recording else ""


def _mates(recording: Recording, place: Place) -> list[Link]:
    """Return the recordings of the same bout, this one marked; nothing where it is alone."""
    mates = session_mates(place.viewer, recording)
    if len(mates) < 2:
        return []
    return [
        Link(
            _href(mate),
            _("%(time)s, %(found)s")
            % {
                "time": sentences.clock(mate.recorded_at.astimezone(place.infant.zone)),
                "found": words.fate_words(mate, look_of_recording(mate)),
            },
            is_here=mate.id == recording.id,
        )
        for mate in mates
    ]


# --- what each stage said ------------------------------------------------------------------------


def _stages(recording: Recording, clip: Clip, place: Place) -> Iterator[Stage]:
    decision: GateDecision | None = getattr(recording, "gate_decision", None)
    judgement: RecordingJudgement | None = getattr(recording, "judgement", None)
    yield Stage(_("What came in?"), list(_upload(recording, place)))
    yield Stage(_("Is it crying?"), list(_crying(recording, decision)))
    if decision is not None and decision.is_cry:
        yield Stage(_("Is it learnt from, and why?"), list(_learning(decision, clip)))
    if judgement is not None:
        yield Stage(_("How unusual is it?"), list(_unusual(recording, judgement, place)))
        yield Stage(_("What moved?"), _moved(placed_channels(place.viewer, recording), place))
        yield Stage(_("Does the room sound as usual?"), list(_room(judgement)))


def _upload(recording: Recording, place: Place) -> Iterator[str]:
    local = recording.recorded_at.astimezone(place.infant.zone)
    said = {"time": date_format(local, "H:i:s"), "monitor": recording.device.name}
    yield _("Recorded at %(time)s by %(monitor)s.") % said
    if recording.clock != Recording.Clock.OK:
        why = str(Recording.Clock(recording.clock).label)
        yield _("The time may be wrong: %(why)s.") % {"why": why}
    late_s = (recording.received_at - recording.ended_at).total_seconds()
    if late_s > sentences.HOUR_S:
        yield _("It came in %(time)s later.") % {"time": sentences.lasting(late_s)}
    if recording.duration_s is not None:
        yield _("It lasts %(length)s.") % {"length": sentences.lasting(recording.duration_s)}


def _crying(recording: Recording, decision: GateDecision | None) -> Iterator[str]:
    if decision is None:
        yield whole_sentence(sentences.fate(recording, look_of_recording(recording)))
        return
    sure = {"sure": sentences.figure(100 * decision.cry_probability, 0)}
    if not decision.is_cry:
        yield _("No: that it is crying has a probability of %(sure)s %%.") % sure
        return
    yield _("Yes, with a probability of %(sure)s %%.") % sure
    cries = list(recording.cries.all())
    n = len(cries)
    length = {
        "n": n,
        "length": sentences.lasting(sum(cry.offset_s - cry.onset_s for cry in cries)),
    }
    said = ngettext(
        "%(n)d cry in it, %(length)s long.", "%(n)d cries in it, %(length)s together.", n
    )
    yield said % length


def _learning(decision: GateDecision, clip: Clip) -> Iterator[str]:
    if decision.review is not None:
        yield _("A reviewer decided: %(what)s.") % {"what": clip.gate}
    elif not decision.accepted:
        yield _("No. What is known as usual stays as it was.")
    elif clip.is_learnt:
        yield _("Yes: it is part of what is known as usual.")
    else:
        yield _(
            "Not now: it was accepted, and what is accepted is learnt once it has settled and "
            "nothing is suspected."
        )
    for part in decision.parts:
        if part.get("name") != "cry" and part.get("reason"):
            yield whole_sentence(words.capital(reason_words(str(part["reason"]))))


def _unusual(recording: Recording, judgement: RecordingJudgement, place: Place) -> Iterator[str]:
    if judgement.p_value is None:
        yield _(
            "Still learning what is usual, %(days)d of %(needed)d days: nothing to compare with "
            "yet."
        ) % {"days": judgement.baseline_days, "needed": judgement.baseline_days_needed}
        return
    plainly = sentences.p_plainly(judgement.p_value, place.name)
    yield whole_sentence(words.capital(plainly))
    if judgement.baseline_days < judgement.baseline_days_needed:
        yield _("Compared with what other infants teach: this one is still being learnt.")
    session = session_in_full(place.viewer, recording.session_id) if recording.session_id else None
    whole = getattr(session, "judgement", None)
    if whole is not None:
        p = {"p": sentences.p_is(whole.p_value)}
        yield _("The whole bout of crying has %(p)s: that is what counts.") % p


def _moved(placed: list[Placed], place: Place) -> list[str]:
    """Name what lies outside the infant's own range, the furthest first."""
    if not placed:
        return []
    outside = [one for one in placed if one.is_outside][:MOST_MOVED]
    if not outside:
        return [
            _("Nothing: pitch, loudness and the rest lie where %(name)s’s usual ones do.")
            % {"name": place.name}
        ]
    return [_one_moved(one) for one in outside]


def _one_moved(one: Placed) -> str:
    by, unit = one.by
    figure = sentences.figure(by, 0 if unit == "%" else 1)
    said = {
        "how": words.capital(one.direction),
        "by": figure if by < 0 else f"+{figure}",
        "unit": unit_words(unit),
    }
    return _("%(how)s than usual: %(by)s %(unit)s beside the middle of the usual ones.") % said


def _room(judgement: RecordingJudgement) -> Iterator[str]:
    if judgement.room_p_value is None:
        return
    p = {"p": sentences.p_is(judgement.room_p_value)}
    if sounds_elsewhere(judgement):
        yield (
            _(
                "No: the background is none that is known (%(p)s). Another room or monitor "
                "alone can make crying sound unusual."
            )
            % p
        )
    else:
        yield _("Yes: the background is a known one (%(p)s).") % p
