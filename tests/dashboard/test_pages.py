"""The pages over HTTP: who sees what, well made, and at a fixed price."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from anomaly.notice import NOTICE
from anomaly.selectors import stretch
from dashboard import cards
from dashboard.policy import POLICY
from infants.models import DiaryEntry, Infant, Membership, User
from infants.states import Reason, State
from tests.builders import (
    a_device,
    a_member,
    a_model,
    a_recording,
    a_rollup,
    a_user,
    an_episode,
    an_infant,
    as_user,
)
from tests.dashboard import rows
from tests.dashboard.reading import DRAWN, Page
from tests.dashboard.rows import DAY, HOUR, a_judged, a_judged_session, a_shift

pytestmark = pytest.mark.django_db

SIGN_IN = "/sign-in/"


@pytest.fixture(autouse=True)
def _now_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rows be as old as the pages take them to be."""
    monkeypatch.setattr(rows, "NOW", timezone.now())


def _path(infant: Infant) -> str:
    return f"/infants/{infant.id}/history/"


def _now(infant: Infant) -> str:
    return f"/infants/{infant.id}/"


def _a_member_of_two(infant: Infant, role: str = Membership.Role.OWNER, **given: Any) -> User:
    """Return a person with this infant and another: who has one alone sees no list."""
    user = a_member(infant, role, **given)
    return a_member(an_infant(name="Cy"), role, user=user)


def _page(client: Client, path: str, **asked: object) -> Page:
    answer = client.get(path, asked)
    assert answer.status_code == 200, answer.content[:300]
    return Page(answer.content.decode())


def _a_busy_infant(name: str = "Ada") -> Infant:
    """Return an infant of whom there is something of everything."""
    now = timezone.now()
    infant = rows.a_usual_infant(name=name, time_zone="Europe/Zurich")
    for n in range(2, 8):
        scored = a_judged(infant, now - n * DAY, 0.01 * n, accepted=n % 2 == 0)
        a_judged_session(scored, 0.01 * n)
        a_rollup(infant, (now - n * DAY).date(), 0.01 * n)
        a_judged(infant, now - (n + 12) * DAY)
    a_shift(infant, now - 3 * DAY)
    an_episode(infant, now - 5 * DAY, closed_at=now - 4 * DAY, close_reason="back_to_usual")
    a_model(infant, 2, in_force_after=now - DAY, learnt_until=now - 2 * DAY)
    fever = {"kind": "illness", "text": "fever <week>", "ends_at": now - DAY}
    DiaryEntry.objects.create(infant=infant, starts_at=now - 4 * DAY, **fever)
    DiaryEntry.objects.create(infant=infant, starts_at=now - DAY, kind="feed", text="a feed")
    a_recording(infant, now, state=State.EMBEDDED)
    a_recording(infant, now, state=State.FAILED, reason=Reason.AUDIO_MISSING)
    return infant


# --- who sees what -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", f"/infants/{uuid4()}/history/", "/status/"])
def test_a_stranger_is_asked_to_sign_in(path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{SIGN_IN}?next={path}")


def test_a_member_sees_the_own_infants_and_no_others() -> None:
    own, foreign = an_infant(name="Ada"), an_infant(name="Bo")
    client = as_user(_a_member_of_two(own))
    page = _page(client, "/")
    assert page.all("a", href=_now(own))
    assert not page.all("a", href=_now(foreign))
    assert "Bo" not in page.text.split()
    assert client.get(_path(own)).status_code == 200


def test_who_has_one_infant_goes_straight_there() -> None:
    own = an_infant(name="Ada")
    an_infant(name="Bo")
    answer = as_user(a_member(own)).get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, _now(own))


def test_a_foreign_infant_answers_like_one_that_does_not_exist() -> None:
    client = as_user(a_member(an_infant()))
    foreign = client.get(_path(an_infant(name="Bo")))
    unknown = client.get(f"/infants/{uuid4()}/history/")
    assert foreign.status_code == unknown.status_code == 404
    assert _without_token(foreign.content) == _without_token(unknown.content)


