"""What can be done with alerts and quiet hours; this list is all of it.

What comes in: a viewer, an alert, and the moment. What goes out: the alert as it is now, or None
where the viewer may do nothing with such an alert. Guaranteed: the first who acknowledges has it,
until that is taken back; doing a thing twice does it once; what has ended is left as it is; who did
what, when, stands in the log, with what was before and after where it changed what is learnt.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from anomaly.reviews import Reviewed, answer_cry, answer_episode, take_back
from infants.access import Right, Viewer, infants_for
from infants.locks import infant_locked
from infants.models import Infant
from notify.deliveries import look_again_at_held
from notify.models import Alert, AlertAction, QuietHours
from notify.stages.alert import bring_in_line

Kind = AlertAction.Kind
SNOOZES_MIN = (30, 60, 90)


@dataclass(frozen=True)
class Hours:
    """Quiet hours as a person chooses them."""

    starts: dt.time
    ends: dt.time
    days: frozenset[int]


# --- taking an alert, and putting it off ----------------------------------------------------------


def acknowledge(viewer: Viewer, alert_id: UUID, now: dt.datetime) -> Alert | None:
    """Take an alert, so that nobody else needs to; it is snoozed no more."""
    with _locked(viewer, alert_id) as alert:
        if alert is not None and alert.closed_at is None and alert.acknowledged_at is None:
            _take(viewer, alert, now)
            _log(viewer, alert, Kind.ACKNOWLEDGED, now)
        return alert


def take_back_acknowledgement(viewer: Viewer, alert_id: UUID, now: dt.datetime) -> Alert | None:
    """Give an alert back: it calls again."""
    with _locked(viewer, alert_id) as alert:
        if alert is not None and alert.closed_at is None and alert.acknowledged_at is not None:
            alert.acknowledged_at = alert.acknowledged_by = None
            alert.save(update_fields=["acknowledged_at", "acknowledged_by"])
            _log(viewer, alert, Kind.ACKNOWLEDGEMENT_TAKEN_BACK, now)
        return alert


def snooze(viewer: Viewer, alert_id: UUID, minutes: int, now: dt.datetime) -> Alert | None:
    """Put an alert off for everybody; it comes back by itself, also where somebody had taken it."""
    if minutes not in SNOOZES_MIN:
        message = f"an alert is put off for {SNOOZES_MIN} minutes, not for {minutes}"
        raise ValueError(message)
    with _locked(viewer, alert_id) as alert:
        if alert is not None and alert.closed_at is None:
            alert.acknowledged_at = alert.acknowledged_by = None
            alert.snoozed_until = now + dt.timedelta(minutes=minutes)
            alert.snoozed_by = viewer.user
            alert.save()
            _log(viewer, alert, Kind.SNOOZED, now, minutes=minutes)
        return alert


def end_snooze(viewer: Viewer, alert_id: UUID, now: dt.datetime) -> Alert | None:
    """Let an alert come back at once."""
    with _locked(viewer, alert_id) as alert:
        if alert is not None and alert.state(now) == Alert.State.SNOOZED:
            alert.snoozed_until = alert.snoozed_by = None
            alert.save(update_fields=["snoozed_until", "snoozed_by"])
            _log(viewer, alert, Kind.SNOOZE_ENDED, now)
        return alert


# --- answering what it was ------------------------------------------------------------------------


def answer_alert(viewer: Viewer, alert_id: UUID, answer: str, now: dt.datetime) -> Alert | None:
    """Say what the crying of an alert's episode was; who answers has taken the alert."""
    with _locked(viewer, alert_id) as alert:
        if alert is not None and alert.episode_id is not None:
            said = answer_episode(viewer, alert.episode_id, answer)
            episode = str(alert.episode_id)
            _answered(viewer, alert, said, now, {"answer": answer, "episode": episode})
        return alert


