"""Health: a word for probes, the queues for operators, and the truth in both."""

import datetime as dt
import errno
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from iclas import __version__
from infants.models import Recording
from infants.states import State
from tests.builders import a_device, a_recording, a_user, an_infant, as_device, as_user

PATH = "/api/v1/health/"
ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.django_db


def _break_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_args: object, **_kwargs: object) -> int:
        raise OperationalError("attempt to write a readonly database")

    monkeypatch.setattr("django.db.models.query.QuerySet.update", refused)


def _break_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)


def test_a_stranger_hears_a_word_and_no_more() -> None:
    answer = Client().get(PATH)
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": __version__}


def test_a_person_and_a_device_hear_no_more_than_a_stranger() -> None:
    unknown = APIClient()
    unknown.credentials(HTTP_AUTHORIZATION="Bearer iclas_device_nobody")
    for client in (as_user(a_user()), as_device(a_device()), unknown):
        assert set(client.get(PATH).json()) == {"status", "version"}


def test_staff_hear_what_stands_in_the_queues(settings: Settings) -> None:
    settings.CELERY_BROKER_URL = "redis://user:password@broker:6379/0"
    infant = an_infant()
    device = a_device(infant)
    for state in (State.RECEIVED, State.RECEIVED, State.GATED, State.FAILED, State.DONE):
        a_recording(infant, device=device, state=state)
    a_recording(None, device=device, state=State.HELD)
    waiting = Recording.objects.filter(state=State.GATED)
    waiting.update(state_changed_at=timezone.now() - dt.timedelta(hours=2))
    answer = as_user(a_user(is_staff=True)).get(PATH)
    said = answer.json()
    assert said["backlog"]["received"] == 2
    assert said["backlog"]["gated"] == 1
    assert said["backlog"]["held"] == 1
    assert "done" not in said["backlog"]
    assert said["failed"] == 1
    assert 7200 <= said["oldest_waiting_s"] < 7260
    assert said["broker"] == "redis"
    assert said["encoder"] == "bundled"
    assert said["disk_free_bytes"] > 0
    assert said["failing"] == []
    assert b"password" not in answer.content


def test_nothing_waiting_has_no_age() -> None:
    assert "oldest_waiting_s" not in as_user(a_user(is_staff=True)).get(PATH).json()


def test_health_costs_few_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(3):  # the write, in its savepoint
        Client().get(PATH)


@pytest.mark.parametrize("is_staff", [False, True])
def test_a_database_that_cannot_be_written_to_is_told(
    monkeypatch: pytest.MonkeyPatch, is_staff: bool
) -> None:
    client = as_user(a_user(is_staff=is_staff))
    _break_database(monkeypatch)
    answer = client.get(PATH)
    assert answer.status_code == 503
    assert answer.json()["status"] == "failing"


def test_a_storage_that_cannot_be_written_to_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    client = as_user(a_user(is_staff=True))
    _break_storage(monkeypatch)
    answer = client.get(PATH)
    assert answer.status_code == 503
    assert answer.json()["failing"] == ["storage"]
    assert Client().get(PATH).json() == {"status": "failing", "version": __version__}


def test_asking_leaves_nothing_behind(settings: Settings) -> None:
    Client().get(PATH)
    assert not list(settings.FILE_UPLOAD_TEMP_DIR.iterdir())
    assert not Recording.objects.exists()


def test_the_web_process_loads_no_torch() -> None:
    code = (
        "import sys, django; django.setup(); import iclas.asgi, iclas.urls; "
        "from django.test import Client; Client().get('/api/v1/schema/'); "
        "print([m for m in ('torch', 'torchaudio', 'speechbrain') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.stdout.strip().splitlines()[-1:] == ["[]"], answer.stderr
