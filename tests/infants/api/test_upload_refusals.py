"""What an upload is refused for, and that no refusal loses a recording by mistake."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from devices.models import Device, issue_token
from infants.models import Recording
from tests.builders import START, a_device, a_member, an_infant, as_device, as_user
from tests.uploads import MULTIPART, UPLOAD, assert_problem, audio, form, raw, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def device() -> Device:
    return a_device(an_infant())


# --- what is refused -----------------------------------------------------------------------------


def test_no_token_and_an_unknown_one_answer_401(device: Device) -> None:
    for headers in ({}, {"Authorization": "Bearer iclas_device_x"}, {"Authorization": "Bearer"}):
        answer = Client().post(UPLOAD, {"audio": audio()}, headers=headers)
        code = "unknown_token" if headers else "not_authenticated"
        assert_problem(answer, 401, code, "after_pairing")
        assert answer["WWW-Authenticate"].startswith("Bearer")
    assert not Recording.objects.exists()


def test_a_revoked_device_answers_401_pair_again(device: Device) -> None:
    client = as_device(device)
    Device.objects.update(revoked_at=timezone.now())
    answer = client.post(UPLOAD, {"audio": audio()}, format="multipart")
    said = assert_problem(answer, 401, "device_revoked", "after_pairing")
    assert "pair the device again" in said["detail"]


def test_a_revoked_credential_answers_401_and_another_still_works(device: Device) -> None:
    lost, kept = as_device(device), as_device(device)
    device.credentials.filter(id=device.credentials.earliest("id").id).update(
        revoked_at=timezone.now()
    )
    assert lost.post(UPLOAD, {"audio": audio()}, format="multipart").status_code == 401
    assert kept.post(UPLOAD, {"audio": audio()}, format="multipart").status_code == 201


def test_a_person_may_not_upload(device: Device) -> None:
    client = as_user(a_member(an_infant()))
    answer = client.post(UPLOAD, {"audio": audio()}, format="multipart")
    assert_problem(answer, 403, "devices_only", "after_pairing")


@pytest.mark.parametrize("content", [None, b""])
def test_no_audio_and_empty_audio_answer_422(device: Device, content: bytes | None) -> None:
    form = {"recorded_at": START.isoformat()}
    if content is not None:
        form["audio"] = audio(content)  # type: ignore[assignment]
    answer = as_device(device).post(UPLOAD, form, format="multipart")
    assert_problem(answer, 422, "no_audio", "never")


@pytest.mark.parametrize("battery", ["full", "nan", "-0.1", "1.01", "inf", "87"])
def test_a_battery_that_makes_no_sense_answers_422_and_names_it(
    device: Device, battery: str
) -> None:
    said = assert_problem(send(device, battery_frac=battery), 422, "bad_field", "never")
    assert said["errors"] == [{"field": "battery_frac", "detail": "must be a number from 0 to 1"}]
    assert not Recording.objects.exists()


def test_too_large_is_refused_before_it_is_read(device: Device, settings: Settings) -> None:
    settings.ICLAS_MAX_UPLOAD_BYTES = 1000

    class Unread:
        def read(self, _size: int = -1) -> bytes:
            raise AssertionError("the body was read")

        readline = read

    client = Client(headers={"Authorization": f"Bearer {issue_token(device)}"})
    answer = client.request(
        REQUEST_METHOD="POST",
        PATH_INFO=UPLOAD,
        CONTENT_TYPE=MULTIPART,
        CONTENT_LENGTH=str(10**9),
        **{"wsgi.input": Unread()},
    )
    assert_problem(answer, 413, "too_large", "never")


def test_too_large_by_a_byte_is_refused_and_the_limit_itself_is_not(
    device: Device, settings: Settings
) -> None:
    settings.ICLAS_MAX_UPLOAD_BYTES = 1000
    assert send(device, b"x" * 1000).status_code == 201
    assert_problem(send(device, b"x" * 1001), 413, "too_large", "never")


@pytest.mark.parametrize("content_type", ["application/json", "audio/wav", "text/plain", ""])
def test_what_is_not_multipart_answers_415(device: Device, content_type: str) -> None:
    for body in (b"{}", b""):
        answer = as_device(device).generic("POST", UPLOAD, body, content_type)
        assert_problem(answer, 415, "unsupported_media_type", "never")


def test_a_form_that_was_cut_off_keeps_the_audio_on_the_device(device: Device) -> None:
    assert raw(device, form(b"s" * 5000)).status_code == 201
    for body in (form(b"s" * 5001, closed=False), form(b"s" * 5001)[:-6], form(b"s" * 9)[:60]):
        assert_problem(raw(device, body), 400, "truncated_body", "later")
    assert Recording.objects.count() == 1


def test_a_form_without_a_boundary_answers_400(device: Device) -> None:
    answer = raw(device, form(b"sound"), "multipart/form-data")
    assert_problem(answer, 400, "parse_error", "later")


def test_two_recordings_in_one_upload_are_refused_rather_than_one_lost(device: Device) -> None:
    form = {"audio": [audio(b"one"), audio(b"two")]}
    answer = as_device(device).post(UPLOAD, form, format="multipart")
    assert_problem(answer, 400, "several_audio_parts", "later")


def test_djangos_own_limits_are_problems_that_keep_the_audio(
    device: Device, settings: Settings
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert_problem(send(device, session="x" * 500), 400, "too_much_text", "later")
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10**6
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 1
    said = {f"field{i}": "x" for i in range(9)}
    assert_problem(send(device, **said), 400, "too_many_fields", "later")
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 1
    answer = as_device(device).post(
        UPLOAD, {"audio": [audio(b"1"), audio(b"2")]}, format="multipart"
    )
    assert_problem(answer, 400, "too_many_parts", "later")


def test_a_body_of_unknown_length_is_refused_rather_than_taken_for_empty(device: Device) -> None:
    client = Client(headers={"Authorization": f"Bearer {issue_token(device)}"})
    request = {"REQUEST_METHOD": "POST", "PATH_INFO": UPLOAD, "CONTENT_TYPE": MULTIPART}
    answer = client.request(**request, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    assert_problem(answer, 411, "length_required", "later")


def test_other_methods_answer_405(device: Device) -> None:
    for method in ("put", "patch", "delete"):
        answer = getattr(as_device(device), method)(UPLOAD)
        assert_problem(answer, 405, "method_not_allowed", "later")


@pytest.mark.parametrize("path", ["/api/v1/recordings", "/api/v1/recordings/bulk", "/api/v2/"])
def test_a_path_without_its_last_slash_is_no_redirect(device: Device, path: str) -> None:
    answer = as_device(device).post(path, {"audio": audio()}, format="multipart")
    assert_problem(answer, 404, "not_found", "later")


def test_an_upload_costs_few_queries(
    device: Device, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = as_device(device)
    with django_assert_max_num_queries(11):
        assert client.post(UPLOAD, {"audio": audio()}, format="multipart").status_code == 201


def test_temporary_files_are_gone_after_every_answer(device: Device, settings: Settings) -> None:
    send(device)
    send(device, b"")
    raw(device, form(b"s" * 5000, closed=False))
    assert not list(settings.FILE_UPLOAD_TEMP_DIR.iterdir())
