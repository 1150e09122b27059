"""Suspending messages from the pages: shown to all who care, and ended with one tap."""

import uuid

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from infants.models import Infant, Membership, User
from notify.models import Suspension
from notify.suspensions import MOST_MIN
from tests.builders import a_member, a_user, an_infant, as_user
from tests.dashboard.reading import Page

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def ben(infant: Infant) -> User:
    return a_member(infant, Membership.Role.CAREGIVER, user=a_user(first_name="Ben"))


def _page(client: Client, path: str) -> Page:
    page = Page(client.get(path).content.decode())
    assert page.faults == []
    return page


def test_one_caregiver_suspends_and_another_ends_it_where_it_is_shown(
    infant: Infant, ben: User
) -> None:
    told = f"/infants/{infant.id}/told/"
    client = as_user(ben)
    assert "suspended" not in _page(client, told).text
    assert client.post(f"{told}suspend/", {"minutes": "60"}).status_code == 302
    other = as_user(a_member(infant))
    for path in (told, f"/infants/{infant.id}/", f"/infants/{infant.id}/diary/"):
        page = _page(other, path)
        assert "Messages about Ada are suspended until" in page.text
        assert ", by Ben." in page.text
        assert page.all("form", action=f"{told}resume/")
    answer = other.post(f"{told}resume/", {"next": f"/infants/{infant.id}/"})
    assert answer.headers["Location"] == f"/infants/{infant.id}/"
    assert not Suspension.objects.filter(ended_at=None).exists()
    assert "are suspended" not in _page(client, f"/infants/{infant.id}/").text


def test_who_manages_the_infant_is_led_to_home_assistant(infant: Infant, ben: User) -> None:
    link = f"/infants/{infant.id}/home-assistant/"
    told = f"/infants/{infant.id}/told/"
    assert _page(as_user(a_member(infant)), told).all("a", href=link)
    assert not _page(as_user(ben), told).all("a", href=link)


def test_who_may_not_end_it_sees_it_and_nobody_s_name(infant: Infant, ben: User) -> None:
    as_user(ben).post(f"/infants/{infant.id}/told/suspend/", {"minutes": "60"})
    reader = as_user(a_member(infant, Membership.Role.RESEARCHER))
    page = _page(reader, f"/infants/{infant.id}/")
    assert "are suspended until" in page.text
    assert "Ben" not in page.text
    assert not page.all("form", action=f"/infants/{infant.id}/told/resume/")
    for act in ("suspend", "resume"):
        answer = reader.post(f"/infants/{infant.id}/told/{act}/", {"minutes": "60"})
        assert answer.status_code == 404


@pytest.mark.parametrize("minutes", ["", "0", "-5", str(MOST_MIN + 1), "soon"])
def test_other_lengths_are_refused_in_words(infant: Infant, ben: User, minutes: str) -> None:
    given = {"minutes": minutes, "next": "https://elsewhere.example/"}
    answer = as_user(ben).post(f"/infants/{infant.id}/told/suspend/", given)
    assert answer.headers["Location"] == f"/infants/{infant.id}/told/"
    [said] = get_messages(answer.wsgi_request)
    assert str(said) == "Choose from 1 to 1440 minutes."
    assert not Suspension.objects.exists()


def test_strangers_find_nothing(infant: Infant) -> None:
    stranger = as_user(a_user())
    for one in (infant.id, uuid.uuid4()):
        for act in ("suspend", "resume"):
            path = f"/infants/{one}/told/{act}/"
            assert stranger.post(path, {"minutes": "60"}).status_code == 404
    assert Client().post(f"/infants/{infant.id}/told/suspend/").status_code == 302
    assert stranger.get(f"/infants/{infant.id}/told/suspend/").status_code == 405
    assert not Suspension.objects.exists()
