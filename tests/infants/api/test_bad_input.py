"""What monitors and strangers send that is wrong: each is answered with its cause and what to do.

What cannot be read as a form at all is in `test_upload_refusals.py`, replays are in
`test_uploads.py`; here is what looks right until somebody listens, or asks who is speaking.
"""

import pytest
from django.http import HttpResponse
from django.test import Client

from devices.models import Device
from infants.access import Viewer
from infants.models import Recording
from infants.pairing import offer_pairing
from infants.stages.segment import segment_recordings
from pipelines.sound import decode
from tests.builders import a_device, a_member, an_infant, as_device, as_user
from tests.flow.hostile import hostile_files, made_by_hand, sounds_of_every_kind
from tests.uploads import BULK, UPLOAD, assert_problem, audio, send

pytestmark = pytest.mark.django_db
PAIR = "/api/v1/devices/pair/"


@pytest.fixture
def device() -> Device:
    return a_device(an_infant())


# --- what is stored and can never be judged -------------------------------------------------------


def _file(name: str) -> bytes:
    if name == "a day":
        return next(hostile_files(0, 1))[1]
    return sounds_of_every_kind()["m4a"][:200] if name == "cut off" else made_by_hand()[name]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("format 65535", "undecodable"),  # a codec that nobody knows
        ("rate 4294967295", "undecodable"),
        ("header alone", "empty"),
        ("page alone", "undecodable"),
        ("list alone", "undecodable"),
        ("page before a sound", "undecodable"),
        ("program before a sound", "undecodable"),
        ("cut off", "undecodable"),
        ("a day", "too_long"),
    ],
)
def test_what_no_one_can_listen_to_is_taken_and_says_why(
    device: Device, name: str, reason: str
) -> None:
    content = _file(name)
    answer = send(device, content)
    assert answer.status_code == 201  # durably stored: there is nothing to send again
    segment_recordings([answer.json()["id"]])
    said = as_device(device).get(answer["Location"]).json()
    assert (said["state"], said["reason"]) == ("rejected", reason)
    again = send(device, content)
    assert (again.status_code, again.json()["reason"]) == (200, reason)


@pytest.mark.parametrize("name", ["sound before page", "sound before archive"])
def test_what_comes_after_a_sound_is_not_heard(name: str) -> None:
    both, alone = decode(_file(name))[0], decode(sounds_of_every_kind()["wav"])[0]
    assert both.duration_s == alone.duration_s


@pytest.mark.parametrize(
    ("said", "clock"),
    [
        ("1970-01-01T00:00:12Z", "unset"),
        ("9999-01-01T00:00:00Z", "future"),
        ("yesterday", "unreadable"),
    ],
)
def test_a_wrong_clock_costs_no_recording(device: Device, said: str, clock: str) -> None:
    answer = send(device, recorded_at=said)
    assert answer.status_code == 201
    assert answer.json()["clock"] == clock
    assert answer.json()["recorded_at"] == answer.json()["received_at"]


# --- who is speaking? -----------------------------------------------------------------------------


def _paired(code: str) -> HttpResponse:
    given = {"code": code, "name": "Bedroom"}
    return Client().post(PAIR, given, content_type="application/json")


def _sent(token: str, content: bytes) -> HttpResponse:
    headers = {"Authorization": f"Bearer {token}"}
    return Client().post(UPLOAD, {"audio": audio(content)}, headers=headers)


def test_a_stolen_pairing_code_is_noticed_and_its_thief_turned_out() -> None:
    infant = an_infant()
    owner = a_member(infant)
    code = offer_pairing(Viewer.of(owner), owner, infant.id).code
    thief = _paired(code).json()
    assert_problem(_paired(code), 403, "pairing_code", "after_pairing")  # the owner's own monitor
    managed = as_user(owner).get("/api/v1/devices/").json()["results"]
    assert [one["id"] for one in managed] == [thief["id"]]
    assert as_user(owner).post(f"/api/v1/devices/{thief['id']}/revoke/").status_code == 200
    assert_problem(_sent(thief["token"], b"one"), 401, "device_revoked", "after_pairing")
    own = _paired(offer_pairing(Viewer.of(owner), owner, infant.id).code).json()
    assert _sent(own["token"], b"two").json()["infant"] == str(infant.id)


def test_a_revoked_device_sends_no_backlog_either(device: Device) -> None:
    client = as_device(device)
    device.revoked_at = device.created_at
    device.save()
    form = {"audio": [audio(b"one"), audio(b"two")], "items": "[{}, {}]"}
    answer = client.post(BULK, form, format="multipart")
    assert_problem(answer, 401, "device_revoked", "after_pairing")
    assert not Recording.objects.exists()
