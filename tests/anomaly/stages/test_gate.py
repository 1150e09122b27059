"""Gate: every decision has its parts and reasons; a refusal is an event; made again from rows."""

import datetime as dt
from dataclasses import asdict
from pathlib import Path

import pytest
from django.test import override_settings

from anomaly.models import Event, GateDecision, SessionJudgement
from anomaly.stages.gate import decide, gate_cries, redecide
from devices.models import Device
from infants.arrays import to_bytes
from infants.models import Recording
from infants.stages.embed import embed_recordings
from infants.stages.segment import segment_recordings
from infants.states import Reason, State
from pipelines.build import build
from pipelines.gate import gate_features
from pipelines.sound import decode
from tests import received, sounds
from tests.builders import a_model

pytestmark = pytest.mark.django_db


@pytest.fixture
def embedded(tmp_path: Path) -> Recording:
    """Return a recording of crying that waits for the gate."""
    recording = received.a_received_recording(sounds.cry_bytes(tmp_path))
    segment_recordings([recording.id])
    embed_recordings([recording.id])
    recording.refresh_from_db()
    return recording


def test_every_part_of_a_decision_has_its_confidence_and_reason(embedded: Recording) -> None:
    gate_cries([embedded.id])
    decision = GateDecision.objects.get(recording=embedded)
    assert decision.is_cry
    assert 0 <= decision.confidence <= 1
    for part in decision.parts:
        assert 0 <= part["confidence"] <= 1
        assert part["reason"]
    assert decision.confidence == pytest.approx(min(p["confidence"] for p in decision.parts))
    embedded.refresh_from_db()
    assert embedded.state == State.GATED


@override_settings(ICLAS_GATE_THRESHOLD=1.01)
def test_a_refused_cry_goes_on_and_an_event_says_why(embedded: Recording) -> None:
    gate_cries([embedded.id])
    embedded.refresh_from_db()
    assert embedded.state == State.GATED
    assert not embedded.gate_decision.accepted
    event = Event.objects.get(kind=Event.Kind.CRY_NOT_LEARNT, recording=embedded)
    assert event.occurred_at == embedded.recorded_at
    assert event.facts["reasons"]


def test_what_is_no_cry_leaves_no_stale_judgement_of_the_session_it_joined(
    embedded: Recording, tmp_path: Path
) -> None:
    hum = decode(sounds.a_hum(tmp_path / "hum.wav").read_bytes())[0]
    embedded.gate_features = to_bytes(gate_features(hum, []))
    embedded.save()
    assert embedded.session is not None
    SessionJudgement.objects.create(
        session=embedded.session,
        infant=embedded.subject,
        started_at=embedded.session.started_at,
        model=a_model(embedded.subject),
        statistic=1.0,
        p_value=0.5,
        n_recordings=1,
    )
    gate_cries([embedded.id])
    embedded.refresh_from_db()
    assert (embedded.state, embedded.reason) == (State.REJECTED, Reason.NOT_A_CRY)
    assert not SessionJudgement.objects.exists()  # nothing in the session has a score


def test_a_decision_is_made_again_from_rows_alone(embedded: Recording) -> None:
    gate_cries([embedded.id])
    stored = GateDecision.objects.get(recording=embedded)
    again = decide(Recording.objects.select_related("infant").get(id=embedded.id))
    assert (again.accepted, again.version) == (stored.accepted, stored.gate_version)
    assert again.confidence == pytest.approx(stored.confidence, abs=1e-12)


def test_what_was_known_of_the_infant_is_kept_with_the_decision(tmp_path: Path) -> None:
    monitor = received.a_monitor(birth_date=dt.date(2026, 2, 1))
    for day in range(3):
        _gated(monitor, tmp_path, day)
    given = _gated(monitor, tmp_path, 3).given
    assert given["age_days"] == 31.0
    assert given["usual"]["n"] == 3
    assert set(given["usual"]) == {"n", "median", "mad"}


def test_a_decision_made_again_does_not_know_what_came_in_late(tmp_path: Path) -> None:
    monitor = received.a_monitor()
    row = _gated(monitor, tmp_path, 3)
    for day in range(3):
        _gated(monitor, tmp_path, day)
    recording = Recording.objects.get(id=row.recording_id)
    again = redecide(recording, row)
    assert again is not None
    assert [asdict(part) for part in again.parts] == row.parts
    assert (again.confidence, again.arousal) == (row.confidence, row.arousal)
    now = decide(recording)
    assert "this infant (3 recordings)" in next(p.reason for p in now.parts if p.name == "arousal")
    assert row.build == build()


def test_a_decision_of_which_nothing_was_kept_is_not_made_again(embedded: Recording) -> None:
    gate_cries([embedded.id])
    row = GateDecision.objects.get(recording=embedded)
    row.given = {}
    assert redecide(embedded, row) is None


def _gated(monitor: Device, folder: Path, day: int) -> GateDecision:
    """Return the decision on a recording of this day, which has just come in."""
    when = received.START + dt.timedelta(days=day)
    recording = received.a_received_recording(sounds.cry_bytes(folder, seed=day), monitor, when)
    for stage in (segment_recordings, embed_recordings, gate_cries):
        stage([recording.id])
    return GateDecision.objects.get(recording=recording)
