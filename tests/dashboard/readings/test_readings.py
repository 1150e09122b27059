"""The readings' pages: blinded by the server, read with a keyboard, and told to the owner alone."""

import csv
import io
import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from anomaly.models import Reading, ReadingTask
from iclas.urls import urlpatterns as known
from infants.models import Infant, Recording, User
from tests.anomaly.studied import a_clinician, a_studied_infant, a_task
from tests.builders import a_member, a_user, as_user
from tests.dashboard.reading import Page

pytestmark = pytest.mark.django_db


def play(request: HttpRequest, recording_id: str) -> HttpResponse:
    """Answer as the address of a recording may: with more than a blinded reader should know."""
    if request.GET.get("where"):
        return HttpResponse(status=302, headers={"Location": f"/files/{recording_id}"})
    answer = HttpResponse(b"RIFF", content_type="audio/wav")
    answer["Content-Disposition"] = f'inline; filename="{recording_id}.wav"'
    answer["ETag"] = f'"{recording_id}"'
    answer["X-Infant"] = "Ada"
    return answer


urlpatterns = [path("recordings/<uuid:recording_id>/audio/", play), *known]
handler404 = "iclas.problems.not_found"


@pytest.fixture(autouse=True)
def _with_audio(settings: object) -> None:
    settings.ROOT_URLCONF = __name__  # type: ignore[attr-defined]


@pytest.fixture
def infants() -> list[Infant]:
    return [a_studied_infant("Adelheid"), a_studied_infant("Balthasar")]


@pytest.fixture
def owner(infants: list[Infant]) -> User:
    return a_clinician(*infants, first_name="Olga", last_name="Owner")


@pytest.fixture
def readers(infants: list[Infant]) -> list[User]:
    return [a_clinician(*infants, first_name="Rosa"), a_clinician(*infants, first_name="Quim")]


@pytest.fixture
def task(owner: User, infants: list[Infant], readers: list[User]) -> ReadingTask:
    return a_task(owner, infants, readers)


def _item(task: ReadingTask, place: int = 1, rest: str = "") -> str:
    return f"/readings/{task.id}/items/{place}/{rest}"


def _say(client: Client, task: ReadingTask, place: int, opinion: str = "usual") -> object:
    return client.post(_item(task, place), {"opinion": opinion, "confidence": "2"})


def _read_all(task: ReadingTask, readers: list[User]) -> None:
    for user in readers:
        for place in range(1, 9):
            _say(as_user(user), task, place, "unusual" if place % 2 else "usual")


def test_a_blinded_page_tells_nothing_of_whose_it_is(
    task: ReadingTask, infants: list[Infant], readers: list[User]
) -> None:
    client = as_user(readers[0])
    known = {str(one.id) for one in (*infants, *Recording.objects.all())}
    known |= {infant.name for infant in infants}
    for place in range(1, 9):
        html = client.get(_item(task, place)).content.decode()
        for hidden in (*known, "0.01", "p =", "March", "2026-03"):
            assert hidden not in html
        assert "/infants/" not in html
        assert f"/patients/{infants[0].id}" not in html


def test_an_open_page_names_the_infant(
    owner: User, infants: list[Infant], readers: list[User]
) -> None:
    task = a_task(owner, infants, readers, is_blinded=False)
    html = as_user(readers[0]).get(_item(task)).content.decode()
    assert "Adelheid" in html or "Balthasar" in html
    assert "0.01" not in html


def test_nobody_sees_what_others_said(task: ReadingTask, readers: list[User]) -> None:
    _say(as_user(readers[0]), task, 1, "unusual")
    page = Page(as_user(readers[1]).get(f"/readings/{task.id}/").content.decode())
    assert "Unusual" not in page.text
    for place in range(1, 9):
        page = Page(as_user(readers[1]).get(_item(task, place)).content.decode())
        assert not [one for one in page.all("input", type="radio") if "checked" in one]


