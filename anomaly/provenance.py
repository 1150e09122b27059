"""Provenance: whether stored judgements come out again from what they were made of.

What comes in: a recording or a session. What goes out: a `Recomputation` of each of its judgements
(gate, score, session) from stored embeddings and the versions that the rows name, and of its points
on the timeline from its judgement. Guaranteed: nothing is written; in the same build only the same
bits count, in another one what lies within 1e-5 with the same verdict; what cannot be made again
says why.
"""

import enum
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from django.core.files.storage import default_storage

from anomaly.artefacts import fitted_model
from anomaly.charts import UNUSUAL
from anomaly.errors import ArtefactLostError
from anomaly.models import (
    GateDecision,
    PersonalModel,
    RecordingJudgement,
    ScorePoint,
    SessionJudgement,
)
from anomaly.models.judgement import Outcome
from anomaly.stages.gate import redecide
from anomaly.stages.score import rescore
from anomaly.stages.timeline import points_of, score_in, scored_by
from infants.depot.errors import BrokenSealError
from infants.models import Recording, RecordingSession
from infants.states import State
from pipelines import gate
from pipelines.build import build
from pipelines.errors import ArtefactError
from pipelines.heads import bundled_heads
from pipelines.score import RecordingScore, SessionScore

TOLERANCE = 1e-5
"""How far another build may be off."""

Value = float | bool | str | None
Values = dict[str, Value]


class Agreement(enum.StrEnum):
    """How what is stored and what comes out again compare, the best first."""

    IDENTICAL = "identical"
    CLOSE = "close"
    NOT_POSSIBLE = "not_possible"
    DIFFERS = "differs"


@dataclass(frozen=True)
class Compared:
    """One value: as it is stored, and as it comes out again."""

    name: str
    stored: Value
    again: Value
    agreement: Agreement


@dataclass(frozen=True)
class Recomputation:
    """One judgement made again: how it agrees on the whole, value by value, or why it cannot be."""

    of: str
    agreement: Agreement
    stored_build: str
    same_build: bool
    largest_difference: float
    values: tuple[Compared, ...]
    reason: str = ""

    @classmethod
    def comparing(cls, of: str, stored_build: str, stored: Values, again: Values) -> Self:
        """Compare what is stored with what came out again."""
        same_build = stored_build == build()
        names = dict.fromkeys([*stored, *again])
        values = tuple(_compared(n, stored.get(n), again.get(n), same_build) for n in names)
        largest = max((_difference(value.stored, value.again) for value in values), default=0.0)
        agreement = worst([value.agreement for value in values])
        return cls(of, agreement, stored_build, same_build, largest, values)

    @classmethod
    def impossible(cls, of: str, stored_build: str, reason: str) -> Self:
        """Say why there is nothing to compare."""
        same_build = stored_build == build()
        return cls(of, Agreement.NOT_POSSIBLE, stored_build, same_build, 0.0, (), reason)

    @property
    def changed(self) -> tuple[Compared, ...]:
        """The values that are not the same to the bit."""
        return tuple(value for value in self.values if value.agreement is not Agreement.IDENTICAL)


def worst(agreements: Iterable[Agreement]) -> Agreement:
    """Return the agreement of the whole, given that of its parts."""
    order = list(Agreement)
    return max(agreements, key=order.index, default=Agreement.IDENTICAL)


def recomputations(recording: Recording) -> tuple[Recomputation, ...]:
    """Make every judgement of a recording again, and that of its session."""
    session = recording.session
    again = session_again(session) if session is not None else None
    return (*own_recomputations(recording), *([again] if again is not None else []))


def own_recomputations(recording: Recording) -> tuple[Recomputation, ...]:
    """Make every judgement again that is the recording's own, in the order of its way."""
    made = (decision_again(recording), score_again(recording), points_again(recording))
    return tuple(one for one in made if one is not None)


# --- the gate's decision ----------------------------------------------------------------------


