"""Bulk uploads: a backlog in one request, each recording by itself."""

import errno
import json
from typing import Any

import pytest
from django.core.files.base import File
from django.db import OperationalError
from pytest_django import Settings

from devices.models import Device
from infants.models import Recording
from infants.stages import upload as upload_stage
from tests.builders import START, a_device, a_member, an_infant, as_device, as_user
from tests.uploads import BULK, assert_problem, audio, send, send_bulk

pytestmark = pytest.mark.django_db


@pytest.fixture
def device() -> Device:
    return a_device(an_infant())


def _results(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_a_backlog_of_120_is_stored_with_a_result_each_in_order(device: Device) -> None:
    contents = [f"sound {number}".encode() for number in range(120)]
    items = [
        {"recorded_at": START.isoformat(), "session": f"s{n}", "idempotency_key": f"k{n}"}
        for n in range(120)
    ]
    results = _results(send_bulk(device, contents, items))
    assert [result["status"] for result in results] == [201] * 120
    assert [result["recording"]["device_session"] for result in results] == [
        item["session"] for item in items
    ]
    assert Recording.objects.count() == 120
    again = _results(send_bulk(device, contents, items))
    assert [result["status"] for result in again] == [200] * 120
    assert [result["recording"]["id"] for result in again] == [
        result["recording"]["id"] for result in results
    ]
    assert Recording.objects.count() == 120


def test_one_bad_recording_disturbs_no_other(device: Device, settings: Settings) -> None:
    settings.ICLAS_MAX_UPLOAD_BYTES = 100
    send(device, b"known")
    contents = [b"good", b"", b"x" * 101, b"battery", b"key", b"word", b"known", b"last"]
    items = [
        {"recorded_at": "yesterday"},
        {},
        {},
        {"battery_frac": 87},
        {"idempotency_key": "k" * 201},
        "just a word",
        {},
        {"recorded_at": 1234, "session": None, "battery_frac": 1, "clock": [], "new": "thing"},
    ]
    results = _results(send_bulk(device, contents, items))
    assert [result["status"] for result in results] == [201, 422, 413, 422, 400, 400, 200, 201]
    assert [result.get("problem", {}).get("retry") for result in results] == [
        None,
        "never",
        "never",
        "never",
        "later",
        "later",
        None,
        None,
    ]
    assert results[0]["recording"]["clock"] == "unreadable"
    assert results[7]["recording"]["battery_frac"] == 1.0
    assert results[1]["problem"]["code"] == "no_audio"
    assert all(("problem" in result) != ("recording" in result) for result in results)


def test_the_same_bytes_twice_in_one_bulk_are_one_recording(device: Device) -> None:
    results = _results(send_bulk(device, [b"same", b"same"]))
    assert [result["status"] for result in results] == [201, 200]
    assert results[0]["recording"]["id"] == results[1]["recording"]["id"]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), OperationalError("database is locked")]
)
def test_what_passes_is_told_per_recording(
    device: Device, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    keep = upload_stage.keep_audio

    def failing(content: File, sha256: str, size: int) -> upload_stage.StoredAudio:
        if size == 3:
            raise error
        return keep(content, sha256, size)

    monkeypatch.setattr(upload_stage, "keep_audio", failing)
    results = _results(send_bulk(device, [b"good", b"bad", b"fine"]))
    assert [result["status"] for result in results] == [201, 503, 201]
    assert results[1]["problem"]["retry"] == "later"
    assert results[1]["problem"]["retry_after_s"] > 0


@pytest.mark.parametrize(
    "items", ["{}", "not json", "", "null", "[{}]", "[{},{},{}]", "[" * 100_000]
)
def test_items_that_do_not_fit_keep_everything_on_the_device(device: Device, items: str) -> None:
    form = {"audio": [audio(b"one"), audio(b"two")], "items": items}
    answer = as_device(device).post(BULK, form, format="multipart")
    assert_problem(answer, 400, "bulk_mismatch", "later")
    assert not Recording.objects.exists()


def test_an_empty_bulk_and_one_without_items_are_mismatches(device: Device) -> None:
    for form in ({"items": "[]"}, {"audio": [audio()]}):
        answer = as_device(device).post(BULK, form, format="multipart")
        assert_problem(answer, 400, "bulk_mismatch", "later")


def test_more_than_the_limit_keeps_everything_on_the_device(
    device: Device, settings: Settings
) -> None:
    settings.ICLAS_MAX_BULK_ITEMS = 2
    answer = send_bulk(device, [b"1", b"2", b"3"])
    said = assert_problem(answer, 400, "bulk_mismatch", "later")
    assert "1 to 2" in said["detail"]


def test_a_large_bulk_is_bounded_by_its_recordings_not_by_the_form(
    device: Device, settings: Settings
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    settings.ICLAS_MAX_UPLOAD_BYTES = 200_000
    results = _results(send_bulk(device, [bytes([n]) * 200_000 for n in range(1, 11)]))
    assert [result["status"] for result in results] == [201] * 10


def test_text_that_no_database_can_hold_is_cleaned(device: Device) -> None:
    item = {"session": "\ud800\0x", "recorded_at": "\ud800", "idempotency_key": "\0k"}
    [result] = _results(send_bulk(device, [b"sound"], [item]))
    assert result["status"] == 201
    assert result["recording"]["device_session"] == "?x"


def test_a_bulk_is_for_devices_and_multipart_only(device: Device) -> None:
    person = as_user(a_member(an_infant()))
    form = {"audio": [audio()], "items": "[{}]"}
    answer = person.post(BULK, form, format="multipart")
    assert_problem(answer, 403, "devices_only", "after_pairing")
    answer = as_device(device).post(BULK, json.dumps([]), content_type="application/json")
    assert_problem(answer, 415, "unsupported_media_type", "never")
    assert_problem(as_device(device).get(BULK), 405, "method_not_allowed", "later")
