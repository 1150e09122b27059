"""Gate: every decision has its parts and reasons; a refusal is an event; made again from rows."""

from pathlib import Path

import pytest
from django.test import override_settings

from anomaly.models import Event, GateDecision
from anomaly.stages.gate import decide, gate_cries
from infants.models import Recording
from infants.stages.embed import embed_recordings
from infants.stages.segment import segment_recordings
from infants.states import State
from tests import received, sounds

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


def test_a_decision_is_made_again_from_rows_alone(embedded: Recording) -> None:
    gate_cries([embedded.id])
    stored = GateDecision.objects.get(recording=embedded)
    again = decide(Recording.objects.select_related("infant").get(id=embedded.id))
    assert (again.accepted, again.version) == (stored.accepted, stored.gate_version)
    assert again.confidence == pytest.approx(stored.confidence, abs=1e-12)