def decision_again(recording: Recording) -> Recomputation | None:
    """Make the gate's decision again; None where there is none yet."""
    decision = getattr(recording, "gate_decision", None)
    if decision is None:
        return None
    reason = _decision_obstacle(recording, decision)
    again = None if reason else redecide(recording, decision)
    if again is None:
        return Recomputation.impossible("gate", decision.build, reason)
    return Recomputation.comparing("gate", decision.build, _decided(decision), _redecided(again))


def _decision_obstacle(recording: Recording, decision: GateDecision) -> str:
    if not decision.given:
        return (
            "cannot be recomputed exactly: decided before the age and the usual arousal of that "
            "time were kept"
        )
    if (installed := bundled_heads().version) != decision.gate_version:
        return f"decided by {decision.gate_version}, and {installed} is installed"
    if not recording.gate_features:
        return "the features that the gate decides on are not stored"
    judged: RecordingJudgement | None = getattr(recording, "judgement", None)
    return _embeddings_obstacle(recording, "" if judged is None else judged.encoder)


def _decided(row: GateDecision) -> Values:
    values: Values = {
        "is_cry": row.is_cry,
        "cry_probability": row.cry_probability,
        "accepted": row.accepted,
        "confidence": row.confidence,
        "arousal": row.arousal,
    }
    for part in row.parts:
        values[f"{part['name']}.confidence"] = part["confidence"]
        values[f"{part['name']}.reason"] = part["reason"]
    return values | {f"{part['name']}.abstained": part["reason"] for part in row.abstained}


def _redecided(decision: gate.GateDecision) -> Values:
    values: Values = {
        "is_cry": decision.is_cry,
        "cry_probability": decision.cry_probability,
        "accepted": decision.accepted,
        "confidence": decision.confidence,
        "arousal": decision.arousal,
    }
    for part in decision.parts:
        values[f"{part.name}.confidence"] = part.confidence
        values[f"{part.name}.reason"] = part.reason
    return values | {f"{part.name}.abstained": part.reason for part in decision.abstained}


# --- scores and p-values ----------------------------------------------------------------------


def score_again(recording: Recording) -> Recomputation | None:
    """Score a recording again by the version that scored it; None where it was not judged."""
    row = getattr(recording, "judgement", None)
    if row is None:
        return None
    reason = _score_obstacle(row)
    if reason or row.model is None:
        return Recomputation.impossible("score", row.build, reason)
    again = rescore(row.model, recording)
    return Recomputation.comparing("score", row.build, _numbers(score_in(row)), _numbers(again))


def _score_obstacle(row: RecordingJudgement) -> str:
    if row.outcome == Outcome.LEARNING or row.model is None:
        return "the baseline was still being learnt: there is no number"
    return _embeddings_obstacle(row.recording, row.encoder) or _model_obstacle(row.model)


def _embeddings_obstacle(recording: Recording, encoder: str = "") -> str:
    """Tell why the stored embeddings cannot be used, or are not those of this encoder."""
    found = set(recording.cries.values_list("encoder", flat=True))
    if not found:
        return "its cries are not stored"
    if "" in found:
        return "its embeddings are not stored"
    if encoder and found != {encoder}:
        return f"its embeddings are of encoder {min(found - {encoder})}, and {encoder} was judged"
    return ""


def _model_obstacle(model: PersonalModel) -> str:
    """Tell why a version cannot score: its artefact is read from the disk, not from memory."""
    try:
        with default_storage.open(model.artefact) as stored:
            found = hashlib.sha256(stored.read()).hexdigest()
    except (FileNotFoundError, IsADirectoryError):
        return f"missing: the artefact of model {model.number} is not in the storage"
    except BrokenSealError:
        found = ""
    if found != model.sha256:
        return f"corrupt: the artefact of model {model.number} is not the one that was learnt"
    try:
        fitted_model(model)
    except (ArtefactError, ArtefactLostError) as error:
        return str(error)
    return ""


def _numbers(score: RecordingScore) -> Values:
    values: Values = {f"{name}.score": number for name, number in score.scores.items()}
    values |= {f"{name}.p_value": number for name, number in score.p_values.items()}
    values |= {"statistic": score.statistic, "p_value": score.p_value}
    return values | {"room.score": score.room_score, "room.p_value": score.room_p_value}


