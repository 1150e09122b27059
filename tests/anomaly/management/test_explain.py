"""`manage.py explain`: an account that a person can read, the same for programs, an exit status."""

import datetime as dt
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError

from anomaly import explain, provenance
from anomaly.models import PersonalModel, RecordingJudgement, ScorePoint
from anomaly.models.judgement import Outcome
from anomaly.provenance import Agreement
from anomaly.stages.score import rescore
from infants.models import Infant, Recording
from tests import builders, judged, lived, received, sounds

pytestmark = pytest.mark.django_db
NOTICE = "Research use only; not a medical device."


def said(*words: str) -> str:
    out = StringIO()
    call_command("explain", *words, stdout=out)
    return out.getvalue()


def document(*words: str) -> Any:
    return json.loads(said(*words, "--json"))


@pytest.fixture
def infant() -> Infant:
    """Return an infant with four scored recordings in two sessions."""
    infant, _device = judged.a_life(days=12)
    return infant


def tamper() -> RecordingJudgement:
    """Change one stored score and return its row."""
    row = RecordingJudgement.objects.filter(outcome=Outcome.SCORED).first()
    assert row is not None
    row.scores["ocsvm"] += 1.0
    row.save()
    return row


def rescored(row: RecordingJudgement) -> float:
    """Return what the one-class SVM says of the row's recording."""
    assert row.model is not None
    return rescore(row.model, row.recording).scores["ocsvm"]


# --- one recording ------------------------------------------------------------------------------


@pytest.mark.embedded
def test_it_prints_the_whole_way_where_the_infant_lives(tmp_path: Path) -> None:
    device = received.a_monitor(time_zone="Asia/Tokyo", birth_date=dt.date(2026, 2, 1))
    days = range(lived.KNOWN_AFTER_DAYS)
    last = [lived.a_judged_recording(device, tmp_path, day) for day in days][-1]
    text = said(str(last.id))
    order = [text.index(f"\n{stage} ") for stage in ("upload", "segment", "embed", "gate")]
    order += [text.index(f"\n{stage} ") for stage in ("score", "learn", "timeline", "episode")]
    order += [text.index("\nend\n"), text.index("\nrecomputed\n"), text.index(NOTICE)]
    assert order == sorted(order)
    assert "2026-03-11 18:00:00" in text  # nine in the morning UTC, where the infant lives
    assert "gated at" in text
    assert "sounds like crying" in text
    assert "age 38 days" in text
    assert re.search(r"model +7 \(", text)
    assert "0.031 is the smallest that it can give" in text
    assert "done: it is on the timeline" in text
    for judgement in ("gate", "score", "timeline", "session"):
        assert f"{judgement:<14} identical: " in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_the_document_is_complete(infant: Infant) -> None:
    last = Recording.objects.latest("recorded_at")
    shown = document(str(last.id)[:18])
    assert shown["recording"] == str(last.id)
    assert shown["infant"] == str(infant.id)
    for stage in ("upload", "embed", "gate", "score", "learn", "session", "timeline"):
        assert shown[stage]
    assert shown["score"]["p_value"] == last.judgement.p_value
    assert shown["score"]["model"]["sha256"] == PersonalModel.objects.latest("number").sha256
    made = {one["of"]: one for one in shown["recomputed"]}
    assert made["score"]["agreement"] == "identical"
    assert {value["name"]: value["stored"] for value in made["score"]["values"]} == {
        value["name"]: value["again"] for value in made["score"]["values"]
    }
    assert made["gate"]["reason"].startswith("cannot be recomputed exactly")
    assert (shown["notice"], shown["agreement"]) == (NOTICE, "not_possible")


def test_it_is_found_by_its_audio(infant: Infant) -> None:
    last = Recording.objects.latest("recorded_at")
    assert f"Recording {last.id}" in said(last.sha256[:16])


def test_a_number_that_does_not_come_out_again_is_shown_and_fails(infant: Infant) -> None:
    row = tamper()
    now = rescored(row)
    out = StringIO()
    with pytest.raises(CommandError, match="does not come out again") as failed:
        call_command("explain", str(row.recording_id), stdout=out)
    assert failed.value.returncode == 1
    stored = row.scores["ocsvm"]
    assert f"ocsvm.score: stored {stored}, now {now}" in out.getvalue()
    assert "differs: 14 values, at most 1.0e+00 apart" in out.getvalue()
    assert f"ocsvm.score: on the timeline {now}, in the judgement {stored}" in out.getvalue()


