"""Lists of infants, sessions and recordings: what they hold, how they page, what they refuse."""

import base64
import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from infants.models import Infant, Membership
from infants.states import Reason, State
from tests.builders import (
    START,
    a_device,
    a_member,
    a_recording,
    a_session,
    an_infant,
    as_device,
    as_user,
)
from tests.uploads import assert_problem

RECORDINGS = "/api/v1/recordings/"
SIGNED_IN = 2
"""Queries that a request costs before its view: the session and the user."""

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def infant() -> Infant:
    return an_infant(time_zone="Europe/Zurich", birth_date="2026-01-01", gestational_age_weeks=36.0)


@pytest.fixture
def client(infant: Infant) -> Client:
    return as_user(a_member(infant))


def _results(client: Client, path: str, **asked: object) -> list[dict[str, Any]]:
    answer = client.get(path, asked)
    assert answer.status_code == 200, answer.content
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def _ids(client: Client, **asked: object) -> list[str]:
    return [row["id"] for row in _results(client, RECORDINGS, **asked)]


# --- what they hold ------------------------------------------------------------------------------


def test_infants_are_listed_with_their_ages(client: Client, infant: Infant) -> None:
    [said] = _results(client, "/api/v1/infants/")
    assert said["id"] == str(infant.id)
    assert said["name"] == "Ada"
    assert said["age_days"] - said["corrected_age_days"] == 28


def test_a_researcher_sees_no_name_and_no_date_of_birth(infant: Infant) -> None:
    client = as_user(a_member(infant, Membership.Role.RESEARCHER))
    [said] = _results(client, "/api/v1/infants/")
    assert "name" not in said
    assert "birth_date" not in said
    assert said["age_days"] > 0
    full = client.get(f"/api/v1/infants/{infant.id}/").json()
    assert "name" not in full
    assert "birth_date" not in full


def test_sessions_are_listed_with_their_sizes(client: Client, infant: Infant) -> None:
    late, early = a_session(infant, START + 60 * MINUTE), a_session(infant, START)
    for minute in range(3):
        a_recording(infant, START + minute * MINUTE, session=early)
    said = _results(client, "/api/v1/sessions/")
    assert [(row["id"], row["n_recordings"]) for row in said] == [
        (str(late.id), 0),
        (str(early.id), 3),
    ]
    bounded = _results(client, "/api/v1/sessions/", **{"from": "2026-03-01T09:30:00Z"})
    assert [row["id"] for row in bounded] == [str(late.id)]


def test_recordings_tell_their_channels(client: Client, infant: Infant) -> None:
    stored = {
        "f0_log2_hz": {"value": 8.8, "confidence": 0.7},
        "pause_s": {"missing": "no_pause"},
    }
    a_recording(infant, channels=stored)
    a_recording(infant)
    told = [row["channels"] for row in _results(client, RECORDINGS)]
    assert sorted(told, key=len) == [{}, stored]


def test_recordings_are_narrowed_by_every_filter(client: Client, infant: Infant) -> None:
    session = a_session(infant)
    first = a_recording(infant, START, session=session)
    second = a_recording(infant, START + MINUTE, state=State.REJECTED, reason=Reason.SILENT)
    assert _ids(client) == [str(second.id), str(first.id)]
    assert _ids(client, infant=infant.id) == _ids(client)
    assert _ids(client, session=session.id) == [str(first.id)]
    assert _ids(client, state="rejected") == [str(second.id)]
    assert _ids(client, **{"from": "2026-03-01T09:01:00Z"}) == [str(second.id)]
    assert _ids(client, to="2026-03-01T09:01:00Z") == [str(first.id)]
    assert _ids(client, to="2026-03-01T10:01:00+01:00") == [str(first.id)]
    [said] = _results(client, RECORDINGS, state="rejected")
    assert (said["state"], said["reason"]) == ("rejected", "silent")


def test_a_plus_sign_that_the_query_string_made_a_blank_is_mended(
    client: Client, infant: Infant
) -> None:
    a_recording(infant, START)
    answer = client.get(f"{RECORDINGS}?from=2026-03-01T10:00:00+01:00&page_size=5")
    assert len(answer.json()["results"]) == 1


