"""The page from which data is taken away, and the calendar under its secret address."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.utils import timezone
from icalendar import Calendar, Event

from anomaly.models import Episode
from anomaly.notice import NOTICE
from infants.consents import give_consent
from infants.models import Consent, DiaryEntry, Infant, Membership
from tests.anomaly.exports.taking import an_infant_with_everything
from tests.builders import a_member, an_episode, as_user
from tests.dashboard.reading import Page

Role = Membership.Role
HOUR = dt.timedelta(hours=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def infant() -> Infant:
    return an_infant_with_everything()[0]


@pytest.fixture
def owner(infant: Infant) -> Client:
    return as_user(a_member(infant))


def _where(infant: Infant) -> str:
    return f"/infants/{infant.id}/take-data/"


def _address(client: Client, infant: Infant) -> str:
    """Make an address, and return the path that is shown."""
    answer = client.post(f"{_where(infant)}calendar/")
    found = re.search(r'value="http://testserver(/calendar/[\w-]+\.ics)"', answer.content.decode())
    assert found is not None
    return found[1]


def _events(client: Client, path: str) -> list[Event]:
    return list(Calendar.from_ical(client.get(path).content).walk("VEVENT"))


def test_every_file_on_the_page_can_be_taken(owner: Client, infant: Infant) -> None:
    page = Page(owner.get(_where(infant)).content.decode())
    links = [given["href"] for given in page.all("a") if "download" in given]
    assert len(links) == 5
    for link in links:
        assert owner.get(link).status_code == 200


def test_clinicians_and_consented_researchers_see_the_page(infant: Infant) -> None:
    clinician = as_user(a_member(infant, Role.CLINICIAN))
    assert clinician.get(_where(infant)).status_code == 200
    assert _where(infant) in clinician.get(f"/patients/{infant.id}/").content.decode()
    researcher = as_user(a_member(infant, Role.RESEARCHER))
    assert researcher.get(_where(infant)).status_code == 404
    give_consent(infant, Consent.Purpose.RESEARCH, a_member(infant))
    answer = researcher.get(_where(infant))
    assert answer.status_code == 200
    assert "Ada" not in answer.content.decode()


def test_a_calendar_is_read_without_signing_in_until_it_is_revoked(
    owner: Client, infant: Infant
) -> None:
    path, program = _address(owner, infant), Client()
    answer = program.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert path not in owner.get(_where(infant)).content.decode()
    feed = infant.calendar_feeds.get()
    assert owner.post(f"{_where(infant)}calendar/{feed.id}/revoke/").status_code == 302
    assert program.get(path).status_code == 404
    assert program.get("/calendar/none.ics").status_code == 404
    assert owner.post(f"{_where(infant)}calendar/{feed.id}/revoke/").status_code == 404


def test_a_calendar_holds_diary_and_episodes_and_no_word_of_anybody(
    owner: Client, infant: Infant
) -> None:
    now = timezone.now().replace(microsecond=0)
    diary: list[DiaryEntry] = [
        infant.diary.create(kind="sleep", starts_at=now - 5 * HOUR, ends_at=now - 3 * HOUR),
        infant.diary.create(kind="temperature", starts_at=now - 2 * HOUR, temperature_c=37.25),
        infant.diary.create(kind="note", starts_at=now - HOUR, text="Ada slept at Grandma Bo's"),
    ]
    infant.diary.create(kind="feed", starts_at=now - dt.timedelta(days=400))
    lasting = an_episode(infant, now - 30 * HOUR, kind=Episode.Kind.PERSISTENT_SHIFT)
    path = _address(owner, infant)
    events = _events(Client(), path)
    said = {str(event["uid"]): str(event["summary"]) for event in events}
    assert said == {
        f"{diary[0].id}@iclas": "Sleep",
        f"{diary[1].id}@iclas": "Temperature: 37.2 °C",
        f"{diary[2].id}@iclas": "Note",
        f"{lasting.id}@iclas": "Crying: a persistent shift",
    }
    assert (events[0].start, events[0].end) == (now - 5 * HOUR, now - 3 * HOUR)
    assert str(events[3]["description"]) == NOTICE
    text = Client().get(path).content.decode()
    for told in ("Ada", "Grandma", str(infant.id)):
        assert told not in text


def test_a_calendar_speaks_the_language_in_which_it_was_made(infant: Infant) -> None:
    infant.diary.create(kind="sleep", starts_at=timezone.now() - HOUR)
    client = as_user(a_member(infant))
    client.post("/language/setlang/", {"language": "de"})
    [event] = _events(Client(), _address(client, infant))
    assert str(event["summary"]) == "Schlaf"


def test_strangers_and_caregivers_make_and_revoke_nothing(owner: Client, infant: Infant) -> None:
    _address(owner, infant)
    feed = infant.calendar_feeds.get()
    for role in (Role.CAREGIVER, Role.RESEARCHER):
        client = as_user(a_member(infant, role))
        assert client.post(f"{_where(infant)}calendar/").status_code == 404
        assert client.post(f"{_where(infant)}calendar/{feed.id}/revoke/").status_code == 404
    assert Client().post(f"{_where(infant)}calendar/").status_code == 302
    assert infant.calendar_feeds.get().revoked_at is None
