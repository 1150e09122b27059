"""The clinician's list over HTTP: who sees whom, where each stands, and at which price."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from anomaly.models import Episode, PatientReview, Suspicion
from anomaly.notice import NOTICE
from infants.models import Cry, Infant, Membership, User
from tests.builders import a_member, a_model, a_rollup, a_user, an_episode, an_infant, as_user
from tests.dashboard import rows
from tests.dashboard.reading import DRAWN, Page
from tests.dashboard.rows import DAY, HOUR, a_heard_infant, a_judged, a_shift, a_usual_infant

pytestmark = pytest.mark.django_db

PATH = "/patients/"
CLINICIAN = Membership.Role.CLINICIAN


@pytest.fixture(autouse=True)
def _now_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rows be as old as the pages take them to be."""
    monkeypatch.setattr(rows, "NOW", timezone.now())


@pytest.fixture
def clinician() -> User:
    return a_user(first_name="Ines", last_name="Keller")


class Shown(Page):
    """A page, with what was sent."""

    def __init__(self, html: str) -> None:
        self.html = html
        super().__init__(html)


def _page(user: User, **asked: object) -> Shown:
    answer = as_user(user).get(PATH, asked)
    assert answer.status_code == 200, answer.content[:300]
    return Shown(answer.content.decode())


def _names(page: Shown) -> list[str]:
    """Return the names of the list, in its order."""
    html = re.compile(r'class="name" href="[^"]*">([^<]+)<')
    return html.findall(page.html)


def _patient(clinician: User, infant: Infant) -> Infant:
    a_member(infant, CLINICIAN, user=clinician)
    return infant


def _usual(clinician: User, name: str, **given: object) -> Infant:
    infant = _patient(clinician, a_usual_infant(name=name, **given))
    if not infant.personal_models.exists():
        a_model(infant)
    return infant


def _one_of_each(clinician: User) -> None:
    now = timezone.now()
    a_shift(_usual(clinician, "Shifted"), since=now - 5 * DAY, evidence={"severity": "clear"})
    Suspicion.objects.create(
        infant=_usual(clinician, "Suspected"), opened_at=now - DAY, last_at=now - HOUR, found_at=now
    )
    odd = {"last_at": now - DAY, "closed_at": now - HOUR, "close_reason": "back_to_usual"}
    an_episode(_usual(clinician, "Odd"), now - DAY, evidence={"smallest_p_value": 0.01}, **odd)
    new = {"kind": Episode.Kind.NEW_SURROUNDINGS, "evidence": {"changes": [{"label": "device"}]}}
    an_episode(_usual(clinician, "Moved"), now - DAY, **new)
    silent = _patient(clinician, a_heard_infant(3 * DAY, name="Silent"))
    a_judged(silent, now - 3 * DAY, 0.4)
    learning = _patient(clinician, a_heard_infant(name="Learning"))
    a_judged(learning, now - 2 * HOUR)
    _usual(clinician, "Usual")


def test_every_patient_stands_once_in_the_first_section_that_fits(clinician: User) -> None:
    _one_of_each(clinician)
    page = _page(clinician)
    order = ["Shifted", "Suspected", "Odd", "Moved", "Silent", "Learning", "Usual"]
    assert _names(page) == order
    headings = re.findall(r'id="section-(\w+)"', page.html)
    assert headings == ["rising", "extreme", "surroundings", "gap", "learning", "usual"]
    assert "clear evidence" in page.text
    assert NOTICE in page.text


def test_crying_for_long_has_a_section(clinician: User) -> None:
    infant, now = _usual(clinician, "Ada"), timezone.now()
    for days in range(3, 11):
        a_rollup(infant, (now - days * DAY).date(), 0.5, cry_s=300.0, n_cries=20)
    assert "section-sustained" not in _page(clinician).html
    newest = infant.recordings.latest("recorded_at")
    Cry.objects.create(recording=newest, index=9, onset_s=0.0, offset_s=1860.0)
    page = _page(clinician)
    assert "section-sustained" in page.html
    assert "31 minutes of cries in 24 hours; usual is 5 minutes" in page.text
    assert "usual: 20" in page.text


def test_a_patient_with_several_reasons_shows_all_of_them(clinician: User) -> None:
    infant = _usual(clinician, "Ada")
    a_shift(infant)
    an_episode(infant, timezone.now() - DAY)
    page = _page(clinician)
    assert _names(page) == ["Ada"]
    assert "Different from usual" in page.text
    assert "Odd session" in page.text


def test_the_page_is_well_made(clinician: User) -> None:
    _one_of_each(clinician)
    page = _page(clinician)
    assert page.faults == []
    assert len(page.all("h1")) == 1
    assert all(page.titled)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert not [tag for tag, attributes in page.elements if "style" in attributes]
    assert {tag for tag, _ in page.elements} & DRAWN


def test_only_ones_own_patients_and_all_on_request(clinician: User) -> None:
    _usual(clinician, "Mine")
    owned = a_usual_infant(name="Owned")
    a_member(owned, Membership.Role.OWNER, user=clinician)
    a_usual_infant(name="Foreign")
    a_member(a_usual_infant(name="Studied"), Membership.Role.RESEARCHER, user=clinician)
    assert _names(_page(clinician)) == ["Mine"]
    assert sorted(_names(_page(clinician, whose="all"))) == ["Mine", "Owned"]


