"""The diary's pages: one tap, forms that keep what was typed, and the way back."""

import datetime as dt
import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard.caregiver import diary_page
from infants.models import DiaryEntry, Infant, Membership
from tests.builders import a_member, an_infant, as_user
from tests.dashboard.reading import Page

HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
Role = Membership.Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def infant() -> Infant:
    return an_infant(time_zone="Asia/Tokyo")


@pytest.fixture
def client(infant: Infant) -> Client:
    return as_user(a_member(infant, Role.CAREGIVER))


def _diary(infant: Infant) -> str:
    return f"/infants/{infant.id}/diary/"


def _now(infant: Infant) -> str:
    return f"/infants/{infant.id}/diary/now/"


def _page(client: Client, path: str, **asked: object) -> Page:
    answer = client.get(path, asked)
    assert answer.status_code == 200, answer.content[:300]
    return Page(answer.content.decode())


def _post(client: Client, path: str, **said: object) -> Any:
    return client.post(path, said)


def _entry(infant: Infant, **given: Any) -> DiaryEntry:
    described = {"kind": "feed", "starts_at": timezone.now() - HOUR} | given
    return DiaryEntry.objects.create(infant=infant, **described)


def _typed(moment: dt.datetime, infant: Infant) -> str:
    return moment.astimezone(infant.zone).strftime("%Y-%m-%dT%H:%M")


# --- one tap -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["feed", "nappy", "sleep"])
def test_one_tap_writes_now_and_offers_the_way_back(
    client: Client, infant: Infant, kind: str
) -> None:
    answer = _post(client, _now(infant), kind=kind, key=str(uuid4()), back="infant")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/infants/{infant.id}/")
    entry = DiaryEntry.objects.get()
    assert entry.kind == kind
    assert timezone.now() - entry.starts_at < MINUTE
    page = _page(client, f"/infants/{infant.id}/")
    assert f"Noted: {kind.capitalize()}, " in page.text
    assert page.all("form", action=f"/diary/{entry.id}/remove/")
    assert "Noted" not in _page(client, f"/infants/{infant.id}/").text


def test_a_double_tap_writes_once(client: Client, infant: Infant) -> None:
    key = str(uuid4())
    for _ in range(2):
        _post(client, _now(infant), kind="feed", key=key)
    assert DiaryEntry.objects.count() == 1
    assert "Noted already: Feed" in _page(client, _diary(infant)).text


def test_the_pages_buttons_carry_keys_of_their_own(client: Client, infant: Infant) -> None:
    keys = [
        one["value"]
        for _ in range(2)
        for one in _page(client, f"/infants/{infant.id}/").all("input", name="key")
    ]
    assert len(set(keys)) == len(keys) == 6


def test_asleep_and_awake(client: Client, infant: Infant) -> None:
    _post(client, _now(infant), kind="sleep", key=str(uuid4()))
    _post(client, _now(infant), kind="sleep", key=str(uuid4()))
    assert "A sleep is going on already" in _page(client, _diary(infant)).text
    sleep = DiaryEntry.objects.get()
    assert "Awake now" in _page(client, f"/infants/{infant.id}/").text
    other = as_user(a_member(infant, Role.CAREGIVER))
    answer = _post(other, f"/infants/{infant.id}/diary/awake/", back="infant")
    assert answer.status_code == 303
    sleep.refresh_from_db()
    assert sleep.ends_at is not None
    assert "Changed: Sleep" in _page(other, f"/infants/{infant.id}/").text
    assert "Asleep now" in _page(client, f"/infants/{infant.id}/").text


def test_nonsense_from_no_button_of_ours_is_nothing(client: Client, infant: Infant) -> None:
    assert _post(client, _now(infant), kind="song").status_code == 404
    assert _post(client, _now(infant), kind="feed", key="seven").status_code == 404
    assert client.get(_now(infant)).status_code == 405


# --- the form ------------------------------------------------------------------------------------