def test_another_build_is_named_and_does_not_fail(
    infant: Infant, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = RecordingJudgement.objects.filter(outcome=Outcome.SCORED).latest("judged_at")
    row.statistic = (row.statistic or 0.0) + 1e-7
    row.save()
    points = ScorePoint.objects.filter(recording=row.recording_id, scorer="combined")
    points.update(score=row.statistic)
    for room in (provenance, explain):
        monkeypatch.setattr(room, "build", lambda: "another one")
    text = said(str(row.recording_id))
    assert "close: 14 values, at most 1.0e-07 apart; another build" in text
    assert f"statistic: stored {row.statistic}, now " in text
    assert f"build          {row.build[:20]}" in text


def test_a_corrupt_artefact_is_said_and_does_not_fail(infant: Infant) -> None:
    Path(default_storage.path(PersonalModel.objects.get().artefact)).write_bytes(b"no model")
    text = said(str(Recording.objects.latest("recorded_at").id))
    assert "not possible: corrupt: the artefact of model 1 is not the one that was learnt" in text


def test_brackets_in_names_are_no_markup() -> None:
    infant = builders.an_infant(name="[bold]Ada[/nothing]")
    device = builders.a_device(infant, name="[red]monitor")
    text = said(str(builders.a_recording(infant, device=device).id))
    assert "[bold]Ada[/nothing]" in text
    assert "[red]monitor" in text


@pytest.mark.parametrize("content", [b"this is no sound", sounds.silence_bytes()])
def test_what_ended_early_ends_in_words(content: bytes) -> None:
    recording = lived.driven(received.a_received_recording(content))
    text = said(str(recording.id))
    assert "rejected: " in text
    assert "recomputed" not in text
    assert document(str(recording.id))["agreement"] is None


@pytest.mark.parametrize("name", ["nobody", "0000000", "00000000", "", "é" * 10])
def test_an_unknown_recording_is_named(name: str) -> None:
    with pytest.raises(CommandError, match=r"no recording|Name one") as refused:
        said(name)
    assert "\n" not in str(refused.value)


def test_a_beginning_of_several_names_some(infant: Infant) -> None:
    rows = [builders.a_recording(infant, sha256=f"abcdef00{n:056d}") for n in range(2)]
    with pytest.raises(CommandError, match="beginning of several") as refused:
        said("abcdef00")
    assert str(rows[0].id) in str(refused.value)


# --- all of them --------------------------------------------------------------------------------


def test_all_that_were_scored_are_counted(infant: Infant) -> None:
    shown = document("--all")
    nothing = {str(agreement): 0 for agreement in Agreement}
    assert shown["counts"] == {
        "recordings": nothing | {"not_possible": 4},
        "gate": nothing | {"not_possible": 4},
        "score": nothing | {"identical": 4},
        "timeline": nothing | {"identical": 4},
        "sessions": nothing | {"identical": 2},
    }
    assert sum(shown["not_possible"].values()) == 4
    text = said("--all")
    assert "not possible, 4 times: gate: cannot be recomputed exactly" in text
    assert NOTICE in text


def test_all_of_a_real_flow_come_out_again(tmp_path: Path) -> None:
    lived.a_known_infant(tmp_path, days=lived.KNOWN_AFTER_DAYS + 1)
    shown = document("--all")
    assert {kind: counts["identical"] for kind, counts in shown["counts"].items()} == {
        **dict.fromkeys(("recordings", "gate", "score", "timeline", "sessions"), 8)
    }
    assert (shown["differing"], shown["not_possible"]) == ([], {})


def test_one_that_differs_fails_them_all(infant: Infant) -> None:
    row = tamper()
    out = StringIO()
    with pytest.raises(CommandError, match="1 do not come out again"):
        call_command("explain", "--all", stdout=out)
    assert f"differs: recording {row.recording_id}" in out.getvalue()


def test_one_infant_is_named_by_id_its_beginning_or_source_key(infant: Infant) -> None:
    other, _ = judged.an_infant_with_monitor("Ben")
    Infant.objects.filter(id=other.id).update(source_key="archive/ben")
    for name, n in ((str(infant.id), 4), (str(infant.id)[:24], 4), ("archive/ben", 0)):
        counts = document("--all", "--infant", name)["counts"]["recordings"]
        assert sum(counts.values()) == n


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--all", "--infant", "nobody"], "no infant 'nobody'"),
        (["--all", "--infant", "00000000"], "no infant '00000000'"),
        (["--infant", "nobody", "0000000000"], "goes with --all"),
        ([], "Name one recording"),
        (["--all", "0000000000"], "Name one recording"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(words: list[str], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint) as refused:
        said(*words)
    assert "\n" not in str(refused.value)
