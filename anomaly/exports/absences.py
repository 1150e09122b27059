"""Why a recording has no score: a word for programs, never a number that stands in for one."""

from typing import Final

from anomaly.models import GateDecision, RecordingJudgement
from anomaly.models.judgement import Outcome
from infants.models import Recording
from infants.states import State

STILL_LEARNING: Final = "still_learning"
ON_ITS_WAY: Final = "on_its_way"


def judgement_of(recording: Recording) -> RecordingJudgement | None:
    """Return what the personal model said, where it has said anything."""
    return getattr(recording, "judgement", None)


def decision_of(recording: Recording) -> GateDecision | None:
    """Return what the gate decided, where it has."""
    return getattr(recording, "gate_decision", None)


def absence_of(recording: Recording) -> str:
    """Return why there is no score; empty where there is one."""
    judgement = judgement_of(recording)
    if judgement is not None:
        return "" if judgement.outcome == Outcome.SCORED else STILL_LEARNING
    if recording.state in (State.REJECTED, State.FAILED) and recording.reason:
        return str(recording.reason)
    return ON_ITS_WAY
