"""From an empty account to an infant that is listened to: the pages of getting started."""

import datetime as dt
import re
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from devices.models import Device
from infants.consents import give_consent
from infants.models import Consent, Erasure, Infant, Invitation, Membership, User
from tests.builders import a_device, a_member, a_recording, a_user, an_infant
from tests.dashboard.reading import Page

pytestmark = pytest.mark.django_db
Role = Membership.Role
OF_AN_INFANT = [
    "settings/",
    "particulars/",
    "monitors/",
    "monitors/pair/",
    "listen/",
    "people/",
    "people/invite/",
    "audio-policy/",
    "erase/",
    "take-data/",
]


def _as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _owner(**given: object) -> tuple[Client, Infant]:
    infant = an_infant(**({"name": "Ada", "time_zone": "Europe/Zurich"} | given))
    return _as(a_member(infant)), infant


def _read(client: Client, path: str) -> Page:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return Page(answer.content.decode())


def _said(**said: object) -> dict[str, object]:
    return {"name": "Ada", "time_zone": "Europe/Zurich"} | said


# --- infants -------------------------------------------------------------------------------------


def test_an_infant_is_added_and_the_next_step_comes() -> None:
    person = a_user()
    client = _as(person)
    born, due = dt.date(2026, 1, 12), dt.date(2026, 2, 23)
    answer = client.post("/start/infant/", _said(birth_date=born, due_date=due))
    infant = Infant.objects.get()
    assert answer.headers["Location"] == f"/start/{infant.id}/listen/"
    assert infant.gestational_age_weeks == pytest.approx(34.0)
    assert infant.memberships.get().user == person
    assert infant.memberships.get().role == Role.OWNER


def test_weeks_and_days_are_taken_too() -> None:
    _as(a_user()).post("/start/infant/", _said(weeks=34, days=3))
    assert Infant.objects.get().gestational_age_weeks == pytest.approx(34 + 3 / 7)


def test_a_twin_joins_the_household() -> None:
    client = _as(a_user())
    answer = client.post("/start/infant/", _said(another="1", birth_date="2026-01-12"))
    where = answer.headers["Location"]
    assert 'value="2026-01-12"' in client.get(where).content.decode()
    client.post(where, _said(name="Bo"))
    first, second = Infant.objects.order_by("created_at")
    assert first.household == second.household


def test_nobody_joins_a_strangers_household() -> None:
    foreign = an_infant()
    client = _as(a_user())
    for twin in (foreign.id, uuid4()):
        answer = client.post(f"/start/infant/?twin={twin}", _said())
        assert answer.status_code == 404
    assert Infant.objects.get() == foreign


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"name": ""}, "required"),
        ({"time_zone": "Moon/Base"}, "valid choice"),
        ({"birth_date": "2999-01-01"}, "has not come yet"),
        ({"due_date": "2026-02-01"}, "date of birth too"),
        ({"birth_date": "2026-01-12", "due_date": "2027-02-01"}, "do not go together"),
        ({"birth_date": "2026-01-12", "due_date": "2026-02-01", "weeks": 37}, "not both"),
        ({"days": 3}, "weeks too"),
        ({"weeks": 12}, "greater than or equal to 20"),
    ],
)
def test_what_makes_no_sense_is_said_beside_its_field(said: dict[str, object], words: str) -> None:
    answer = _as(a_user()).post("/start/infant/", _said(birth_date="", due_date="") | said)
    page = Page(answer.content.decode())
    assert answer.status_code == 200
    assert words in page.text
    assert page.faults == []
    assert page.all("input", **{"aria-invalid": "true"}) or page.all("select", name="time_zone")
    assert not Infant.objects.exists()


def test_the_steps_say_where_one_is() -> None:
    client, infant = _owner()
    page = _read(client, f"/infants/{infant.id}/people/?start=1")
    assert page.all("span", **{"aria-current": "step"})
    assert "Skip this for now" in page.text
    assert not _read(client, f"/infants/{infant.id}/people/").all(
        "span", **{"aria-current": "step"}
    )


def test_every_step_can_be_skipped_to_the_end() -> None:
    client, infant = _owner()
    at, seen = f"/start/{infant.id}/listen/", []
    while at != f"/start/{infant.id}/":
        links = [a for a in re.findall(r'<a href="([^"]+)">', client.get(at).content.decode())]
        seen.append(at)
        at = links[-1]
        assert len(seen) < 5
    assert "Left for later" in _read(client, at).text


def test_particulars_can_be_changed() -> None:
    client, infant = _owner(gestational_age_weeks=34 + 3 / 7, birth_date="2026-01-12")
    page = client.get(f"/infants/{infant.id}/particulars/").content.decode()
    assert 'value="34"' in page
    assert 'value="2026-01-12"' in page
    client.post(f"/infants/{infant.id}/particulars/", _said(name="Adelheid", weeks=34, days=3))
    infant.refresh_from_db()
    assert infant.name == "Adelheid"