def _without_token(content: bytes) -> str:
    return re.sub(r'value="\w{64}"|nonce="[\w-]+"|seen="[^"]+"', "", content.decode())


def test_who_has_lost_the_right_sees_nothing() -> None:
    infant = an_infant()
    client = as_user(a_member(infant, revoked_at=timezone.now()))
    assert client.get(_path(infant)).status_code == 404
    assert "no infant here" in _page(client, "/").text


def test_a_researcher_reads_neither_name_nor_diary_text() -> None:
    infant = _a_busy_infant(name="Adelheid")
    client = as_user(_a_member_of_two(infant, Membership.Role.RESEARCHER))
    for path in ("/", _path(infant)):
        said = client.get(path).content.decode()
        assert "Adelheid" not in said
        assert "fever" not in said
        assert f"Infant {infant.id.hex[-6:]}" in said


@pytest.mark.parametrize(("is_staff", "status"), [(False, 403), (True, 200)])
def test_status_is_for_staff(is_staff: bool, status: int) -> None:
    answer = as_user(a_user(is_staff=is_staff)).get("/status/")
    assert answer.status_code == status
    assert b"<nav" in answer.content


def test_signing_in_and_out() -> None:
    User.objects.create_user("ada", password="a long pass phrase", is_staff=True)
    client = Client(enforce_csrf_checks=True)
    form = _page(client, SIGN_IN, next="/status/")
    token = form.all("input", name="csrfmiddlewaretoken")[0]["value"]
    said = {"login": "ada", "csrfmiddlewaretoken": token, "next": "/status/"}
    wrong = client.post(SIGN_IN, said | {"password": "another"})
    assert "do not belong together" in Page(wrong.content.decode()).text
    right = client.post(SIGN_IN, said | {"password": "a long pass phrase"})
    assert (right.status_code, right.headers["Location"]) == (302, "/status/")
    out = _page(client, "/").all("input", name="csrfmiddlewaretoken")[0]["value"]
    assert client.get("/sign-out/").status_code == 200
    assert client.get("/").status_code == 200
    assert client.post("/sign-out/", {"csrfmiddlewaretoken": out}).status_code == 302
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("path", ["/", "/status/", "/infants/{id}/history/"])
def test_pages_are_read_only_and_not_kept(path: str) -> None:
    infant = an_infant()
    client = as_user(a_member(infant, user=a_user(is_staff=True)))
    path = path.replace("{id}", str(infant.id))
    assert client.post(path).status_code == 405
    assert "no-store" in client.get(path).headers["Cache-Control"]


# --- well made -----------------------------------------------------------------------------------


def _staff_with_everything() -> tuple[Client, list[str]]:
    infant = _a_busy_infant()
    client = as_user(_a_member_of_two(infant, user=a_user(is_staff=True)))
    paths = ["/", _path(infant), f"{_path(infant)}?days=90&still=1", "/status/", "/nothing-here/"]
    return client, paths


def test_pages_are_well_made() -> None:
    client, paths = _staff_with_everything()
    pages = [client.get(path) for path in paths] + [Client().get(SIGN_IN)]
    for answer in pages:
        page = Page(answer.content.decode())
        assert page.faults == [], answer.request["PATH_INFO"]
        assert page.all("html", lang="en")
        assert page.all("meta", name="viewport")
        assert page.all("title")
        assert len(page.all("h1")) == 1
        ids = [given["id"] for _, given in page.elements if "id" in given]
        assert len(ids) == len(set(ids))
        assert page.all("link", rel="icon")


def test_every_drawing_has_a_title_and_no_box_is_backwards() -> None:
    client, paths = _staff_with_everything()
    for path in paths[:4]:
        page = Page(client.get(path).content.decode())
        assert page.titled
        assert all(page.titled)
        drawn = [given for tag, given in page.elements if tag in DRAWN]
        assert drawn
        sizes = [
            float(one[name] or 0) for one in drawn for name in ("width", "height") if name in one
        ]
        assert all(size >= 0 for size in sizes)