def answer_recording(
    viewer: Viewer, alert_id: UUID, recording_id: UUID, answer: str, now: dt.datetime
) -> Alert | None:
    """Say what one of the recordings of an alert was; an empty answer takes it back."""
    with _locked(viewer, alert_id) as alert:
        if alert is None or not alert.infant.recordings.filter(id=recording_id).exists():
            return None
        said = answer_cry(viewer, recording_id, answer)
        _answered(viewer, alert, said, now, {"answer": answer, "recording": str(recording_id)})
        return alert


def take_back_answer(
    viewer: Viewer, alert_id: UUID, action_id: UUID, now: dt.datetime
) -> Alert | None:
    """Take back what was answered once; what was said of a recording since then stays."""
    with _locked(viewer, alert_id) as alert:
        answered = AlertAction.objects.filter(alert=alert, id=action_id, kind=Kind.ANSWERED).first()
        if alert is None or answered is None:
            return None
        if answered.taken_back_at is None:
            before_and_after = _undo(viewer, alert, answered)
            answered.taken_back_at = now
            answered.save(update_fields=["taken_back_at"])
            bring_in_line(alert.infant, now)
            facts = {"answer": answered.facts["answer"]} | before_and_after
            _log(viewer, alert, Kind.ANSWER_TAKEN_BACK, now, **facts)
        return Alert.objects.get(id=alert.id)


def _answered(
    viewer: Viewer,
    alert: Alert,
    said: Reviewed | None,
    now: dt.datetime,
    facts: dict[str, Any],
) -> None:
    if said is None:
        return
    bring_in_line(alert.infant, now)
    alert.refresh_from_db()
    if alert.closed_at is None and alert.acknowledged_at is None:
        _take(viewer, alert, now)
    _log(viewer, alert, Kind.ANSWERED, now, **facts, **_changed(said))


def _changed(said: Reviewed) -> dict[str, Any]:
    return {
        "said_at": said.at.isoformat(),
        "is_verdict": said.is_verdict,
        "n_recordings": len(said.recordings),
        "before": said.before,
        "after": said.after,
    }


def _undo(viewer: Viewer, alert: Alert, answered: AlertAction) -> dict[str, Any]:
    """Undo an answer where it was given: on the shift, or on recordings."""
    if answered.facts["is_verdict"]:
        said = answer_episode(viewer, UUID(answered.facts["episode"]), "")
    else:
        at = dt.datetime.fromisoformat(answered.facts["said_at"])
        said = take_back(viewer, alert.infant_id, at)
    return {} if said is None else _changed(said)


# --- quiet hours ----------------------------------------------------------------------------------


def set_quiet_hours(viewer: Viewer, infant: Infant, hours: Hours | None) -> None:
    """Set the viewer's own quiet hours around a visible infant; None: there are none."""
    if viewer.user is None or not infants_for(viewer).filter(id=infant.id).exists():
        return
    own = QuietHours.objects.filter(user=viewer.user, infant=infant)
    if hours is None:
        own.delete()
    else:
        chosen = {"starts": hours.starts, "ends": hours.ends, "days": sorted(hours.days)}
        QuietHours.objects.update_or_create(user=viewer.user, infant=infant, defaults=chosen)
    look_again_at_held(infant, viewer.user)


# --- what all share -------------------------------------------------------------------------------


@contextmanager
def _locked(viewer: Viewer, alert_id: UUID) -> Iterator[Alert | None]:
    """Yield an alert with which the viewer may do something, under its infant's lock."""
    allowed = Alert.objects.filter(infant__in=infants_for(viewer, Right.REVIEW), id=alert_id)
    infant_id = allowed.values_list("infant", flat=True).first()
    if infant_id is None:
        yield None
        return
    with infant_locked(infant_id):
        yield allowed.select_related("infant").first()


def _take(viewer: Viewer, alert: Alert, now: dt.datetime) -> None:
    alert.acknowledged_at, alert.acknowledged_by = now, viewer.user
    alert.snoozed_until = alert.snoozed_by = None
    alert.save()


def _log(viewer: Viewer, alert: Alert, kind: Kind, now: dt.datetime, **facts: Any) -> None:
    AlertAction.objects.create(alert=alert, kind=kind, at=now, by=viewer.user, facts=facts)
