"""Score: how far a cry is from this infant's own baseline, as a calibrated p-value.

What comes in: recordings in state `gated`. What goes out: a `RecordingJudgement`: scores and
p-values by detector and combined, or how far the learning has come. Guaranteed: the judging
version had heard nothing of the recording's session, and scoring comes before learning.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from anomaly.artefacts import fitted_model
from anomaly.models import PersonalModel, RecordingJudgement
from anomaly.models.judgement import Outcome
from anomaly.selectors.baseline import as_judged, baseline_days, device_number, model_for
from infants.leases import Lease, leased
from infants.models import Recording, RecordingSession
from infants.states import State
from pipelines.build import build
from pipelines.score import MINIMUM_DAYS, RecordingScore


def score_recordings(ids: Sequence[UUID]) -> None:
    """Score those of the recordings that wait for it; commits one by one, idempotent."""
    with leased(ids, State.GATED) as lease:
        for recording in lease.begun():
            _score_one(lease, recording)


def _score_one(lease: Lease, recording: Recording) -> None:
    infant, session = recording.subject, _session(recording)
    encoder, _ = stored_embeddings(recording)
    model = model_for(session, encoder)
    fields: dict[str, Any] = {
        "infant": infant,
        "encoder": encoder,
        "baseline_days_needed": MINIMUM_DAYS,
        "model": model,
        "build": build(),
    }
    if model is None:
        days = baseline_days(infant, session.started_at, encoder)
        fields |= {"outcome": Outcome.LEARNING, "baseline_days": days}
    else:
        fields |= {"outcome": Outcome.SCORED, "baseline_days": model.n_days}
        fields |= _numbers(rescore(model, recording))
    with transaction.atomic():
        RecordingJudgement.objects.update_or_create(
            recording=recording, defaults=_NO_NUMBERS | fields
        )
        lease.advance(recording, State.SCORED)


def rescore(model: PersonalModel, recording: Recording) -> RecordingScore:
    """Return what a version says of a recording, from the recording's rows."""
    cried = as_judged(recording, stored_embeddings(recording)[1], device_number(model, recording))
    return fitted_model(model).score_recording(cried)


_NO_NUMBERS: dict[str, Any] = {
    "scores": {},
    "p_values": {},
    "statistic": None,
    "p_value": None,
    "room_score": None,
    "room_p_value": None,
}


def _numbers(score: RecordingScore) -> dict[str, Any]:
    return {
        "scores": score.scores,
        "p_values": score.p_values,
        "statistic": score.statistic,
        "p_value": score.p_value,
        "room_score": score.room_score,
        "room_p_value": score.room_p_value,
    }


def _session(recording: Recording) -> RecordingSession:
    if recording.session is None:
        message = f"recording {recording.id} reached scoring without a session"
        raise ValueError(message)
    return recording.session


def stored_embeddings(recording: Recording) -> tuple[str, NDArray[np.float32]]:
    """Return the encoder's fingerprint and the embeddings of all units, shape (units, 192)."""
    cries = list(recording.cries.order_by("index"))
    return cries[0].encoder, np.stack([cry.vector for cry in cries])
