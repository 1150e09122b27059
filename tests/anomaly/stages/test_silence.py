"""Silent monitors: found, told once, closed when they are back; and no part of any judgement."""

import datetime as dt

import pytest
from django.utils import timezone

from anomaly.models import Episode, Event
from anomaly.selectors.episodes import episodes_where
from anomaly.stages.episode import refresh_episodes
from anomaly.stages.silence import follow_monitors
from devices.credentials import revoke_device
from devices.heartbeats import Beat, Said, note_heartbeat, note_presence, note_sign
from devices.models import Device, Presence
from iclas import tasks
from infants.access import Viewer
from infants.assignments import assign_device
from infants.models import Infant
from notify.models import Alert
from notify.stages.alert import raise_alerts
from tests.builders import a_device, an_episode, an_infant

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
MINUTE = dt.timedelta(minutes=1)
NOW = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)
Reason = Episode.CloseReason


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def device(infant: Infant) -> Device:
    """Return a monitor that sent its last heartbeat at `NOW`, while ICLAS was there to hear."""
    Presence.objects.create(device=None, starts_at=NOW - 600 * MINUTE, ends_at=NOW)
    device = a_device(infant)
    note_heartbeat(device, Beat(), NOW)
    return device


def _later(minutes: float) -> dt.datetime:
    """Let ICLAS be there all the time until then, and look after the monitors."""
    now = NOW + minutes * MINUTE
    Presence.objects.filter(device=None).update(ends_at=now)
    follow_monitors(now)
    return now


def _silences() -> list[Episode]:
    return list(Episode.with_silences.filter(kind=Episode.Kind.MONITOR_SILENT))


def test_one_that_is_switched_off_on_purpose_is_no_silence_until_it_is_back(
    device: Device,
) -> None:
    note_heartbeat(device, Beat(is_leaving=True), NOW + MINUTE)
    _later(120)
    note_sign(device, Said(), _later(121))  # what it recorded before still comes in
    _later(200)
    assert _silences() == []
    note_heartbeat(device, Beat(), _later(201))
    _later(240)
    assert len(_silences()) == 1


def test_a_silence_ends_with_a_word_of_leaving(device: Device) -> None:
    _later(31)
    note_heartbeat(device, Beat(is_leaving=True), _later(40))
    _later(41)
    [episode] = _silences()
    assert episode.close_reason == Reason.MONITOR_BACK


def test_a_silence_is_told_once_and_says_since_when(infant: Infant, device: Device) -> None:
    _later(29)
    assert _silences() == []
    for minutes in (31, 32, 90):
        _later(minutes)
    [episode] = _silences()
    assert (episode.infant, episode.closed_at) == (infant, None)
    assert (episode.began_at, episode.opened_at) == (NOW, NOW + 30 * MINUTE)
    assert episode.evidence["device"] == str(device.id)
    event = Event.objects.get(kind=Event.Kind.EPISODE_OPENED)
    assert (event.episode_id, event.facts["is_past"]) == (episode.id, False)


@pytest.mark.parametrize("sign", ["heartbeat", "upload"])
def test_any_sign_ends_it(device: Device, sign: str) -> None:
    _later(40)
    back = NOW + 50 * MINUTE
    if sign == "heartbeat":
        note_heartbeat(device, Beat(), back)
    else:
        note_sign(device, Said(), back)
    for _ in range(2):
        _later(51)
    [episode] = _silences()
    assert (episode.closed_at, episode.close_reason) == (back, Reason.MONITOR_BACK)
    assert Event.objects.filter(kind=Event.Kind.EPISODE_CLOSED).count() == 1
    _later(200)
    assert [one.began_at for one in _silences()] == [back, NOW]


def test_revoked_reassigned_and_tried_out_ones_are_not_missed(device: Device) -> None:
    _later(40)
    revoke_device(device, NOW + 45 * MINUTE)
    _later(50)
    [episode] = _silences()
    assert (episode.closed_at, episode.close_reason) == (NOW + 45 * MINUTE, Reason.MONITOR_GONE)
    _later(500)
    assert len(_silences()) == 1


def test_a_silence_follows_the_infant_who_is_served(infant: Infant, device: Device) -> None:
    _later(40)
    twin = an_infant()
    assign_device(device, twin, since=NOW + 45 * MINUTE)
    _later(60)
    assert [one.close_reason for one in _silences()] == [Reason.MONITOR_GONE]
    _later(80)
    opened = [one for one in _silences() if one.closed_at is None]
    assert [(one.infant, one.began_at) for one in opened] == [(twin, NOW + 45 * MINUTE)]


@pytest.mark.parametrize("given", [{"is_sandbox": True}, {"last_heartbeat_at": None}])
def test_what_is_tried_out_or_never_sent_heartbeats_is_not_missed(
    device: Device, given: dict[str, object]
) -> None:
    Device.objects.update(**given)
    _later(500)
    assert _silences() == []


def test_what_nobody_could_hear_is_no_silence(device: Device) -> None:
    back = NOW + 300 * MINUTE  # ICLAS itself was away until then
    follow_monitors(back)
    for minute in (10, 20, 29):
        follow_monitors(back + minute * MINUTE)
    assert _silences() == []
    follow_monitors(back + 31 * MINUTE)
    [episode] = _silences()
    assert (episode.began_at, episode.opened_at) == (NOW, back + 30 * MINUTE)
    follow_monitors(back + 300 * MINUTE)  # and away again: that changes nothing
    assert [one.closed_at for one in _silences()] == [None]


def test_two_that_fall_silent_together_are_two(infant: Infant, device: Device) -> None:
    other = a_device(infant)
    note_heartbeat(other, Beat(), NOW)
    _later(31)
    assert {one.evidence["device"] for one in _silences()} == {str(device.id), str(other.id)}


def test_no_judgement_meets_a_silence(infant: Infant, device: Device) -> None:
    now = _later(40)
    assert not Episode.objects.exists()
    assert not infant.episodes.exists()
    refresh_episodes(infant, now)
    assert len(_silences()) == 1
    an_episode(infant, NOW)
    system = Viewer.system()
    assert episodes_where(system, {"infant": infant.id}).count() == 1
    chosen = {"kind": Episode.Kind.MONITOR_SILENT}
    assert list(episodes_where(system, chosen)) == _silences()


def test_somebody_is_told_and_it_ends_with_the_silence(device: Device) -> None:
    now = _later(40)
    raise_alerts(now)
    alert = Alert.objects.get()
    assert (alert.kind, alert.closed_at) == (Episode.Kind.MONITOR_SILENT, None)
    note_heartbeat(device, Beat(), NOW + 50 * MINUTE)
    raise_alerts(_later(51))
    alert.refresh_from_db()
    assert alert.closed_at == NOW + 50 * MINUTE


def test_the_sweep_finds_it(infant: Infant) -> None:
    now = timezone.now()
    Presence.objects.create(device=None, starts_at=now - 90 * MINUTE, ends_at=now - MINUTE)
    note_heartbeat(a_device(infant), Beat(), now - 60 * MINUTE)
    tasks.sweep()
    assert Alert.objects.get().kind == Episode.Kind.MONITOR_SILENT
    note_presence(None, timezone.now())
    assert Presence.objects.filter(device=None).count() == 1
