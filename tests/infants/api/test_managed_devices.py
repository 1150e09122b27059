"""Devices as those who manage them read, set, revoke and reassign them over HTTP."""

from uuid import uuid4

import pytest
from django.utils import timezone

from devices.models import Device
from devices.selectors import settings_of
from infants.models import Infant, Membership, Recording
from infants.selectors import infant_served
from infants.states import Reason, State
from tests.builders import a_device, a_member, an_infant, as_device, as_user
from tests.uploads import UPLOAD, assert_problem, audio, send

pytestmark = pytest.mark.django_db
DEVICES = "/api/v1/devices/"


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def device(infant: Infant) -> Device:
    return a_device(infant, name="Bedroom")


def _of(device: Device, path: str = "") -> str:
    return f"{DEVICES}{device.id}/{path}"


def test_the_owner_reads_the_devices(infant: Infant, device: Device) -> None:
    a_device(an_infant())
    client = as_user(a_member(infant))
    [listed] = client.get(f"{DEVICES}?infant={infant.id}").json()["results"]
    assert listed == client.get(_of(device)).json()
    assert (listed["infant"], listed["is_serving"]) == (str(infant.id), True)


@pytest.mark.parametrize("role", ["caregiver", "clinician", "researcher", None])
def test_others_find_nothing(infant: Infant, device: Device, role: str | None) -> None:
    person = a_member(infant, Membership.Role(role)) if role else a_member(an_infant())
    client = as_user(person)
    assert client.get(DEVICES).json()["results"] == []
    answers = [
        client.get(_of(device)),
        client.patch(_of(device), {"is_sandbox": True}, format="json"),
        client.get(_of(device, "settings/")),
        client.patch(_of(device, "settings/"), {"upload": "cries"}, format="json"),
        client.post(_of(device, "revoke/")),
        client.post(_of(device, "credential/")),
        client.get(f"{DEVICES}{uuid4()}/"),
    ]
    for answer in answers:
        assert_problem(answer, 404, "unknown_device", "later")
    device.refresh_from_db()
    assert (device.revoked_at, device.is_sandbox) == (None, False)
    assert settings_of(device).version == 0


def test_a_device_is_renamed_but_not_to_nothing(infant: Infant, device: Device) -> None:
    client = as_user(a_member(infant))
    answer = client.patch(_of(device), {"name": "By the window"}, format="json")
    assert answer.json()["name"] == "By the window"
    assert client.patch(_of(device), {"name": " "}, format="json").status_code == 400
    device.refresh_from_db()
    assert device.name == "By the window"


def test_a_device_manages_none(device: Device) -> None:
    assert_problem(as_device(device).get(DEVICES), 403, "people_only", "after_pairing")


def test_settings_change_by_version_and_only_what_is_named(infant: Infant, device: Device) -> None:
    owner = a_member(infant)
    client = as_user(owner)
    first = client.patch(_of(device, "settings/"), {"upload": "cries"}, format="json")
    assert (first.json()["version"], first.json()["upload"]) == (1, "cries")
    until = "2026-03-13T06:00:00Z"
    second = client.patch(_of(device, "settings/"), {"suspended_until": until}, format="json")
    assert second.json() == first.json() | {"version": 2, "suspended_until": until}
    same = client.patch(_of(device, "settings/"), {"upload": "cries"}, format="json")
    assert same.json() == client.get(_of(device, "settings/")).json() == second.json()
    assert settings_of(device).changed_by == owner.id
    refused = client.patch(_of(device, "settings/"), {"sensitivity": "mad"}, format="json")
    assert_problem(refused, 400, "bad_value", "later")
    assert as_device(device).get(f"{DEVICES}self/settings/").json() == second.json()


def test_another_infant_is_served_from_now_on(infant: Infant, device: Device) -> None:
    owner = a_member(infant)
    twin, foreign = an_infant(), an_infant()
    a_member(twin, user=owner)
    client, before = as_user(owner), timezone.now()
    answer = client.patch(_of(device), {"infant": str(foreign.id)}, format="json")
    assert_problem(answer, 404, "unknown_infant", "later")
    for _ in range(2):
        answer = client.patch(_of(device), {"infant": str(twin.id)}, format="json")
        assert answer.json()["infant"] == str(twin.id)
    assert infant_served(device, before) == infant
    assert infant_served(device, timezone.now()) == twin
    assert device.assignments.count() == 2


def test_who_managed_it_once_manages_it_no_more(infant: Infant, device: Device) -> None:
    owner, borrower = a_member(infant), an_infant()
    a_member(borrower, user=owner)
    lender = a_member(infant)
    as_user(owner).patch(_of(device), {"infant": str(borrower.id)}, format="json")
    assert as_user(lender).get(_of(device)).status_code == 404
    assert as_user(owner).get(_of(device)).status_code == 200


def test_a_revoked_device_stays_in_sight_and_serves_nobody(infant: Infant, device: Device) -> None:
    client, sender = as_user(a_member(infant)), as_device(device)
    answer = client.post(_of(device, "revoke/"))
    assert answer.json()["revoked_at"] is not None
    assert (answer.json()["is_serving"], answer.json()["infant"]) == (False, str(infant.id))
    again = sender.post(UPLOAD, {"audio": audio()}, format="multipart")
    assert_problem(again, 401, "device_revoked", "after_pairing")
    assert client.post(_of(device, "revoke/")).json() == answer.json()
    assert client.get(_of(device)).json() == answer.json()
    for refused in (
        client.patch(_of(device), {"infant": str(infant.id)}, format="json"),
        client.post(_of(device, "credential/")),
    ):
        assert refused.status_code == 409


def test_a_token_by_hand_ends_the_others_with_its_use(infant: Infant, device: Device) -> None:
    client, sender = as_user(a_member(infant)), as_device(device)
    token = client.post(_of(device, "credential/")).json()["token"]
    assert sender.get(f"{DEVICES}self/settings/").status_code == 200
    sender_by_hand = as_device(device)
    sender_by_hand.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert sender_by_hand.get(f"{DEVICES}self/settings/").status_code == 200
    assert sender.get(f"{DEVICES}self/settings/").status_code == 401


# --- trying it out -------------------------------------------------------------------------------


def test_what_is_tried_out_is_answered_as_always_and_never_judged(
    infant: Infant, device: Device
) -> None:
    owner = a_member(infant)
    client = as_user(owner)
    client.patch(_of(device), {"is_sandbox": True}, format="json")
    answer = send(device, b"trial")
    assert answer.status_code == 201
    assert send(device, b"trial").status_code == 200
    row = Recording.objects.get()
    assert (row.state, row.reason, row.infant) == (State.HELD, Reason.SANDBOX, None)
    assert client.get(f"{UPLOAD}?infant={infant.id}").json()["results"] == []
    client.patch(_of(device), {"is_sandbox": False}, format="json")
    twin = an_infant()
    a_member(twin, user=owner)
    client.patch(_of(device), {"infant": str(twin.id)}, format="json")
    row.refresh_from_db()
    assert (row.state, row.reason, row.infant) == (State.HELD, Reason.SANDBOX, None)
    assert send(device, b"in earnest").json()["state"] == "received"  # type: ignore[attr-defined]