def test_a_newcomer_begins_at_the_start_wherever_the_door_was() -> None:
    assert _as(a_user()).get("/").headers["Location"] == "/start/"
    assert _as(a_user(is_staff=True)).get("/").status_code == 200
    left = a_member(an_infant(), revoked_at=timezone.now())
    assert 'href="/start/"' in _as(left).get("/").content.decode()


# --- who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", OF_AN_INFANT)
def test_the_pages_are_well_made_for_the_owner(path: str) -> None:
    client, infant = _owner()
    a_device(infant, name="Bedroom", last_seen_at=timezone.now(), battery_frac=0.82)
    page = _read(client, f"/infants/{infant.id}/{path}")
    assert page.faults == []
    assert len(page.all("h1")) == 1
    ids = [given["id"] for _, given in page.elements if "id" in given]
    assert len(ids) == len(set(ids))
    assert all("style" not in given for _, given in page.elements)


@pytest.mark.parametrize("path", OF_AN_INFANT)
def test_strangers_and_caregivers_find_nothing_to_manage(path: str) -> None:
    _, infant = _owner()
    where = f"/infants/{infant.id}/{path}"
    assert Client().get(where).status_code == 302
    assert _as(a_user()).get(where).status_code == 404
    caregiver = _as(a_member(infant, Role.CAREGIVER))
    assert caregiver.get(where).status_code == (200 if path == "listen/" else 404)
    assert _as(a_member(infant, Role.RESEARCHER)).get(where).status_code == 404


@pytest.mark.parametrize(
    "path", ["monitors/pair/", "listen/code/", "people/invite/", "audio-policy/", "erase/"]
)
def test_nobody_but_the_owner_changes_anything(path: str) -> None:
    _, infant = _owner()
    where = f"/infants/{infant.id}/{path}"
    assert _as(a_member(infant, Role.CLINICIAN)).post(where, {"name": "Ada"}).status_code == 404
    assert Infant.objects.filter(id=infant.id).exists()


# --- monitors ------------------------------------------------------------------------------------


def test_a_code_is_shown_as_text_and_picture_and_serves() -> None:
    client, infant = _owner()
    answer = client.post(f"/infants/{infant.id}/monitors/pair/")
    page = Page(answer.content.decode())
    assert page.faults == []
    code = re.search(r"\b([A-Z0-9]{4}-[A-Z0-9]{4})\b", page.text)
    assert code is not None
    assert page.all("svg", **{"class": "qr"})
    [waiting] = page.all("div", id="joined")
    assert "Waiting" in _read(client, str(waiting["data-pairing-state"])).text
    said = {"code": code[1], "name": "Bedroom"}
    paired = Client().post("/api/v1/devices/pair/", said, content_type="application/json")
    assert paired.status_code == 201
    assert "Bedroom is connected" in _read(client, str(waiting["data-pairing-state"])).text


def test_the_phone_gets_its_code_without_anybody_typing() -> None:
    client, infant = _owner()
    answer = client.post(f"/infants/{infant.id}/listen/code/")
    said = {"code": answer.json()["code"], "name": "Phone", "kind": "phone"}
    Client().post("/api/v1/devices/pair/", said, content_type="application/json")
    device = Device.objects.get()
    assert device.kind == Device.Kind.PHONE
    assert device.assignments.get().infant == infant


def test_a_monitor_is_let_go() -> None:
    client, infant = _owner()
    device = a_device(infant, name="Bedroom")
    where = f"/infants/{infant.id}/monitors/"
    assert client.post(f"{where}{uuid4()}/revoke/").status_code == 404
    assert client.post(f"{where}{device.id}/revoke/").headers["Location"] == where
    device.refresh_from_db()
    assert device.revoked_at is not None
    assert "Bedroom is disconnected" in _read(client, where).text
    assert client.post(f"{where}{device.id}/revoke/").status_code == 404


def test_nobody_lets_go_a_foreign_monitor() -> None:
    client, infant = _owner()
    foreign = a_device(an_infant())
    assert client.post(f"/infants/{infant.id}/monitors/{foreign.id}/revoke/").status_code == 404
    foreign.refresh_from_db()
    assert foreign.revoked_at is None


# --- people --------------------------------------------------------------------------------------


def _invite(client: Client, infant: Infant, **said: object) -> Page:
    given = {"role": Role.CAREGIVER, "infants": [str(infant.id)]} | said
    answer = client.post(f"/infants/{infant.id}/people/invite/", given)
    return Page(answer.content.decode())


def _link_in(page: Page) -> str:
    [field] = page.all("input", id="link")
    return str(field["value"]).removeprefix("http://testserver")


def test_an_invitation_by_link_is_accepted_once() -> None:
    client, infant = _owner()
    link = _link_in(_invite(client, infant))
    assert mail.outbox == []
    stranger = Client()
    said = _read(stranger, link).text
    assert "invites you to care for Ada" in said
    assert "Make an account" in said
    person = a_user()
    answer = _as(person).post(link)
    assert answer.headers["Location"] == f"/infants/{infant.id}/"
    assert person.memberships.get().role == Role.CAREGIVER
    assert _as(a_user()).get(link).status_code == 404


