"""Workers, the scheduler and the bridge give a sign of life as long as their loop turns."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kombu.asynchronous.timer import Timer
from pytest_django.fixtures import Settings

from bridge.broker import Broker
from bridge.serving import Bridge
from iclas import celery_app
from iclas.pulse import EVERY_S, Pulse, SchedulerWithPulse, give_sign

pytestmark = pytest.mark.embedded


@pytest.fixture
def sign(settings: Settings, tmp_path: Path) -> Path:
    """Return the file that is to be touched."""
    settings.ICLAS_ALIVE_FILE = str(tmp_path / "alive")
    return tmp_path / "alive"


def test_nothing_is_written_where_nobody_watches(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings.ICLAS_ALIVE_FILE == ""
    give_sign()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_stops_nobody(settings: Settings, sign: Path) -> None:
    settings.ICLAS_ALIVE_FILE = str(sign / "in" / "no" / "folder")
    give_sign()


def test_a_consumer_gives_signs_in_its_own_loop_until_it_stops(sign: Path) -> None:
    consumer = SimpleNamespace(timer=Timer())
    pulse = Pulse(consumer)
    pulse.start(consumer)
    assert sign.exists()
    sign.unlink()
    [waiting] = consumer.timer.queue
    waiting.entry()  # the loop's turn, after some seconds
    assert sign.exists()
    pulse.stop(consumer)
    assert all(one.entry.canceled for one in consumer.timer.queue)
    pulse.stop(consumer)  # a connection that is lost twice


def test_every_worker_has_a_pulse() -> None:
    assert Pulse in celery_app.steps["consumer"]


def test_the_scheduler_gives_a_sign_with_each_look(sign: Path) -> None:
    scheduler = SchedulerWithPulse(app=celery_app, lazy=True)
    scheduler.data.clear()
    assert scheduler.tick() <= EVERY_S
    assert sign.exists()


def test_the_bridge_gives_a_sign_with_each_turn(
    sign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    monkeypatch.setattr(Bridge, "turn", lambda *_given: stop.set())
    monkeypatch.setattr("bridge.serving.Standing", SimpleNamespace(objects=NoRows()))
    Bridge(Broker("127.0.0.1", 1)).serve(stop)
    assert sign.exists()


class NoRows:
    """Stands in for rows that are not what is asked about."""

    def all(self) -> "NoRows":
        """Return no rows."""
        return self

    def delete(self) -> Any:
        """Delete none."""
        return 0, {}
