"""The page of quiet hours: set, kept, refused with words beside the field, and ended."""

import datetime as dt
from uuid import uuid4

import pytest
from django.test import Client

from infants.models import Infant
from notify.models import QuietHours
from tests.builders import a_member, an_infant, as_user
from tests.dashboard.reading import Page

pytestmark = pytest.mark.django_db
NIGHT = {"starts": "22:00", "ends": "06:00", "days": ["1", "5", "7"]}


@pytest.fixture
def infant() -> Infant:
    return an_infant(time_zone="Europe/Zurich")


def _path(infant: Infant) -> str:
    return f"/infants/{infant.id}/quiet-hours/"


def _page(client: Client, infant: Infant) -> Page:
    return Page(client.get(_path(infant)).content.decode())


def test_a_night_is_set_across_midnight_and_shown_again(infant: Infant) -> None:
    user = a_member(infant)
    client = as_user(user)
    assert "You have no quiet hours" in _page(client, infant).text
    assert client.post(_path(infant), NIGHT).headers["Location"] == _path(infant)
    own = QuietHours.objects.get(user=user, infant=infant)
    assert (own.starts, own.ends, own.days) == (dt.time(22), dt.time(6), [1, 5, 7])
    page = _page(client, infant)
    assert page.all("input", id="id_starts", value="22:00")
    assert page.all("input", id="id_ends", value="06:00")
    ticked = [box["value"] for box in page.all("input", name="days") if "checked" in box]
    assert ticked == ["1", "5", "7"]
    assert "uiet hours" in page.text


def test_quiet_hours_are_ended(infant: Infant) -> None:
    client = as_user(a_member(infant))
    assert not _page(client, infant).all("button", name="end")
    client.post(_path(infant), NIGHT)
    client.post(_path(infant), NIGHT | {"end": "1"})
    assert not QuietHours.objects.exists()
    assert "You have no quiet hours" in _page(client, infant).text


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        ({"starts": ""}, "starts", "Say when they begin"),
        ({"starts": "25:00"}, "starts", "This is no time of day"),
        ({"ends": ""}, "ends", "Say when they end"),
        ({"ends": "22:00"}, "ends", "choose another end"),
        ({"days": []}, "days", "Choose at least one day"),
        ({"days": ["8"]}, "days", "8"),
    ],
)
def test_what_cannot_be_stands_beside_its_field_and_is_kept(
    infant: Infant, said: dict[str, object], field: str, words: str
) -> None:
    answer = as_user(a_member(infant)).post(_path(infant), NIGHT | said)
    assert answer.status_code == 422
    page = Page(answer.content.decode())
    assert page.all("p", id=f"id_{field}_error")
    assert words in page.text
    assert page.faults == []
    kept = (NIGHT | said)["starts"]
    assert page.all("input", id="id_starts")[0].get("value", "") == kept
    assert not QuietHours.objects.exists()


def test_quiet_hours_are_ones_own_and_around_infants_one_may_see(infant: Infant) -> None:
    as_user(a_member(infant)).post(_path(infant), NIGHT)
    other = as_user(a_member(infant, "caregiver"))
    assert "You have no quiet hours" in _page(other, infant).text
    stranger = as_user(a_member(an_infant()))
    for path in (_path(infant), f"/infants/{uuid4()}/quiet-hours/"):
        assert stranger.get(path).status_code == 404
        assert stranger.post(path, NIGHT).status_code == 404
    assert Client().get(_path(infant)).headers["Location"].startswith("/sign-in/")
    assert QuietHours.objects.count() == 1