def test_times_are_typed_and_shown_as_the_infants_own(client: Client, infant: Infant) -> None:
    at = (timezone.now() - 2 * HOUR).replace(second=0, microsecond=0)
    said = {"kind": "temperature", "starts_at": _typed(at, infant), "temperature_c": "38,4"}
    answer = _post(client, _diary(infant), **said, text="ear", key=str(uuid4()), back="diary")
    assert answer.status_code == 303
    entry = DiaryEntry.objects.get()
    assert (entry.starts_at, entry.temperature_c) == (at, 38.4)
    shown = f"{at.astimezone(infant.zone):%H:%M}"
    assert f"Temperature 38.4 °C: ear {shown}" in _page(client, _diary(infant)).text


@pytest.mark.parametrize(
    ("said", "field", "problem"),
    [
        ({"kind": "temperature", "temperature_c": "61"}, "temperature_c", "between 30 and 45"),
        ({"kind": "temperature"}, "temperature_c", "needs its value"),
        ({"kind": "temperature", "temperature_c": "hot"}, "temperature_c", "Enter a number"),
        ({"kind": "feed", "starts_at": ""}, "starts_at", "required"),
        ({"kind": "feed", "starts_at": "2199-01-01T00:00"}, "starts_at", "in the future"),
        ({"kind": "feed", "ends_at": "2020-01-01T00:00"}, "ends_at", "must come after"),
        ({"kind": "song"}, "kind", "Select a valid choice"),
        ({"kind": "note", "text": ""}, "text", "what you want to note"),
    ],
)
def test_what_makes_no_sense_is_said_beside_its_field_and_kept(
    client: Client, infant: Infant, said: dict[str, str], field: str, problem: str
) -> None:
    at = _typed(timezone.now() - HOUR, infant)
    described = {"starts_at": at, "text": "as I said", "temperature_c": ""} | said
    answer = _post(client, _diary(infant), **described)
    assert answer.status_code == 422
    page = Page(answer.content.decode())
    assert page.faults == []
    assert problem in page.text
    assert page.all("div", id=f"{field}-error")
    marked = [one for _, one in page.elements if one.get("aria-describedby") == f"{field}-error"]
    assert [one["name"] for one in marked] == [field]
    if "text" not in said:
        assert "as I said" in page.text
    assert not DiaryEntry.objects.exists()


def test_a_time_that_the_clock_left_out_is_refused(infant: Infant) -> None:
    infant.time_zone = "Europe/Zurich"
    infant.save()
    client = as_user(a_member(infant))
    answer = _post(client, _diary(infant), kind="feed", starts_at="2026-03-29T02:30")
    assert answer.status_code == 422
    assert not DiaryEntry.objects.exists()


# --- changing ------------------------------------------------------------------------------------


def test_a_change_can_be_undone(client: Client, infant: Infant) -> None:
    at = (timezone.now() - 2 * HOUR).replace(second=0, microsecond=0)
    _post(client, _diary(infant), kind="feed", starts_at=_typed(at, infant), text="left")
    entry = DiaryEntry.objects.get()
    form = _page(client, f"/diary/{entry.id}/")
    assert form.all("input", name="starts_at", value=_typed(at, infant))
    said = {"kind": "nappy", "starts_at": _typed(at + HOUR, infant), "text": ""}
    assert _post(client, f"/diary/{entry.id}/", **said).status_code == 303
    page = _page(client, _diary(infant))
    assert "Changed: Nappy" in page.text
    names = ("kind", "starts_at", "ends_at", "temperature_c", "text")
    before = {name: page.all("input", type="hidden", name=name)[0]["value"] for name in names}
    assert _post(client, f"/diary/{entry.id}/", **before).status_code == 303
    entry.refresh_from_db()
    assert (entry.kind, entry.starts_at, entry.text) == ("feed", at, "left")


def test_a_change_that_makes_no_sense_comes_back(client: Client, infant: Infant) -> None:
    _post(client, _now(infant), kind="feed", key=str(uuid4()))
    entry = DiaryEntry.objects.get()
    answer = _post(client, f"/diary/{entry.id}/", kind="temperature", temperature_c="99")
    assert answer.status_code == 422
    page = Page(answer.content.decode())
    assert page.all("input", name="temperature_c", value="99")


