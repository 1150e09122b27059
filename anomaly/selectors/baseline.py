"""Baselines and personal models as the stages read them."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from anomaly.models import BaselineEntry, GateDecision, PersonalModel
from infants.arrays import from_bytes
from infants.models import Cry, Infant, Recording, RecordingSession
from pipelines.acoustics import from_json
from pipelines.baseline import Baseline, Cried, views_of
from pipelines.familiar import channel_values
from pipelines.pooled import UNKNOWN_DEVICE

USUAL_RECORDINGS = 200
"""How many accepted recordings back an infant's usual arousal is read from."""


def baseline_before(infant: Infant, moment: dt.datetime, encoder: str) -> QuerySet[BaselineEntry]:
    """Return the admitted recordings of sessions that had ended at this moment, oldest first."""
    return BaselineEntry.objects.filter(
        infant=infant,
        withdrawn_at=None,
        recording__session__ended_at__lt=moment,
        recording__cries__encoder=encoder,
    ).distinct()


def baseline_days(infant: Infant, moment: dt.datetime, encoder: str) -> int:
    """Return on how many of the infant's days the baseline before this moment was heard."""
    times = baseline_before(infant, moment, encoder).values_list("recorded_at", flat=True)
    return len({infant.local_day(time) for time in times})


def baseline_arrays(infant: Infant, recordings: Sequence[Recording]) -> Baseline:
    """Return the cries of these recordings as the arrays that a personal model is fitted on."""
    index_of = {recording.id: index for index, recording in enumerate(recordings)}
    session_of = {s: i for i, s in enumerate(dict.fromkeys(r.session_id for r in recordings))}
    cries = Cry.objects.filter(recording__in=index_of).order_by("recording__recorded_at", "index")
    rows = [(index_of[cry.recording_id], cry.vector) for cry in cries]
    recording = np.array([row for row, _ in rows], dtype=np.int64)
    session = np.array([session_of[r.session_id] for r in recordings], dtype=np.int64)
    day = np.array([infant.local_day(r.recorded_at).toordinal() for r in recordings])
    devices = devices_of(recordings)
    units = [np.stack([v for row, v in rows if row == at]) for at in range(len(recordings))]
    return Baseline(
        embeddings=np.stack([vector for _, vector in rows]),
        recording=recording,
        session=session[recording],
        day=day[recording],
        views=views_of([as_judged(r, u) for r, u in zip(recordings, units, strict=True)]),
        device=np.array([devices.index(str(r.device_id)) for r in recordings], dtype=np.int64),
    )


def devices_of(recordings: Sequence[Recording]) -> list[str]:
    """Return the devices of some recordings, in the order in which a version numbers them."""
    return list(dict.fromkeys(str(recording.device_id) for recording in recordings))


def device_number(model: PersonalModel, recording: Recording) -> int:
    """Return the number that a version gives a recording's device; one more than all: another."""
    devices: list[str] = model.facts.get("devices", [])
    name = str(recording.device_id)
    return devices.index(name) if name in devices else len(devices)


def as_judged(
    recording: Recording, embeddings: NDArray[np.float32], device: int = UNKNOWN_DEVICE
) -> Cried:
    """Return a recording as the score stage takes it: its rows, and its units' embeddings.

    The age is the one that the gate decided by: a date of birth that is put right later changes no
    judgement that was made.
    """
    age_days = recording.gate_decision.given.get("age_days")
    return Cried(
        embeddings,
        channel_values(from_json(recording.channels)),
        None if recording.room is None else from_bytes(recording.room),
        float("nan") if age_days is None else age_days,
        device,
    )


def model_for(session: RecordingSession, encoder: str) -> PersonalModel | None:
    """Return the version that judges a session: the newest learnt before it began."""
    return (
        PersonalModel.objects.filter(
            infant=session.infant_id,
            encoder=encoder,
            withdrawn_at=None,
            in_force_after__lt=session.started_at,
        )
        .order_by("-in_force_after", "-number")
        .first()
    )


def newest_model(infant_id: UUID, encoder: str) -> PersonalModel | None:
    """Return the newest version that is in force."""
    models = PersonalModel.objects.filter(infant=infant_id, encoder=encoder, withdrawn_at=None)
    return models.order_by("-number").first()


def usual_arousal(recording: Recording) -> list[float]:
    """Return the arousal of the infant's accepted recordings before this one, newest first."""
    decisions = GateDecision.objects.filter(
        infant=recording.subject,
        accepted=True,
        answer__in=GateDecision.COUNTED,
        arousal__isnull=False,
        recording__recorded_at__lt=recording.recorded_at,
    ).order_by("-recording__recorded_at")
    newest = decisions.values_list("arousal", flat=True)[:USUAL_RECORDINGS]
    return [arousal for arousal in newest if arousal is not None]
