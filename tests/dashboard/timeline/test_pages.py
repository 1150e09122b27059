"""The timeline over HTTP: who sees what, that everything says the same, and at a fixed price."""

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from anomaly.models import WatchedDay
from anomaly.notice import SHOWN_NOTICE
from anomaly.selectors import focus
from anomaly.stages.timeline import roll_up
from infants.models import DiaryEntry, Infant, Membership, Recording
from tests.builders import a_decision, a_member, a_model, a_recording, a_user, an_infant, as_user
from tests.dashboard import rows
from tests.dashboard.reading import Page
from tests.dashboard.rows import DAY, HOUR, a_judged, a_judged_session, a_shift

pytestmark = pytest.mark.django_db

FETCHED = {"headers": {"X-Requested-With": "fetch"}}
PITCH = "f0_log2_hz"


@pytest.fixture(autouse=True)
def _now_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "NOW", timezone.now())


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no stretch have room for single recordings."""
    monkeypatch.setattr(focus, "LEAST_SINGLE", 0)
    monkeypatch.setattr(focus, "PX_EACH", 10_000)


def _lived(name: str = "Ada", days: int = 20) -> Infant:
    """Return an infant of whom there is something of everything the timeline shows."""
    now = timezone.now()
    infant = rows.a_usual_infant(name=name, time_zone="Europe/Zurich")
    a_model(infant, 3, facts={"usual": {PITCH: [8.0, 9.0]}, "recordings": []}, n_recordings=40)
    for n in range(1, days):
        when = now - n * DAY
        one = a_judged(infant, when, 0.04 * (n % 20 + 1), accepted=n % 3 != 0)
        one.channels = {PITCH: {"value": 8.0 + n / 20, "confidence": 0.9}}
        one.save()
        a_judged_session(one, 0.05)
        roll_up(infant, infant.local_day(when))
        WatchedDay.objects.create(
            infant=infant, day=infant.local_day(when), highest=4.0 if n < 4 else 1.0, last=0.5
        )
    a_shift(infant, now - 3 * DAY)
    DiaryEntry.objects.create(
        infant=infant, kind="illness", text="fever <week>", starts_at=now - 4 * DAY
    )
    noise = a_recording(infant, now - HOUR, infant.assignments.get().device, state="rejected")
    a_decision(noise, is_cry=False, accepted=False, cry_probability=0.1)
    return infant


def _here(infant: Infant, part: str = "") -> str:
    return f"/infants/{infant.id}/timeline/{part}"


def _parts(infant: Infant) -> Iterator[str]:
    recording = infant.recordings.filter(judgement__isnull=False).latest("recorded_at")
    yield from ("", "data/", "compare/", "tables/recordings/", "tables/monitor/")
    yield from ("tables/channels.csv", "tables/happened.csv")
    yield from (f"recordings/{recording.id}/", f"similar/{recording.id}/")


def _document(client: Client, infant: Infant, **asked: object) -> dict[str, object]:
    answer = client.get(_here(infant, "data/"), asked)
    assert answer.status_code == 200
    found: dict[str, object] = answer.json()
    return found


# --- who sees what -------------------------------------------------------------------------------


def test_a_stranger_is_asked_to_sign_in() -> None:
    infant = _lived()
    for part in _parts(infant):
        answer = Client().get(_here(infant, part))
        assert answer.status_code == 302, part
        assert answer.headers["Location"].startswith("/sign-in/")


def test_a_foreign_infant_answers_like_one_that_does_not_exist() -> None:
    infant, foreign = an_infant(), _lived("Bo")
    client = as_user(a_member(infant))
    for part in _parts(foreign):
        assert client.get(_here(foreign, part)).status_code == 404, part
    assert client.get(f"/infants/{uuid4()}/timeline/").status_code == 404
    assert client.post(_here(foreign, "notes/"), {"text": "x"}).status_code == 404


def test_a_recording_of_another_infant_is_not_found_under_this_one() -> None:
    infant, sibling = _lived(), _lived("Bo")
    user = a_member(infant)
    a_member(sibling, user=user)
    other = sibling.recordings.latest("recorded_at")
    for part in ("recordings", "similar"):
        assert as_user(user).get(_here(infant, f"{part}/{other.id}/")).status_code == 404


def test_a_researcher_reads_neither_name_nor_diary_text_nor_hears() -> None:
    infant = _lived("Adelheid")
    Recording.objects.update(audio="kept/somewhere")
    client = as_user(a_member(infant, Membership.Role.RESEARCHER))
    for part in _parts(infant):
        said = client.get(_here(infant, part)).content.decode()
        assert "Adelheid" not in said, part
        assert "fever" not in said, part
        assert "<audio" not in said, part


def test_a_clinician_hears_and_may_add_a_note() -> None:
    infant = _lived()
    kept = default_storage.save("kept", ContentFile(b"a sound"))
    Recording.objects.update(audio=kept, source_format={"container": "wav"})
    client = as_user(a_member(infant, Membership.Role.CLINICIAN))
    recording = infant.recordings.filter(judgement__isnull=False).latest("recorded_at")
    page = Page(client.get(_here(infant, f"recordings/{recording.id}/")).content.decode())
    sources = [source["src"] for source in page.all("source")]
    assert sources == [f"/recordings/{recording.id}/{one}" for one in ("audio/", "audio.wav")]
    assert page.all("img", src=f"/recordings/{recording.id}/spectrogram.png")
    assert page.all("a", href=f"/recordings/{recording.id}/")
    assert page.all("form", action=_here(infant, "notes/"))
    Recording.objects.update(audio_erased_at=timezone.now())
    page = Page(client.get(_here(infant, f"recordings/{recording.id}/")).content.decode())
    assert not page.all("audio")
    assert "was erased on" in page.text


# --- pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_pages_are_well_made_and_say_what_they_are_not(language: str) -> None:
    infant = _lived()
    client = as_user(a_member(infant))
    client.cookies["django_language"] = language
    with translation.override(language):
        for part in ("", "compare/", "tables/recordings/"):
            answer = client.get(_here(infant, part), {"span": "30d"})
            page = Page(answer.content.decode())
            assert page.faults == [], part
            assert len(page.all("h1")) == 1
            assert str(SHOWN_NOTICE) in page.text
            assert all(not one.get("style") for _, one in page.elements)
            assert "<week>" not in answer.content.decode()


def test_without_a_script_the_page_draws_and_lists() -> None:
    infant = _lived()
    page = Page(as_user(a_member(infant)).get(_here(infant)).content.decode())
    assert len(page.all("circle", **{"class": "accepted"})) > 5
    assert len(page.all("details", **{"class": "behind"})) == 4
    assert len(page.all("th", scope="row")) > 10
    assert page.all("form", action=_here(infant, "compare/"))


def test_an_infant_without_recordings_says_so() -> None:
    infant = an_infant()
    page = Page(as_user(a_member(infant)).get(_here(infant)).content.decode())
    assert "Nothing was recorded yet" in page.text
    assert page.faults == []


def test_parts_are_sent_alone_to_the_script() -> None:
    infant = _lived()
    client = as_user(a_member(infant))
    for part in ("tables/recordings/", "compare/"):
        said = client.get(_here(infant, part), **FETCHED).content.decode()  # type: ignore[arg-type]
        assert "<html" not in said
        assert "<table" in said


def test_an_unknown_table_is_not_found() -> None:
    infant = _lived()
    assert as_user(a_member(infant)).get(_here(infant, "tables/secrets/")).status_code == 404


# --- everything says the same --------------------------------------------------------------------


def test_the_page_the_data_and_the_table_hold_the_same_recordings() -> None:
    infant = _lived()
    client = as_user(a_member(infant))
    asked = {"span": "30d", "channels": PITCH, "scorers": "gmm"}
    shown = _document(client, infant, **asked)
    page = client.get(_here(infant), asked).content.decode()
    embedded = re.search(r'<script id="timeline-document"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert embedded is not None
    assert json.loads(embedded[1])["document"]["singles"] == shown["singles"]
    rows_ = list(csv.reader(io.StringIO(_file(client, infant, "recordings", asked))))
    singles = shown["singles"]
    assert isinstance(singles, dict)
    assert len(rows_) - 1 == len(singles["t"])
    told = [float(row[2]) for row in rows_[1:] if row[2]]
    assert told == pytest.approx([p for p in singles["p"] if p is not None], rel=0.01)


def _file(client: Client, infant: Infant, name: str, asked: dict[str, str]) -> str:
    answer = client.get(_here(infant, f"tables/{name}.csv"), asked)
    assert answer.headers["Content-Type"].startswith("text/csv")
    return answer.content.decode()


def test_the_document_says_gates_numbers_bands_and_evidence() -> None:
    infant = _lived()
    shown = _document(as_user(a_member(infant)), infant, span="30d", channels=PITCH)
    singles, usual, watched = shown["singles"], shown["usual"], shown["watched"]
    assert isinstance(singles, dict)
    assert isinstance(usual, dict)
    assert isinstance(watched, dict)
    assert singles["gate"].count("not_a_cry") == 1
    assert [n for n in singles["n"] if n] == list(range(1, 21))
    assert usual["ranges"] == {PITCH: [256.0, 512.0]}
    assert max(watched["highest"]) == 4.0
    assert [one["label"] for one in shown["episodes"]] == ["shift"]  # type: ignore[attr-defined]


@pytest.mark.usefixtures("coarse")
def test_weeks_in_which_something_was_heard_are_no_gaps() -> None:
    infant = _lived(days=30)
    shown = _document(as_user(a_member(infant)), infant, span="365d", width="200")
    gaps, buckets = shown["gaps"], shown["buckets"]
    assert shown["form"] == "week"
    assert isinstance(buckets, dict)
    assert isinstance(gaps, list)
    heard = [at for at, n in zip(buckets["t"], buckets["n"], strict=True) if n]
    assert len(heard) >= 4
    assert [until for _, until, _ in gaps if until > heard[0]] == []


@pytest.mark.usefixtures("coarse")
def test_where_there_is_no_room_the_document_holds_sums() -> None:
    infant = _lived()
    client = as_user(a_member(infant))
    shown = _document(client, infant, span="30d", width="200", channels=PITCH, scorers="gmm")
    buckets = shown["buckets"]
    assert (shown["form"], shown["singles"]) == ("day", None)
    assert isinstance(buckets, dict)
    assert sum(buckets["n"]) == 20
    assert sum(buckets["notCries"]) == 1
    assert len(buckets["channels"][PITCH][1]) == len(buckets["t"])
    assert client.get(_here(infant), {"span": "30d", "width": "200"}).status_code == 200
    assert "Median p" in _file(client, infant, "recordings", {"span": "30d", "width": "200"})


def test_a_link_to_a_moment_restores_the_view() -> None:
    infant = _lived()
    at = (timezone.now() - 5 * DAY).strftime("%Y-%m-%dT%H:%MZ")
    shown = _document(as_user(a_member(infant)), infant, at=at, span="2d")
    assert (shown["to"] - shown["from"]) == 2 * 86_400_000  # type: ignore[operator]
    middle = (shown["to"] + shown["from"]) / 2_000  # type: ignore[operator]
    assert dt.datetime.fromtimestamp(middle, dt.UTC).strftime("%Y-%m-%dT%H:%MZ") == at


def test_no_cell_of_a_file_is_a_formula() -> None:
    infant = _lived()
    DiaryEntry.objects.create(
        infant=infant, kind="note", text='=HYPERLINK("x")', starts_at=timezone.now() - DAY
    )
    said = _file(as_user(a_member(infant)), infant, "happened", {"span": "30d"})
    cells = [cell for row in csv.reader(io.StringIO(said)) for cell in row]
    assert '\'=HYPERLINK("x")' in cells
    assert not any(cell.startswith(("=", "+", "@")) for cell in cells)


def test_tables_have_pages() -> None:
    infant = _lived(days=40)
    client = as_user(a_member(infant))
    asked = {"span": "60d", "page": "2"}
    page = Page(client.get(_here(infant, "tables/recordings/"), asked).content.decode())
    assert "page 2 of 2" in page.text
    assert page.all("a", rel="prev")
    assert not page.all("a", rel="next")
    for nonsense in ("0", "99", "x", "²"):
        answer = client.get(_here(infant, "tables/recordings/"), asked | {"page": nonsense})
        assert answer.status_code == 200


# --- periods -------------------------------------------------------------------------------------


def test_periods_are_compared_in_a_table_and_a_picture() -> None:
    infant = _lived(days=30)
    today = timezone.now().date()
    asked = {
        "first_from": today - 28 * DAY,
        "first_to": today - 15 * DAY,
        "second_from": today - 14 * DAY,
        "second_to": today,
    }
    page = Page(as_user(a_member(infant)).get(_here(infant, "compare/"), asked).content.decode())
    assert page.faults == []
    assert "lower in pitch" in page.text  # the pitch falls by the day towards now
    assert page.all("circle", **{"class": "middle"})
    assert page.all("input", name="first_from", value=(today - 28 * DAY).isoformat())


def test_with_too_few_days_no_interval_is_given() -> None:
    infant = _lived()
    day = (timezone.now() - 2 * DAY).date()
    asked = {name: day for name in ("first_from", "first_to", "second_from", "second_to")}
    page = Page(as_user(a_member(infant)).get(_here(infant, "compare/"), asked).content.decode())
    assert "no interval is given" in page.text
    assert not page.all("circle", **{"class": "middle"})


# --- notes ---------------------------------------------------------------------------------------


def test_a_note_is_written_and_the_view_returns_to_its_moment() -> None:
    infant = _lived()
    client = as_user(a_member(infant))
    answer = client.post(
        _here(infant, "notes/"), {"at": "2026-05-12T03:10:00+02:00", "text": "hoarse"}
    )
    assert answer.status_code == 302
    assert "at=2026-05-12T01%3A10Z" in answer.headers["Location"]
    assert DiaryEntry.objects.get(kind="note").text == "hoarse"


@pytest.mark.parametrize(
    ("at", "text", "said"),
    [("2026-05-12T03:10", " ", "few words"), ("when it rained", "hoarse", "no time")],
)
def test_a_faulty_note_is_kept_in_the_form_with_what_is_wrong(
    at: str, text: str, said: str
) -> None:
    infant = _lived()
    answer = as_user(a_member(infant)).post(_here(infant, "notes/"), {"at": at, "text": text})
    page = Page(answer.content.decode())
    assert answer.status_code == 422
    assert said in page.text
    assert page.all("input", name="at", value=at)
    assert not DiaryEntry.objects.filter(kind="note").exists()


def test_notes_are_written_by_post_with_a_token_and_by_those_who_may() -> None:
    infant = _lived()
    user = a_member(infant)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)
    asked = {"at": "2026-05-12", "text": "x"}
    assert strict.post(_here(infant, "notes/"), asked).status_code == 403
    assert as_user(user).get(_here(infant, "notes/")).status_code == 405
    researcher = a_member(infant, Membership.Role.RESEARCHER, user=a_user())
    assert as_user(researcher).post(_here(infant, "notes/"), asked).status_code == 404
    assert not DiaryEntry.objects.filter(kind="note").exists()


# --- price ---------------------------------------------------------------------------------------


def test_the_price_does_not_grow_with_the_life() -> None:
    young, old = _lived("Ada", days=4), _lived("Bo", days=40)
    user = a_member(young)
    a_member(old, user=user)
    client = as_user(user)
    for part in ("", "data/"):
        assert _queries(client, young, part) == _queries(client, old, part)


def _queries(client: Client, infant: Infant, part: str) -> int:
    with CaptureQueriesContext(connection) as context:
        assert client.get(_here(infant, part), {"span": "90d"}).status_code == 200
    return len(context)