def test_the_policy_goes_with_every_page_and_holds() -> None:
    client, paths = _staff_with_everything()
    nonces: list[str] = []
    for path in [*paths, SIGN_IN]:
        answer = client.get(path)
        said = answer.headers["Content-Security-Policy"]
        (nonce,) = set(re.findall(r"'nonce-([^']+)'", said))
        assert said == POLICY.format(nonce=nonce)
        nonces.append(nonce)
        page = Page(answer.content.decode())
        assert page.all("style") == []
        assert all(one.get("nonce") == nonce and one.get("src") for one in page.all("script"))
        assert all("style" not in given for _, given in page.elements)
        assert not any(name.startswith("on") for _, given in page.elements for name in given)
        links = [given.get(name) or "" for _, given in page.elements for name in ("src", "href")]
        assert not any("//" in link for link in links)
    assert len(set(nonces)) == len(paths) + 1


def test_the_policy_leaves_other_rooms_alone() -> None:
    assert "Content-Security-Policy" not in Client().get("/api/v1/health/").headers
    assert "Content-Security-Policy" not in Client().get("/admin/login/").headers


@pytest.mark.parametrize("name", ["iclas.css", "favicon.svg"])
def test_what_pages_load_is_there(name: str) -> None:
    answer = Client().get(f"/static/dashboard/{name}")
    assert answer.status_code == 200
    answer.close()


# --- what they say -------------------------------------------------------------------------------


def test_every_page_that_judges_says_what_it_is_for() -> None:
    client, paths = _staff_with_everything()
    for path in paths[:3]:
        assert NOTICE in _page(client, path).text


def test_pages_refresh_by_themselves_until_told_to_stand_still() -> None:
    client, paths = _staff_with_everything()
    for path in paths[:2]:
        page = _page(client, path, days="90")
        assert page.all("meta", content="30")
        assert re.search(r"As of \d\d:\d\d:\d\d \w+ ?, refreshes by itself", page.text)
        [still] = [a["href"] for a in page.all("a", href="?days=90&still=1")]
        resting = _page(client, f"{path}{still}")
        assert not resting.all("meta", content="30")
        assert resting.all("a", href="?days=90")


def test_who_needs_a_look_comes_first() -> None:
    user = a_user()
    makers = {
        "Usual": rows.a_usual_infant,
        "Nothing": an_infant,
        "Shift": rows.a_usual_infant,
        "Odd": rows.a_usual_infant,
        "Silent": lambda name: rows.a_usual_infant(name=name, last_seen=DAY),
    }
    infants = {name: make(name=name) for name, make in makers.items()}
    for infant in infants.values():
        a_member(infant, user=user)
    a_shift(infants["Shift"])
    an_episode(infants["Odd"], timezone.now() - HOUR)
    page = _page(as_user(user), "/")
    order = [a["href"] for a in page.all("a") if (a["href"] or "").startswith("/infants/")]
    names = {_now(infant): name for name, infant in infants.items()}
    assert [names[str(href)] for href in order] == ["Shift", "Odd", "Silent", "Usual", "Nothing"]


def test_more_infants_than_one_page_holds_come_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "CARDS_A_PAGE", 2)
    user = a_user()
    for name in ("Ada", "Bo", "Cy", "Di", "Ed"):
        a_member(rows.a_usual_infant(name=name), user=user)
    a_shift(Infant.objects.get(name="Ed"))
    client = as_user(user)
    first, last = _page(client, "/"), _page(client, "/", page="3")
    shown = [_names_of(page) for page in (first, _page(client, "/", page="2"), last)]
    assert shown == [["Ed", "Ada"], ["Bo", "Cy"], ["Di"]]
    assert "page 1 of 3 · 5 infants" in first.text
    assert first.all("a", href="?page=2")
    assert not first.all("a", rel="prev")
    assert last.all("a", href="?page=2")
    assert not last.all("a", rel="next")
    assert _names_of(_page(client, "/", page="99")) == ["Di"]
    assert _names_of(_page(client, "/", page="none")) == ["Ed", "Ada"]


