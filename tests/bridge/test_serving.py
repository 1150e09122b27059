"""The bridge at a real broker: what it says, hears and takes away, and how it comes back."""

import datetime as dt
import json

import pytest
from django.core import mail
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from bridge import publishing, serving
from bridge.models import Standing
from bridge.publications import turn_off
from bridge.selectors import bridge_word
from bridge.serving import Bridge
from bridge.topics import opaque_id
from devices.models import Device
from infants.access import Viewer
from infants.models import Infant
from notify.models import Suspension
from notify.stages.send import tell_due
from tests.bridge.home import Reader, a_publication
from tests.builders import a_device, a_member, an_infant
from tests.notify.told import a_follower, a_new_alert, a_reachable
from tests.services.mosquitto import Server

pytestmark = [pytest.mark.django_db, pytest.mark.embedded, pytest.mark.mqtt_broker]
NAME = "Zenobia Striking"
OPAQUE = "3f2a00000001"
STATE, SET = f"iclas/{OPAQUE}/state", f"iclas/{OPAQUE}/suspend/set"


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "LOOKS_EVERY_S", 0.02)


@pytest.fixture
def infant() -> Infant:
    one = an_infant(name=NAME)
    a_publication(one, OPAQUE)
    return one


@pytest.fixture
def monitor(infant: Infant) -> Device:
    return a_device(infant, name=f"{NAME}'s monitor", battery_frac=0.4, queue_length=0)


def _status() -> str:
    return f"iclas/bridge/{opaque_id('here')}/status"


def _is_online(reader: Reader) -> bool:
    return reader.standing.get(_status()) == b"online"


def test_all_that_stands_there_names_nobody(
    infant: Infant, monitor: Device, bridge: Bridge, reader: Reader
) -> None:
    reader.until(lambda: _is_online(reader), bridge)
    everything = b"".join(topic.encode() + text for topic, text in reader.standing.items())
    for secret in (NAME, "Zenobia", str(infant.id), infant.id.hex, str(monitor.id), "household"):
        assert secret.encode() not in everything
    configs = [topic for topic in reader.standing if topic.endswith("/config")]
    assert len(configs) == 1 + 13 + 4
    assert set(reader.standing) == {*configs, STATE, _status()}


def test_only_what_changes_is_said_again(infant: Infant, bridge: Bridge, reader: Reader) -> None:
    reader.until(lambda: _is_online(reader), bridge)
    reader.heard.clear()
    for _turn in range(20):
        bridge.turn(0.005)
    Infant.objects.filter(id=infant.id).update(name="Another")
    now = timezone.now()
    Suspension.objects.create(
        infant=infant, origin="page", began_at=now, until=now + dt.timedelta(minutes=9)
    )
    reader.until(lambda: STATE in reader.standing, bridge)
    assert [topic for topic, _payload, _retain in reader.heard] == [STATE]


def test_home_assistant_s_birth_is_answered_with_everything(
    infant: Infant, bridge: Bridge, reader: Reader
) -> None:
    reader.until(lambda: _is_online(reader), bridge)
    before = reader.standing
    reader.heard.clear()
    reader.say("homeassistant/status", "offline")
    reader.say("homeassistant/status", "online")
    reader.until(lambda: _is_online(reader), bridge)
    said = {topic: text for topic, text in reader.standing.items() if "status" not in topic}
    assert said == {topic: text for topic, text in before.items() if "status" not in topic}
    topics = [topic for topic, _payload, _retain in reader.heard]
    assert topics.index(STATE) > max(n for n, one in enumerate(topics) if one.endswith("/config"))
    assert topics[-1] == _status()