# --- what they refuse ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-03-01T09:00:00"}, "from"),
        ({"from": "2026-03-01"}, "from"),
        ({"to": "9999-12-31T23:59:59-12:00"}, "to"),
        ({"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, "to"),
        ({"infant": "Ada"}, "infant"),
        ({"session": "7"}, "session"),
        ({"state": "lost"}, "state"),
        ({"sate": "done"}, "sate"),
        ({"page_size": "0"}, "page_size"),
        ({"page_size": "501"}, "page_size"),
        ({"page_size": "many"}, "page_size"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "\u00fc"}, "cursor"),
        ({"cursor": "W" * 600}, "cursor"),
    ],
)
def test_a_bad_filter_is_refused_by_its_name(
    client: Client, asked: dict[str, str], field: str
) -> None:
    said = assert_problem(client.get(RECORDINGS, asked), 400, "bad_value", "later")
    assert [complaint["field"] for complaint in said["errors"]] == [field]
    assert field in said["detail"]


def _cursor(*said: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        _cursor(),
        _cursor(0),
        _cursor(0, "2026-03-01T09:00:00Z"),
        _cursor(0, "2026-03-01T09:00:00", "01998f3a-4f50-7152-a374-95a6b7c8d9ea"),
        _cursor(0, "2026-03-01T09:00:00Z", "me"),
        _cursor(0, "soon", "01998f3a-4f50-7152-a374-95a6b7c8d9ea"),
        _cursor(0, 1, 2),
        base64.urlsafe_b64encode(b"{}").decode(),
        base64.urlsafe_b64encode(b"7").decode(),
    ],
)
def test_a_forged_cursor_is_refused(client: Client, cursor: str) -> None:
    assert_problem(client.get(RECORDINGS, {"cursor": cursor}), 400, "bad_value", "later")


def test_an_infant_that_one_may_not_see_is_not_found(client: Client) -> None:
    other = an_infant()
    for path in (RECORDINGS, "/api/v1/sessions/", "/api/v1/episodes/"):
        answer = client.get(path, {"infant": other.id})
        assert_problem(answer, 404, "unknown_infant", "later")


# --- how they page -------------------------------------------------------------------------------


def _all_pages(client: Client, link: str, side: str = "next") -> list[list[str]]:
    pages = []
    while link:
        said = client.get(link).json()
        pages.append([row["id"] for row in said["results"]])
        link = said[side]
        assert len(pages) < 50
    return pages


def test_pages_hold_every_row_once_also_where_times_are_equal(
    client: Client, infant: Infant
) -> None:
    device = a_device(infant)
    rows = [a_recording(infant, START + (n // 9) * MINUTE, device) for n in range(20)]
    rows.sort(key=lambda row: (row.recorded_at, row.id), reverse=True)
    expected = [str(row.id) for row in rows]
    pages = _all_pages(client, f"{RECORDINGS}?page_size=4")
    assert [len(page) for page in pages] == [4, 4, 4, 4, 4]
    assert [row for page in pages for row in page] == expected


def test_paging_back_gives_the_same_pages(client: Client, infant: Infant) -> None:
    device = a_device(infant)
    for number in range(10):
        a_recording(infant, START + (number // 4) * MINUTE, device)
    there = _all_pages(client, f"{RECORDINGS}?page_size=3")
    last = f"{RECORDINGS}?page_size=3"
    while following := client.get(last).json()["next"]:
        last = following
    back = _all_pages(client, last, "previous")
    assert back == there[::-1]
    assert client.get(f"{RECORDINGS}?page_size=3").json()["previous"] is None


def test_rows_that_come_in_between_move_no_page(client: Client, infant: Infant) -> None:
    device = a_device(infant)
    rows = [a_recording(infant, START + n * MINUTE, device) for n in range(6)]
    first = client.get(f"{RECORDINGS}?page_size=3").json()
    a_recording(infant, START + 60 * MINUTE, device)
    second = client.get(first["next"]).json()
    assert [row["id"] for row in second["results"]] == [str(row.id) for row in rows[2::-1]]
    assert second["next"] is None
    assert second["previous"] is not None


def test_a_page_costs_the_same_however_many_rows(
    client: Client, infant: Infant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    device = a_device(infant)
    for number in range(12):
        a_recording(infant, START + number * MINUTE, device)
        a_session(infant, START + number * MINUTE)
    for path in (RECORDINGS, "/api/v1/sessions/", "/api/v1/infants/", "/api/v1/episodes/"):
        with django_assert_num_queries(SIGNED_IN + 1):
            client.get(path)
    with django_assert_num_queries(SIGNED_IN + 2):  # and whether the infant may be seen
        client.get(RECORDINGS, {"infant": infant.id})


def test_a_device_lists_its_own_recordings_only(infant: Infant) -> None:
    device = a_device(infant)
    own = a_recording(infant, START, device)
    a_recording(infant, START, a_device(infant))
    assert _ids(as_device(device)) == [str(own.id)]
