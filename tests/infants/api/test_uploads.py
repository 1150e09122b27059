"""One upload: what firmware may rely on, answer by answer."""

import datetime as dt
import errno
import hashlib
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from devices.models import Device, issue_token
from infants import storage
from infants.depot import disk
from infants.models import Recording
from infants.stages import upload as upload_stage
from infants.states import State
from tests.builders import START, a_device, a_recording, an_infant, as_device
from tests.uploads import BOUNDARY, MULTIPART, UPLOAD, assert_problem, audio, form, send, send_bulk

pytestmark = pytest.mark.django_db


@pytest.fixture
def device() -> Device:
    return a_device(an_infant())


# --- what has to wait ----------------------------------------------------------------------------


def test_where_too_much_waits_a_device_is_told_when_to_come_again(
    device: Device, settings: Settings
) -> None:
    settings.ICLAS_MAX_BACKLOG = 2
    infant = device.assignments.get().infant
    a_recording(infant, device=device, state=State.RECEIVED)
    a_recording(infant, device=device, state=State.DONE)
    a_recording(None, device=device, state=State.HELD, reason="no_infant")
    assert send(device, b"first", key="one").status_code == 201
    answer = send(device, b"second", key="two")
    said = assert_problem(answer, 429, "long_backlog", "later")
    assert answer["Retry-After"] == str(said["retry_after_s"])
    assert not Recording.objects.filter(idempotency_key="two").exists()
    assert send(device, b"first", key="one").status_code == 200
    results = send_bulk(device, [b"first", b"third"]).json()["results"]
    assert [one["status"] for one in results] == [200, 429]
    Recording.objects.filter(state=State.RECEIVED).update(state=State.DONE)
    assert send(device, b"second", key="two").status_code == 201


def test_without_a_limit_everything_is_taken(device: Device, settings: Settings) -> None:
    settings.ICLAS_MAX_BACKLOG = 0
    assert [send(device, bytes([n])).status_code for n in range(1, 5)] == [201] * 4


# --- what is stored ------------------------------------------------------------------------------


def test_an_upload_answers_201_with_the_recording_and_where_it_is(device: Device) -> None:
    answer = send(device, b"sound", session="night-1", battery_frac="0.5", clock="anything")
    assert answer.status_code == 201
    said = answer.json()
    row = Recording.objects.get()
    assert answer["Location"] == f"{UPLOAD}{row.id}/"
    assert said["id"] == str(row.id)
    assert said["state"] == "received"
    assert said["reason"] is None
    assert said["clock"] == "ok"
    assert said["sha256"] == hashlib.sha256(b"sound").hexdigest()
    assert said["byte_size"] == 5
    assert said["recorded_at"] == "2026-03-01T09:00:00Z"
    assert said["recorded_at_raw"] == START.isoformat()
    assert said["device_session"] == "night-1"
    assert said["battery_frac"] == 0.5
    device.refresh_from_db()
    assert device.battery_frac == 0.5
    assert device.last_seen_at is not None
    assert as_device(device).get(answer["Location"]).json()["id"] == str(row.id)


def test_the_audio_alone_is_enough_and_the_missing_clock_is_flagged(device: Device) -> None:
    answer = as_device(device).post(UPLOAD, {"audio": audio()}, format="multipart")
    assert answer.status_code == 201
    assert answer.json()["clock"] == "missing"


def test_what_cannot_be_decoded_is_stored_too(device: Device) -> None:
    assert send(device, b"\0\xff no sound at all").status_code == 201


def test_a_clock_in_the_future_is_accepted_and_flagged(device: Device) -> None:
    later = timezone.now() + dt.timedelta(days=3)
    said = send(device, recorded_at=later.isoformat()).json()
    assert said["clock"] == "future"
    assert said["recorded_at"] == said["received_at"]
    assert said["recorded_at_raw"] == later.isoformat()


@pytest.mark.parametrize("accept", ["text/html", "audio/*", "application/xml", "nonsense"])
def test_an_odd_accept_header_loses_nothing(device: Device, accept: str) -> None:
    client = as_device(device)
    answer = client.post(UPLOAD, {"audio": audio()}, format="multipart", headers={"Accept": accept})
    assert answer.status_code == 201


def test_text_that_no_database_can_hold_is_cleaned(device: Device) -> None:
    said = send(device, session="a\0b", recorded_at="\0").json()
    assert said["device_session"] == "ab"
    assert said["clock"] == "missing"


def test_an_upload_of_a_device_that_serves_nobody_is_held() -> None:
    said = send(a_device()).json()
    assert (said["state"], said["reason"]) == ("held", "no_infant")


# --- replays -------------------------------------------------------------------------------------


