"""Protocol and report over HTTP: who sees what, well made, and at a fixed price."""

import datetime as dt
import re
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from anomaly.models import Event
from anomaly.notice import NOTICE
from infants.models import DiaryEntry, Infant, Membership
from tests.builders import a_member, a_user, an_infant, as_user
from tests.dashboard.reading import Page
from tests.dashboard.report.busy import ARABIC, DAY, HOUR, MONITOR, NAME, NOTE, NOW, a_busy_infant
from tests.dashboard.rows import a_judged, a_judged_session

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_that_moment")]
PATHS = pytest.mark.parametrize("page", ["protocol/", "report/", "report.pdf"])
FORTNIGHT = {"from": "2026-11-01", "to": "2026-11-14"}


@pytest.fixture
def _at_that_moment() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def _path(infant: Infant, page: str) -> str:
    return f"/infants/{infant.id}/{page}"


def _page(client: Client, path: str, **asked: object) -> Page:
    answer = client.get(path, asked)
    assert answer.status_code == 200, answer.content[:300]
    return Page(answer.content.decode())


# --- who sees what -------------------------------------------------------------------------------


@PATHS
def test_a_stranger_is_asked_to_sign_in(page: str) -> None:
    answer = Client().get(f"/infants/{uuid4()}/{page}")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in/")


@PATHS
def test_a_foreign_infant_answers_like_one_that_does_not_exist(page: str) -> None:
    client = as_user(a_member(an_infant()))
    for infant_id in (an_infant().id, uuid4()):
        assert client.get(f"/infants/{infant_id}/{page}").status_code == 404


@PATHS
def test_nothing_is_kept_and_nothing_is_changed_by_posting(page: str) -> None:
    infant = an_infant()
    client = as_user(a_member(infant))
    assert "no-store" in client.get(_path(infant, page)).headers["Cache-Control"]
    assert client.post(_path(infant, page)).status_code == 405


@pytest.mark.parametrize("page", ["protocol/", "report/"])
def test_a_researcher_reads_no_name_birth_date_or_free_text(page: str) -> None:
    infant = a_busy_infant(reviewer=a_user(username="klara"))
    client = as_user(a_member(infant, Membership.Role.RESEARCHER))
    said = client.get(_path(infant, page)).content.decode()
    assert f"Infant {infant.id.hex[-6:]}" in said
    for secret in (NAME, MONITOR, NOTE, ARABIC, "12 September 2026", "klara"):
        assert secret not in said


def test_a_clinician_reads_them(client: Client) -> None:
    infant = a_busy_infant(reviewer=a_user(username="klara"))
    client.force_login(a_member(infant, Membership.Role.CLINICIAN))
    text = _page(client, _path(infant, "report/")).text
    for known in (NAME, NOTE, "12 September 2026", "klara reviewed it"):
        assert known in text


# --- well made -----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["protocol/", "report/"])
@pytest.mark.parametrize("is_busy", [True, False])
def test_pages_are_well_made(page: str, is_busy: bool) -> None:
    infant = a_busy_infant() if is_busy else an_infant()
    found = _page(as_user(a_member(infant)), _path(infant, page))
    assert found.faults == []
    assert NOTICE in found.text
    assert len(found.all("h1")) == 1
    assert all(found.titled)
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = {name for _, attributes in found.elements for name in attributes}
    assert "style" not in named
    assert not [name for name in named if name.startswith("on")]


def test_every_shape_that_is_used_is_defined() -> None:
    infant = a_busy_infant()
    found = _page(as_user(a_member(infant)), _path(infant, "protocol/"))
    used = {attributes["href"] for tag, attributes in found.elements if tag == "use"}
    assert used
    assert used <= {
        f"#{attributes['id']}" for attributes in found.all("path") if "id" in attributes
    }


# --- the protocol --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "n_days"), [({}, 14), ({"days": "7"}, 7), ({"days": "28"}, 28), ({"days": "5"}, 14)]
)
def test_as_many_days_as_are_asked_for(asked: dict[str, str], n_days: int) -> None:
    infant = a_busy_infant()
    found = _page(as_user(a_member(infant)), _path(infant, "protocol/"), **asked)
    assert len(found.all("rect", **{"class": "strip"})) - 1 == 2 * n_days  # one is in the key


def test_days_are_turned_and_never_to_come() -> None:
    infant = a_busy_infant()
    client = as_user(a_member(infant))
    now = _page(client, _path(infant, "protocol/"))
    assert "1 November 2026 to 14 November 2026" in now.text
    assert now.all("a", href="?days=14&to=2026-10-31")
    assert "Later" not in now.text
    before = _page(client, _path(infant, "protocol/"), to="2026-10-31")
    assert before.all("a", href="?days=14&to=2026-11-14")
    later = _page(client, _path(infant, "protocol/"), to="2999-01-01")
    assert "1 November 2026 to 14 November 2026" in later.text
    assert _page(client, _path(infant, "protocol/"), to="nonsense").text == now.text


def test_the_change_of_clocks_is_said() -> None:
    infant = a_busy_infant()
    client = as_user(a_member(infant))
    said = "Sun 25 Oct had 25 hours: at 03:00 the clocks were set to 02:00."
    assert said in _page(client, _path(infant, "protocol/"), to="2026-10-30").text
    assert "clocks were set" not in _page(client, _path(infant, "protocol/")).text


def test_what_is_drawn_stands_in_the_tables() -> None:
    infant = a_busy_infant()
    found = _page(as_user(a_member(infant)), _path(infant, "protocol/"))
    assert "crying, unusual for this infant (p = 0.010)" in found.text
    assert f"illness, {NOTE}" in found.text
    assert len([row for row in found.elements if row[0] == "tr"]) == 2 * (14 + 1)