def test_a_superuser_sees_all_and_somebody_else_nobody() -> None:
    a_usual_infant(name="Ada")
    assert _names(_page(a_user(is_superuser=True))) == ["Ada"]
    page = _page(a_user())
    assert _names(page) == []
    assert "not the clinician" in page.text


def test_nobody_comes_in_without_signing_in() -> None:
    assert Client().get(PATH).status_code == 302


def test_a_membership_that_ended_is_none(clinician: User) -> None:
    infant = a_usual_infant(name="Ada")
    a_member(infant, CLINICIAN, user=clinician, expires_at=timezone.now() - HOUR)
    assert _names(_page(clinician)) == []


@pytest.mark.parametrize(("sort", "order"), [("name", ["A", "B", "C"]), ("-name", ["C", "B", "A"])])
def test_sorted_by_name_within_a_section(clinician: User, sort: str, order: list[str]) -> None:
    for name in ("B", "C", "A"):
        _usual(clinician, name)
    page = _page(clinician, sort=sort)
    assert _names(page) == order
    said = "descending" if sort.startswith("-") else "ascending"
    assert page.all("th", **{"aria-sort": said})
    assert "sort=name" in page.html if sort == "-name" else "sort=-name" in page.html


def test_sorted_by_evidence(clinician: User) -> None:
    for name, severity in (("Slight", "slight"), ("Strong", "strong"), ("Clear", "clear")):
        a_shift(_usual(clinician, name), evidence={"severity": severity})
    assert _names(_page(clinician, sort="-sure")) == ["Strong", "Clear", "Slight"]
    assert _names(_page(clinician, sort="sure")) == ["Slight", "Clear", "Strong"]


@pytest.mark.parametrize("asked", [{"sort": "nonsense"}, {"period": "9y"}, {"data": "<"}])
def test_what_is_no_choice_is_taken_for_the_usual_one(
    clinician: User, asked: dict[str, str]
) -> None:
    _usual(clinician, "Ada")
    assert _names(_page(clinician, **asked)) == ["Ada"]


def test_the_period_decides_how_long_an_odd_session_counts(clinician: User) -> None:
    now = timezone.now()
    over = {"last_at": now - 3 * DAY, "closed_at": now - 2 * DAY, "close_reason": "back_to_usual"}
    an_episode(_usual(clinician, "Ada"), now - 3 * DAY, **over)
    assert "section-extreme" in _page(clinician, period="7d").html
    assert "section-extreme" not in _page(clinician, period="24h").html


def test_filtered_by_how_old_the_data_is(clinician: User) -> None:
    _usual(clinician, "Fresh")
    a_judged(_patient(clinician, a_heard_infant(3 * DAY, name="Old")), timezone.now() - 3 * DAY)
    assert _names(_page(clinician, data="old")) == ["Old"]
    assert _names(_page(clinician, data="fresh")) == ["Fresh"]


def test_unreviewed_only(clinician: User) -> None:
    reviewed, _ = _usual(clinician, "Seen"), _usual(clinician, "New")
    PatientReview.objects.create(
        infant=reviewed, reviewer=a_user(), reviewed_at=timezone.now() - 40 * DAY
    )
    assert _names(_page(clinician, unreviewed="1")) == ["New"]
    a_shift(reviewed)
    assert _names(_page(clinician, unreviewed="1")) == ["Seen", "New"]


def test_the_filters_are_kept_in_every_link_of_the_headings(clinician: User) -> None:
    _usual(clinician, "Ada")
    page = _page(clinician, period="30d", data="fresh")
    links = [str(a["href"]) for a in page.all("a") if str(a.get("href", "")).startswith("?")]
    assert links
    assert all("period=30d" in link and "data=fresh" in link for link in links)


def test_ages_of_a_preterm_patient(clinician: User) -> None:
    born = timezone.now().date() - dt.timedelta(days=35)
    _usual(clinician, "Ada", birth_date=born, gestational_age_weeks=30.0)
    text = _page(clinician).text
    assert "5 weeks" in text
    assert "35+0 weeks postmenstrual" in text


def _cost(clinician: User) -> int:
    client = as_user(clinician)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(PATH).status_code == 200
    return len(captured)


def test_thirty_patients_cost_as_many_queries_as_three(clinician: User) -> None:
    costs = []
    for n_more in (3, 27):
        for number in range(n_more):
            infant = _usual(clinician, f"Patient {number}")
            a_shift(infant)
            a_rollup(infant, (timezone.now() - 3 * DAY).date(), 0.5)
            PatientReview.objects.create(
                infant=infant, reviewer=clinician, reviewed_at=timezone.now() - 2 * DAY
            )
        costs.append(_cost(clinician))
    assert costs[0] == costs[1] <= 22


def test_who_is_only_a_clinician_begins_with_the_patients(clinician: User) -> None:
    infant = _usual(clinician, "Ada")
    answer = as_user(clinician).get("/")
    assert (answer.status_code, answer["Location"]) == (302, PATH)
    a_member(an_infant(), Membership.Role.OWNER, user=clinician)
    assert as_user(clinician).get("/").status_code == 200
    assert as_user(a_member(infant)).get("/")["Location"] == f"/infants/{infant.id}/"


def test_the_way_to_the_patients_is_shown_to_clinicians(clinician: User) -> None:
    infant = _usual(clinician, "Ada")
    assert _page(clinician).all("a", href=PATH)
    page = as_user(a_member(infant)).get(f"/infants/{infant.id}/").content.decode()
    assert f'href="{PATH}"' not in page
