"""Rows for tests, one plain function each; whatever is not given is made."""

import datetime as dt
import hashlib
import itertools
from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from anomaly.models import (
    DailyRollup,
    Episode,
    GateDecision,
    PersonalModel,
    RecordingJudgement,
    ScorePoint,
)
from devices.models import Device, issue_token
from infants.assignments import assign_device
from infants.models import Cry, Household, Infant, Membership, Recording, RecordingSession, User
from infants.states import State

START = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)
ENCODER = "numbers"
_numbers = itertools.count()


def a_user(**given: Any) -> User:
    """Return a person who may sign in."""
    return User.objects.create_user(**({"username": f"user-{next(_numbers)}"} | given))


def an_infant(**given: Any) -> Infant:
    """Return an infant, in a household of its own unless one is given."""
    if "household" not in given:
        given["household"] = Household.objects.create(name="A household")
    return Infant.objects.create(**({"name": "Ada"} | given))


def a_member(infant: Infant, role: str = Membership.Role.OWNER, **given: Any) -> User:
    """Return a person with a role around an infant."""
    user = given.pop("user", None) or a_user()
    Membership.objects.create(user=user, infant=infant, role=role, **given)
    return user


def a_device(infant: Infant | None = None, **given: Any) -> Device:
    """Return a device, which serves the infant where one is given."""
    device = Device.objects.create(**({"name": "A monitor"} | given))
    if infant is not None:
        assign_device(device, infant)
    return device


def as_device(device: Device) -> APIClient:
    """Return a client that shows a token of this device."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_token(device)}")
    return client


def as_user(user: User) -> APIClient:
    """Return a client that has signed in as this person."""
    client = APIClient()
    client.force_login(user)
    return client


def a_session(infant: Infant, when: dt.datetime = START, **given: Any) -> RecordingSession:
    """Return a bout of crying of five minutes."""
    described = {"started_at": when, "ended_at": when + dt.timedelta(minutes=5)} | given
    return RecordingSession.objects.create(infant=infant, **described)


def a_recording(
    infant: Infant | None, when: dt.datetime = START, device: Device | None = None, **given: Any
) -> Recording:
    """Return a recording that has gone the whole way, without cries."""
    number = next(_numbers)
    described = {
        "sha256": hashlib.sha256(str(number).encode()).hexdigest(),
        "byte_size": 1,
        "received_at": when,
        "recorded_at": when,
        "duration_s": 7.0,
        "state": State.DONE,
        "state_changed_at": timezone.now(),
    } | given
    return Recording.objects.create(device=device or a_device(infant), infant=infant, **described)


def some_cries(recording: Recording, n_cries: int = 2) -> list[Cry]:
    """Return cries of half a second each."""
    return [
        Cry.objects.create(
            recording=recording,
            index=index,
            onset_s=float(index),
            offset_s=index + 0.5,
            measures={"duration_s": 0.5},
        )
        for index in range(n_cries)
    ]


def a_decision(recording: Recording, **given: Any) -> GateDecision:
    """Return the gate's decision on a recording: accepted unless said otherwise."""
    described = {
        "is_cry": True,
        "cry_probability": 0.99,
        "accepted": True,
        "confidence": 0.9,
        "threshold": 0.5,
        "parts": [{"name": "arousal", "confidence": 0.9, "reason": "as usual"}],
        "gate_version": "gate-1",
    } | given
    return GateDecision.objects.create(recording=recording, infant=recording.infant, **described)


def a_model(infant: Infant, number: int = 1, **given: Any) -> PersonalModel:
    """Return a personal model without an artefact."""
    when = START + dt.timedelta(days=number)
    described = {
        "encoder": ENCODER,
        "learnt_on": when.date(),
        "learnt_until": when,
        "in_force_after": when + dt.timedelta(hours=1),
        "artefact": "none",
        "sha256": "0" * 64,
        "n_units": 90,
        "n_recordings": 18,
        "n_sessions": 9,
        "n_days": 9,
    } | given
    return PersonalModel.objects.create(infant=infant, number=number, **described)


def a_judgement(
    recording: Recording, model: PersonalModel | None = None, **given: Any
) -> RecordingJudgement:
    """Return a scored judgement where a model is given, otherwise one that is still learning."""
    numbers: dict[str, Any] = {"outcome": "learning"}
    if model is not None:
        numbers = {
            "outcome": "scored",
            "model": model,
            "statistic": 0.7,
            "p_value": 0.5,
            "scores": {"gmm": 2.0},
            "p_values": {"gmm": 0.5},
        }
    return RecordingJudgement.objects.create(
        recording=recording,
        infant=recording.infant,
        baseline_days=4,
        baseline_days_needed=9,
        encoder=ENCODER,
        **(numbers | given),
    )


def a_point(
    recording: Recording, model: PersonalModel | None = None, p_value: float = 0.5, **given: Any
) -> ScorePoint:
    """Return a scored point where a model is given, otherwise one that is still learning."""
    numbers: dict[str, Any] = {"outcome": "learning"}
    if model is not None:
        numbers = {"outcome": "scored", "model": model, "score": 0.7, "p_value": p_value}
    described = {
        "scorer": ScorePoint.Scorer.COMBINED,
        "baseline_days": 4,
        "baseline_days_needed": 9,
        "encoder": ENCODER,
        "gate_version": "gate-1",
        "gate_accepted": True,
    } | given
    return ScorePoint.objects.create(
        infant=recording.infant,
        time=recording.recorded_at,
        recording=recording,
        **numbers,
        **described,
    )


def a_rollup(infant: Infant, day: dt.date, *p_values: float, **given: Any) -> DailyRollup:
    """Return a day in which these p-values were given."""
    described = {
        "n_recordings": max(1, len(p_values)),
        "n_cries": 5,
        "cry_s": 4.0,
        "n_accepted": len(p_values),
        "n_scored": len(p_values),
        "p_value_min": min(p_values, default=None),
        "p_value_median": sorted(p_values)[len(p_values) // 2] if p_values else None,
    } | given
    return DailyRollup.objects.create(infant=infant, day=day, **described)


def an_episode(infant: Infant, when: dt.datetime = START, **given: Any) -> Episode:
    """Return an open episode."""
    described = {"kind": Episode.Kind.SINGLE_EXTREME, "opened_at": when, "last_at": when} | given
    return Episode.objects.create(infant=infant, **described)