# --- the session ------------------------------------------------------------------------------


def session_again(session: RecordingSession) -> Recomputation | None:
    """Judge a session again from the embeddings of its recordings; None where it was not judged."""
    row = getattr(session, "judgement", None)
    if row is None:
        return None
    judged = list(scored_by(session, row.model).select_related("recording"))
    if reason := _session_obstacle(row, judged):
        return Recomputation.impossible("session", row.build, reason)
    scores = [rescore(row.model, one.recording) for one in judged]
    again = fitted_model(row.model).score_session(scores)
    return Recomputation.comparing(
        "session",
        row.build,
        _of_session(row),
        _of_session(again),
    )


def _of_session(verdict: SessionJudgement | SessionScore) -> Values:
    values: Values = {f"{name}.p_value": number for name, number in verdict.p_values.items()}
    return values | {
        "statistic": verdict.statistic,
        "p_value": verdict.p_value,
        "room.p_value": verdict.room_p_value,
        "n_recordings": verdict.n_recordings,
    }


def _session_obstacle(row: SessionJudgement, judged: Sequence[RecordingJudgement]) -> str:
    if len(judged) != row.n_recordings:
        return f"judged of {row.n_recordings} recordings, and {len(judged)} are scored now"
    obstacles = (_embeddings_obstacle(one.recording, one.encoder) for one in judged)
    return next(filter(None, obstacles), "") or _model_obstacle(row.model)


# --- the points on the timeline -----------------------------------------------------------------

ON_TIMELINE = {State.ON_TIMELINE, State.DONE}


def points_again(recording: Recording) -> Recomputation | None:
    """Hold a recording's points against its judgement; None where it has not got so far."""
    stored = list(ScorePoint.objects.filter(recording=recording).order_by("scorer"))
    judged = getattr(recording, "judgement", None) is not None
    if not judged or (not stored and recording.state not in ON_TIMELINE):
        return None
    due = sorted(points_of(recording), key=lambda point: point.scorer)
    # A point is a copy of the judgement: no build makes a difference to it.
    return Recomputation.comparing("timeline", build(), _placed(stored), _placed(due))


def _placed(points: list[ScorePoint]) -> Values:
    values: Values = {}
    for point in points:
        told: Values = {
            "time": point.time.isoformat(),
            "outcome": str(point.outcome),
            "score": point.score,
            "p_value": point.p_value,
            "model": str(point.model_id) if point.model_id else None,
            "encoder": point.encoder,
            "gate_version": point.gate_version,
            "gate_accepted": point.gate_accepted,
        }
        values |= {f"{point.scorer}.{name}": value for name, value in told.items()}
    return values


# --- value by value -----------------------------------------------------------------------------


def _compared(name: str, stored: Value, again: Value, same_build: bool) -> Compared:  # noqa: FBT001
    if stored == again:
        agreement = Agreement.IDENTICAL
    elif not same_build and _is_close(name, stored, again):
        agreement = Agreement.CLOSE
    else:
        agreement = Agreement.DIFFERS
    return Compared(name, stored, again, agreement)


def _is_close(name: str, stored: Value, again: Value) -> bool:
    """Tell whether another build may have made the difference, without another verdict."""
    if isinstance(stored, str) and isinstance(again, str):
        return _words(stored) == _words(again)
    if not isinstance(stored, float) or not isinstance(again, float):
        return False
    same_verdict = not name.endswith("p_value") or (stored <= UNUSUAL) == (again <= UNUSUAL)
    return _difference(stored, again) <= TOLERANCE and same_verdict


def _words(reason: str) -> str:
    """Return a reason without its numbers, which may be rounded the other way."""
    return re.sub(r"\d+(\.\d+)?", "#", reason)


def _difference(stored: Value, again: Value) -> float:
    is_number = isinstance(stored, float | int) and isinstance(again, float | int)
    return abs(float(stored) - float(again)) if is_number else 0.0  # type: ignore[arg-type]
