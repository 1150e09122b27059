"""Followers over the API: adding oneself, what others may change, and what is never answered."""

import uuid
from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from infants.models import Infant, Membership, User
from notify.models import Follower
from tests.builders import a_device, a_member, an_infant, as_device, as_user
from tests.notify.sinks import HttpSink, http_sink
from tests.notify.told import a_follower, a_reachable
from tests.uploads import assert_problem

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
FOLLOWERS = "/api/v1/followers/"
SECRET = "https://hooks.example.org/token-of-mine"
Role = Membership.Role


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def ben(infant: Infant) -> User:
    return a_reachable(infant, "Ben")


@pytest.fixture
def sink(settings: Settings) -> Iterator[HttpSink]:
    settings.ICLAS_NOTIFY_NETWORKS = ["127.0.0.0/8"]
    with http_sink() as one:
        yield one


def _add(client: APIClient, infant: Infant, **given: object) -> dict[str, object]:
    described = {"infant": str(infant.id), "channel": "webhook", "address": SECRET} | given
    answer = client.post(FOLLOWERS, described, "json")
    assert answer.status_code == 201, answer.content
    said: dict[str, object] = answer.json()
    return said


def test_a_secret_is_told_once_and_an_address_never(infant: Infant, ben: User) -> None:
    client = as_user(ben)
    said = _add(client, infant, least_severity="strong", label="Lamp")
    assert str(said["secret"]).startswith("whsec_")
    assert (said["least_severity"], said["label"], said["is_own"]) == ("strong", "Lamp", True)
    again = _add(client, infant)
    assert (again["id"], again["secret"]) == (said["id"], None)
    for path in (FOLLOWERS, f"{FOLLOWERS}{said['id']}/"):
        body = client.get(path).content.decode()
        assert "token-of-mine" not in body
        assert "whsec_" not in body
        assert "https://hooks.example.org/…" in body


def test_they_are_listed_in_the_order_in_which_they_are_told(infant: Infant, ben: User) -> None:
    owner = a_reachable(infant, "Ada", Role.OWNER)
    for user, delay_min in ((ben, 30), (owner, 0)):
        a_follower(infant, user, delay_min=delay_min)
    rows = as_user(ben).get(FOLLOWERS, {"infant": infant.id}).json()["results"]
    assert [(row["person"], row["delay_min"]) for row in rows] == [("Ada", 0), ("Ben", 30)]
    rex = a_reachable(infant, "Rex", Role.RESEARCHER)
    a_follower(infant, rex)
    assert [row["person"] for row in as_user(rex).get(FOLLOWERS).json()["results"]] == ["Rex"]


def test_an_owner_sets_when_others_are_told_and_nothing_of_theirs(
    infant: Infant, ben: User
) -> None:
    follower = a_follower(infant, ben)
    owner = as_user(a_member(infant))
    path = f"{FOLLOWERS}{follower.id}/"
    asked = {"delay_min": 15, "breaks_quiet": True, "says_name": False, "is_on": False}
    said = owner.patch(path, asked, "json").json()
    assert (said["delay_min"], said["breaks_quiet"], said["says_name"]) == (15, False, True)
    assert (said["is_on"], said["off_reason"], said["shown_target"]) == (False, "own_choice", "")
    assert not owner.patch(path, {"is_on": True}, "json").json()["is_on"]
    assert as_user(ben).patch(path, {"is_on": True}, "json").json()["is_on"]


@pytest.mark.parametrize("role", [Role.CAREGIVER, Role.CLINICIAN, Role.RESEARCHER, None])
def test_others_change_nothing(infant: Infant, ben: User, role: str | None) -> None:
    follower = a_follower(infant, ben)
    client = as_user(a_member(infant, role) if role else a_member(an_infant()))
    for path in (f"{FOLLOWERS}{follower.id}/", f"{FOLLOWERS}{uuid.uuid4()}/"):
        for answer in (client.patch(path, {"delay_min": 5}, "json"), client.delete(path)):
            assert_problem(answer, 404, "unknown_follower", "later")
        assert client.post(f"{path}try/").status_code == 404
    follower.refresh_from_db()
    assert (follower.delay_min, follower.is_on) == (0, True)


def test_nobody_follows_an_infant_whom_they_may_not_see(infant: Infant) -> None:
    asked = {"infant": str(infant.id), "channel": "email"}
    stranger = as_user(a_member(an_infant()))
    assert_problem(stranger.post(FOLLOWERS, asked, "json"), 404, "unknown_infant", "later")
    device = as_device(a_device(infant)).post(FOLLOWERS, asked, "json")
    assert device.status_code == 403
    assert not Follower.objects.exists()


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"address": "http://example.org"}, 422, "bad_target"),
        ({"channel": "service", "address": "syslog://"}, 422, "bad_target"),
        ({"address": ""}, 400, "bad_value"),
        ({"channel": "push"}, 400, "bad_value"),
        ({"delay_min": 2000}, 400, "bad_value"),
        ({"least_severity": "dire"}, 400, "bad_value"),
    ],
)
def test_what_makes_no_sense_is_refused(
    infant: Infant, ben: User, given: dict[str, object], status: int, code: str
) -> None:
    described = {"infant": str(infant.id), "channel": "webhook", "address": SECRET} | given
    answer = as_user(ben).post(FOLLOWERS, described, "json")
    assert_problem(answer, status, code, "never" if status == 422 else "later")
    assert not Follower.objects.exists()


def test_a_trial_says_how_it_went(infant: Infant, ben: User, sink: HttpSink) -> None:
    client = as_user(ben)
    said = _add(client, infant, address=sink.address)
    path = f"{FOLLOWERS}{said['id']}/try/"
    assert client.post(path).json()["state"] == "sent"
    sink.answers[:] = [(500, {})]
    failed = client.post(path).json()
    assert (failed["state"], failed["reason"], failed["detail"]) == (
        "dropped",
        "refused",
        "HTTP 500",
    )


def test_removed_is_gone_and_e_mail_is_switched_off(infant: Infant, ben: User) -> None:
    client = as_user(ben)
    webhook = _add(client, infant)
    email = _add(client, infant, channel="email")
    for one in (webhook, email):
        assert client.delete(f"{FOLLOWERS}{one['id']}/").status_code == 204
    [left] = client.get(FOLLOWERS).json()["results"]
    assert (left["id"], left["is_on"]) == (email["id"], False)
    assert Follower.objects.get().created_at <= timezone.now()
