"""Provenance: what was judged comes out again, and what does not is said."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from anomaly import provenance
from anomaly.artefacts import _load
from anomaly.models import (
    GateDecision,
    PersonalModel,
    RecordingJudgement,
    ScorePoint,
    SessionJudgement,
)
from anomaly.models.judgement import Outcome
from anomaly.provenance import Agreement, Recomputation, recomputations, session_again
from anomaly.stages.gate import decide
from infants.models import Cry, Recording, RecordingSession
from infants.states import State
from pipelines.build import build
from tests import judged, lived

pytestmark = pytest.mark.django_db


def again(recording: Recording) -> dict[str, Recomputation]:
    """Return the recomputations of the row as it is now, by what they are of."""
    made = recomputations(Recording.objects.get(id=recording.id))
    return {one.of: one for one in made}


def agreements(recording: Recording) -> dict[str, Agreement]:
    return {name: one.agreement for name, one in again(recording).items()}


@pytest.fixture
def scored() -> Recording:
    """Return a scored recording of numbers, one of two in its session."""
    judged.a_life(days=11)
    row = RecordingJudgement.objects.filter(outcome=Outcome.SCORED).latest("recording__recorded_at")
    return row.recording


# --- to the bit ---------------------------------------------------------------------------------


def test_everything_comes_out_again_to_the_bit_whatever_came_later(tmp_path: Path) -> None:
    device, recordings = lived.a_known_infant(tmp_path, days=12)
    last = recordings[-1]
    assert last.judgement.outcome == Outcome.SCORED
    everything = dict.fromkeys(("gate", "score", "timeline", "session"), Agreement.IDENTICAL)
    assert agreements(last) == everything
    for day in (3.5, 5.5, 20.0):  # two that come late, and one at which a version is learnt
        lived.a_judged_recording(device, tmp_path, day)
    for recording in recordings:
        default_storage.delete(recording.audio)
    _load.cache_clear()
    assert PersonalModel.objects.filter(PersonalModel.WHOLE).count() == 2
    known_now = {part.name: part.reason for part in decide(last).parts}
    known_then = {part["name"]: part["reason"] for part in last.gate_decision.parts}
    assert known_now["arousal"] != known_then["arousal"]  # so much hangs on what is kept
    assert agreements(last) == everything
    for one in again(last).values():
        assert one.same_build
        assert one.values
        assert one.largest_difference == 0.0


def test_a_session_of_several_recordings_comes_out_again(scored: Recording) -> None:
    session = again(scored)["session"]
    assert session.agreement is Agreement.IDENTICAL
    assert {value.name: value.again for value in session.values}["n_recordings"] == 2


def test_a_version_that_was_withdrawn_still_speaks_for_what_it_judged(scored: Recording) -> None:
    PersonalModel.objects.update(withdrawn_at=timezone.now())
    kept = {name: agreements(scored)[name] for name in ("score", "session", "timeline")}
    assert set(kept.values()) == {Agreement.IDENTICAL}


# --- what differs -------------------------------------------------------------------------------


def test_a_score_that_was_tampered_with_differs_and_both_numbers_are_given(
    scored: Recording,
) -> None:
    row = RecordingJudgement.objects.get(recording=scored)
    true = row.scores["gmm"]
    row.scores["gmm"] = true + 1.0
    row.save()
    score = again(scored)["score"]
    assert score.agreement is Agreement.DIFFERS
    (changed,) = score.changed
    assert (changed.name, changed.stored, changed.again) == ("gmm.score", true + 1.0, true)
    assert score.largest_difference == pytest.approx(1.0)


def test_a_gate_that_was_opened_by_hand_differs(tmp_path: Path) -> None:
    recording = lived.a_known_infant(tmp_path, days=1)[1][0]
    GateDecision.objects.filter(recording=recording).update(accepted=False)
    gate = again(recording)["gate"]
    assert gate.agreement is Agreement.DIFFERS
    assert [value.name for value in gate.changed] == ["accepted"]


def test_a_session_judgement_that_was_tampered_with_differs(scored: Recording) -> None:
    SessionJudgement.objects.filter(session=scored.session).update(p_value=0.05)
    assert agreements(scored)["session"] is Agreement.DIFFERS


def test_a_point_that_is_not_its_judgement_differs(scored: Recording) -> None:
    ScorePoint.objects.filter(recording=scored, scorer="ocsvm").update(p_value=0.01)
    (changed,) = again(scored)["timeline"].changed
    assert (changed.name, changed.stored) == ("ocsvm.p_value", 0.01)


def test_points_that_are_gone_differ_unless_they_are_still_to_come(scored: Recording) -> None:
    ScorePoint.objects.filter(recording=scored).delete()
    assert agreements(scored)["timeline"] is Agreement.DIFFERS
    Recording.objects.filter(id=scored.id).update(state=State.LEARNT)
    assert "timeline" not in agreements(scored)


# --- another build ------------------------------------------------------------------------------


def test_another_build_may_be_off_in_the_last_digits(
    scored: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "build", lambda: "another one")
    row = RecordingJudgement.objects.get(recording=scored)
    row.statistic = (row.statistic or 0.0) + 1e-7
    row.save()
    score = again(scored)["score"]
    assert score.agreement is Agreement.CLOSE
    assert not score.same_build
    assert score.stored_build == build()
    assert score.largest_difference == pytest.approx(1e-7, rel=1e-3)
    assert agreements(scored)["session"] is Agreement.IDENTICAL


@pytest.mark.parametrize(
    ("name", "stored", "now", "here", "elsewhere"),
    [
        ("statistic", 0.5, 0.5, Agreement.IDENTICAL, Agreement.IDENTICAL),
        ("statistic", 0.5, 0.5 + 9e-6, Agreement.DIFFERS, Agreement.CLOSE),
        ("statistic", 0.5, 0.5 + 2e-5, Agreement.DIFFERS, Agreement.DIFFERS),
        ("p_value", 0.2, 0.2 + 1e-6, Agreement.DIFFERS, Agreement.CLOSE),
        ("p_value", 0.05, 0.05 + 1e-6, Agreement.DIFFERS, Agreement.DIFFERS),
        ("gmm.p_value", 0.05 + 1e-6, 0.05, Agreement.DIFFERS, Agreement.DIFFERS),
        ("accepted", True, False, Agreement.DIFFERS, Agreement.DIFFERS),
        ("arousal", None, 0.0, Agreement.DIFFERS, Agreement.DIFFERS),
        ("arousal.reason", "1.1 spreads", "1.2 spreads", Agreement.DIFFERS, Agreement.CLOSE),
        ("arousal.reason", "above", "below", Agreement.DIFFERS, Agreement.DIFFERS),
        ("n_recordings", 2, 3, Agreement.DIFFERS, Agreement.DIFFERS),
    ],
)
def test_how_much_may_differ_where(
    name: str, stored: Any, now: Any, here: Agreement, elsewhere: Agreement
) -> None:
    for stored_build, expected in ((build(), here), ("", elsewhere), ("another", elsewhere)):
        made = Recomputation.comparing("score", stored_build, {name: stored}, {name: now})
        assert made.agreement is expected


# --- what is not possible -------------------------------------------------------------------------


def reason(recording: Recording, of: str) -> str:
    one = again(recording)[of]
    assert one.agreement is Agreement.NOT_POSSIBLE
    assert one.values == ()
    return one.reason


def test_an_artefact_that_was_changed_is_corrupt_although_it_is_in_memory(
    scored: Recording,
) -> None:
    model = scored.judgement.model
    assert model is not None
    assert agreements(scored)["score"] is Agreement.IDENTICAL
    path = Path(default_storage.path(model.artefact))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    corrupt = f"corrupt: the artefact of model {model.number} is not the one that was learnt"
    assert reason(scored, "score") == reason(scored, "session") == corrupt


def test_an_artefact_that_is_gone_is_missing(scored: Recording) -> None:
    model = scored.judgement.model
    assert model is not None
    default_storage.delete(model.artefact)
    assert reason(scored, "score").startswith("missing: the artefact of model 1")


def test_an_artefact_of_another_encoder_is_named(scored: Recording) -> None:
    PersonalModel.objects.update(encoder="another")
    assert "encoder_fingerprint" in reason(scored, "score")


def test_what_is_not_embedded_any_more_or_by_another_encoder_is_said(scored: Recording) -> None:
    Cry.objects.filter(recording=scored).update(encoder="another")
    assert reason(scored, "score") == (
        "its embeddings are of encoder another, and numbers was judged"
    )
    Cry.objects.filter(recording=scored).update(encoder="", embedding=None)
    assert reason(scored, "score") == "its embeddings are not stored"
    assert reason(scored, "session") == "its embeddings are not stored"
    Cry.objects.filter(recording=scored).delete()
    assert reason(scored, "score") == "its cries are not stored"


def test_what_was_still_being_learnt_has_no_number_to_make_again() -> None:
    judged.a_life(days=1)
    recording = Recording.objects.latest("recorded_at")
    assert "still being learnt" in reason(recording, "score")
    assert agreements(recording)["timeline"] is Agreement.IDENTICAL
    assert "session" not in agreements(recording)


def test_a_decision_without_what_it_was_made_of_cannot_be_made_again(scored: Recording) -> None:
    assert reason(scored, "gate").startswith("cannot be recomputed exactly: decided before")


def test_a_decision_of_another_gate_or_without_features_cannot_be_made_again(
    tmp_path: Path,
) -> None:
    recording = lived.a_known_infant(tmp_path, days=1)[1][0]
    Recording.objects.filter(id=recording.id).update(gate_features=None)
    assert reason(recording, "gate") == "the features that the gate decides on are not stored"
    GateDecision.objects.filter(recording=recording).update(gate_version="gate-0")
    assert reason(recording, "gate").startswith("decided by gate-0, and gate-")


def test_a_session_that_has_changed_since_is_not_compared(scored: Recording) -> None:
    other = Recording.objects.filter(session=scored.session).exclude(id=scored.id).get()
    apart = scored.recorded_at + dt.timedelta(hours=5)
    other.session = RecordingSession.objects.create(
        infant=scored.subject, started_at=apart, ended_at=apart
    )
    other.save()
    assert reason(scored, "session") == "judged of 2 recordings, and 1 are scored now"


def test_a_recording_that_only_came_in_has_nothing_to_make_again() -> None:
    infant, device = judged.an_infant_with_monitor()
    waiting = judged.a_gated_recording(infant, device, judged.START, judged.voice(infant, seed=1))
    assert set(agreements(waiting)) == {"gate"}
    assert waiting.session is not None
    assert session_again(waiting.session) is None
