"""Gate: whether it is a cry at all, low-distress and developmentally normal.

What comes in: recordings in state `embedded`. What goes out: a `GateDecision` with each part's
confidence and reason. What is not a cry ends here, without a score; a cry that is refused goes
on, is scored and marked, but is not learnt, and an event says so. Guaranteed: the decision
depends on stored rows only, so that it can be made again when the audio is gone; what was known
of the infant at that time is kept with it, so that it can be made again after later recordings.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

import numpy as np
from django.conf import settings

from anomaly.models import Event, GateDecision
from anomaly.selectors.baseline import usual_arousal
from anomaly.stages.timeline import judge_session
from infants.arrays import from_bytes
from infants.leases import Lease, leased
from infants.locks import infant_locked
from infants.models import Recording
from infants.states import Reason, State
from pipelines import gate
from pipelines.build import build


def gate_cries(ids: Sequence[UUID]) -> None:
    """Decide on those of the recordings that wait for it; commits one by one, idempotent."""
    with leased(ids, State.EMBEDDED) as lease:
        for recording in lease.begun():
            given = _known_now(recording)
            _write(lease, recording, given, _decided(recording, given, _settings()))


@dataclass(frozen=True)
class Known:
    """What was known beside the recording's own rows: later recordings may change it."""

    age_days: float | None
    usual: gate.Usual


def decide(recording: Recording) -> gate.GateDecision:
    """Return the gate's decision on a recording, from its rows and what is known now."""
    return _decided(recording, _known_now(recording), _settings())


def redecide(recording: Recording, decision: GateDecision) -> gate.GateDecision | None:
    """Return a stored decision made again from what it was made of.

    None where what was known then was not kept. The gate's learnt numbers are today's: whether
    they are those of the decision, its `gate_version` says.
    """
    if not decision.given:
        return None
    known = Known(decision.given["age_days"], gate.Usual(**decision.given["usual"]))
    return _decided(recording, known, gate.GateSettings(threshold=decision.threshold))


def _known_now(recording: Recording) -> Known:
    return Known(_age_days(recording), gate.Usual.of(usual_arousal(recording)))


def _decided(recording: Recording, known: Known, chosen: gate.GateSettings) -> gate.GateDecision:
    cries = list(recording.cries.order_by("index"))
    given = gate.GateInput(
        features=from_bytes(recording.gate_features or b""),
        measures=tuple(cry.measures for cry in cries),
        embeddings=np.stack([cry.vector for cry in cries]),
        encoder=cries[0].encoder,
        age_days=known.age_days,
        usual=known.usual,
    )
    return gate.gate_cry(given, chosen)


def _settings() -> gate.GateSettings:
    chosen = settings.ICLAS_GATE_THRESHOLD
    return gate.GateSettings() if chosen < 0 else gate.GateSettings(threshold=chosen)


def _age_days(recording: Recording) -> float | None:
    """Return the corrected age, or the age that came with the recording."""
    known = recording.subject.corrected_age_days(recording.recorded_at)
    return recording.reported_age_days if known is None else float(known)


def _write(lease: Lease, recording: Recording, given: Known, decision: gate.GateDecision) -> None:
    with infant_locked(recording.subject.id):
        GateDecision.objects.update_or_create(
            recording=recording,
            defaults={
                "infant": recording.subject,
                "is_cry": decision.is_cry,
                "cry_probability": decision.cry_probability,
                "accepted": decision.accepted,
                "confidence": decision.confidence,
                "threshold": decision.threshold,
                "arousal": decision.arousal,
                "parts": [asdict(part) for part in decision.parts],
                "abstained": [asdict(part) for part in decision.abstained],
                "given": asdict(given),
                "gate_version": decision.version,
                "build": build(),
            },
        )
        if not decision.is_cry:
            _end(lease, recording)
            return
        if not decision.accepted:
            _log_refusal(recording, decision)
        lease.advance(recording, State.GATED)


def _end(lease: Lease, recording: Recording) -> None:
    """End what is not a cry; it may have made one session of two, which is judged as one then."""
    if recording.session is not None:
        judge_session(recording.session)
    lease.reject(recording, Reason.NOT_A_CRY)


def _log_refusal(recording: Recording, decision: gate.GateDecision) -> None:
    reasons = [p.reason for p in decision.parts if p.confidence < decision.threshold]
    Event.objects.get_or_create(
        infant=recording.subject,
        kind=Event.Kind.CRY_NOT_LEARNT,
        key=str(recording.id),
        defaults={
            "occurred_at": recording.recorded_at,
            "recording": recording,
            "facts": {"confidence": decision.confidence, "reasons": reasons},
        },
    )
