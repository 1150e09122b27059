"""Who may read what: every kind of caller against every endpoint."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from anomaly.models import Episode
from devices.models import Device
from infants.models import Household, Infant, Membership, Recording, RecordingSession
from tests.builders import (
    a_decision,
    a_device,
    a_member,
    a_model,
    a_recording,
    a_session,
    a_user,
    an_episode,
    an_infant,
    as_device,
    as_user,
)
from tests.uploads import assert_problem

Role = Membership.Role
pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class World:
    """An infant with something of everything, and its twin with as much."""

    infant: Infant
    device: Device
    recording: Recording
    session: RecordingSession
    episode: Episode


def _world(household: Household) -> World:
    infant = an_infant(household=household)
    device = a_device(infant)
    session = a_session(infant)
    recording = a_recording(infant, device=device, session=session)
    a_decision(recording)
    a_model(infant)
    return World(infant, device, recording, session, an_episode(infant))


@pytest.fixture
def household() -> Household:
    return Household.objects.create(name="A household")


@pytest.fixture
def world(household: Household) -> World:
    return _world(household)


@pytest.fixture
def twin(household: Household) -> World:
    return _world(household)


def _revoked(device: Device) -> APIClient:
    client = as_device(device)
    Device.objects.filter(id=device.id).update(revoked_at=timezone.now())
    return client


def _unknown(_world: World) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer iclas_device_nobody")
    return client


def _inactive(world: World) -> APIClient:
    client = as_user(user := a_member(world.infant))
    user.is_active = False
    user.save()
    return client


HOUR = dt.timedelta(hours=1)
CALLERS: dict[str, Callable[[World], Client]] = {
    "owner": lambda w: as_user(a_member(w.infant, Role.OWNER)),
    "caregiver": lambda w: as_user(a_member(w.infant, Role.CAREGIVER)),
    "clinician": lambda w: as_user(a_member(w.infant, Role.CLINICIAN)),
    "researcher": lambda w: as_user(a_member(w.infant, Role.RESEARCHER)),
    "for an hour yet": lambda w: as_user(a_member(w.infant, expires_at=timezone.now() + HOUR)),
    "superuser": lambda _: as_user(a_user(is_superuser=True)),
    "expired": lambda w: as_user(a_member(w.infant, expires_at=timezone.now() - HOUR)),
    "revoked": lambda w: as_user(a_member(w.infant, revoked_at=timezone.now() - HOUR)),
    "staff without a role": lambda _: as_user(a_user(is_staff=True)),
    "stranger": lambda _: as_user(a_member(an_infant())),
    "its device": lambda w: as_device(w.device),
    "another device": lambda w: as_device(a_device(w.infant)),
    "revoked device": lambda w: _revoked(w.device),
    "unknown token": _unknown,
    "inactive person": _inactive,
    "nobody": lambda _: APIClient(),
}
SEEING = ("owner", "caregiver", "clinician", "researcher", "for an hour yet", "superuser")
BLIND = ("expired", "revoked", "staff without a role", "stranger")
DETAILS: dict[str, Callable[[World], str]] = {
    "infant": lambda w: f"infants/{w.infant.id}/",
    "timeline": lambda w: f"infants/{w.infant.id}/timeline/",
    "timeline by day": lambda w: f"infants/{w.infant.id}/timeline/?bucket=day",
    "recording": lambda w: f"recordings/{w.recording.id}/",
    "session": lambda w: f"sessions/{w.session.id}/",
    "recordings of the infant": lambda w: f"recordings/?infant={w.infant.id}",
    "sessions of the infant": lambda w: f"sessions/?infant={w.infant.id}",
    "episodes of the infant": lambda w: f"episodes/?infant={w.infant.id}",
}
LISTS = ("infants/", "sessions/", "recordings/", "episodes/")
REFUSED = {
    "revoked device": (401, "device_revoked"),
    "unknown token": (401, "unknown_token"),
    "inactive person": (401, "not_authenticated"),
    "nobody": (401, "not_authenticated"),
}


def _expected(caller: str, what: str) -> tuple[int, str]:
    """Return the status and the problem's code that a caller is due."""
    if caller in REFUSED:
        return REFUSED[caller]
    if caller in SEEING:
        return 200, ""
    if caller in BLIND:
        return 404, ""
    if what == "recording":
        return (200, "") if caller == "its device" else (404, "")
    if what == "recordings of the infant":
        return 404, "unknown_infant"
    return 403, "people_only"


