"""The caregiver's home: what it says at a glance, in which order, to whom, and at which price."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from anomaly.models import BaselineEntry
from anomaly.notice import NOTICE
from infants.models import DiaryEntry, Infant, Membership
from infants.states import State
from tests.builders import (
    a_device,
    a_member,
    a_model,
    a_recording,
    a_session,
    a_user,
    an_infant,
    as_user,
    some_cries,
)
from tests.dashboard import rows
from tests.dashboard.reading import Page
from tests.dashboard.rows import DAY, HOUR, MINUTE, a_judged, a_judged_session, a_shift

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rows be as old as the pages take them to be."""
    monkeypatch.setattr(rows, "NOW", timezone.now())


def _path(infant: Infant) -> str:
    return f"/infants/{infant.id}/"


def _page(client: Client, path: str, **asked: object) -> Page:
    answer = client.get(path, asked)
    assert answer.status_code == 200, answer.content[:300]
    return Page(answer.content.decode())


def _seen(infant: Infant, role: str = Membership.Role.CAREGIVER) -> Page:
    return _page(as_user(a_member(infant, role)), _path(infant))


def _a_full_infant() -> Infant:
    """Return an infant of whom there is something of everything."""
    infant = rows.a_usual_infant(time_zone="Europe/Zurich", birth_date=dt.date(2026, 1, 1))
    now = timezone.now()
    for day in range(1, 9):
        judged = a_judged(infant, now - day * DAY, 0.01 * day)
        some_cries(judged, day)
        a_judged_session(judged, 0.01 * day)
    for kind, hours in (("feed", 2), ("sleep", 5), ("nappy", 1), ("note", 3)):
        at = now - hours * HOUR
        end = at + HOUR if kind == "sleep" else None
        DiaryEntry.objects.create(infant=infant, kind=kind, starts_at=at, ends_at=end, text="so")
    return infant


# --- at a glance ---------------------------------------------------------------------------------


def test_the_order_is_that_of_need() -> None:
    said = _seen(_a_full_infant()).text
    order = [
        "Ada’s crying is as usual",
        "The monitor works: last heard from it 3 minutes ago",
        "Last cry 12 minutes ago",
        "Today until",
        "The last 24 hours",
        "The last cries",
        "Write down",
        "Battery not told",
    ]
    places = [said.index(words) for words in order]
    assert places == sorted(places)
    assert NOTICE in said


def test_a_shift_is_said_first() -> None:
    infant = rows.a_usual_infant()
    a_shift(infant)
    assert "Ada’s crying has been different from usual since" in _seen(infant).text


def test_crying_that_goes_on_is_said_to() -> None:
    infant = rows.a_heard_infant()
    now = timezone.now()
    recording = a_judged(infant, now - 2 * MINUTE, 0.4)
    session = recording.session
    assert session is not None
    session.started_at = now - 20 * MINUTE
    session.save()
    said = _seen(infant).text
    assert re.search(r"Crying now: since (yesterday, )?\d\d:\d\d, last heard 2 minutes ago", said)
    assert "Last cry" not in said


@pytest.mark.parametrize(
    ("last_seen", "said"),
    [
        (3 * MINUTE, "The monitor works: last heard from it 3 minutes ago."),
        (3 * HOUR, "Last heard from the monitor 3 hours ago; it calls when it hears something."),
        (20 * HOUR, "No word from the monitor for 20 hours: see whether it is on."),
    ],
)
def test_whether_the_monitor_works(last_seen: dt.timedelta, said: str) -> None:
    page = _seen(rows.a_usual_infant(last_seen=last_seen))
    assert said in page.text
    is_stale = "see whether" in said
    assert ("May be out of date" in page.text) == is_stale
    assert bool(page.all("s")) == is_stale


