"""Accounts: signing up and in, by whom, how often, and a forgotten password."""

import re

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from infants.access import Viewer
from infants.invitations import Terms, invite
from infants.models import Infant, User
from tests.builders import a_member, a_user, an_infant
from tests.dashboard.reading import Page

pytestmark = pytest.mark.django_db
PASSWORD = "a long pass phrase"
PAGES = [
    "/sign-in/",
    "/sign-up/",
    "/account/password/forgotten/",
    "/account/password/forgotten/sent/",
    "/account/password/new/done/",
    "/account/password/new/1-nothing/",
    "/account/email/confirm/",
    "/account/email/confirm/nothing/",
    "/account/inactive/",
]
OWN_PAGES = ["/sign-out/", "/account/email/", "/account/password/", "/start/"]


def _read(client: Client, path: str) -> Page:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return Page(answer.content.decode())


def _sign_up(client: Client, **said: str) -> int:
    given = {"username": "ada", "password1": PASSWORD} | said
    return client.post("/sign-up/", given).status_code


@pytest.mark.parametrize("path", PAGES)
def test_pages_for_strangers_have_the_own_look(path: str) -> None:
    page = _read(Client(), path)
    assert page.faults == []
    assert len(page.all("h1")) == 1
    assert "not a medical device" in page.text


@pytest.mark.parametrize("path", OWN_PAGES)
def test_pages_for_members_have_it_too(path: str) -> None:
    client = Client()
    client.force_login(a_user(email="ada@example.org", password=PASSWORD))
    page = _read(client, path)
    assert page.faults == []
    assert len(page.all("h1")) == 1


def test_signing_up_leads_to_the_start(settings: Settings) -> None:
    settings.SIGN_UP = "open"
    client = Client()
    given = {"username": "ada", "password1": PASSWORD, "email": "ada@example.org"}
    given["first_name"] = "Ada L."
    answer = client.post("/sign-up/", given)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/start/")
    assert "Welcome" in _read(client, "/start/").text
    assert User.objects.get().get_full_name() == "Ada L."
    [letter] = mail.outbox
    assert letter.to == ["ada@example.org"]


@pytest.mark.parametrize("login", ["ada", "ada@example.org", "ADA@example.org"])
def test_name_and_address_both_sign_in(login: str) -> None:
    User.objects.create_user("ada", email="ada@example.org", password=PASSWORD)
    answer = Client().post("/sign-in/", {"login": login, "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/start/")


def test_who_sees_infants_comes_to_them() -> None:
    infant = an_infant()
    a_member(infant, user=User.objects.create_user("ada", password=PASSWORD))
    answer = Client().post("/sign-in/", {"login": "ada", "password": PASSWORD})
    assert answer.headers["Location"] == "/"


def test_who_guesses_has_to_wait() -> None:
    User.objects.create_user("ada", password=PASSWORD)
    client = Client()
    for _ in range(5):
        client.post("/sign-in/", {"login": "ada", "password": "a guess"})
    answer = client.post("/sign-in/", {"login": "ada", "password": PASSWORD})
    assert answer.status_code == 200
    assert "Too many wrong passwords" in Page(answer.content.decode()).text


def test_the_admins_door_is_the_same() -> None:
    answer = Client().get("/admin/login/?next=/admin/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in/?next=%2Fadmin%2F")


@pytest.mark.parametrize("sign_up", ["invited", "closed"])
def test_sign_up_can_be_closed(sign_up: str, settings: Settings) -> None:
    settings.SIGN_UP = sign_up
    client = Client()
    assert "No new accounts here" in _read(client, "/sign-up/").text
    assert "Make an account" not in _read(client, "/sign-in/").text
    _sign_up(client)
    assert not User.objects.exists()


def _link(infant: Infant) -> str:
    owner = a_member(infant)
    invited = invite(Viewer.of(owner), owner, [infant.id], Terms("caregiver"))
    return f"/invitations/{invited.secret}/"


@pytest.mark.parametrize(("sign_up", "n_users"), [("invited", 2), ("closed", 1)])
def test_an_invitation_opens_sign_up_where_it_goes_by_invitation(
    sign_up: str, n_users: int, settings: Settings
) -> None:
    settings.SIGN_UP = sign_up
    link, client = _link(an_infant()), Client()
    assert ("Make an account" in _read(client, link).text) == (sign_up == "invited")
    _sign_up(client, next=link)
    assert User.objects.count() == n_users


def test_a_forgotten_password() -> None:
    person = User.objects.create_user("ada", email="ada@example.org", password=PASSWORD)
    client = Client()
    asked = client.post("/account/password/forgotten/", {"email": "ada@example.org"})
    assert asked.headers["Location"] == "/account/password/forgotten/sent/"
    [letter] = mail.outbox
    link = re.search(r"http://testserver(/account/password/new/\S+)", str(letter.body))
    assert link is not None
    form = client.get(link[1], follow=True)
    [(where, _)] = form.redirect_chain
    new = {"password1": "another pass phrase", "password2": "another pass phrase"}
    assert client.post(where, new).status_code == 302
    person.refresh_from_db()
    assert person.check_password("another pass phrase")


def test_an_unknown_address_is_told_nothing() -> None:
    client = Client()
    answer = client.post("/account/password/forgotten/", {"email": "nobody@example.org"})
    assert answer.headers["Location"] == "/account/password/forgotten/sent/"
    assert mail.outbox == []


def test_signing_out_takes_a_press() -> None:
    client = Client()
    client.force_login(a_user())
    client.get("/sign-out/")
    assert client.get("/start/").status_code == 200
    client.post("/sign-out/")
    assert client.get("/start/").status_code == 302