def test_an_invitation_by_mail_goes_out_in_two_forms() -> None:
    client, infant = _owner()
    page = _invite(client, infant, email="bo@example.org")
    assert "on its way" in page.text
    [letter] = mail.outbox
    assert letter.to == ["bo@example.org"]
    [(html, kind)] = letter.alternatives  # type: ignore[attr-defined]
    assert kind == "text/html"
    link = _link_in(page)
    assert link in letter.body
    assert link in html
    assert "Ada" not in letter.body


def test_a_mail_server_that_is_down_leaves_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    from dashboard.start import letters

    def refuse(_letter: object) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr(letters.EmailMultiAlternatives, "send", refuse)
    client, infant = _owner()
    page = _invite(client, infant, email="bo@example.org")
    assert "could not be sent" in page.text
    assert _link_in(page)


def test_all_bad_links_say_the_same() -> None:
    client, infant = _owner()
    used, revoked, expired = (_link_in(_invite(client, infant)) for _ in range(3))
    _as(a_user()).post(used)
    withdrawn = Invitation.objects.filter(accepted_at=None).earliest("created_at")
    client.post(f"/infants/{infant.id}/invitations/{withdrawn.id}/withdraw/")
    Invitation.objects.filter(accepted_at=None, revoked_at=None).update(expires_at=timezone.now())
    said = set()
    for link in (used, revoked, expired, "/invitations/nothing/"):
        answer = Client().get(link)
        assert answer.status_code == 404
        said.add(re.sub(r'value="\w{64}"|nonce="[\w-]+"', "", answer.content.decode()))
    assert len(said) == 1


def test_a_researcher_is_invited_by_consent_alone_and_learns_no_name() -> None:
    client, infant = _owner()
    assert "First agree to research" in _invite(client, infant, role=Role.RESEARCHER).text
    give_consent(infant, Consent.Purpose.RESEARCH, a_user())
    link = _link_in(_invite(client, infant, role=Role.RESEARCHER, access_until="2999-01-01"))
    assert "Ada" not in _read(Client(), link).text
    person = a_user()
    _as(person).post(link)
    until = person.memberships.get().expires_at
    assert until == dt.datetime(2998, 12, 31, 23, tzinfo=dt.UTC) + dt.timedelta(days=1)


def test_access_is_ended_but_never_the_last_owners() -> None:
    client, infant = _owner()
    other = a_member(infant, Role.CAREGIVER)
    page = _read(client, f"/infants/{infant.id}/people/")
    assert other.username in page.text
    where = f"/infants/{infant.id}/people/{{}}/end/"
    client.post(where.format(other.memberships.get().id))
    assert _as(other).get(f"/infants/{infant.id}/").status_code == 404
    last = infant.memberships.get(role=Role.OWNER)
    client.post(where.format(last.id))
    assert "always have an owner" in _read(client, f"/infants/{infant.id}/people/").text
    last.refresh_from_db()
    assert last.revoked_at is None


# --- audio and erasure ---------------------------------------------------------------------------


def test_policy_and_consent_are_settled() -> None:
    client, infant = _owner()
    where = f"/infants/{infant.id}/audio-policy/"
    missing = client.post(where, {"audio_policy": "erase_after", "audio_kept_days": ""})
    assert "after how many days" in Page(missing.content.decode()).text
    said = {"audio_policy": "erase_after", "audio_kept_days": "14", "recording": "on"}
    assert client.post(where, said).headers["Location"] == f"/infants/{infant.id}/settings/"
    infant.refresh_from_db()
    assert (infant.audio_policy, infant.audio_kept_days) == ("erase_after", 14)
    assert infant.consents.get().purpose == Consent.Purpose.RECORDING
    assert "Audio is erased after 14 days" in _read(client, f"/infants/{infant.id}/settings/").text


def test_consent_taken_back_ends_research() -> None:
    client, infant = _owner()
    give_consent(infant, Consent.Purpose.RESEARCH, a_user())
    researcher = _as(a_member(infant, Role.RESEARCHER))
    assert researcher.get(f"/infants/{infant.id}/").status_code == 200
    client.post(f"/infants/{infant.id}/audio-policy/", {"audio_policy": "keep"})
    assert researcher.get(f"/infants/{infant.id}/").status_code == 404


def test_an_infant_is_erased_by_its_name_alone() -> None:
    client, infant = _owner()
    a_recording(infant)
    where = f"/infants/{infant.id}/erase/"
    refused = client.post(where, {"name": "Bo"})
    assert "Nothing was erased" in Page(refused.content.decode()).text
    answer = client.post(where, {"name": " ada "})
    proof = Erasure.objects.get()
    assert answer.headers["Location"] == f"/erasures/{proof.id}/"
    page = _read(client, f"/erasures/{proof.id}/")
    assert "Recordings" in page.text
    assert "Ada" not in page.text
    assert not Infant.objects.exists()
    assert _as(a_user()).get(f"/erasures/{proof.id}/").status_code == 404