def test_a_monitor_that_is_not_there_or_never_called_or_runs_low() -> None:
    assert "No monitor is assigned: nobody is listening." in _seen(an_infant()).text
    silent = an_infant()
    a_device(silent)
    assert "The monitor has not been heard from yet." in _seen(silent).text
    left = an_infant()
    a_device(left, last_seen_at=timezone.now(), left_at=timezone.now() - 2 * HOUR)
    assert "The monitor was switched off 2 hours ago: nobody listens." in _seen(left).text
    low = an_infant()
    a_device(low, last_seen_at=timezone.now(), battery_frac=0.1, hardware="v2 board")
    said = _seen(low).text
    assert "last heard from it just now. Its battery is low." in said
    assert "Battery 10 %" in said
    assert "Device: v2 board" in said


def test_an_infant_that_is_still_learnt_shows_how_far() -> None:
    infant = rows.a_heard_infant()
    now = timezone.now()
    for day in range(1, 5):
        one = a_judged(infant, now - day * DAY)
        BaselineEntry.objects.create(recording=one, infant=infant, recorded_at=one.recorded_at)
    page = _seen(infant)
    assert "Still learning, 4 of 9 days" in page.text
    assert page.all("progress", max="9", value="4")


def test_what_is_not_judged_yet_is_said() -> None:
    infant = rows.a_usual_infant()
    a_recording(infant, timezone.now(), infant.assignments.get().device, state=State.EMBEDDED)
    assert "1 recording has come in and is still being judged." in _seen(infant).text


# --- today ---------------------------------------------------------------------------------------


def test_today_is_held_against_her_own_days(monkeypatch: pytest.MonkeyPatch) -> None:
    noon = dt.datetime(2026, 3, 20, 12, 0, tzinfo=dt.UTC)
    monkeypatch.setattr(timezone, "now", lambda: noon)
    infant = rows.a_heard_infant()
    for day in range(7):
        some_cries(a_judged(infant, noon - day * DAY - HOUR, 0.4), 12 if day == 0 else 2)
    page = _page(as_user(a_member(infant)), _path(infant))
    assert "Cries 12 more than usual usually 2" in page.text
    assert "Crying 6 seconds more than usual usually 1 second" in page.text
    assert "Bouts 1 as usual usually 1" in page.text
    assert "beside the 6 of the last 14 days" in page.text


def test_too_few_days_are_not_called_usual() -> None:
    infant = rows.a_heard_infant()
    a_judged(infant, timezone.now() - DAY, 0.4)
    said = _seen(infant).text
    assert "Too few days to compare with yet: 1 of 5." in said
    assert "usually" not in said


# --- the strip -----------------------------------------------------------------------------------


def test_the_strip_stands_in_words_too() -> None:
    infant = rows.a_heard_infant()
    now = timezone.now()
    a_judged_session(a_judged(infant, now - 3 * HOUR, 0.01), 0.01)
    DiaryEntry.objects.create(infant=infant, kind="sleep", starts_at=now - 2 * HOUR)
    DiaryEntry.objects.create(infant=infant, kind="feed", starts_at=now - 30 * HOUR)
    page = _seen(infant)
    [crying] = re.findall(r"\d\d:\d\d to \d\d:\d\d: crying, unusual", page.text)[:1]
    assert crying
    assert re.search(r"\d\d:\d\d: Sleep, goes on", page.text)
    assert "Feed, " not in page.text
    assert "Asleep now" not in page.text
    assert "Awake now asleep since" in page.text


def test_nothing_yet_is_said_plainly() -> None:
    page = _seen(an_infant())
    for said in ("Nothing heard yet", "No crying heard yet.", "Nothing was heard or written down"):
        assert said in page.text


# --- clips ---------------------------------------------------------------------------------------