def test_the_page_is_well_made(task: ReadingTask, readers: list[User]) -> None:
    for where in ("/readings/", f"/readings/{task.id}/", _item(task)):
        page = Page(as_user(readers[0]).get(where).content.decode())
        assert page.faults == []
        assert len(page.all("h1")) == 1
        assert not [tag for tag, attributes in page.elements if "style" in attributes]


def test_one_goes_from_item_to_item_and_back_to_the_task(
    task: ReadingTask, readers: list[User]
) -> None:
    client = as_user(readers[0])
    for place in range(1, 8):
        answer = client.post(_item(task, place), {"opinion": "usual", "confidence": "1"})
        assert (answer.status_code, answer["Location"]) == (302, _item(task, place + 1))
    answer = client.post(_item(task, 8), {"opinion": "cannot_tell", "confidence": "3"})
    assert answer["Location"] == f"/readings/{task.id}/"
    assert Reading.objects.filter(reader__user=readers[0]).count() == 8
    assert client.get(_item(task)).status_code == 404
    assert "is done" in client.get(f"/readings/{task.id}/").content.decode()


@pytest.mark.parametrize(
    "sent", [{}, {"opinion": "usual"}, {"opinion": "sick", "confidence": "1"}, {"confidence": "9"}]
)
def test_what_is_missing_is_said_beside_it(
    task: ReadingTask, readers: list[User], sent: dict[str, str]
) -> None:
    answer = as_user(readers[0]).post(_item(task), sent)
    assert answer.status_code == 422
    assert Page(answer.content.decode()).all("p", **{"class": "error"})
    assert not Reading.objects.exists()


def test_what_one_said_stands_when_one_comes_back(task: ReadingTask, readers: list[User]) -> None:
    client = as_user(readers[0])
    _say(client, task, 3, "unusual")
    page = Page(client.get(_item(task, 3)).content.decode())
    checked = [one["value"] for one in page.all("input", type="radio") if "checked" in one]
    assert checked == ["unusual", "2"]


def test_audio_comes_without_what_would_name_it(task: ReadingTask, readers: list[User]) -> None:
    answer = as_user(readers[0]).get(_item(task, 1, "1/audio/"))
    assert answer.status_code == 200
    assert answer.content == b"RIFF"
    assert answer["Content-Type"] == "audio/wav"
    said = str(answer.headers)
    assert not [one for one in Recording.objects.all() if str(one.id) in said]
    assert "X-Infant" not in answer.headers
    assert as_user(readers[0]).get(_item(task, 1, "1/audio/"), {"where": 1}).status_code == 404


@pytest.mark.parametrize("rest", ["0/audio/", "2/audio/"])
def test_there_is_no_other_audio(task: ReadingTask, readers: list[User], rest: str) -> None:
    assert as_user(readers[0]).get(_item(task, 1, rest)).status_code == 404


def test_who_may_listen_no_longer_hears_nothing(
    task: ReadingTask, infants: list[Infant], readers: list[User]
) -> None:
    for infant in infants:
        infant.memberships.filter(user=readers[0]).delete()
    assert as_user(readers[0]).get(_item(task, 1, "1/audio/")).status_code == 404
    assert as_user(readers[0]).get(_item(task)).status_code == 404


def test_a_study_of_others_does_not_exist(task: ReadingTask, infants: list[Infant]) -> None:
    client = as_user(a_clinician(*infants))
    for where in ("", "items/1/", "items/1/1/audio/", "readings.csv"):
        assert client.get(f"/readings/{task.id}/{where}").status_code == 404
    assert client.post(f"/readings/{task.id}/close/").status_code == 404
    assert _status(client.post(_item(task), {"opinion": "usual", "confidence": "1"})) == 404


def _status(answer: object) -> int:
    return int(answer.status_code)  # type: ignore[attr-defined]


def test_the_owner_sees_no_result_before_the_end(
    task: ReadingTask, owner: User, readers: list[User]
) -> None:
    client = as_user(owner)
    _say(as_user(readers[0]), task, 1)
    text = Page(client.get(f"/readings/{task.id}/").content.decode()).text
    assert "1 of 8 read" in text
    assert "kappa" not in text.lower()
    assert client.get(f"/readings/{task.id}/readings.csv").status_code == 404
    assert client.get(_item(task)).status_code == 404


