"""The diary over HTTP: written once, refused for good with reasons, changed by who may."""

from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from infants.models import DiaryEntry, Infant, Membership
from tests.builders import START, a_device, a_member, an_infant, as_device, as_user
from tests.uploads import assert_problem

PATH = "/api/v1/diary-entries/"
AT = START.isoformat()

pytestmark = pytest.mark.django_db


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def client(infant: Infant) -> APIClient:
    return as_user(a_member(infant, Membership.Role.CAREGIVER))


def _write(client: APIClient, infant: Infant, key: str | None = None, **said: object) -> Any:
    document = {"infant": str(infant.id), "kind": "feed", "starts_at": AT} | said
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(PATH, document, format="json", headers=headers)


def test_an_entry_is_written_once_for_a_key(client: APIClient, infant: Infant) -> None:
    key = str(uuid4())
    first = _write(client, infant, key, text="left side")
    again = _write(client, infant, key, text="left side")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["text"] == "left side"
    assert first.json()["is_changeable"] is True
    assert client.get(first.headers["Location"]).json() == first.json()
    assert DiaryEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"kind": "song"}, "kind"),
        ({"starts_at": "yesterday"}, "starts_at"),
        ({"starts_at": 5}, "starts_at"),
        ({"starts_at": "2026-03-01T09:00:00"}, "starts_at"),
        ({"ends_at": "2026-03-01T08:00:00Z"}, "ends_at"),
        ({"kind": "temperature"}, "temperature_c"),
        ({"kind": "temperature", "temperature_c": "warm"}, "temperature_c"),
        ({"kind": "temperature", "temperature_c": 12}, "temperature_c"),
        ({"starts_at": "2199-01-01T00:00:00Z"}, "starts_at"),
        ({"text": "a" * 2001}, "text"),
    ],
)
def test_what_makes_no_sense_is_refused_for_good(
    client: APIClient, infant: Infant, said: dict[str, object], field: str
) -> None:
    problem = assert_problem(_write(client, infant, **said), 422, "bad_entry", "never")
    assert [one["field"] for one in problem["errors"]] == [field]


def test_a_key_that_is_no_uuid_is_refused(client: APIClient, infant: Infant) -> None:
    assert_problem(_write(client, infant, "seven"), 422, "bad_entry", "never")


def test_a_change_keeps_what_it_does_not_name(client: APIClient, infant: Infant) -> None:
    where = _write(client, infant, kind="temperature", temperature_c=38.4, text="ear").headers
    changed = client.patch(where["Location"], {"temperature_c": 38.9}, format="json")
    assert changed.status_code == 200
    said = changed.json()
    assert (said["kind"], said["temperature_c"], said["text"]) == ("temperature", 38.9, "ear")
    refused = client.patch(where["Location"], {"kind": "feed"}, format="json")
    assert_problem(refused, 422, "bad_entry", "never")


def test_a_removal_may_be_sent_twice(client: APIClient, infant: Infant) -> None:
    where = _write(client, infant).headers["Location"]
    assert [client.delete(where).status_code for _ in range(2)] == [204, 204]
    assert_problem(client.get(where), 404, "unknown_entry", "later")
    assert_problem(client.patch(where, {}, format="json"), 404, "unknown_entry", "later")
    assert client.get(PATH).json()["results"] == []


def test_another_persons_entry_is_read_and_not_changed(client: APIClient, infant: Infant) -> None:
    where = _write(client, infant).headers["Location"]
    other = as_user(a_member(infant, Membership.Role.CAREGIVER))
    assert other.get(where).json()["is_changeable"] is False
    assert_problem(other.patch(where, {}, format="json"), 404, "unknown_entry", "later")
    assert_problem(other.delete(where), 404, "unknown_entry", "later")
    owner = as_user(a_member(infant))
    assert owner.delete(where).status_code == 204


def test_a_researcher_reads_no_words_and_writes_none(client: APIClient, infant: Infant) -> None:
    _write(client, infant, text="aunt Bo was here")
    researcher = as_user(a_member(infant, Membership.Role.RESEARCHER))
    [said] = researcher.get(PATH).json()["results"]
    assert said["kind"] == "feed"
    assert "text" not in said
    assert_problem(_write(researcher, infant), 404, "unknown_infant", "later")


def test_a_foreign_infant_is_like_none(client: APIClient) -> None:
    foreign = an_infant()
    entry = DiaryEntry.objects.create(infant=foreign, kind="feed", starts_at=START)
    assert_problem(_write(client, foreign), 404, "unknown_infant", "later")
    assert_problem(client.get(f"{PATH}{entry.id}/"), 404, "unknown_entry", "later")
    assert_problem(client.get(PATH, {"infant": foreign.id}), 404, "unknown_infant", "later")


def test_a_device_has_no_diary(infant: Infant) -> None:
    device = as_device(a_device(infant))
    assert device.get(PATH).status_code == 403
    assert _write(device, infant).status_code == 403


def test_the_list_is_narrowed_and_paged(client: APIClient, infant: Infant) -> None:
    for kind, hour in (("feed", 9), ("sleep", 10), ("feed", 11)):
        at = START.replace(hour=hour)
        DiaryEntry.objects.create(infant=infant, kind=kind, starts_at=at)
    feeds = client.get(PATH, {"kind": "feed"}).json()["results"]
    assert [one["starts_at"][11:13] for one in feeds] == ["11", "09"]
    late = client.get(PATH, {"from": "2026-03-01T09:30:00Z"}).json()["results"]
    assert len(late) == 2
    first = client.get(PATH, {"page_size": 2}).json()
    rest = client.get(first["next"]).json()
    assert [len(first["results"]), len(rest["results"])] == [2, 1]
    assert rest["next"] is None
