"""Gate: whether it is a cry at all, low-distress and developmentally normal.

What comes in: recordings in state `embedded`. What goes out: a `GateDecision` with each part's
confidence and reason. What is not a cry ends here, without a score; a cry that is refused goes
on, is scored and marked, but is not learnt, and an event says so. Guaranteed: the decision
depends on stored rows only, so that it can be made again when the audio is gone.
"""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction

from anomaly.models import Event, GateDecision
from anomaly.selectors.baseline import usual_arousal
from infants.arrays import from_bytes
from infants.leases import Lease, leased
from infants.models import Recording
from infants.states import Reason, State
from pipelines import gate


def gate_cries(ids: Sequence[UUID]) -> None:
    """Decide on those of the recordings that wait for it; commits one by one, idempotent."""
    with leased(ids, State.EMBEDDED) as lease:
        for recording in lease.begun():
            _write(lease, recording, decide(recording))


def decide(recording: Recording) -> gate.GateDecision:
    """Return the gate's decision on a recording, from its rows."""
    cries = list(recording.cries.order_by("index"))
    given = gate.GateInput(
        features=from_bytes(recording.gate_features or b""),
        measures=tuple(cry.measures for cry in cries),
        embeddings=np.stack([cry.vector for cry in cries]),
        encoder=cries[0].encoder,
        age_days=_age_days(recording),
        usual=tuple(usual_arousal(recording)),
    )
    return gate.gate_cry(given, _settings())


def _settings() -> gate.GateSettings:
    chosen = settings.ICLAS_GATE_THRESHOLD
    return gate.GateSettings() if chosen < 0 else gate.GateSettings(threshold=chosen)


def _age_days(recording: Recording) -> float | None:
    """Return the corrected age, or the age that came with the recording."""
    known = recording.subject.corrected_age_days(recording.recorded_at)
    return recording.reported_age_days if known is None else float(known)


def _write(lease: Lease, recording: Recording, decision: gate.GateDecision) -> None:
    with transaction.atomic():
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
                "gate_version": decision.version,
            },
        )
        if not decision.is_cry:
            lease.reject(recording, Reason.NOT_A_CRY)
            return
        if not decision.accepted:
            _log_refusal(recording, decision)
        lease.advance(recording, State.GATED)


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
