"""The sheet of one alert: what, since when, how unusual, listen, take it, and what it was.

What comes in: the viewer, a visible alert and the moment. What goes out: a `Sheet` that a template
only prints. Guaranteed: every time is by the infant's own clock; a fixed number of queries.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from anomaly.models import Episode, GateDecision
from anomaly.selectors.episodes import recordings_of
from dashboard import words as plain
from dashboard.alerts import words
from dashboard.alerts.told import Told, told_of
from dashboard.alerts.unusual import Unusual, unusual_of
from dashboard.standing import Look, look_of_recording
from infants.access import Viewer, devices_managed_by
from infants.models import Recording
from notify.actions import SNOOZES_MIN
from notify.models import Alert, AlertAction
from notify.selectors import actions_of, quiet_of

SHOWN_AT_ONCE, MOST_SHOWN = 5, 60
Answer = GateDecision.Answer


@dataclass(frozen=True)
class Heard:
    """A recording of the episode; `answer` is empty where nobody has said what it was."""

    id: UUID
    time: str
    look: Look
    fate: str
    duration: str
    can_be_heard: bool
    answer: str
    said: str


@dataclass(frozen=True)
class Choice:
    """An answer that may be given, and what follows from it."""

    value: str
    label: str
    follows: str


@dataclass(frozen=True)
class Done:
    """What somebody did; `may_undo`: it can be taken back here."""

    id: UUID
    time: str
    text: str
    may_undo: bool


@dataclass(frozen=True)
class Change:
    """What an answer changed."""

    text: str
    learnt_before: str
    learnt_after: str
    state_before: str
    state_after: str


@dataclass(frozen=True)
class Sheet:
    """Everything to print."""

    alert: Alert
    name: str
    line: words.Line
    state: str
    may_act: bool
    interval: str
    quiet_until: str
    snoozes: tuple[int, ...]
    headline: str
    unusual: Unusual | None
    newest: list[Heard]
    older: list[Heard]
    left_out: int
    choices: list[Choice]
    verdict: str
    changed: Change | None
    log: list[Done]
    told: list[Told]
    monitor_id: UUID | None


def sheet_of(viewer: Viewer, alert: Alert, now: dt.datetime) -> Sheet:
    """Return the sheet of an alert."""
    episode, actions = _of_sound(alert), actions_of(alert)
    recordings = [] if episode is None else _recordings(episode)
    heard = [_heard(alert, one, now) for one in recordings[:MOST_SHOWN]]
    name = words.called(alert)
    unusual = None if episode is None else unusual_of(episode, name)
    until = _quiet_until(viewer, alert, now)
    return Sheet(
        alert=alert,
        name=name,
        line=words.line_of(alert, now),
        state=alert.state(now).value,
        may_act=bool(getattr(alert, "may_act", False)),
        interval=words.interval_words(alert.infant, episode.evidence, now) if episode else "",
        quiet_until="" if until is None else words.at_words(alert.infant, until, now),
        snoozes=SNOOZES_MIN,
        headline="" if unusual is None else unusual.headline,
        unusual=unusual,
        newest=heard[:SHOWN_AT_ONCE],
        older=heard[SHOWN_AT_ONCE:],
        left_out=max(0, len(recordings) - MOST_SHOWN),
        choices=[] if episode is None else _choices(episode, name),
        verdict="" if episode is None else episode.verdict,
        changed=_changed(alert, actions),
        log=[_done(alert, one, now) for one in actions],
        told=told_of(viewer, alert, now),
        monitor_id=_silent_monitor(viewer, alert),
    )


def _of_sound(alert: Alert) -> Episode | None:
    """Return the episode where it is one of what was heard: only there is anything to listen to."""
    return None if alert.kind == Episode.Kind.MONITOR_SILENT else alert.episode


def _silent_monitor(viewer: Viewer, alert: Alert) -> UUID | None:
    """Return the monitor that is silent, for those who may look after it."""
    if alert.kind != Episode.Kind.MONITOR_SILENT or alert.episode is None:
        return None
    device_id = UUID(alert.episode.evidence["device"])
    return device_id if devices_managed_by(viewer).filter(id=device_id).exists() else None


def _quiet_until(viewer: Viewer, alert: Alert, now: dt.datetime) -> dt.datetime | None:
    quiet = quiet_of(viewer, alert.infant)
    return None if quiet is None else quiet.until(now)


def _recordings(episode: Episode) -> list[Recording]:
    """Return the recordings, newest first, with what was decided on them."""
    decided = ("judgement", "gate_decision__reviewed_by")
    rows = recordings_of(episode).defer("gate_features", "room").select_related(*decided)
    return list(rows.order_by("-recorded_at", "-id"))


def _heard(alert: Alert, recording: Recording, now: dt.datetime) -> Heard:
    decision, look = recording.gate_decision, look_of_recording(recording)
    return Heard(
        id=recording.id,
        time=words.moment_words(alert.infant, recording.recorded_at, now),
        look=look,
        fate=plain.fate_words(recording, look),
        duration=_("%(n)s s") % {"n": number_format(round(recording.duration_s or 0.0))},
        can_be_heard=recording.audio_erased_at is None,
        answer=decision.answer,
        said=_said(alert, decision, now),
    )


def _said(alert: Alert, decision: GateDecision, now: dt.datetime) -> str:
    """Say what somebody said of a recording."""
    if not decision.answer or decision.reviewed_at is None:
        return ""
    return _("%(who)s said at %(time)s: %(answer)s") % {
        "who": words.who(alert, decision.reviewed_by),
        "time": words.at_words(alert.infant, decision.reviewed_at, now),
        "answer": words.ANSWERS[decision.answer],
    }


def _choices(episode: Episode, name: str) -> list[Choice]:
    is_shift = episode.kind == Episode.Kind.PERSISTENT_SHIFT
    learnt = _("These recordings are learnt from, whatever the gate said of them.")
    usual = _("This is %(name)s’s new usual: the alert ends, and these days are learnt from.")
    out = _("None of these recordings counts or is learnt from. They stay, and you can undo it.")
    follows = {
        Answer.EXPECTED: usual % {"name": name} if is_shift else learnt,
        Answer.NOT_MY_BABY: _("Another child was heard.") + " " + out,
        Answer.NOT_A_CRY: _("What was heard is no crying.") + " " + out,
    }
    return [Choice(one.value, str(words.ANSWERS[one.value]), follows[one]) for one in follows]


# --- what was done --------------------------------------------------------------------------------


def _done(alert: Alert, action: AlertAction, now: dt.datetime) -> Done:
    is_answer = action.kind == AlertAction.Kind.ANSWERED and bool(action.facts["answer"])
    return Done(
        id=action.id,
        time=words.moment_words(alert.infant, action.at, now),
        text=words.action_words(alert, action),
        may_undo=is_answer and action.taken_back_at is None,
    )


def _changed(alert: Alert, actions: list[AlertAction]) -> Change | None:
    """Return what an answer changed, or the taking back of one, if that was the last thing done."""
    if not actions or "before" not in actions[0].facts:
        return None
    before, after = actions[0].facts["before"], actions[0].facts["after"]
    return Change(
        text=words.action_words(alert, actions[0]),
        learnt_before=number_format(before["n_learnable"]),
        learnt_after=number_format(after["n_learnable"]),
        state_before=words.open_words(alert.kind, before),
        state_after=words.open_words(alert.kind, after),
    )
