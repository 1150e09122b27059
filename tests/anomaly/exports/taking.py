"""What is there to be taken away: a recording of each fate, and many of one."""

import datetime as dt
import hashlib

from anomaly.models import GateDecision, PersonalModel, RecordingJudgement
from anomaly.selectors.exported import Taken
from devices.models import Device
from infants.access import Viewer
from infants.models import Cry, Infant, Recording
from infants.selectors import exported_infants
from infants.states import Reason, State
from tests.builders import (
    ENCODER,
    START,
    a_decision,
    a_device,
    a_judgement,
    a_model,
    a_recording,
    a_session,
    an_infant,
    some_cries,
)

HOUR = dt.timedelta(hours=1)
CHANNELS = {
    "f0_log2_hz": {"value": 8.75, "confidence": 0.5},
    "jitter_frac": {"missing": "too_little_voice"},
}
BATCH = 1_000
BORN = dt.date(2026, 1, 1)
FATES = ("scored", "learning", "not_a_cry", "undecodable", "on_its_way", "not_my_baby")


def an_infant_with_everything(**given: object) -> tuple[Infant, dict[str, Recording]]:
    """Return an infant and one recording of each fate, an hour apart."""
    described = {"name": "Ada Lovelace", "birth_date": BORN, "time_zone": "Europe/Zurich"} | given
    infant = an_infant(**described)
    device = a_device(infant, name="Ada's monitor", hardware="=cmd()")
    model = a_model(infant, number=4)
    session = a_session(infant)
    ended = {
        "not_a_cry": {"state": State.REJECTED, "reason": Reason.NOT_A_CRY},
        "undecodable": {
            "state": State.REJECTED,
            "reason": Reason.UNDECODABLE,
            "duration_s": None,
        },
        "on_its_way": {"state": State.RECEIVED, "duration_s": None},
        "scored": {"session": session, "channels": CHANNELS},
    }
    made = {
        fate: a_recording(infant, START + number * HOUR, device, **ended.get(fate, {}))
        for number, fate in enumerate(FATES)
    }
    for fate in ("scored", "learning", "not_my_baby"):
        some_cries(made[fate])
        answered = {"answer": fate, "review": False} if fate == "not_my_baby" else {}
        a_decision(made[fate], **answered)
        a_judgement(made[fate], None if fate == "learning" else model)
    a_decision(made["not_a_cry"], is_cry=False, accepted=False)
    return infant, made


def taken(viewer: Viewer | None = None) -> Taken:
    """Return all that a viewer, or the system, may take away."""
    viewer = viewer or Viewer.system()
    return Taken.of(viewer, exported_infants(viewer))


def many_recordings(infant: Infant, device: Device, model: PersonalModel, n: int) -> None:
    """Let an infant have this many judged recordings with a cry each, ten minutes apart."""
    for first in range(0, n, BATCH):
        numbers = range(first, min(first + BATCH, n))
        recordings = [_one_of_many(infant, device, number) for number in numbers]
        Recording.objects.bulk_create(recordings)
        Cry.objects.bulk_create(
            Cry(recording=one, index=0, onset_s=0.0, offset_s=0.5) for one in recordings
        )
        GateDecision.objects.bulk_create(_decided(one) for one in recordings)
        RecordingJudgement.objects.bulk_create(_judged(one, model) for one in recordings)


def _one_of_many(infant: Infant, device: Device, number: int) -> Recording:
    return Recording(
        device=device,
        infant=infant,
        sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        byte_size=1,
        received_at=START,
        recorded_at=START + number * dt.timedelta(minutes=10),
        duration_s=7.0,
        state=State.DONE,
        state_changed_at=START,
        channels=CHANNELS,
    )


def _decided(recording: Recording) -> GateDecision:
    return GateDecision(
        recording=recording,
        infant=recording.infant,
        is_cry=True,
        cry_probability=0.9,
        accepted=True,
        confidence=0.9,
        threshold=0.5,
        gate_version="gate-1",
    )


def _judged(recording: Recording, model: PersonalModel) -> RecordingJudgement:
    return RecordingJudgement(
        recording=recording,
        infant=recording.infant,
        outcome="scored",
        model=model,
        statistic=0.5,
        p_value=0.25,
        scores={"gmm": 2.0},
        p_values={"gmm": 0.25},
        baseline_days=9,
        baseline_days_needed=9,
        encoder=ENCODER,
    )