@pytest.mark.parametrize("page", ["protocol/", "report/"])
def test_the_price_is_fixed(page: str) -> None:
    infant = a_busy_infant()
    client = as_user(a_member(infant))
    counts = set()
    for n in range(3):
        when = NOW - 20 * HOUR - n * HOUR
        a_judged_session(a_judged(infant, when, 0.02), 0.02)
        DiaryEntry.objects.create(infant=infant, kind="medicine", starts_at=when)
        client.get(_path(infant, page))
        with CaptureQueriesContext(connection) as captured:
            client.get(_path(infant, page))
        counts.add(len(captured))
    assert len(counts) == 1
    assert counts.pop() <= 30


# --- the report's form ---------------------------------------------------------------------------


def test_a_fortnight_is_reported_unless_asked_otherwise() -> None:
    infant = a_busy_infant()
    client = as_user(a_member(infant))
    found = _page(client, _path(infant, "report/"))
    assert "1 November 2026 to 14 November 2026 (Europe/Zurich)" in found.text
    assert [one["value"] for one in found.all("input", type="date")] == ["2026-11-01", "2026-11-14"]
    narrow = {"from": "2026-11-10", "to": "2026-11-10"}
    assert (
        "10 November 2026 (Europe/Zurich)" in _page(client, _path(infant, "report/"), **narrow).text
    )


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-11-14", "2026-11-01", "The first day is after the last."),
        ("2026-11-01", "2026-11-15", "This day is still to come."),
        ("2026-08-01", "2026-11-14", "A report holds at most 92 days."),
        ("soon", "2026-11-14", "Enter a valid date."),
        ("", "2026-11-14", "This field is required."),
    ],
)
def test_faults_are_shown_beside_what_was_typed(first: str, last: str, said: str) -> None:
    infant = a_busy_infant()
    client = as_user(a_member(infant))
    found = _page(client, _path(infant, "report/"), **{"from": first, "to": last})
    assert said in found.text
    assert "Summary" not in found.text
    assert [one.get("value") or "" for one in found.all("input", type="date")] == [first, last]
    answer = client.get(_path(infant, "report.pdf"), {"from": first, "to": last})
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(_path(infant, "report/"))


def test_only_what_is_ticked_is_included() -> None:
    infant = a_busy_infant()
    client = as_user(a_member(infant))
    asked = FORTNIGHT | {"include": ["days", "versions"]}
    found = _page(client, _path(infant, "report/"), **asked)
    sections = [one["id"] for one in found.all("h2")]
    assert sections == [f"section-{key}" for key in ("summary", "days", "versions", "limits")]
    assert len(_page(client, _path(infant, "report/"), **FORTNIGHT).all("h2")) == 9
    assert "nonsense" in _page(client, _path(infant, "report/"), include="nonsense").text


def test_the_document_is_asked_for_like_the_page() -> None:
    infant = a_busy_infant()
    client = as_user(a_member(infant))
    asked = FORTNIGHT | {"include": ["days"]}
    found = _page(client, _path(infant, "report/"), **asked)
    [link] = found.all("a", **{"class": "document"})
    assert link["href"] == _path(infant, "report.pdf?from=2026-11-01&to=2026-11-14&include=days")
    answer = client.get(link["href"])
    assert answer.headers["Content-Type"] == "application/pdf"
    name = re.search(r'filename="(.*)"', answer.headers["Content-Disposition"])
    assert name is not None
    assert name[1] == f"iclas-report-{infant.id.hex[-6:]}-2026-11-01-2026-11-14.pdf"


def test_that_a_report_was_made_is_written_down() -> None:
    infant = a_busy_infant()
    user = a_member(infant)
    client = as_user(user)
    client.get(_path(infant, "report/"))  # the form with what it would be about
    assert not Event.objects.filter(kind=Event.Kind.REPORT_MADE).exists()
    client.get(_path(infant, "report/"), FORTNIGHT)
    client.get(_path(infant, "report.pdf"), FORTNIGHT)
    events = Event.objects.filter(kind=Event.Kind.REPORT_MADE, infant=infant)
    assert sorted(event.facts["form"] for event in events) == ["document", "page"]
    assert {event.facts["by"] for event in events} == {str(user.id)}
    assert {(e.facts["from"], e.facts["to"]) for e in events} == {("2026-11-01", "2026-11-14")}


def test_without_fonts_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    from dashboard.report import fonts

    monkeypatch.setattr(fonts, "FOLDER", Path("nowhere"))
    infant = a_busy_infant()
    answer = as_user(a_member(infant)).get(_path(infant, "report.pdf"), FORTNIGHT)
    assert (answer.status_code, b"make setup" in answer.content) == (503, True)
    assert not Event.objects.filter(kind=Event.Kind.REPORT_MADE).exists()


def test_both_are_found_from_the_infants_page() -> None:
    infant = a_busy_infant()
    found = _page(as_user(a_member(infant)), _path(infant, ""))
    for page in ("protocol/", "report/"):
        assert found.all("a", href=_path(infant, page))


def test_a_day_in_the_infants_zone_is_today() -> None:
    infant = a_busy_infant()
    with time_machine.travel(NOW + 45 * dt.timedelta(minutes=1), tick=False):  # past midnight there
        found = _page(as_user(a_member(infant)), _path(infant, "protocol/"))
    assert "2 November 2026 to 15 November 2026" in found.text
    assert DAY
