"""What a device does of itself over HTTP: heartbeats, settings, a new token; and its clock."""

import datetime as dt
import json

import pytest
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.test import APIClient

from devices.models import Device, DeviceSettings, issue_token
from devices.wishes import change_settings
from infants.models import Recording
from tests.builders import a_device, a_member, an_infant, as_device, as_user
from tests.uploads import UPLOAD, assert_problem, audio, send, send_bulk

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
HEARTBEAT = "/api/v1/devices/self/heartbeat/"
SETTINGS = "/api/v1/devices/self/settings/"
CREDENTIAL = "/api/v1/devices/self/credential/"


@pytest.fixture
def device() -> Device:
    return a_device(an_infant())


def _beat(device: Device, **said: object) -> HttpResponse:
    return as_device(device).post(HEARTBEAT, said, format="json")


def _with(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


# --- heartbeats ----------------------------------------------------------------------------------


def test_a_heartbeat_is_answered_with_the_time_and_what_is_new(device: Device) -> None:
    change_settings(device, {"upload": "cries"}, None, timezone.now())
    clock = (timezone.now() + dt.timedelta(hours=1)).isoformat()
    answer = _beat(device, battery_frac=0.4, firmware="3.1", clock=clock, queue_length=3)
    said = json.loads(answer.content)
    assert answer.status_code == 200
    assert said["clock_skew_s"] == pytest.approx(3600, abs=2)
    assert said["settings_version"] == 1
    assert (said["heartbeat_every_s"], said["is_sandbox"]) == (300, False)
    device.refresh_from_db()
    assert (device.battery_frac, device.firmware, device.queue_length) == (0.4, "3.1", 3)
    assert device.last_heartbeat_at is not None


@pytest.mark.parametrize(
    "said",
    [
        {"battery_frac": 1.2},
        {"battery_frac": "nan"},
        {"uptime_s": "inf"},
        {"queue_length": -1},
        {"queue_length": 2**40},
        {"firmware": "x" * 65},
        {"round_trip_s": "soon"},
    ],
)
def test_what_makes_no_sense_is_named(device: Device, said: dict[str, object]) -> None:
    answer = _beat(device, **said)
    problem = assert_problem(answer, 400, "bad_value", "later")
    assert problem["errors"][0]["field"] == next(iter(said))
    device.refresh_from_db()
    assert device.last_heartbeat_at is None


@pytest.mark.parametrize("path", [HEARTBEAT, CREDENTIAL])
def test_only_a_device_speaks_for_itself(device: Device, path: str) -> None:
    person = as_user(a_member(an_infant()))
    assert_problem(person.post(path, {}, format="json"), 403, "devices_only", "after_pairing")
    assert person.get(SETTINGS).status_code == 403
    assert APIClient().post(path, {}, format="json").status_code == 401
    device.revoked_at = timezone.now()
    token = issue_token(device)
    device.save()
    answer = _with(token).post(path, {}, format="json")
    assert_problem(answer, 401, "device_revoked", "after_pairing")


# --- settings ------------------------------------------------------------------------------------


def test_settings_have_a_tag_and_are_sent_once(device: Device) -> None:
    client = as_device(device)
    first = client.get(SETTINGS)
    assert first.json()["version"] == 0
    assert first.json()["sensitivity"] == DeviceSettings.Sensitivity.NORMAL
    tag = first["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = client.get(SETTINGS, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    change_settings(device, {"sensitivity": "high"}, None, timezone.now())
    changed = client.get(SETTINGS, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert (changed.json()["version"], changed.json()["sensitivity"]) == (1, "high")
    assert changed["ETag"] != tag


# --- tokens --------------------------------------------------------------------------------------


def test_a_device_gets_a_new_token_and_the_old_one_ends_with_its_use(device: Device) -> None:
    old = issue_token(device)
    answer = _with(old).post(CREDENTIAL)
    assert answer.status_code == 201
    new = answer.json()["token"]
    assert _with(old).get(SETTINGS).status_code == 200
    assert _with(new).get(SETTINGS).status_code == 200
    assert_problem(_with(old).get(SETTINGS), 401, "device_revoked", "after_pairing")
    sent = _with(old).post(UPLOAD, {"audio": audio()}, format="multipart")
    assert_problem(sent, 401, "device_revoked", "after_pairing")
    assert not Recording.objects.exists()


# --- time ----------------------------------------------------------------------------------------


def test_times_are_corrected_by_what_heartbeats_told_and_both_are_kept(device: Device) -> None:
    off = dt.timedelta(hours=-2)
    for _ in range(2):
        _beat(device, clock=(timezone.now() + off).isoformat())
    recorded_at = timezone.now() - dt.timedelta(minutes=10)
    raw = (recorded_at + off).isoformat()
    send(device, recorded_at=raw)
    row = Recording.objects.get()
    assert (row.clock, row.recorded_at_raw) == (Recording.Clock.CORRECTED, raw)
    assert row.clock_skew_s == pytest.approx(-7200, abs=2)
    assert abs(row.recorded_at - recorded_at) < dt.timedelta(seconds=2)
    _beat(device, clock=timezone.now().isoformat())
    row.refresh_from_db()
    assert abs(row.recorded_at - recorded_at) < dt.timedelta(seconds=2)


@pytest.mark.parametrize(
    ("said", "age_s"),
    [
        ({"age_s": "90"}, 90.0),
        ({"recorded_uptime_s": "60", "uptime_s": "100.5"}, 40.5),
        ({"recorded_uptime_s": "60", "uptime_s": "20"}, None),  # it was started anew in between
        ({"age_s": "-3"}, None),
        ({"age_s": "nan"}, None),
        ({"age_s": "long"}, None),
        ({"age_s": "1e300"}, None),
        ({"uptime_s": "20"}, None),
    ],
)
def test_a_device_without_a_clock_says_how_long_ago(
    device: Device, said: dict[str, object], age_s: float | None
) -> None:
    assert send(device, **({"recorded_at": ""} | said)).status_code == 201
    row = Recording.objects.get()
    assert row.said_age_s == age_s
    assert row.clock == (Recording.Clock.MISSING if age_s is None else Recording.Clock.RELATIVE)
    assert (row.received_at - row.recorded_at).total_seconds() == (age_s or 0.0)


def test_a_backlog_says_the_present_once(device: Device) -> None:
    client = as_device(device)
    clock = (timezone.now() + dt.timedelta(days=1)).isoformat()
    form = {
        "audio": [audio(content) for content in (b"1", b"2")],
        "items": json.dumps([{"recorded_uptime_s": 60}, {"recorded_at": clock}]),
        "uptime_s": "100",
        "clock": clock,
    }
    results = client.post(f"{UPLOAD}bulk/", form, format="multipart").json()["results"]
    first, second = (one["recording"] for one in results)
    assert (first["clock"], first["said_age_s"]) == ("relative", 40.0)
    assert (second["clock"], round(second["clock_skew_s"])) == ("corrected", 86400)
    assert first["received_at"] == second["received_at"]
    device.refresh_from_db()
    assert len(device.clock_samples) == 1
    assert [one["status"] for one in send_bulk(device, [b"3"]).json()["results"]] == [201]  # type: ignore[attr-defined]
