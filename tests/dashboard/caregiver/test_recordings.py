"""Recordings as lists and one by one: what they say, to whom, and at which price."""

import datetime as dt
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from anomaly.models import BaselineEntry
from anomaly.notice import NOTICE
from dashboard.caregiver import recordings_page
from infants.models import Infant, Membership, Recording
from infants.states import Reason, State
from tests.builders import (
    a_decision,
    a_member,
    a_model,
    a_recording,
    an_infant,
    as_user,
    some_cries,
)
from tests.dashboard import rows
from tests.dashboard.reading import Page
from tests.dashboard.rows import DAY, HOUR, a_judged, a_judged_session
from tests.received import a_received_recording
from tests.sounds import cry_bytes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rows be as old as the pages take them to be."""
    monkeypatch.setattr(rows, "NOW", timezone.now())


@pytest.fixture
def infant() -> Infant:
    return rows.a_heard_infant(time_zone="Europe/Zurich")


@pytest.fixture
def client(infant: Infant) -> Client:
    return as_user(a_member(infant, Membership.Role.CAREGIVER))


def _page(client: Client, path: str, **asked: object) -> Page:
    answer = client.get(path, asked)
    assert answer.status_code == 200, answer.content[:300]
    return Page(answer.content.decode())


def _list(infant: Infant) -> str:
    return f"/infants/{infant.id}/recordings/"


def _one(recording: Recording) -> str:
    return f"/recordings/{recording.id}/"


def _shown(page: Page) -> list[str]:
    return [str(a["href"]) for a in page.all("a") if str(a["href"]).startswith("/recordings/")]


# --- the list ------------------------------------------------------------------------------------


def test_the_list_has_days_states_p_and_the_gates_reason(client: Client, infant: Infant) -> None:
    now = timezone.now()
    odd = a_judged(infant, now - 2 * DAY, 0.002)
    refused = a_judged(infant, now - 3 * DAY, 0.3, accepted=False)
    refused.gate_decision.parts = [{"name": "arousal", "confidence": 0.1, "reason": "too loud"}]
    refused.gate_decision.save()
    learnt = a_judged(infant, now - 4 * DAY, 0.6)
    a_model(infant, 5, facts={"recordings": [str(learnt.id)]})
    waiting = a_recording(infant, now - 5 * DAY, odd.device, state=State.EMBEDDED)
    page = _page(client, _list(infant))
    assert _shown(page) == [_one(one) for one in (odd, refused, learnt, waiting)]
    assert f"{(now - 2 * DAY).astimezone(infant.zone):%A}" in page.text
    for said in (
        "Rare: about 1 in 500 of Ada’s usual cries is as unusual (p = 0.002).",
        "Not learnt: too loud.",
        "Ordinary: more than half of Ada’s usual cries are as unusual (p = 0.60).",
        "Learnt from.",
        "Waiting for the gate",
        "Accepted, not learnt (yet).",
        NOTICE,
    ):
        assert said in page.text, said


@pytest.mark.parametrize(
    ("fate", "shown"),
    [("unusual", ["odd"]), ("refused", ["refused"]), ("learnt", ["learnt"])],
)
def test_the_list_is_narrowed(client: Client, infant: Infant, fate: str, shown: list[str]) -> None:
    now = timezone.now()
    found = {
        "odd": a_judged(infant, now - DAY, 0.01),
        "refused": a_judged(infant, now - 2 * DAY, 0.5, accepted=False),
        "learnt": a_judged(infant, now - 3 * DAY, 0.5),
    }
    a_model(infant, 5, facts={"recordings": [str(found["learnt"].id)]})
    page = _page(client, _list(infant), fate=fate)
    assert _shown(page) == [_one(found[name]) for name in shown]
    assert page.all("a", href=f"?fate={fate}", **{"aria-current": "page"})
    everything = _page(client, _list(infant), fate="nonsense")
    assert len(_shown(everything)) == 3


def test_the_list_is_paged_without_loss(
    client: Client, infant: Infant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings_page, "RECORDINGS", 3)
    at = timezone.now() - DAY
    made = {_one(a_recording(infant, at)) for _ in range(7)}
    seen: list[str] = []
    page = _page(client, _list(infant))
    for _ in range(3):
        seen += _shown(page)
        [onwards] = page.all("a", rel="next") or [None]
        if onwards is None:
            break
        page = _page(client, f"{_list(infant)}{onwards['href']}")
    assert len(seen) == 7
    assert set(seen) == made
    assert _shown(_page(client, _list(infant), cursor="nonsense")) == seen[:3]


def test_an_empty_list_says_so(client: Client, infant: Infant) -> None:
    assert "Nothing was recorded yet." in _page(client, _list(infant)).text
    assert "No recording was unusual." in _page(client, _list(infant), fate="unusual").text


# --- one -----------------------------------------------------------------------------------------


def _a_rich_recording(infant: Infant, tmp_path: Path) -> Recording:
    now = timezone.now()
    for day in range(3, 15):
        known = a_judged(infant, now - day * DAY, 0.5)
        known.channels = {"f0_log2_hz": {"value": 8.5 + 0.01 * (day % 3), "confidence": 0.9}}
        known.save()
        BaselineEntry.objects.create(recording=known, infant=infant, recorded_at=known.recorded_at)
    recording = a_judged(infant, now - HOUR, 0.01)
    stored = a_received_recording(cry_bytes(tmp_path, seed=79))
    recording.audio, recording.sha256 = stored.audio, "0" * 64
    recording.byte_size = stored.byte_size
    recording.source_format = {"container": "wav"}
    recording.channels = {"f0_log2_hz": {"value": 9.5, "confidence": 0.9}}
    recording.save()
    recording.judgement.room_p_value = 0.01
    recording.judgement.save()
    some_cries(recording, 3)
    a_judged_session(recording, 0.02)
    assert recording.session is not None
    at = recording.recorded_at + dt.timedelta(minutes=2)
    a_recording(infant, at, recording.device, session=recording.session)
    return recording


def test_a_recording_says_what_each_stage_found(
    client: Client, infant: Infant, tmp_path: Path
) -> None:
    recording = _a_rich_recording(infant, tmp_path)
    page = _page(client, _one(recording))
    for said in (
        "Unusual; the room or the monitor sounds different too",
        "by A monitor.",
        "It lasts 7 seconds.",
        "Yes, with a probability of 99 %.",
        "3 cries in it, 1 second together.",
        "Not now: it was accepted",
        "As usual.",
        "Rare: about 1 in 100 of Ada’s usual cries is as unusual (p = 0.010).",
        "The whole bout of crying has p = 0.020: that is what counts.",
        "Higher in pitch than usual: +99 %",
        "No: the background is none that is known (p = 0.010).",
        "never why an infant cries",
        NOTICE,
    ):
        assert said in page.text, said
    assert page.faults == []
    assert all(page.titled)
    assert len(page.all("h1")) == 1
    assert page.all("img", src=f"{_one(recording)}spectrogram.png")
    assert page.all("div", **{"data-waveform": f"{_one(recording)}waveform.json"})
    assert [one["src"] for one in page.all("source")][-1] == f"{_one(recording)}audio.wav"
    assert "Cry 3: from 2.0 to 2.5 seconds" in page.text


def test_a_recording_leads_to_its_neighbours_and_its_bout(
    client: Client, infant: Infant, tmp_path: Path
) -> None:
    recording = _a_rich_recording(infant, tmp_path)
    before = infant.recordings.filter(recorded_at__lt=recording.recorded_at).latest("recorded_at")
    after = infant.recordings.latest("recorded_at")
    page = _page(client, _one(recording))
    assert page.all("a", rel="prev", href=_one(before))
    assert page.all("a", rel="next", href=_one(after))
    assert page.all("span", **{"aria-current": "true"})
    last = _page(client, _one(after))
    assert not last.all("a", rel="next")
    assert last.all("a", rel="prev", href=_one(recording))


def test_why_there_is_nothing_to_hear(client: Client, infant: Infant, tmp_path: Path) -> None:
    recording = _a_rich_recording(infant, tmp_path)
    researcher = as_user(a_member(infant, Membership.Role.RESEARCHER))
    page = _page(researcher, _one(recording))
    assert "but not listen to it" in page.text
    assert not page.all("audio")
    assert not page.all("img")
    assert "Ada" not in page.text
    recording.audio = "audio/gone"
    recording.save()
    assert "cannot be found in the storage" in _page(client, _one(recording)).text
    recording.audio_erased_at = timezone.now()
    recording.save()
    page = _page(client, _one(recording))
    assert "The sound was erased on" in page.text
    assert "as Ada’s records ask" in page.text
    assert not page.all("audio")


def test_what_is_no_cry_is_not_called_learnt_or_unusual(client: Client, infant: Infant) -> None:
    hum = a_recording(infant, state=State.REJECTED, reason=Reason.NOT_A_CRY)
    a_decision(hum, is_cry=False, accepted=False, cry_probability=0.08)
    page = _page(client, _one(hum))
    assert "No: that it is crying has a probability of 8 %." in page.text
    assert "How unusual is it?" not in page.text
    assert "Is it learnt from" not in page.text


def test_what_is_on_its_way_is_not_guessed(client: Client, infant: Infant) -> None:
    page = _page(client, _one(a_recording(infant, state=State.RECEIVED, duration_s=None)))
    assert "Waiting to be cut into cries." in page.text
    assert "p =" not in page.text


def test_while_it_is_learnt_nothing_is_compared(client: Client, infant: Infant) -> None:
    page = _page(client, _one(a_judged(infant, timezone.now() - HOUR)))
    assert "Still learning what is usual, 4 of 9 days: nothing to compare with yet." in page.text


def test_a_foreign_recording_answers_like_none(client: Client) -> None:
    foreign = a_recording(an_infant())
    waiting = a_recording(None, state=State.HELD)
    for path in (_one(foreign), _one(waiting), f"/recordings/{uuid4()}/"):
        assert client.get(path).status_code == 404
    assert client.get(_list(an_infant())).status_code == 404


# --- at a fixed price ----------------------------------------------------------------------------


def _queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def test_lists_cost_the_same_whatever_they_show(client: Client, infant: Infant) -> None:
    a_judged(infant, timezone.now() - DAY, 0.4)
    before = _queries(client, _list(infant))
    for hour in range(12):
        a_judged(infant, timezone.now() - hour * HOUR, 0.4, accepted=hour % 2 == 0)
    assert _queries(client, _list(infant)) == before <= 12


def test_a_recording_costs_the_same_whatever_it_holds(
    client: Client, infant: Infant, tmp_path: Path
) -> None:
    recording = _a_rich_recording(infant, tmp_path)
    before = _queries(client, _one(recording))
    for cry in recording.cries.all():
        cry.delete()
    some_cries(recording, 12)
    for minute in range(8):
        at = recording.recorded_at + dt.timedelta(minutes=minute)
        a_recording(infant, at, recording.device, session=recording.session)
    assert _queries(client, _one(recording)) == before <= 24