def test_the_owner_sees_agreement_in_the_end(
    task: ReadingTask, owner: User, readers: list[User]
) -> None:
    _read_all(task, readers)
    page = Page(as_user(owner).get(f"/readings/{task.id}/").content.decode())
    assert page.faults == []
    assert "2 readers among themselves" in page.text
    assert "Reader 1 (Rosa) and the model" in page.text
    assert "Cohen’s kappa" in page.text
    assert re.search(r"-?[01]\.\d\d to [01]\.\d\d", page.text)


def test_a_closed_study_is_told_too(task: ReadingTask, owner: User, readers: list[User]) -> None:
    _say(as_user(readers[0]), task, 1)
    assert as_user(owner).get(f"/readings/{task.id}/close/").status_code == 405
    assert as_user(owner).post(f"/readings/{task.id}/close/").status_code == 302
    text = Page(as_user(owner).get(f"/readings/{task.id}/").content.decode()).text
    assert "not defined" in text
    assert as_user(readers[0]).get(_item(task)).status_code == 404


def test_the_table_has_no_names(
    task: ReadingTask, owner: User, infants: list[Infant], readers: list[User]
) -> None:
    _read_all(task, readers)
    answer = as_user(owner).get(f"/readings/{task.id}/readings.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert len(rows) == 16
    assert {row["reader"] for row in rows} == {"1", "2"}
    assert {row["opinion"] for row in rows} == {"usual", "unusual"}
    for infant in infants:
        assert infant.name not in answer.content.decode()


def _plan(infants: list[Infant], readers: list[User]) -> dict[str, object]:
    return {
        "name": "Ours",
        "unit": "session",
        "infants": [str(infant.id) for infant in infants],
        "start": "2026-02-01",
        "end": "2026-04-01",
        "per_infant": "3",
        "is_balanced": "on",
        "is_blinded": "on",
        "readers": [str(user.id) for user in readers],
    }


def test_a_study_is_planned_on_a_page(
    owner: User, infants: list[Infant], readers: list[User]
) -> None:
    client = as_user(owner)
    assert Page(client.get("/readings/new/").content.decode()).faults == []
    answer = client.post("/readings/new/", _plan(infants, readers))
    made = ReadingTask.objects.get()
    assert answer["Location"] == f"/readings/{made.id}/"
    assert (made.owner, made.is_blinded) == (owner, True)
    assert (made.items.count(), made.readers.count()) == (6, 2)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": ""}, "This field is required."),
        ({"end": "2026-01-01"}, "This is before the first day."),
        ({"start": "2024-01-01", "end": "2024-02-01"}, "nothing to hear"),
        ({"readers": []}, "This field is required."),
    ],
)
def test_a_plan_that_does_not_work_is_said_beside_its_field(
    owner: User,
    infants: list[Infant],
    readers: list[User],
    changed: dict[str, object],
    said: str,
) -> None:
    answer = as_user(owner).post("/readings/new/", _plan(infants, readers) | changed)
    assert answer.status_code == 422
    page = Page(answer.content.decode())
    assert said in page.text
    assert not ReadingTask.objects.exists()


def test_who_has_nobody_to_review_plans_nothing(infants: list[Infant]) -> None:
    for user in (a_user(), a_member(infants[0], "caregiver"), a_member(infants[0], "researcher")):
        assert as_user(user).get("/readings/new/").status_code == 404


def test_infants_and_readers_of_others_are_no_choice(
    owner: User, infants: list[Infant], readers: list[User]
) -> None:
    foreign = a_studied_infant("Caspar")
    stranger = a_clinician(foreign)
    for plan in (_plan([foreign], readers), _plan(infants, [stranger])):
        assert as_user(owner).post("/readings/new/", plan).status_code == 422
    assert "Caspar" not in as_user(owner).get("/readings/new/").content.decode()
