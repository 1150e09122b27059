"""Lived: simulated infants over days, as the first stages hear them, kept so as to be heard once.

In: simulated infants and a number of days. Out: for each infant what its recordings gave in every
view, with the truth about each. Guaranteed: every recording is rendered and goes through the
product's own segmentation, channels and encoder; an infant that was heard before, by the same
encoder and from the same plan, is read from its file; a run that was broken off goes on.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pipelines.acoustics import CHANNELS, channels_of, hear_unit
from pipelines.acoustics.channels import scaled
from pipelines.artefacts import read_artefact, write_artefact
from pipelines.baseline import Baseline, Cried
from pipelines.cohort import PlannedRecording, SimulatedInfant, plan_recordings, render
from pipelines.embed import Encoder, load_encoder
from pipelines.errors import ArtefactError
from pipelines.familiar import Views, direction
from pipelines.recordings import Step
from pipelines.room import background_views
from pipelines.score import PersonalModel
from pipelines.segment import segment

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
KIND = "lived"
FORMAT_VERSION = 1
COMBINED = "combined"
ROOM_NAME = "room"

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Lived:
    """What the recordings of one infant gave, in the order of time.

    Attributes
    ----------
    embeddings, unit_recording
        Of every cry unit, ``(u, 192)``, and its recording, ``(u,)``.
    channels
        Acoustic channels on their own scales, NaN where there is none; ``(r, 17)``.
    room
        Statistics of the background, ``(r, 160)``.
    time_s, day, session, age_days
        When, POSIX seconds; day and session as numbers from 0; age; each ``(r,)``.
    deviated
        Whether something planted acts; ``(r,)``.
    """

    embeddings: NDArray[np.float32]
    unit_recording: NDArray[np.int64]
    channels: FloatArray
    room: NDArray[np.float32]
    time_s: FloatArray
    day: NDArray[np.int64]
    session: NDArray[np.int64]
    age_days: FloatArray
    deviated: NDArray[np.bool_]


def baseline_of(lived: Lived, chosen: NDArray[np.bool_]) -> Baseline:
    """Return some recordings of an infant as a baseline."""
    unit = chosen[lived.unit_recording]
    number = lived.unit_recording[unit]
    return Baseline(
        embeddings=lived.embeddings[unit],
        recording=number,
        session=lived.session[number],
        day=lived.day[number],
        views=views_of_lived(lived).of(chosen),
    )


def views_of_lived(lived: Lived) -> Views:
    """Return an infant's recordings in three views."""
    own = [lived.embeddings[lived.unit_recording == one] for one in range(len(lived.day))]
    return Views(
        np.array([direction(units) for units in own]),
        lived.channels,
        lived.room.astype(np.float64),
        lived.age_days,
    )


def cried(lived: Lived, number: int) -> Cried:
    """Return one recording as it is judged."""
    return Cried(
        lived.embeddings[lived.unit_recording == number],
        lived.channels[number],
        lived.room[number],
        float(lived.age_days[number]),
    )


def sessions_between(lived: Lived, first: int, last: int) -> Iterator[NDArray[np.intp]]:
    """Yield the recordings of each session that begins on one of these days."""
    for session in np.unique(lived.session):
        own = np.flatnonzero(lived.session == session)
        if first <= lived.day[own[0]] < last:
            yield own


def session_p_values(
    model: PersonalModel, lived: Lived, chosen: NDArray[np.intp]
) -> dict[str, float]:
    """Judge a session of some recordings; p-values by scorer, combined, and of a known room."""
    judged = model.score_session([model.score_recording(cried(lived, int(n))) for n in chosen])
    room = {} if judged.room_p_value is None else {ROOM_NAME: judged.room_p_value}
    return judged.p_values | {COMBINED: judged.p_value} | room


def hear_infants(
    infants: Sequence[SimulatedInfant],
    days: int,
    seed: int,
    folder: Path,
    workers: int = 1,
    step: Step | None = None,
) -> list[Lived]:
    """Hear infants over days, each from its file where it was heard before.

    Parameters
    ----------
    infants
        Whom.
    days
        How many days.
    seed
        Draws everything left to chance.
    folder
        Where files are kept; made where it is missing.
    workers
        How many processes hear.
    step
        Called with 1 after each infant.

    Returns
    -------
    list of Lived
        In the order of ``infants``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fingerprint = load_encoder("bundled", threads=1).fingerprint
    tasks = [(one, days, seed, _file(folder, one, days, seed, fingerprint)) for one in infants]
    found = []
    for lived in _heard(tasks, workers):
        found.append(lived)
        if step is not None:
            step(1)
    return found


Task = tuple[SimulatedInfant, int, int, Path]


def _heard(tasks: Sequence[Task], workers: int) -> Iterator[Lived]:
    if workers <= 1:
        yield from map(_one, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_one, tasks)


def _file(folder: Path, infant: SimulatedInfant, days: int, seed: int, fingerprint: str) -> Path:
    key = f"{FORMAT_VERSION} {infant!r} {days} {seed} {fingerprint}"
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    return folder / f"{infant.key}-{digest}.safetensors"


def _one(task: Task) -> Lived:
    infant, days, seed, file = task
    try:
        return Lived(**read_artefact(file, KIND, FORMAT_VERSION).arrays)
    except ArtefactError:
        pass  # not heard yet, or broken off: heard now
    with threadpool_limits(1):
        encoder = load_encoder("bundled", threads=1)
        lived = _live(plan_recordings([infant], START, days, seed), encoder)
    facts = {"kind": KIND, "format_version": FORMAT_VERSION, "encoder_fingerprint": ""}
    write_artefact(file, vars(lived), facts)
    return lived


@dataclass(frozen=True)
class _Take:
    """One recording that held a cry."""

    planned: PlannedRecording
    embeddings: NDArray[np.float32]
    channels: list[float]
    room: NDArray[np.float32]


def _live(plan: Sequence[PlannedRecording], encoder: Encoder) -> Lived:
    takes = [take for planned in plan if (take := _take(planned, encoder)) is not None]
    number = [len(take.embeddings) for take in takes]

    def of_plan(name: str) -> NDArray[Any]:
        return np.array([getattr(take.planned, name) for take in takes])

    return Lived(
        embeddings=np.concatenate([take.embeddings for take in takes]),
        unit_recording=np.repeat(np.arange(len(takes)), number),
        channels=np.array([take.channels for take in takes]),
        room=np.array([take.room for take in takes]),
        time_s=np.array([take.planned.recorded_at.timestamp() for take in takes]),
        day=np.floor(of_plan("day")).astype(np.int64),
        session=of_plan("session"),
        age_days=of_plan("age_days").astype(np.float64),
        deviated=np.array([bool(take.planned.active) for take in takes]),
    )


def _take(planned: PlannedRecording, encoder: Encoder) -> _Take | None:
    found = segment(render(planned)[0])
    if found.unusable is not None:
        return None
    sound = found.sound
    heard = [hear_unit(sound, unit, found.quality.background_dbfs) for unit in found.units]
    values = scaled(channels_of(heard))
    return _Take(
        planned,
        encoder.embed([(sound, found.units)])[0],
        [values.get(channel.name, float("nan")) for channel in CHANNELS],
        background_views(sound),
    )
