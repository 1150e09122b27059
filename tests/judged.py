"""Recordings that stand just before judgement, made of numbers instead of sound."""

import dataclasses
import datetime as dt
import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from unittest import mock

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from anomaly.models import GateDecision
from anomaly.stages.episode import follow_episodes
from anomaly.stages.learn import learn_baselines
from anomaly.stages.score import score_recordings
from anomaly.stages.timeline import write_timeline
from devices.models import Device
from infants.arrays import to_bytes
from infants.models import Cry, Household, Infant, Recording
from infants.sessions import join_session
from infants.states import State
from pipelines.score import Baseline, Learning, PersonalModel
from tests import remembered

ENCODER = "numbers"
START = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)
NEVER = 10**6

Fitted = PersonalModel | Learning
_fits: dict[str, Fitted] = {}
_lives: set[tuple[int, int]] = set()


@contextmanager
def fitted_once() -> Iterator[None]:
    """Fit each baseline once in a test run: a real fit takes seconds, and many tests share it."""
    fit: Callable[[Baseline, str, int], Fitted] = PersonalModel.fit

    @functools.wraps(fit)
    def remembered(baseline: Baseline, encoder_fingerprint: str, **_seed: int) -> Fitted:
        key = hashlib.sha256(b"".join(_contents(dataclasses.astuple(baseline)))).hexdigest()
        if key not in _fits:
            _fits[key] = fit(baseline, encoder_fingerprint, 0)
        return _fits[key]

    with mock.patch.object(PersonalModel, "fit", remembered):
        yield


def _contents(value: object) -> Iterator[bytes]:
    """Yield everything that a tuple of tuples and arrays holds."""
    if isinstance(value, tuple):
        for part in value:
            yield from _contents(part)
    else:
        yield np.asarray(value).tobytes() if value is not None else b"none"


def an_infant_with_monitor(name: str = "Ada", time_zone: str = "UTC") -> tuple[Infant, Device]:
    """Return a new infant of its own household, and a device."""
    household = Household.objects.create(name=f"{name}'s household")
    infant = Infant.objects.create(household=household, name=name, time_zone=time_zone)
    return infant, Device.objects.create(name=f"{name}'s monitor")


def voice(infant: Infant, seed: int, units: int = 3, shift: float = 0.0) -> NDArray[np.float32]:
    """Return unit embeddings, shape (units, 192), of a voice that the infant's name fixes.

    `shift` moves them along one fixed direction, in the size of the spread between sessions.
    """
    own = np.random.default_rng(list(infant.name.encode()))
    centre, direction = own.normal(size=(2, 192))
    here = np.random.default_rng(seed)
    session = centre + 0.35 * here.normal(size=192) + 0.35 * shift * direction
    vectors = session + 0.35 * here.normal(size=(units, 192))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def a_gated_recording(
    infant: Infant,
    device: Device,
    when: dt.datetime,
    vectors: NDArray[np.float32],
    *,
    accepted: bool = True,
) -> Recording:
    """Return a recording in state `gated`, with cries, session and decision."""
    recording = Recording.objects.create(
        device=device,
        infant=infant,
        sha256=hashlib.sha256(f"{device.id}{when}".encode()).hexdigest(),
        byte_size=1,
        received_at=when,
        recorded_at=when,
        duration_s=7.0,
        state=State.GATED,
        state_changed_at=timezone.now(),
    )
    recording.session = join_session(recording)
    recording.save()
    Cry.objects.bulk_create(
        Cry(
            recording=recording,
            index=index,
            onset_s=index,
            offset_s=index + 0.8,
            embedding=to_bytes(vector),
            encoder=ENCODER,
        )
        for index, vector in enumerate(vectors)
    )
    GateDecision.objects.create(
        recording=recording,
        infant=infant,
        is_cry=True,
        cry_probability=0.99,
        accepted=accepted,
        confidence=0.9 if accepted else 0.1,
        threshold=0.5,
        gate_version="numbers",
    )
    return recording


def judge(recordings: Sequence[Recording]) -> None:
    """Take recordings through score, learn, timeline and episode, one after the other."""
    for recording in recordings:
        for stage in (score_recordings, learn_baselines, write_timeline, follow_episodes):
            stage([recording.id])


def a_life(days: int, shift_from: int = NEVER) -> tuple[Infant, Device]:
    """Return an infant who cried twice in one session on each day, judged as it came.

    In an empty database a life is lived once in a run: a longer one goes on where one ended that
    was the same until then.
    """
    key = (days, min(shift_from, days))
    _lives.add(key)
    return remembered.once(("life", *key), lambda: _lived(days, shift_from))


def _lived(days: int, shift_from: int) -> tuple[Infant, Device]:
    """Live a life, from where the longest one ended that began so."""
    before = [d for d, s in _lives if d < days and s == min(shift_from, d)]
    if not before:
        infant, device = an_infant_with_monitor()
        live_through(infant, device, days, shift_from)
        return infant, device
    infant, device = a_life(max(before), shift_from)
    live_through(infant, device, days, shift_from, first=max(before))
    return infant, device


def live_through(
    infant: Infant, device: Device, days: int, shift_from: int = NEVER, first: int = 0
) -> None:
    """Let an infant cry twice in one session on each day, judged as it comes."""
    for day in range(first, days):
        for minute in (0, 5):
            when = START + dt.timedelta(days=day, minutes=minute)
            shift = 6.0 if day >= shift_from else 0.0
            vectors = voice(infant, seed=1000 * day + minute, shift=shift)
            judge([a_gated_recording(infant, device, when, vectors)])