def _names_of(page: Page) -> list[str]:
    """Return the names on the cards, in order."""
    paths = [str(a["href"]) for a in page.all("a") if "infants/" in str(a["href"])]
    names = {_now(infant): infant.name for infant in Infant.objects.all()}
    return [names[path] for path in paths]


def test_what_may_be_out_of_date_is_struck() -> None:
    infant = rows.a_usual_infant(last_seen=20 * HOUR)
    client = as_user(_a_member_of_two(infant))
    for path in ("/", _path(infant)):
        page = _page(client, path)
        assert "May be out of date" in page.text
        assert page.all("s")
    fresh = rows.a_usual_infant()
    assert not _page(as_user(_a_member_of_two(fresh)), "/").all("s")


def test_the_infants_page_says_everything_in_words_too() -> None:
    infant = _a_busy_infant()
    page = _page(as_user(a_member(infant)), _path(infant))
    assert "Ada’s crying has been different from usual since" in page.text
    assert "A persistent shift since" in page.text
    assert "fever <week>" in page.text
    assert "a feed" not in page.text
    assert "Times are those of Europe/Zurich" in page.text
    assert "1 recording on the way" in page.text
    assert "could not be judged: the stored audio cannot be found" in page.text
    assert "7 recordings compared, 4 unusual; 6 recordings learnt from" in page.text
    assert page.all("rect", fill="url(#hatch-shift-wide)")


@pytest.mark.parametrize(
    ("asked", "shown"), [("7", "7"), ("90", "90"), ("30", "30"), ("8", "30"), ("x", "30")]
)
def test_how_far_back(asked: str, shown: str) -> None:
    infant = an_infant()
    page = _page(as_user(a_member(infant)), _path(infant), days=asked)
    [current] = [
        a["href"] for a in page.all("a", **{"aria-current": "page"}) if "days" in str(a["href"])
    ]
    assert current == f"?days={shown}"


def test_a_page_holds_so_many_recordings_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretch, "MOST", 3)
    infant = _a_busy_infant()
    page = _page(as_user(a_member(infant)), _path(infant))
    assert "hold the newest 3 recordings; 10 older ones are left out" in page.text


def test_status_tells_what_waits_and_what_failed() -> None:
    now = timezone.now()
    device = a_device(an_infant(), name="Ward 3")
    infant = device.assignments.get().infant
    given = {"state": State.EMBEDDED, "state_changed_at": now - HOUR}
    a_recording(infant, now, device, **given, attempts=2)
    failed = {"state": State.FAILED, "reason": Reason.AUDIO_MISSING, "detail": "not there"}
    letter = a_recording(infant, now, device, **failed)
    a_recording(None, now, device, state=State.HELD)
    page = _page(as_user(a_user(is_staff=True)), "/status/")
    for said in (
        "1 recording on the way; the oldest has stood still for 1 hour",
        "Waiting for the gate",
        "slow",
        "1: the stored audio cannot be found",
        "not there",
        "Ward 3",
        str(letter.id),
        "1 held until their device is assigned",
    ):
        assert said in page.text


def test_status_of_an_idle_installation() -> None:
    page = _page(as_user(a_user(is_staff=True)), "/status/")
    assert "Nothing waits" in page.text
    assert "None: nothing has failed." in page.text


# --- at a fixed price ----------------------------------------------------------------------------


def _queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def test_a_list_of_twenty_costs_as_much_as_one_of_two() -> None:
    user = a_user()
    client = as_user(user)
    costs = []
    for n_infants in (2, 18):
        for _ in range(n_infants // 2):
            a_member(_a_busy_infant(), user=user)
            young = rows.a_heard_infant()
            a_judged(young, timezone.now() - HOUR)
            a_member(young, user=user)
        costs.append(_queries(client, "/"))
    assert costs[0] == costs[1] <= 20


def test_an_infants_page_costs_the_same_whatever_it_shows() -> None:
    busy, user = _a_busy_infant(), a_user()
    a_member(busy, user=user)
    before = _queries(as_user(user), _path(busy))
    for n in range(10):
        a_judged(busy, timezone.now() - n * HOUR - HOUR, 0.5, accepted=False)
    assert _queries(as_user(user), _path(busy)) == before <= 25