def test_a_restarted_broker_is_told_everything_anew(
    infant: Infant, bridge: Bridge, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.link.FIRST_WAIT_S", 0.02)
    first = Reader(server.port)
    first.until(lambda: _is_online(first), bridge)
    server.stop()
    for _turn in range(5):
        bridge.turn(0.02)
    assert not bridge.link.is_up
    assert bridge_word(timezone.now()) == "cut_off"
    server.start()
    anew = Reader(server.port)
    anew.until(lambda: _is_online(anew), bridge)
    assert anew.standing == first.standing
    assert bridge_word(timezone.now()) == "connected"


def test_minutes_suspend_messages_and_0_ends_it(
    infant: Infant, bridge: Bridge, reader: Reader
) -> None:
    reader.until(lambda: _is_online(reader), bridge)
    reader.say(SET, "45")
    reader.until(lambda: reader.document(STATE)["suspended_min"] == 45, bridge)
    [held] = Suspension.objects.filter(ended_at=None)
    assert (held.origin, held.by) == (Suspension.Origin.HOME_ASSISTANT, None)
    assert reader.document(STATE)["suspended_until"] == held.until.isoformat(timespec="seconds")
    reader.say(SET, "0")
    reader.until(lambda: reader.document(STATE)["suspended_min"] == 0, bridge)
    assert not Suspension.objects.filter(ended_at=None).exists()


def test_what_a_home_holds_back_is_one_message_when_it_lets_go(
    infant: Infant, bridge: Bridge, reader: Reader
) -> None:
    a_follower(infant, a_reachable(infant, "Ben"), says_name=False)
    reader.until(lambda: _is_online(reader), bridge)
    reader.say(SET, "45")
    reader.until(lambda: reader.document(STATE)["suspended_min"] == 45, bridge)
    a_new_alert(infant)
    a_new_alert(infant, kind="single_extreme", evidence={"smallest_p_value": 0.01})
    tell_due(timezone.now())
    reader.until(lambda: reader.document(STATE)["open_alerts"] == 2, bridge)
    assert mail.outbox == []
    reader.say(SET, "0")
    reader.until(lambda: reader.document(STATE)["suspended_min"] == 0, bridge)
    tell_due(timezone.now())
    [letter] = mail.outbox
    assert letter.subject.endswith(": 2 alerts while messages were suspended")


@pytest.mark.parametrize(
    "payload",
    [b"", b"soon", b"-1", b"1441", b"30.0", b" 30", b"030", b"9" * 4000, b"\xff\xfe", b"\xd9\xa3"],
)
def test_what_makes_no_sense_changes_nothing_and_is_answered(
    infant: Infant, bridge: Bridge, reader: Reader, payload: bytes
) -> None:
    reader.until(lambda: _is_online(reader), bridge)
    reader.heard.clear()
    reader.say(SET, payload)
    reader.until(lambda: STATE in reader.standing, bridge)
    assert not Suspension.objects.exists()


def test_a_command_that_was_left_standing_is_not_obeyed(
    infant: Infant, bridge: Bridge, reader: Reader
) -> None:
    reader.say(SET, "30", retain=True)
    reader.say("iclas/ffffffffffff/suspend/set", "30")
    reader.until(lambda: _is_online(reader), bridge)
    for _turn in range(10):
        bridge.turn(0.005)
    assert not Suspension.objects.exists()


def test_what_is_turned_off_is_taken_away(infant: Infant, bridge: Bridge, reader: Reader) -> None:
    reader.until(lambda: _is_online(reader), bridge)
    turn_off(Viewer(user=a_member(infant)), infant.id, timezone.now())
    reader.until(lambda: STATE not in reader.standing, bridge)
    node = f"iclas_{opaque_id('here')}"
    own = {_status(), f"homeassistant/binary_sensor/{node}/bridge/config"}
    reader.until(lambda: set(reader.standing) == own, bridge)


def test_what_is_turned_off_while_home_assistant_starts_is_taken_away(
    infant: Infant, bridge: Bridge, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.until(lambda: _is_online(reader), bridge)
    monkeypatch.setattr(serving, "LOOKS_EVERY_S", 60.0)
    bridge.turn(0.01)
    turn_off(Viewer(user=a_member(infant)), infant.id, timezone.now())
    reader.say("homeassistant/status", "online")
    reader.until(lambda: STATE not in reader.standing, bridge)


def test_what_was_erased_while_the_bridge_was_away_is_taken_away(
    infant: Infant, bridge: Bridge, reader: Reader, settings: Settings
) -> None:
    reader.until(lambda: _is_online(reader), bridge)
    bridge.link.close()
    infant.delete()
    reader.say("iclas/aaaaaaaaaaaa/state", "of another installation", retain=True)
    reader.say("homeassistant/sensor/iclas_another/x/config", "{}", retain=True)
    after = Bridge(bridge.link.broker)
    try:
        reader.until(lambda: STATE not in reader.standing, after)
        reader.until(lambda: _is_online(reader), after)
    finally:
        after.link.close()
    assert {"iclas/aaaaaaaaaaaa/state", "homeassistant/sensor/iclas_another/x/config"} < set(
        reader.standing
    )


def test_a_monitor_that_serves_another_is_shown_there_no_more(
    infant: Infant, monitor: Device, bridge: Bridge, reader: Reader
) -> None:
    reader.until(lambda: _is_online(reader), bridge)
    own = opaque_id(monitor.id)
    assert own in reader.document(STATE)["monitors"]
    monitor.assignments.update(ends_at=timezone.now())
    reader.until(lambda: reader.document(STATE)["monitors"] == {}, bridge)
    assert not [topic for topic in reader.standing if own in topic]


def test_a_goodbye_says_offline(infant: Infant, bridge: Bridge, reader: Reader) -> None:
    reader.until(lambda: _is_online(reader), bridge)
    bridge.link.close()
    reader.until(lambda: reader.standing[_status()] == b"offline")


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_makes_it_offline_until_it_is_back(
    infant: Infant, bridge: Bridge, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.until(lambda: _is_online(reader), bridge)
    with monkeypatch.context() as broken:

        def refuse(_now: dt.datetime) -> None:
            raise OperationalError("the server closed the connection")

        broken.setattr(publishing, "published_infants", refuse)
        reader.until(lambda: reader.standing[_status()] == b"offline", bridge)
    reader.until(lambda: _is_online(reader), bridge)


def test_once_publishes_everything_and_leaves_it_as_offline(
    infant: Infant, bridge: Bridge, reader: Reader
) -> None:
    assert bridge.once()
    reader.until(lambda: reader.standing.get(_status()) == b"offline")
    assert json.loads(reader.standing[STATE])["state"] == "nothing yet"
    assert not Standing.objects.exists()
