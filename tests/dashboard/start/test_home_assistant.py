"""The page of Home Assistant: an owner turns it on and off, and everybody learns what it shows."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from bridge.models import Publication, Standing
from infants.models import Infant, Membership
from tests.builders import a_member, a_user, an_infant, as_user
from tests.dashboard.reading import Page

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def owner(infant: Infant) -> Client:
    return as_user(a_member(infant, user=a_user(first_name="Ben")))


@pytest.fixture
def _broker(settings: Settings) -> None:
    settings.ICLAS_MQTT_URL = "mqtt://user:secret@broker.home"


def _path(infant: Infant) -> str:
    return f"/infants/{infant.id}/home-assistant/"


def _page(client: Client, infant: Infant) -> Page:
    answer = client.get(_path(infant))
    assert b"secret" not in answer.content
    page = Page(answer.content.decode())
    assert page.faults == []
    return page


def test_without_a_broker_it_says_what_the_operator_sets(infant: Infant, owner: Client) -> None:
    page = _page(owner, infant)
    assert "This installation knows no broker yet" in page.text
    assert "ICLAS_MQTT_URL=" in page.text
    owner.post(_path(infant), {"on": "1"})
    assert not Publication.objects.exists()


@pytest.mark.usefixtures("_broker")
def test_it_is_turned_on_off_and_on_again_under_the_same_id(infant: Infant, owner: Client) -> None:
    assert "Not shown there" in owner.get(f"/infants/{infant.id}/settings/").content.decode()
    owner.post(_path(infant), {"on": "1"})
    owner.post(_path(infant), {"on": "1"})
    first = Publication.objects.get()
    page = _page(owner, infant)
    assert f"Shown as “Infant {first.opaque[:4]}”" in page.text
    assert ", by Ben." in page.text
    assert f"iclas/{first.opaque}/" in page.text
    assert "without a name" in owner.get(f"/infants/{infant.id}/settings/").content.decode()
    owner.post(_path(infant), {"off": "1"})
    first.refresh_from_db()
    assert first.turned_off_by == first.turned_on_by
    owner.post(_path(infant), {"on": "1"})
    assert set(Publication.objects.values_list("opaque", flat=True)) == {first.opaque}
    assert Publication.objects.count() == 2


@pytest.mark.usefixtures("_broker")
@pytest.mark.parametrize(
    ("ago_s", "is_connected", "said"),
    [
        (5, True, "The bridge is connected"),
        (5, False, "does not reach the broker"),
        (300, True, "The bridge is not running"),
        (None, True, "The bridge is not running"),
    ],
)
def test_it_says_how_the_bridge_stands(
    infant: Infant, owner: Client, ago_s: int | None, is_connected: bool, said: str
) -> None:
    owner.post(_path(infant), {"on": "1"})
    if ago_s is not None:
        at = timezone.now() - dt.timedelta(seconds=ago_s)
        Standing.objects.create(at=at, is_connected=is_connected)
    assert said in _page(owner, infant).text


@pytest.mark.usefixtures("_broker")
@pytest.mark.parametrize("role", ["caregiver", "clinician", "researcher", None])
def test_nobody_else_finds_the_page(infant: Infant, role: str | None) -> None:
    user = a_user() if role is None else a_member(infant, Membership.Role(role))
    for answer in (as_user(user).get(_path(infant)), as_user(user).post(_path(infant))):
        assert answer.status_code == 404
    assert not Publication.objects.exists()
