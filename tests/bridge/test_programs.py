"""The bridge as a program: it is offline when it is killed, and says in words what is missing."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings as installed
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from bridge.models import Standing
from bridge.selectors import bridge_word
from bridge.topics import opaque_id
from iclas.management.commands.run import _programs
from tests.bridge.home import Reader, a_publication
from tests.builders import a_user, an_infant, as_user
from tests.commands import MANAGE, ROOT, environment
from tests.installation import free_port
from tests.services.mosquitto import Server

pytestmark = [pytest.mark.embedded, pytest.mark.django_db]
STOP_LIMIT_S = 20.0


@contextmanager
def _bridge(server: Server, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the bridge on the test's own database."""
    variables = {
        "ICLAS_MQTT_URL": server.url,
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "SECRET_KEY": installed.SECRET_KEY,
    }
    words = [*MANAGE, "bridge"]
    with subprocess.Popen(words, cwd=ROOT, env=environment(home, **variables)) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.mqtt_broker
@pytest.mark.django_db(transaction=True)
def test_killed_it_is_offline_and_told_to_stop_it_says_goodbye(
    server: Server, reader: Reader, tmp_path: Path
) -> None:
    a_publication(an_infant())
    status = f"iclas/bridge/{opaque_id('here')}/status"
    for number, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 0)):
        with _bridge(server, tmp_path / "home") as process:
            reader.until(lambda: reader.standing.get(status) == b"online")
            assert bridge_word(timezone.now()) == "connected"
            process.send_signal(number)
            reader.until(lambda: reader.standing.get(status) == b"offline")
            assert process.wait(STOP_LIMIT_S) == code
    assert not Standing.objects.exists()


@pytest.mark.mqtt_broker
def test_a_wrong_password_is_told_in_words(server: Server, settings: Settings) -> None:
    settings.ICLAS_MQTT_URL = server.url.replace("se%3Acret", "wrong")
    with pytest.raises(CommandError, match="Not authorized"):
        call_command("bridge", "--once")


@pytest.mark.mqtt_broker
def test_once_publishes_and_ends(
    server: Server, reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    a_publication(an_infant())
    call_command("bridge", "--once")
    assert f"Published at 127.0.0.1:{server.port}" in capsys.readouterr().out
    reader.until(lambda: "iclas/3f2a00000001/state" in reader.standing)


@pytest.mark.parametrize(
    ("url", "said"),
    [("", "set ICLAS_MQTT_URL"), ("http://broker", "makes no sense"), ("mqtt://", "no host")],
)
def test_without_a_broker_it_says_what_to_set(settings: Settings, url: str, said: str) -> None:
    settings.ICLAS_MQTT_URL = url
    with pytest.raises(CommandError, match=said):
        call_command("bridge")


def test_a_broker_that_is_away_is_named_without_the_password(
    settings: Settings,
) -> None:
    settings.ICLAS_MQTT_URL = f"mqtt://home:hidden@127.0.0.1:{free_port()}"
    with pytest.raises(CommandError, match="Connection refused") as told:
        call_command("bridge", "--once")
    assert "hidden" not in str(told.value)


def test_the_supervisor_runs_it_where_there_is_a_broker(settings: Settings) -> None:
    options = {"host": "127.0.0.1", "port": 8000, "workers": 1}
    assert set(_programs(options)) == {"web", "worker", "scheduler"}
    settings.ICLAS_MQTT_URL = "mqtt://home:hidden@broker"
    command = _programs(options)["bridge"]["command"]
    assert command.endswith("manage.py bridge")
    assert sys.executable in command
    assert "hidden" not in command


def test_staff_hear_how_it_stands(settings: Settings) -> None:
    staff = as_user(a_user(is_staff=True))
    assert staff.get("/api/v1/health/").json()["bridge"] == "off"
    settings.ICLAS_MQTT_URL = "mqtt://home:wholly-secret@broker"
    answer = staff.get("/api/v1/health/")
    assert answer.json()["bridge"] == "silent"
    page = staff.get("/status/")
    assert "The bridge is not running." in page.content.decode()
    assert b"wholly-secret" not in answer.content + page.content
