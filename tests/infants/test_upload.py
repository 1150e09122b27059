"""The upload stage itself, below the API."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError, connection
from django.utils import timezone
from pytest_django import Settings

from devices.models import Device
from infants.errors import NoAudioError, UploadTooLargeError
from infants.models import Recording
from infants.signals import recording_received
from infants.stages import upload as upload_stage
from infants.stages.upload import Upload, store_upload
from infants.states import Reason, State
from tests.builders import START, a_device, an_infant

pytestmark = pytest.mark.django_db


@pytest.fixture
def device() -> Device:
    return a_device(an_infant())


@pytest.fixture
def told() -> Iterator[list[Recording]]:
    """Collect what the signal tells, and that it is told inside the transaction."""
    heard: list[Recording] = []

    def hear(recording: Recording, **_signal: object) -> None:
        assert connection.in_atomic_block
        heard.append(recording)

    recording_received.connect(hear)
    yield heard
    recording_received.disconnect(hear)


def _upload(content: bytes = b"sound", **said: object) -> Upload:
    return Upload(audio=ContentFile(content, name="folder/cry.wav"), **said)  # type: ignore[arg-type]


def test_a_row_says_everything_that_was_said(device: Device) -> None:
    stored = store_upload(
        device,
        _upload(
            recorded_at=START.isoformat(),
            idempotency_key="k",
            device_session="s" * 200,
            battery_frac=0.25,
            reported_age_days=40.0,
        ),
    )
    row = Recording.objects.get()
    assert stored.recording == row
    assert not stored.replayed
    assert (row.recorded_at, row.clock, row.recorded_at_raw) == (START, "ok", START.isoformat())
    assert (row.idempotency_key, row.battery_frac, row.reported_age_days) == ("k", 0.25, 40.0)
    assert row.device_session == "s" * 120
    assert row.source_name == "cry.wav"
    assert row.byte_size == 5
    assert (row.state, row.reason, row.infant) == (
        State.RECEIVED,
        Reason.NONE,
        device.assignments.get().infant,
    )


def test_the_signal_is_sent_once_and_only_for_somebody(
    device: Device, told: list[Recording]
) -> None:
    stored = store_upload(device, _upload())
    store_upload(device, _upload())
    assert [recording.id for recording in told] == [stored.recording.id]
    store_upload(a_device(), _upload(b"held"))
    assert len(told) == 1


def test_what_is_refused_leaves_no_row_and_tells_nobody(
    device: Device, told: list[Recording], settings: Settings
) -> None:
    settings.ICLAS_MAX_UPLOAD_BYTES = 3
    with pytest.raises(UploadTooLargeError):
        store_upload(device, _upload(b"four"))
    with pytest.raises(NoAudioError):
        store_upload(device, _upload(b""))
    assert not Recording.objects.exists()
    assert told == []


def test_every_upload_is_a_sign_of_life_and_keeps_the_last_battery(device: Device) -> None:
    before = timezone.now()
    store_upload(device, _upload(b"1", battery_frac=0.5))
    store_upload(device, _upload(b"2"))
    device.refresh_from_db()
    assert device.last_seen_at is not None
    assert device.last_seen_at >= before
    assert device.battery_frac == 0.5


def test_one_that_another_overtook_answers_with_the_others_row(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = store_upload(device, _upload(idempotency_key="k")).recording
    known, blind = upload_stage._known, [True, True]

    def unknowing(*args: object) -> Recording | None:
        return None if blind and blind.pop() and len(blind) == 1 else known(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(upload_stage, "_known", unknowing)
    again = store_upload(device, _upload(idempotency_key="k"))
    assert again.replayed
    assert again.recording == first
    assert Recording.objects.count() == 1


def test_an_error_that_is_no_replay_is_not_taken_for_one(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise IntegrityError("some other constraint")

    monkeypatch.setattr(upload_stage, "_insert", broken)
    with pytest.raises(IntegrityError, match="some other"):
        store_upload(device, _upload())


def test_a_held_recording_is_routed_by_the_time_it_was_made(device: Device) -> None:
    infant = an_infant()
    device.assignments.update(ends_at=START)
    device.assignments.create(infant=infant, starts_at=START + dt.timedelta(days=1))
    day = dt.timedelta(days=1)
    states = {
        days: store_upload(
            device, _upload(f"{days}".encode(), recorded_at=(START + days * day).isoformat())
        ).recording.state
        for days in (-1, 0.5, 2)
    }
    assert states == {-1: "received", 0.5: "held", 2: "received"}
