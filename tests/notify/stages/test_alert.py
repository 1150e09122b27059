"""Alerts of episodes: raised once, ended with them, and never of what is over."""

import datetime as dt

import pytest
from django.utils import timezone

from anomaly.models import Episode
from iclas import flow, tasks
from notify.models import Alert
from notify.stages.alert import raise_alerts
from tests import judged
from tests.builders import a_member, an_episode, an_infant
from tests.notify.rows import DAY, HOUR, SHIFT, a_told_episode, an_alert, told

pytestmark = pytest.mark.django_db
KINDS = Episode.Kind
State = Alert.State
BACK = {"close_reason": Episode.CloseReason.BACK_TO_USUAL}


def _now() -> dt.datetime:
    return timezone.now()


def test_an_episode_raises_one_alert_however_often_it_is_asked() -> None:
    infant = an_infant()
    episode = a_told_episode(infant)
    assert [raise_alerts(_now()) for _ in range(3)] == [1, 0, 0]
    alert = Alert.objects.get()
    assert (alert.episode, alert.infant, alert.kind) == (episode, infant, SHIFT)
    assert (alert.opened_at, alert.closed_at) == (episode.opened_at, None)
    assert alert.state(_now()) == State.CALLING


@pytest.mark.parametrize(
    ("kind", "n_alerts"),
    [(KINDS.PERSISTENT_SHIFT, 1), (KINDS.SINGLE_EXTREME, 1), (KINDS.NEW_SURROUNDINGS, 0)],
)
def test_new_surroundings_call_nobody(kind: str, n_alerts: int) -> None:
    a_told_episode(an_infant(), kind=kind)
    raise_alerts(_now())
    assert Alert.objects.count() == n_alerts


def test_what_no_event_tells_of_raises_none() -> None:
    an_episode(an_infant(), _now(), kind=SHIFT)
    assert raise_alerts(_now()) == 0


@pytest.mark.parametrize(
    ("is_past", "closed_ago", "last_ago", "raised"),
    [
        (False, None, HOUR, True),
        (False, HOUR, HOUR, True),  # over already, and so never calling; kept to be looked up
        (False, 3 * DAY, 4 * DAY, False),
        (True, None, HOUR, True),  # it goes on
        (True, None, 2 * DAY, False),
        (True, HOUR, 2 * HOUR, False),
        (True, 30 * DAY, 31 * DAY, False),
    ],
)
def test_the_past_raises_no_alert_unless_it_goes_on(
    is_past: bool, closed_ago: dt.timedelta | None, last_ago: dt.timedelta, raised: bool
) -> None:
    now = _now()
    ended = {} if closed_ago is None else {"closed_at": now - closed_ago} | BACK
    a_told_episode(an_infant(), 40 * DAY, is_past=is_past, last_at=now - last_ago, **ended)
    raise_alerts(now)
    assert Alert.objects.exists() == raised
    assert not Alert.objects.filter(closed_at=None).exists() or closed_ago is None


def test_an_alert_ends_with_its_episode_and_returns_with_it() -> None:
    alert = an_alert(an_infant())
    closed = _now()
    Episode.objects.update(closed_at=closed, **BACK)
    assert raise_alerts(_now()) == 1
    alert.refresh_from_db()
    assert (alert.closed_at, alert.state(_now())) == (closed, State.ENDED)
    assert raise_alerts(_now()) == 0
    Episode.objects.update(closed_at=None, close_reason="")
    raise_alerts(_now())
    alert.refresh_from_db()
    assert alert.state(_now()) == State.CALLING


def test_an_alert_follows_an_episode_that_began_earlier_after_all() -> None:
    alert = an_alert(an_infant())
    Episode.objects.update(opened_at=alert.opened_at - DAY)
    raise_alerts(_now())
    assert Alert.objects.get().opened_at == alert.opened_at - DAY


def test_an_alert_whose_episode_is_gone_is_withdrawn_and_comes_back_with_it() -> None:
    infant = an_infant()
    alert = an_alert(infant, 5 * DAY)
    user = a_member(infant)
    Alert.objects.update(acknowledged_at=_now(), acknowledged_by=user)
    Episode.objects.all().delete()
    raise_alerts(_now())
    alert.refresh_from_db()
    assert (alert.episode, alert.state(_now())) == (None, State.WITHDRAWN)
    again = an_episode(infant, alert.opened_at, kind=SHIFT, last_at=alert.opened_at)
    told(again, is_past=True)
    raise_alerts(_now())
    alert.refresh_from_db()
    assert (alert.episode, alert.state(_now())) == (again, State.ACKNOWLEDGED)
    assert Alert.objects.count() == 1
    assert raise_alerts(_now()) == 0


def test_another_episode_does_not_take_over_what_was_withdrawn() -> None:
    infant = an_infant()
    alert = an_alert(infant, 5 * DAY)
    Episode.objects.all().delete()
    raise_alerts(_now())
    other = a_told_episode(infant, HOUR)
    raise_alerts(_now())
    assert Alert.objects.get(episode=other) != alert


def test_only_the_infant_that_is_asked_for_is_looked_at() -> None:
    one, other = an_infant(), an_infant()
    a_told_episode(one)
    a_told_episode(other)
    assert raise_alerts(_now(), one.id) == 1
    assert Alert.objects.get().infant == one


@pytest.mark.parametrize("task", [tasks.sweep, tasks.close_what_ended])
def test_what_a_killed_worker_did_not_come_to_is_raised_later(task: object) -> None:
    opened = _now() - HOUR
    episode = an_episode(an_infant(), opened, kind=KINDS.NEW_SURROUNDINGS, last_at=opened)
    Episode.objects.update(kind=SHIFT, closed_at=_now(), **BACK)
    told(episode)
    task()  # type: ignore[operator]
    assert Alert.objects.filter(episode=episode, closed_at__isnull=False).exists()


def test_judging_an_infant_raises_its_alerts(monkeypatch: pytest.MonkeyPatch) -> None:
    infant, device = judged.an_infant_with_monitor()
    judged.a_gated_recording(infant, device, judged.START, judged.voice(infant, seed=1))
    asked = []
    monkeypatch.setattr(flow, "raise_alerts", lambda _now, infant_id: asked.append(infant_id))
    assert not flow.judge(infant.id)
    assert asked == [infant.id]
