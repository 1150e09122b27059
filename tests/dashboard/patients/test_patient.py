"""One patient: marked as reviewed and taken back, with htmx and without; notes of the team."""

import json
from uuid import uuid4

import pytest
from django.utils import timezone

from anomaly.models import Event, PatientReview
from infants.models import DiaryEntry, Infant, Membership, User
from tests.builders import a_member, a_user, an_episode, an_infant, as_user
from tests.dashboard.reading import Page
from tests.dashboard.rows import DAY

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def infant() -> Infant:
    return an_infant(name="Ada")


@pytest.fixture
def clinician(infant: Infant) -> User:
    user = a_user(first_name="Ines", last_name="Keller")
    return a_member(infant, Membership.Role.CLINICIAN, user=user)


def _path(infant: Infant, rest: str = "") -> str:
    return f"/patients/{infant.id}/{rest}"


def _page(user: User, infant: Infant) -> Page:
    answer = as_user(user).get(_path(infant))
    assert answer.status_code == 200
    return Page(answer.content.decode())


def test_the_page_says_why_who_and_what(infant: Infant, clinician: User) -> None:
    an_episode(infant, timezone.now() - DAY, evidence={"smallest_p_value": 0.011})
    as_user(clinician).post(_path(infant, "reviews/"), {"note": "Seen on the ward."})
    page = _page(clinician, infant)
    assert page.faults == []
    for said in ("Ada", "Odd session", "0.011", "Ines Keller", "Seen on the ward."):
        assert said in page.text


@pytest.mark.parametrize("role", [Membership.Role.CAREGIVER, Membership.Role.RESEARCHER])
def test_who_may_not_review_finds_no_patient(infant: Infant, role: str) -> None:
    client = as_user(a_member(infant, role))
    review = PatientReview.objects.create(
        infant=infant, reviewer=a_user(), reviewed_at=timezone.now()
    )
    assert client.get(_path(infant)).status_code == 404
    assert client.post(_path(infant, "reviews/")).status_code == 404
    assert client.post(f"/patients/reviews/{review.id}/undo/").status_code == 404
    assert PatientReview.objects.get().undone_at is None


def test_who_does_not_exist_answers_the_same(clinician: User) -> None:
    assert as_user(clinician).get(f"/patients/{uuid4()}/").status_code == 404
    assert as_user(clinician).post(f"/patients/{uuid4()}/notes/", {"text": "x"}).status_code == 404


@pytest.mark.parametrize("rest", ["reviews/", "notes/"])
def test_nothing_is_changed_by_looking(infant: Infant, clinician: User, rest: str) -> None:
    assert as_user(clinician).get(_path(infant, rest)).status_code == 405


def test_without_a_script_one_comes_back_to_where_one_was(infant: Infant, clinician: User) -> None:
    sent = {"back": "/patients/?sort=name"}
    answer = as_user(clinician).post(_path(infant, "reviews/"), sent)
    assert answer.status_code == 302
    assert answer["Location"] == f"/patients/?sort=name#patient-{infant.id}"
    assert PatientReview.objects.get().reviewer == clinician


@pytest.mark.parametrize("back", ["https://example.org/", "//example.org", ""])
def test_the_way_back_leads_nowhere_else(infant: Infant, clinician: User, back: str) -> None:
    answer = as_user(clinician).post(_path(infant, "reviews/"), {"back": back})
    assert answer["Location"].startswith(_path(infant))


def test_with_htmx_only_the_part_that_changed_comes(infant: Infant, clinician: User) -> None:
    client = as_user(clinician)
    answer = client.post(_path(infant, "reviews/"), **HTMX)
    html = answer.content.decode()
    review = PatientReview.objects.get()
    assert "<html" not in html
    assert f"/patients/reviews/{review.id}/undo/" in html
    assert 'id="said"' in html
    undone = client.post(f"/patients/reviews/{review.id}/undo/", **HTMX).content.decode()
    assert "undo" not in undone
    assert "Not reviewed yet" in undone
    assert PatientReview.objects.get().undone_by == clinician


def test_what_the_page_did_not_show_is_not_covered(infant: Infant, clinician: User) -> None:
    shown = an_episode(infant, timezone.now() - 2 * DAY)
    an_episode(infant, timezone.now() - DAY)
    seen = {f"episode:{shown.id}": 0, "episode:of another": 3}
    as_user(clinician).post(_path(infant, "reviews/"), {"seen": json.dumps(seen)})
    assert PatientReview.objects.get().seen == {f"episode:{shown.id}": 0}


@pytest.mark.parametrize("seen", ["{", "[1]", '{"a": "b"}', '{"a": true}'])
def test_what_no_page_sends_is_refused(infant: Infant, clinician: User, seen: str) -> None:
    answer = as_user(clinician).post(_path(infant, "reviews/"), {"seen": seen, "note": "kept"})
    assert answer.status_code == 422
    assert "kept" in answer.content.decode()
    assert not PatientReview.objects.exists()


def test_several_people_review_each_in_their_own_name(infant: Infant, clinician: User) -> None:
    other = a_user(first_name="Jonas", last_name="Brandt")
    a_member(infant, Membership.Role.CLINICIAN, user=other)
    for user in (clinician, other):
        as_user(user).post(_path(infant, "reviews/"), {"note": f"by {user.first_name}"})
    page = _page(clinician, infant)
    assert "by Ines" in page.text
    assert "by Jonas" in page.text
    review = PatientReview.objects.get(reviewer=other)
    assert as_user(clinician).post(f"/patients/reviews/{review.id}/undo/").status_code == 404
    assert Event.objects.filter(kind=Event.Kind.PATIENT_REVIEWED).count() == 2


def test_a_note_stands_in_the_diary_under_ones_name(infant: Infant, clinician: User) -> None:
    as_user(clinician).post(_path(infant, "notes/"), {"text": " Hoarse since yesterday. "})
    entry = DiaryEntry.objects.get()
    assert (entry.kind, entry.author, entry.text) == ("note", clinician, "Hoarse since yesterday.")
    assert "Hoarse since yesterday." in _page(clinician, infant).text


def test_an_empty_note_is_refused_beside_its_field(infant: Infant, clinician: User) -> None:
    answer = as_user(clinician).post(_path(infant, "notes/"), {"text": "  "})
    assert answer.status_code == 422
    page = Page(answer.content.decode())
    assert "Write the note first." in page.text
    [field] = page.all("textarea", name="text")
    assert field["aria-invalid"] == "true"