def test_the_same_bytes_answer_200_with_the_first_recording(device: Device) -> None:
    first, again = send(device), send(device, recorded_at="2026-03-02T00:00:00Z")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert again["Location"] == first["Location"]
    assert Recording.objects.count() == 1


def test_the_same_key_answers_with_the_first_recording_whatever_the_bytes(device: Device) -> None:
    first, again = send(device, b"one", key="k1"), send(device, b"two", key="k1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["sha256"] == first.json()["sha256"]
    assert send(device, b"two", key="k2").status_code == 201


def test_another_device_with_the_same_bytes_and_key_has_its_own_recording(device: Device) -> None:
    send(device, key="k1")
    assert send(a_device(an_infant()), key="k1").status_code == 201


def test_a_key_of_200_characters_is_taken_and_a_longer_one_keeps_the_audio(device: Device) -> None:
    assert send(device, b"a", key="k" * 200).status_code == 201
    assert_problem(send(device, b"b", key="k" * 201), 400, "bad_idempotency_key", "later")


@pytest.mark.django_db(transaction=True)
def test_a_device_that_sends_the_same_at_once_is_stored_once(device: Device) -> None:
    token = issue_token(device)
    statuses: list[int] = []
    start = threading.Barrier(4)

    def send() -> None:
        start.wait()
        for _ in range(20):
            answer = Client().post(
                UPLOAD,
                {"audio": audio(b"x" * 100_000)},
                headers={"Authorization": f"Bearer {token}"},
            )
            if answer.status_code != 503:  # a device comes again
                break
        statuses.append(answer.status_code)
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 200, 200, 201]
    row = Recording.objects.get()
    assert storage.read_audio(row) == b"x" * 100_000


# --- durability ----------------------------------------------------------------------------------


def test_bytes_and_folders_are_on_the_disk_before_the_row_is(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    flush = disk._sync

    def recorded(path: Path) -> None:
        flush(path)
        happened.append("folder" if path.is_dir() else "file")

    insert = upload_stage._insert

    def inserted(*args: Any) -> Recording:
        happened.append("row")
        return insert(*args)

    monkeypatch.setattr(disk, "_sync", recorded)
    monkeypatch.setattr(upload_stage, "_insert", inserted)
    assert send(device).status_code == 201
    assert happened[0] == "file"
    assert "folder" in happened
    assert happened[-1] == "row"


def test_a_full_disk_answers_503_says_when_and_leaves_nothing(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/secret/path")

    monkeypatch.setattr(upload_stage, "keep_audio", full)
    answer = send(device)
    said = assert_problem(answer, 503, "storage_full", "later")
    assert int(answer["Retry-After"]) == said["retry_after_s"] > 0
    assert "secret" not in answer.content.decode()
    assert not Recording.objects.exists()


def test_a_locked_database_answers_503_and_says_when(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_args: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(upload_stage, "_insert", locked)
    answer = send(device)
    assert_problem(answer, 503, "database_unavailable", "later")
    assert answer["Retry-After"]
    monkeypatch.undo()
    assert send(device).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_a_dead_queue_does_not_spoil_a_stored_upload(
    device: Device, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def dead(*_args: Any, **_kwargs: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("iclas.tasks.run_step.apply_async", dead)
    assert send(device).status_code == 201
    assert Recording.objects.get().state == State.RECEIVED
    assert "on_commit" in caplog.text


class _Endless:
    """A body that is made as it is read, so that only the server's memory is measured."""

    def __init__(self, size: int) -> None:
        self.parts = [form(b"", closed=False), size, f"\r\n--{BOUNDARY}--\r\n".encode()]
        self.length = len(self.parts[0]) + size + len(self.parts[2])  # type: ignore[arg-type]

    def read(self, size: int = -1) -> bytes:
        while self.parts:
            part = self.parts[0]
            if isinstance(part, bytes):
                chunk, rest = part[:size], part[size:]
                self.parts[0:1] = [rest] if rest else []
                return chunk
            n_bytes = min(size, part)
            self.parts[0:1] = [part - n_bytes] if part > n_bytes else []
            return b"s" * n_bytes
        return b""

    readline = read


def test_memory_stays_flat_while_a_large_upload_streams(device: Device) -> None:
    send(device)  # whatever is loaded once is loaded now
    body = _Endless(20 * 2**20)
    client = Client(headers={"Authorization": f"Bearer {issue_token(device)}"})
    tracemalloc.start()
    answer = client.request(
        REQUEST_METHOD="POST",
        PATH_INFO=UPLOAD,
        CONTENT_TYPE=MULTIPART,
        CONTENT_LENGTH=str(body.length),
        **{"wsgi.input": body},
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 201
    assert answer.json()["byte_size"] == 20 * 2**20
    assert peak < 4 * 2**20