def test_a_removal_can_be_undone(client: Client, infant: Infant) -> None:
    _post(client, _now(infant), kind="feed", key=str(uuid4()))
    entry = DiaryEntry.objects.get()
    assert _post(client, f"/diary/{entry.id}/remove/", back="diary").status_code == 303
    page = _page(client, _diary(infant))
    assert "Removed: Feed" in page.text
    assert "Nothing was written down yet." in page.text
    [undo] = page.all("form", action=f"/diary/{entry.id}/restore/")
    assert _post(client, str(undo["action"])).status_code == 303
    assert "Back again: Feed" in _page(client, _diary(infant)).text


# --- who -----------------------------------------------------------------------------------------


def test_what_is_not_yours_is_read_and_not_changed(client: Client, infant: Infant) -> None:
    entry = _entry(infant, author=a_member(infant), text="by the other")
    page = _page(client, _diary(infant))
    assert "Feed: by the other" in page.text
    assert not page.all("a", href=f"/diary/{entry.id}/")
    assert not page.all("form", action=f"/diary/{entry.id}/remove/")
    assert client.get(f"/diary/{entry.id}/").status_code == 404
    for way in ("", "remove/", "restore/"):
        assert _post(client, f"/diary/{entry.id}/{way}").status_code == 404


def test_who_manages_may_change_everything(infant: Infant) -> None:
    entry = _entry(infant)
    owner = as_user(a_member(infant))
    assert owner.get(f"/diary/{entry.id}/").status_code == 200
    assert _post(owner, f"/diary/{entry.id}/remove/").status_code == 303


def test_a_researcher_reads_kinds_and_times_alone(infant: Infant) -> None:
    _entry(infant, text="aunt Bo was here")
    client = as_user(a_member(infant, Role.RESEARCHER))
    page = _page(client, _diary(infant))
    assert "Feed" in page.text
    assert "Bo" not in page.text
    assert "Write down" not in page.text
    at = _typed(timezone.now(), infant)
    assert _post(client, _diary(infant), kind="feed", starts_at=at).status_code == 404
    assert _post(client, _now(infant), kind="feed").status_code == 404
    assert _post(client, f"/infants/{infant.id}/diary/awake/").status_code == 404


def test_strangers_and_those_signed_out(infant: Infant) -> None:
    entry = _entry(infant)
    stranger = as_user(a_member(an_infant()))
    for path in (_diary(infant), f"/diary/{entry.id}/"):
        assert stranger.get(path).status_code == 404
        assert Client().get(path).status_code == 302
    for path in (_now(infant), f"/diary/{entry.id}/remove/", f"/diary/{entry.id}/restore/"):
        assert _post(stranger, path, kind="feed").status_code == 404
        assert Client().post(path).status_code == 302


def test_changes_need_the_token_of_the_page(infant: Infant) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(a_member(infant))
    assert _post(client, _now(infant), kind="feed").status_code == 403
    assert not DiaryEntry.objects.exists()


# --- the list ------------------------------------------------------------------------------------


def test_the_diary_goes_by_the_infants_days_and_is_paged(
    client: Client, infant: Infant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diary_page, "ENTRIES", 2)
    night = dt.datetime(2026, 3, 1, 14, 30, tzinfo=dt.UTC)  # 23:30 there
    for minutes, text in ((0, "one"), (60, "two"), (120, "three")):
        _entry(infant, starts_at=night + minutes * MINUTE, text=text)
    first = _page(client, _diary(infant))
    assert "2 March" in first.text
    assert "1 March" not in first.text.replace("2 March", "")
    [onwards] = first.all("a", rel="next")
    second = _page(client, f"{_diary(infant)}{onwards['href']}")
    assert re.search(r"1 March.*Feed: one", second.text)
    assert "Feed: two" not in second.text
    assert not second.all("a", rel="next")


def test_a_sleep_without_an_end_says_what_it_is(client: Client, infant: Infant) -> None:
    _entry(infant, kind="sleep")
    _entry(infant, kind="sleep", starts_at=timezone.now() - 40 * HOUR)
    said = _page(client, _diary(infant)).text
    assert "goes on" in said
    assert "no end noted" in said


def test_the_diary_costs_the_same_whatever_it_holds(client: Client, infant: Infant) -> None:
    costs = []
    for n in (1, 12):
        for _ in range(n):
            _entry(infant)
        with CaptureQueriesContext(connection) as captured:
            page = _page(client, _diary(infant))
        costs.append(len(captured))
        assert page.faults == []
    assert costs[0] == costs[1] <= 10
