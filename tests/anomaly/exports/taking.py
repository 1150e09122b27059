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
    recordings = [
        Recording(
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
        for number in range(n)
    ]
    Recording.objects.bulk_create(recordings, batch_size=1000)
    Cry.objects.bulk_create(
        [Cry(recording=one, index=0, onset_s=0.0, offset_s=0.5) for one in recordings],
        batch_size=1000,
    )
    GateDecision.objects.bulk_create(
        [
            GateDecision(
                recording=one,
                infant=infant,
                is_cry=True,
                cry_probability=0.9,
                accepted=True,
                confidence=0.9,
                threshold=0.5,
                gate_version="gate-1",
            )
            for one in recordings
        ],
        batch_size=1000,
    )
    RecordingJudgement.objects.bulk_create(
        [
            RecordingJudgement(
                recording=one,
                infant=infant,
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
            for one in recordings
        ],
        batch_size=1000,
    )