def test_clips_play_in_place_and_say_p_in_plain_words() -> None:
    infant = rows.a_heard_infant()
    now = timezone.now()
    odd = a_judged(infant, now - HOUR, 0.04)
    kept = {"audio": "audio/1", "source_format": {"container": "amr", "codec": "amrnb"}}
    type(odd).objects.filter(id=odd.id).update(**kept)
    page = _seen(infant)
    assert "Rare: about 1 in 25 of Ada’s usual cries is as unusual (p = 0.040)." in page.text
    sources = [(one["src"], one["type"]) for one in page.all("source")]
    assert sources == [
        (f"/recordings/{odd.id}/audio/", "audio/amr"),
        (f"/recordings/{odd.id}/audio.wav", "audio/wav"),
    ]
    assert page.all("audio", preload="none")
    assert page.all("a", href=f"/recordings/{odd.id}/")


def test_a_researcher_sees_no_sound_no_name_no_words_and_no_buttons() -> None:
    infant = _a_full_infant()
    Infant.objects.filter(id=infant.id).update(name="Adelheid")
    infant.recordings.update(audio="audio/1")
    page = _seen(infant, Membership.Role.RESEARCHER)
    assert "Adelheid" not in page.text
    assert f"Infant {infant.id.hex[-6:]}" in page.text
    assert not page.all("audio")
    assert ": so" not in page.text
    assert "Feed now" not in page.text
    assert "not listen" in page.text


# --- well made -----------------------------------------------------------------------------------


def test_the_page_is_well_made() -> None:
    user = a_user()
    infant = _a_full_infant()
    a_member(infant, user=user)
    a_member(an_infant(name="Bo"), user=user)
    page = _page(as_user(user), _path(infant))
    assert page.faults == []
    assert len(page.all("h1")) == 1
    assert all(page.titled)
    ids = [given["id"] for _, given in page.elements if "id" in given]
    assert len(ids) == len(set(ids))
    assert all("style" not in given for _, given in page.elements)
    assert all(form["action"] for form in page.all("form"))
    assert "Bo" in page.text.split()


def test_it_renews_itself_until_told_to_stand_still() -> None:
    infant = rows.a_usual_infant()
    client = as_user(a_member(infant))
    [live] = _page(client, _path(infant)).all("div", id="live")
    assert live["hx-get"] == _path(infant)
    assert live["hx-trigger"] == "every 30s, renew"
    resting = _page(client, _path(infant), still="1")
    assert "hx-get" not in resting.all("div", id="live")[0]
    assert not resting.all("meta", content="60")


def test_the_switcher_leads_to_the_same_page_of_the_others() -> None:
    user, infants = a_user(), [an_infant(name=name) for name in ("Ada", "Bo", "Cy")]
    for infant in infants:
        a_member(infant, user=user)
    foreign = an_infant(name="Di")
    page = _page(as_user(user), f"/infants/{infants[1].id}/diary/")
    for other in (infants[0], infants[2]):
        assert page.all("a", href=f"/infants/{other.id}/diary/")
    assert not page.all("a", href=f"/infants/{foreign.id}/diary/")


def test_alerts_have_a_place_and_may_be_missing() -> None:
    infant = rows.a_usual_infant()
    assert as_user(a_member(infant)).get(_path(infant)).status_code == 200


def test_the_page_costs_the_same_whatever_it_shows() -> None:
    user = a_user()
    poor, rich = rows.a_usual_infant(), _a_full_infant()
    a_model(rich, 7, facts={"recordings": []})
    a_session(rich)
    costs = []
    for infant in (poor, rich):
        a_member(infant, user=user)
    client = as_user(user)
    for infant in (poor, rich):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(_path(infant)).status_code == 200
        costs.append(len(captured))
    assert costs[0] == costs[1] <= 28


def test_what_may_be_old_has_no_look_of_all_well() -> None:
    fresh, old = (_seen(rows.a_usual_infant(last_seen=ago)) for ago in (MINUTE, 20 * HOUR))
    assert fresh.all("section", **{"class": "now card look-usual"})
    assert old.all("section", **{"class": "now card look-silent stale"})
