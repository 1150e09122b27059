"""Probes: simulated cries whose traits are known, and what a network's embeddings tell of them.

In: a network. Out: how much of a voice's pitch, tract, jitter and breathiness can be read off its
embeddings. Guaranteed: seeded; the voices are others than those that are trained on, and a readout
is judged on voices that it did not learn from. Simulated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from pipelines.encoders.loaded import EMBEDDING_DIM, FRAME_STEP
from pipelines.frontend import Frames, FrontEnd, frame_span, log_mel
from pipelines.segment import Unit, find_units
from pipelines.sound import Sound
from pipelines.training.simulated import TARGETS, f0_target, simulated_takes

PROBE_INFANTS = 150
PROBE_SEED = 31_000  # other voices than those that are trained on
RESAMPLES = 200
BATCH = 32
RIDGES = tuple(np.logspace(-3, 3, 13))

Vectors = NDArray[np.float32]
Levels = NDArray[np.float16]
Curve = NDArray[np.float64]
"""A figure and its resamples: the value first, then one for each draw."""


@dataclass(frozen=True)
class Probe:
    """A simulated cry whose traits are known."""

    infant: str
    units: tuple[Levels, ...]
    targets: tuple[float, ...]


def unit_levels(
    sound: Sound, units: Sequence[Unit], front_end: FrontEnd | None = None
) -> tuple[Levels, ...]:
    """Log-mel frames of each unit, before any mean is subtracted."""
    level_db = log_mel(sound, front_end)
    spans = [frame_span(unit, len(level_db), FRAME_STEP) for unit in units]
    return tuple(level_db[start:stop].astype(np.float16) for start, stop in spans)


def read_probes(front_end: FrontEnd | None = None) -> list[Probe]:
    """Simulate voices that no training hears."""
    result = []
    for take in simulated_takes(PROBE_INFANTS, PROBE_SEED, takes=2):
        units = find_units(take.sound)
        voiced = take.f0_hz[np.isfinite(take.f0_hz)]
        if units and len(voiced):
            f0 = f0_target(float(np.median(voiced)))
            traits = (take.traits.tract_length, take.traits.jitter, take.traits.breathiness)
            result.append(
                Probe(take.infant, unit_levels(take.sound, units, front_end), (f0, *traits))
            )
    return result


def raw_vectors(
    network: torch.nn.Module, recordings: Sequence[Sequence[Levels]], mean_db: Frames
) -> list[Vectors]:
    """Give the network's output for every unit, before it is centred or scaled."""
    places = [(r, u) for r, units in enumerate(recordings) for u in range(len(units))]
    result = [np.empty((len(units), EMBEDDING_DIM), dtype=np.float32) for units in recordings]
    by_length = sorted(places, key=lambda place: len(recordings[place[0]][place[1]]))
    lengths = groupby(by_length, key=lambda place: len(recordings[place[0]][place[1]]))
    for _, group in lengths:
        alike = list(group)
        for start in range(0, len(alike), BATCH):
            chosen = alike[start : start + BATCH]
            frames = np.stack([_centred(recordings[r][u], mean_db) for r, u in chosen])
            with torch.inference_mode():
                vectors = network(torch.from_numpy(frames))[:, 0].numpy()
            for (r, u), vector in zip(chosen, vectors, strict=True):
                result[r][u] = vector
    return result


def _centred(unit: Levels, mean_db: Frames) -> Frames:
    level_db = unit.astype(np.float32)
    centred: Frames = level_db - level_db.mean(dtype=np.float64).astype(np.float32) - mean_db
    return centred


def recording_vectors(raw: Sequence[Vectors], centre: Vectors) -> Vectors:
    """Give one vector of unit length per recording: the mean of its units' ones."""
    rows = []
    for units in raw:
        moved = units - centre
        moved = moved / np.linalg.norm(moved, axis=1, keepdims=True).clip(min=1e-12)
        mean = moved.mean(axis=0)
        rows.append(mean / max(float(np.linalg.norm(mean)), 1e-12))
    return np.asarray(rows, dtype=np.float32)


def read_off(vectors: Vectors, probes: Sequence[Probe]) -> dict[str, Curve]:
    """Tell how much of each trait of simulated voices can be read off their embeddings.

    Parameters
    ----------
    vectors
        One embedding per probe, shape ``(n, dim)``.
    probes
        What is known of them.

    Returns
    -------
    dict
        For every target the share of its variance that ridge regression explains on voices that it
        did not learn from.
    """
    targets = np.array([probe.targets for probe in probes])
    voices = np.unique([probe.infant for probe in probes], return_inverse=True)[1]
    return {
        name: _explained(vectors, targets[:, index], voices) for index, name in enumerate(TARGETS)
    }


def _explained(vectors: Vectors, target: NDArray[np.float64], voices: NDArray[np.intp]) -> Curve:
    learnt = voices % 2 == 0
    read = RidgeCV(RIDGES).fit(vectors[learnt], target[learnt])
    left = np.square(target[~learnt] - read.predict(vectors[~learnt]))
    spread = np.square(target[~learnt] - target[learnt].mean())
    rng = np.random.default_rng(0)
    draws = [np.arange(len(left)), *(rng.integers(0, len(left), (RESAMPLES, len(left))))]
    return np.array([1.0 - left[draw].mean() / spread[draw].mean() for draw in draws])


def figure_of(curve: Curve) -> dict[str, float]:
    """Give a curve's value and the interval of its resamples."""
    lo, hi = np.nanpercentile(curve[1:], (2.5, 97.5))
    return {"value": float(curve[0]), "lo": float(lo), "hi": float(hi)}