@pytest.mark.parametrize("what", DETAILS)
@pytest.mark.parametrize("caller", CALLERS)
def test_a_record_opens_for_those_who_may_see_it(world: World, caller: str, what: str) -> None:
    answer = CALLERS[caller](world).get(f"/api/v1/{DETAILS[what](world)}")
    status, code = _expected(caller, what)
    assert answer.status_code == status, answer.content
    if status != 200:
        assert answer["Content-Type"] == "application/problem+json"
        assert code in ("", answer.json()["code"])


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("caller", CALLERS)
def test_a_list_holds_what_its_caller_may_see(world: World, caller: str, path: str) -> None:
    answer = CALLERS[caller](world).get(f"/api/v1/{path}")
    if caller in REFUSED:
        status, code = REFUSED[caller]
        assert_problem(answer, status, code, "after_pairing")
    elif "device" in caller and path != "recordings/":
        assert_problem(answer, 403, "people_only", "after_pairing")
    else:
        assert answer.status_code == 200
        n_expected = 1 if caller in (*SEEING, "its device") else 0
        n_seen = len([row for row in answer.json()["results"] if _is_of(row, world)])
        assert n_seen == n_expected


def _is_of(row: dict[str, str], world: World) -> bool:
    return str(world.infant.id) in (row["id"], row.get("infant"))


@pytest.mark.parametrize("role", list(Role))
def test_a_twin_is_no_more_seen_than_a_stranger(world: World, twin: World, role: Role) -> None:
    client = as_user(a_member(world.infant, role))
    for what, path in DETAILS.items():
        assert client.get(f"/api/v1/{path(world)}").status_code == 200, what
        assert client.get(f"/api/v1/{path(twin)}").status_code == 404, what
    for path in LISTS:
        rows = client.get(f"/api/v1/{path}").json()["results"]
        assert rows
        assert not [row for row in rows if _is_of(row, twin)]
    session = client.get(f"/api/v1/recordings/?session={twin.session.id}")
    assert session.json()["results"] == []


def test_a_twins_device_sees_nothing_of_the_other(world: World, twin: World) -> None:
    answer = as_device(twin.device).get(f"/api/v1/recordings/{world.recording.id}/")
    assert answer.status_code == 404


def test_its_device_reads_a_recordings_fate_and_no_judgement(world: World) -> None:
    said = as_device(world.device).get(f"/api/v1/recordings/{world.recording.id}/").json()
    assert said["state"] == "done"
    for judged in ("gate_decision", "judgement", "cries", "notice", "quality"):
        assert judged not in said


def test_a_held_recording_is_its_devices_and_the_superusers_only(world: World) -> None:
    held = a_recording(None, device=world.device, state="held", reason="no_infant")
    path = f"/api/v1/recordings/{held.id}/"
    assert as_device(world.device).get(path).json()["reason"] == "no_infant"
    assert as_user(a_user(is_superuser=True)).get(path).status_code == 200
    assert as_user(a_member(world.infant)).get(path).status_code == 404


def test_what_is_not_an_id_is_not_found(world: World) -> None:
    client = as_user(a_member(world.infant))
    for path in ("infants/Ada/", "recordings/1/", "infants/Ada/timeline/"):
        assert_problem(client.get(f"/api/v1/{path}"), 404, "not_found", "later")
