"""Finder: how much each 10 ms of a recording sounds like crying.

Serves the stage segment. In: a sound at 16 kHz, at any scale, and `weights/finder.safetensors`,
written by ``python -m pipelines train-finder``. Out: a chance between 0 and 1 for every frame.
Guaranteed: numpy alone, no torch, no randomness; the same samples give the same chances, whatever
their scale; some milliseconds for seven seconds of sound.

What it looks at are 24 bands of 150 to 3900 Hz, which every telephone transmits, relative to the
loud part of the recording and to its background. What it computes is a small convolutional network
with residual layers, each of which looks twice as far around a frame as the one before it (Bai,
Kolter and Koltun, "An empirical evaluation of generic convolutional and recurrent networks for
sequence modeling", 2018).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from pipelines.artefacts import read_artefact, write_artefact
from pipelines.sound import RATE_HZ, Sound

KIND = "finder"
FORMAT_VERSION = 1
BUNDLED = Path(__file__).parent / "weights" / "finder.safetensors"

HOP = 160
WINDOW = 512
BANDS = 24
BANDS_HZ = (150.0, 3_900.0)
FEATURES = 2 * BANDS + 3
TAPS = 5
"""Frames that a layer looks at, itself in their middle."""
DILATIONS = (1, 2, 4, 8, 16)
"""How far apart the frames are that each layer looks at."""
REACH_DB = 60.0
"""What lies further under the loud part of a recording counts as nothing."""
BLOCK = 2_000  # frames at a time, so that a long recording needs little memory

Frames = NDArray[np.float32]


@dataclass(frozen=True)
class Finder:
    """The network's numbers.

    Attributes
    ----------
    entry_weights, entry_bias
        Shapes ``(FEATURES, h)`` and ``(h,)``.
    weights, biases
        Shapes ``(layers, TAPS * h, h)`` and ``(layers, h)``, one layer for each of ``DILATIONS``.
    exit_weights
        Shape ``(h,)``.
    exit_bias
        Shape ``(1,)``.
    """

    entry_weights: Frames
    entry_bias: Frames
    weights: Frames
    biases: Frames
    exit_weights: Frames
    exit_bias: Frames

    def chances(self, features: Frames) -> Frames:
        """Chance that each frame is crying, shape ``(n,)``, from features ``(n, FEATURES)``."""
        inside = np.maximum(features @ self.entry_weights + self.entry_bias, 0.0)
        for dilation, weights, bias in zip(DILATIONS, self.weights, self.biases, strict=True):
            around = _surroundings(inside, dilation)
            inside = inside + np.maximum(around @ weights + bias, 0.0)
        logits = inside @ self.exit_weights + self.exit_bias
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -30.0, 30.0))), dtype=np.float32)


def _surroundings(inside: Frames, dilation: int) -> Frames:
    """Put each frame's neighbours at a distance beside it: ``(n, TAPS * h)``, zeros outside."""
    reach = dilation * (TAPS // 2)
    padded = np.pad(inside, ((reach, reach), (0, 0)))
    shifts = range(0, TAPS * dilation, dilation)
    return np.concatenate([padded[shift : shift + len(inside)] for shift in shifts], axis=1)


def crying(sound: Sound, finder: Finder | None = None) -> Frames:
    """Compute how much each frame sounds like crying.

    Parameters
    ----------
    sound
        At 16 kHz, at any scale.
    finder
        Learnt numbers; None takes the bundled ones.

    Returns
    -------
    ndarray
        Shape ``(100 * duration_s,)``, between 0 and 1; empty where there is not one frame.
    """
    powers = band_powers(sound)
    if not len(powers):
        return np.empty(0, dtype=np.float32)
    return (finder or bundled_finder()).chances(frame_features(powers))


def band_powers(sound: Sound) -> Frames:
    """Power in each band every 10 ms, shape ``(n, BANDS)``; windows of 32 ms around each frame.

    Parameters
    ----------
    sound
        At 16 kHz; whatever its scale, it is measured against its largest sample.

    Raises
    ------
    ValueError
        The sound is at another rate.
    """
    if sound.rate_hz != RATE_HZ:
        message = f"the finder takes sound at {RATE_HZ} Hz, not at {sound.rate_hz} Hz"
        raise ValueError(message)
    parts = [_powers(windows) for windows in windows_of(sound)]
    return np.concatenate([np.empty((0, BANDS), dtype=np.float32), *parts])


def windows_of(sound: Sound) -> Iterator[Frames]:
    """Give the windows around the frames of 10 ms, scaled, at most `BLOCK` at a time."""
    count = len(sound.samples) // HOP
    peak = float(np.max(np.abs(sound.samples), initial=0.0))
    scale = np.float32(1.0 / peak if peak > 0.0 else 0.0)
    padded = np.pad(sound.samples * scale, ((WINDOW - HOP) // 2, WINDOW))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:count]
    for start in range(0, count, BLOCK):
        yield windows[start : start + BLOCK]


def _powers(windows: Frames) -> Frames:
    spectrum = scipy.fft.rfft(windows * _taper(), axis=1)[:, : len(_filters())]
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.asarray(power @ _filters(), dtype=np.float32)


@cache
def _taper() -> Frames:
    return np.hanning(WINDOW).astype(np.float32)


@cache
def _filters() -> Frames:
    """Triangles that are evenly wide on the mel scale, shape ``(bins, BANDS)``."""
    low, high = (2595.0 * np.log10(1.0 + hz / 700.0) for hz in BANDS_HZ)
    edges_hz = 700.0 * (10.0 ** (np.linspace(low, high, BANDS + 2) / 2595.0) - 1.0)
    bins_hz = np.arange(int(BANDS_HZ[1] * WINDOW / RATE_HZ) + 1) * RATE_HZ / WINDOW
    rising = (bins_hz[:, None] - edges_hz[:-2]) / np.diff(edges_hz)[:-1]
    falling = (edges_hz[2:] - bins_hz[:, None]) / np.diff(edges_hz)[1:]
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


def frame_features(powers: Frames) -> Frames:
    """Bring band powers to what the network looks at.

    Parameters
    ----------
    powers
        Shape ``(n, BANDS)``, n at least 1, at any scale.

    Returns
    -------
    ndarray
        Shape ``(n, FEATURES)``, all about 1 in size: every band relative to the loud part of the
        recording, then to its own background, then the whole level relative to both, and how far
        the two are apart.
    """
    whole = powers.sum(axis=1)
    loud = float(np.percentile(whole, 95.0))
    floor = max(loud * 10.0 ** (-REACH_DB / 10.0), 1e-20)
    loud_db = 10.0 * np.log10(max(loud, floor))
    bands_db = 10.0 * np.log10(np.maximum(powers, floor / BANDS))
    whole_db = 10.0 * np.log10(np.maximum(whole, floor))
    quiet_db = np.percentile(bands_db, 10.0, axis=0)
    background_db = float(np.percentile(whole_db, 10.0))
    parts = [
        np.clip(bands_db - loud_db, -50.0, 10.0) / 12.5 + 2.0,
        np.clip(bands_db - quiet_db, -5.0, 40.0) / 12.5 - 1.0,
        (whole_db[:, None] - loud_db) / 10.0 + 1.0,
        (whole_db[:, None] - background_db) / 12.5 - 1.0,
        np.full((len(powers), 1), (loud_db - background_db) / 15.0 - 2.0),
    ]
    return np.concatenate(parts, axis=1, dtype=np.float32, casting="unsafe")


def write_finder(path: Path, finder: Finder, facts: Mapping[str, Any]) -> str:
    """Write a finder as one artefact and return its SHA-256; ``facts`` go along as metadata."""
    standing = {"kind": KIND, "format_version": FORMAT_VERSION, "encoder_fingerprint": ""}
    return write_artefact(path, dict(vars(finder)), {**facts, **standing})


def read_finder(path: Path) -> Finder:
    """Read a finder back.

    Raises
    ------
    CorruptArtefactError, IncompatibleArtefactError
        The file is damaged, or of another kind or format.
    """
    return Finder(**read_artefact(path, KIND, FORMAT_VERSION).arrays)


@cache
def bundled_finder() -> Finder:
    """Return the finder that the project ships, read once a process."""
    return read_finder(BUNDLED)


def bundled_facts() -> dict[str, Any]:
    """Return what the bundled finder's training noted: its seed, and how good it was."""
    return read_artefact(BUNDLED, KIND, FORMAT_VERSION).metadata
