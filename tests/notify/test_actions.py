"""Taking alerts, putting them off, undoing, and who may; what it was, and what that changes."""

import datetime as dt
import itertools
import uuid
from collections.abc import Callable

import pytest
from django.utils import timezone

from anomaly.models import BaselineEntry, Episode, Event, GateDecision
from anomaly.stages.episode import refresh_episodes
from infants.access import Viewer
from infants.models import Infant, Membership
from notify import actions
from notify.models import Alert, AlertAction, QuietHours
from notify.selectors import alert_of, open_alerts, quiet_of
from notify.stages.alert import raise_alerts
from tests import judged
from tests.builders import a_device, a_member, a_user, an_infant
from tests.notify.rows import DAY, an_alert

pytestmark = pytest.mark.django_db
Kind = AlertAction.Kind
State = Alert.State
Role = Membership.Role
NOW = dt.datetime(2026, 3, 13, 2, 14, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def alert(infant: Infant) -> Alert:
    return an_alert(infant)


@pytest.fixture
def ada(infant: Infant) -> Viewer:
    return Viewer(user=a_member(infant, Role.OWNER, user=a_user(first_name="Ada")))


@pytest.fixture
def ben(infant: Infant) -> Viewer:
    return Viewer(user=a_member(infant, Role.CAREGIVER, user=a_user(first_name="Ben")))


def _state(alert: Alert, now: dt.datetime = NOW) -> str:
    return Alert.objects.get(id=alert.id).state(now)


def _log(alert: Alert) -> list[tuple[str, object]]:
    return [(action.kind, action.by) for action in alert.actions.all()]


# --- taking and putting off -----------------------------------------------------------------------


def test_the_first_who_acknowledges_has_it(alert: Alert, ada: Viewer, ben: Viewer) -> None:
    for viewer, minutes in ((ben, 0), (ada, 5), (ben, 9)):
        taken = actions.acknowledge(viewer, alert.id, NOW + minutes * MINUTE)
        assert taken is not None
        assert (taken.acknowledged_at, taken.acknowledged_by) == (NOW, ben.user)
    assert _log(alert) == [(Kind.ACKNOWLEDGED, ben.user)]


def test_an_acknowledgement_is_taken_back(alert: Alert, ada: Viewer, ben: Viewer) -> None:
    actions.acknowledge(ben, alert.id, NOW)
    for _ in range(2):
        actions.take_back_acknowledgement(ada, alert.id, NOW)
    assert _state(alert) == State.CALLING
    assert _log(alert) == [
        (Kind.ACKNOWLEDGED, ben.user),
        (Kind.ACKNOWLEDGEMENT_TAKEN_BACK, ada.user),
    ]


@pytest.mark.parametrize("minutes", actions.SNOOZES_MIN)
def test_what_is_snoozed_comes_back_by_itself(alert: Alert, ben: Viewer, minutes: int) -> None:
    actions.snooze(ben, alert.id, minutes, NOW)
    assert _state(alert, NOW + (minutes - 1) * MINUTE) == State.SNOOZED
    assert _state(alert, NOW + minutes * MINUTE) == State.CALLING


@pytest.mark.parametrize("minutes", [-30, 0, 1, 31, 24 * 60])
def test_nobody_snoozes_for_longer_than_is_offered(alert: Alert, ben: Viewer, minutes: int) -> None:
    with pytest.raises(ValueError, match="put off"):
        actions.snooze(ben, alert.id, minutes, NOW)
    assert _state(alert) == State.CALLING


def test_a_snooze_is_ended_by_anybody_who_cares(alert: Alert, ada: Viewer, ben: Viewer) -> None:
    actions.snooze(ben, alert.id, 90, NOW)
    for _ in range(2):
        actions.end_snooze(ada, alert.id, NOW + MINUTE)
    assert _state(alert, NOW + MINUTE) == State.CALLING
    assert _log(alert) == [(Kind.SNOOZED, ben.user), (Kind.SNOOZE_ENDED, ada.user)]


def test_taken_or_put_off_but_not_both(alert: Alert, ada: Viewer, ben: Viewer) -> None:
    actions.acknowledge(ada, alert.id, NOW)
    actions.snooze(ben, alert.id, 30, NOW)
    assert _state(alert) == State.SNOOZED
    assert _state(alert, NOW + 30 * MINUTE) == State.CALLING
    actions.acknowledge(ada, alert.id, NOW + MINUTE)
    assert _state(alert, NOW + 40 * MINUTE) == State.ACKNOWLEDGED


def test_what_has_ended_is_left_alone_and_does_not_come_back(alert: Alert, ben: Viewer) -> None:
    actions.snooze(ben, alert.id, 30, NOW)
    Episode.objects.update(closed_at=timezone.now(), close_reason="back_to_usual")
    raise_alerts(timezone.now())
    for act in (actions.acknowledge, actions.take_back_acknowledgement, actions.end_snooze):
        ended = act(ben, alert.id, NOW)
        assert ended is not None
        assert ended.acknowledged_at is None
    actions.snooze(ben, alert.id, 60, NOW)
    assert _state(alert, NOW + 2 * DAY) == State.ENDED
    assert _log(alert) == [(Kind.SNOOZED, ben.user)]


ACTS: dict[str, Callable[[Viewer, uuid.UUID], Alert | None]] = {
    "acknowledge": lambda viewer, id_: actions.acknowledge(viewer, id_, NOW),
    "give back": lambda viewer, id_: actions.take_back_acknowledgement(viewer, id_, NOW),
    "snooze": lambda viewer, id_: actions.snooze(viewer, id_, 30, NOW),
    "end snooze": lambda viewer, id_: actions.end_snooze(viewer, id_, NOW),
    "answer": lambda viewer, id_: actions.answer_alert(viewer, id_, "expected", NOW),
    "answer one": lambda v, id_: actions.answer_recording(v, id_, uuid.uuid4(), "expected", NOW),
    "undo": lambda viewer, id_: actions.take_back_answer(viewer, id_, uuid.uuid4(), NOW),
}


@pytest.mark.parametrize("act", ACTS)
def test_who_may_not_act_finds_nothing_and_changes_nothing(
    alert: Alert, infant: Infant, act: str
) -> None:
    others = [
        Viewer(user=a_member(infant, Role.RESEARCHER)),
        Viewer(user=a_member(an_infant())),
        Viewer(user=a_member(infant, revoked_at=timezone.now())),
        Viewer(device=a_device(infant)),
        Viewer(),
    ]
    for viewer in others:
        assert ACTS[act](viewer, alert.id) is None
    assert ACTS[act](Viewer.system(), uuid.uuid4()) is None
    assert _log(alert) == []


@pytest.mark.parametrize("role", [Role.OWNER, Role.CAREGIVER, Role.CLINICIAN])
def test_who_cares_may_take_an_alert(alert: Alert, infant: Infant, role: Role) -> None:
    assert actions.acknowledge(Viewer(user=a_member(infant, role)), alert.id, NOW) is not None


# --- reading --------------------------------------------------------------------------------------


def test_what_nobody_has_taken_comes_first(infant: Infant, ben: Viewer) -> None:
    taken, calling, snoozed, ended = (
        an_alert(infant, ago * DAY, last_at=timezone.now()) for ago in (1, 2, 3, 4)
    )
    actions.acknowledge(ben, taken.id, NOW)
    actions.snooze(ben, snoozed.id, 30, NOW)
    Episode.objects.filter(alert=ended).update(closed_at=timezone.now(), close_reason="reviewed")
    raise_alerts(timezone.now())
    assert open_alerts(ben, NOW) == [calling, snoozed, taken]
    assert open_alerts(ben, NOW + DAY) == [calling, snoozed, taken]
    assert open_alerts(ben, NOW, infant) == [calling, snoozed, taken]
    assert open_alerts(ben, NOW, an_infant()) == []
    assert open_alerts(Viewer(user=a_user()), NOW) == []


def test_an_alert_knows_what_its_reader_may_know_and_do(alert: Alert, infant: Infant) -> None:
    for role, knows in ((Role.CAREGIVER, True), (Role.RESEARCHER, False)):
        seen = alert_of(Viewer(user=a_member(infant, role)), alert.id)
        assert seen is not None
        assert (seen.is_identified, seen.may_act) == (knows, knows)  # type: ignore[attr-defined]
    assert alert_of(Viewer(user=a_user()), alert.id) is None


def test_quiet_hours_are_a_persons_own(infant: Infant, ada: Viewer, ben: Viewer) -> None:
    hours = actions.Hours(dt.time(22), dt.time(6), frozenset({1, 2}))
    actions.set_quiet_hours(ben, infant, hours)
    actions.set_quiet_hours(ben, infant, hours)
    assert quiet_of(ada, infant) is None
    quiet = quiet_of(ben, infant)
    assert quiet is not None
    assert (quiet.starts, quiet.ends, quiet.days) == (hours.starts, hours.ends, hours.days)
    actions.set_quiet_hours(ben, an_infant(), hours)
    assert QuietHours.objects.count() == 1
    actions.set_quiet_hours(ben, infant, None)
    assert quiet_of(ben, infant) is None


# --- what it was ----------------------------------------------------------------------------------


SHIFT_FROM, DAYS = 14, 24


@pytest.fixture
def shifted(monkeypatch: pytest.MonkeyPatch) -> Alert:
    """Return the alert of a shift that was noticed in a life of numbers, as of its last day."""
    with judged.fitted_once():
        infant, _device = judged.a_life(days=DAYS, shift_from=SHIFT_FROM)
    now = judged.START + (DAYS - 1) * DAY + dt.timedelta(hours=2)
    ticks = itertools.count()
    monkeypatch.setattr(timezone, "now", lambda: now + next(ticks) * dt.timedelta(seconds=1))
    refresh_episodes(infant, now)
    raise_alerts(now)
    return Alert.objects.get(kind=Episode.Kind.PERSISTENT_SHIFT, closed_at=None)


def _cares_for(alert: Alert) -> Viewer:
    return Viewer(user=a_member(alert.infant, Role.CAREGIVER))


def _answered(alert: Alert) -> AlertAction:
    return alert.actions.filter(kind=Kind.ANSWERED).latest("id")


def test_an_expected_shift_ends_and_comes_back_when_that_is_undone(shifted: Alert) -> None:
    ben, now = _cares_for(shifted), timezone.now()
    actions.answer_alert(ben, shifted.id, "expected", now)
    facts = _answered(shifted).facts
    assert facts["before"]["open"] == ["persistent_shift"]
    assert facts["after"]["open"] == []
    assert facts["after"]["n_learnable"] > facts["before"]["n_learnable"]
    assert _state(shifted, now) == State.ENDED
    shift = Episode.objects.get(alert=shifted)
    assert (shift.verdict, shift.reviewed_by) == ("usual", ben.user)
    actions.take_back_answer(ben, shifted.id, _answered(shifted).id, now)
    assert _state(shifted, now) == State.CALLING
    undone = shifted.actions.latest("id")
    assert undone.kind == Kind.ANSWER_TAKEN_BACK
    assert undone.facts["after"] == facts["before"]


def test_what_was_not_hers_leaves_no_alert_and_can_be_undone(shifted: Alert) -> None:
    ben, now, answer = _cares_for(shifted), timezone.now(), "not_my_baby"
    entries = BaselineEntry.objects.filter(withdrawn_at=None)
    n_entries = entries.count()
    actions.answer_alert(ben, shifted.id, answer, now)
    assert _state(shifted, now) == State.WITHDRAWN
    said = GateDecision.objects.filter(answer=answer, reviewed_by=ben.user)
    assert said.count() == _answered(shifted).facts["n_recordings"] > 10
    assert entries.count() == n_entries - said.count()
    assert Event.objects.filter(kind=Event.Kind.EPISODE_REVIEWED, episode=None).count() == 1
    actions.take_back_answer(ben, shifted.id, _answered(shifted).id, now)
    assert not said.exists()
    assert entries.count() == n_entries
    shifted.refresh_from_db()
    assert shifted.episode is not None
    assert _state(shifted, now) == State.CALLING
    assert Alert.objects.count() == 1


def test_a_word_on_one_recording_counts_for_more_than_one_on_all(shifted: Alert) -> None:
    ben, now = _cares_for(shifted), timezone.now()
    one = shifted.infant.recordings.latest("recorded_at")
    actions.answer_recording(ben, shifted.id, one.id, "expected", now)
    assert _state(shifted, now) == State.ACKNOWLEDGED  # who answers has taken it
    actions.answer_alert(ben, shifted.id, "not_a_cry", now + MINUTE)
    assert GateDecision.objects.get(recording=one).answer == "expected"
    actions.take_back_answer(ben, shifted.id, _answered(shifted).id, now + 2 * MINUTE)
    assert list(GateDecision.objects.exclude(answer="").values_list("recording", flat=True)) == [
        one.id
    ]


def test_a_recording_of_another_infant_is_not_answered_here(shifted: Alert) -> None:
    ben = _cares_for(shifted)
    infant, device = judged.an_infant_with_monitor("Bo")
    other = judged.a_gated_recording(infant, device, judged.START, judged.voice(infant, seed=1))
    assert actions.answer_recording(ben, shifted.id, other.id, "not_a_cry", NOW) is None
    assert GateDecision.objects.get(recording=other).answer == ""
