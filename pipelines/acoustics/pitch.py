"""Pitch: the fundamental frequency of a cry over time.

In: samples. Out: an `F0Track`, a frame every 10 ms. Guaranteed: a frame without a pitch is NaN and
never a neutral number; nothing depends on the scale of the samples; frequencies lie between 150 and
2000 Hz, or a rounding beside.

Two that err in different ways are heard together. The autocorrelation of a flattened spectrum is
precise and hardly ever wrong in a quiet room, but in noise it falls an octave, and above 1000 Hz
its flattening fails. A small network for pitch of all kinds holds in noise and at any height, but
misses more and steps more coarsely. Each peak of the autocorrelation that the network names too is
worth more; the best path through all of them decides. `python -m pipelines pitch` measures what
that is worth against either alone, and against pyin and WORLD's trackers.

Sources: Boersma, "Accurate short-term analysis of the fundamental frequency and the
harmonics-to-noise ratio of a sampled sound", Proc. Institute of Phonetic Sciences 17 (1993), for
the window-corrected autocorrelation and the path through candidates; Tolonen and Karjalainen, "A
computationally efficient multipitch analysis model", IEEE Trans. Speech Audio Process. 8 (2000),
for the autocorrelation of a flattened spectrum; Nieradzik, "SwiftF0: Fast and accurate monophonic
pitch detection", arXiv 2508.18440 (2025), for the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import scipy
from numpy.typing import NDArray

from pipelines.sound import RATE_HZ, Sound, resample

if TYPE_CHECKING:
    from swift_f0 import SwiftF0

Samples = NDArray[np.float32]
Values = NDArray[np.float64]

LOWEST_F0_HZ = 150.0
HIGHEST_F0_HZ = 2_000.0
STEP_S = 0.01
WINDOW_S = 0.04
BAND_HZ = (150.0, 3_000.0)
FLATTENED_OVER_HZ = 800.0  # wider than the harmonics are apart, narrower than the resonances
LEAKAGE_FRAC = 1e-5  # of a frame's power: less within the band is leakage from outside it
CANDIDATES = 5
VOICED_STRENGTH = 0.58  # of a candidate, with what the network adds
OCTAVE_COST = 0.055  # for each octave under the highest F0: of equal peaks the shortest period wins
JUMP_COST = 1.0  # for each octave between successive frames
VOICING_COST = 0.5  # for each change between voiced and unvoiced
NETWORK_WORTH = 0.6  # how much worth a candidate gains that the network is sure of too
NETWORK_WIDTH = 0.06  # octaves: so near is a candidate that the network names too
NETWORK_REACH = 0.08  # octaves: where no candidate is so near, the network's own becomes one
HALF_STRENGTH = 0.4  # as strong as this at half the period, a low wave is one of doubled cycles
LOW_F0_HZ = 300.0
LEAST_NETWORK_SAMPLES = 2_048  # a window of the network; shorter sounds get silence behind them


@dataclass(frozen=True)
class F0Track:
    """Fundamental frequency over time.

    Parameters
    ----------
    times_s
        Middle of each frame, shape ``(n,)``, every 10 ms.
    f0_hz
        Its fundamental frequency, NaN where it is unvoiced.
    strength
        Autocorrelation at that period, 0 to 1; of an unvoiced frame at the best there is.
    confidence
        How sure that pitch is, 0 to 1: the mean of its height among the peaks of the flattened
        autocorrelation and of the network's confidence where it names the same; 0 where unvoiced.
    doubling
        By how much the wave is more like itself two cycles on than one, -1 to 1: where half the
        period of a low pitch fits nearly as well, the cycle is taken to be that half; 0 where two
        cycles are too long to be seen.
    """

    times_s: Values
    f0_hz: Values
    strength: Values
    confidence: Values
    doubling: Values


NO_TRACK = F0Track(*(np.empty(0) for _ in range(5)))
"""Of what is too short to have a frame."""


def track_f0(samples: Samples, rate_hz: int) -> F0Track:
    """Track the fundamental frequency of a cry between 150 and 2000 Hz.

    Parameters
    ----------
    samples
        Shape ``(n,)``, at any scale.
    rate_hz
        Their rate, 8000 Hz or more.

    Returns
    -------
    F0Track
        One frame for every 10 ms; none if there is less than one window of 40 ms.
    """
    if len(samples) < int(WINDOW_S * rate_hz):
        return NO_TRACK
    first_lag = int(rate_hz / HIGHEST_F0_HZ) - 1
    plain, flat = _autocorrelations(samples, rate_hz, first_lag)
    rows = np.arange(len(flat))
    times_s = np.asarray(rows * STEP_S + 0.5 * WINDOW_S, dtype=np.float64)
    second = _second_opinion(samples, rate_hz, times_s)
    f0_hz, height = _with_second(_candidates(flat, first_lag), second, flat, (first_lag, rate_hz))
    likeness = second.agreement(f0_hz)
    chosen = _best_path(f0_hz, np.where(height > 0.0, height + NETWORK_WORTH * likeness, 0.0))
    voiced = chosen < CANDIDATES
    column = np.where(voiced, chosen, np.argmax(height, axis=1))
    taken_hz: Values = np.where(voiced, f0_hz[rows, column], np.nan)
    sure = 0.5 * (height[rows, column] + likeness[rows, column])
    lags = rate_hz / f0_hz[rows, column]
    strength = _strength_at(plain, lags - first_lag)
    doubling = _doubling(plain, f0_hz[rows, column], (first_lag, rate_hz), strength)
    return F0Track(times_s, taken_hz, strength, np.where(voiced, sure, 0.0), doubling)


def _doubling(plain: Samples, f0_hz: Values, grid: tuple[int, int], strength: Values) -> Values:
    first_lag, rate_hz = grid
    lags = rate_hz / f0_hz
    doubled, halved = (_strength_at(plain, ratio * lags - first_lag) for ratio in (2.0, 0.5))
    seen = 2.0 * lags - first_lag < plain.shape[1] - 1
    is_double = (halved >= HALF_STRENGTH * strength) & (f0_hz < LOW_F0_HZ)
    up: Values = np.where(seen, doubled - strength, 0.0)
    return np.asarray(np.where(is_double, strength - halved, up), dtype=np.float64)


@dataclass(frozen=True)
class _Opinion:
    """What the network says of each frame: a pitch, and how sure it is, 0 to 1."""

    f0_hz: Values
    confidence: Values

    def agreement(self, f0_hz: Values) -> Values:
        """Return how surely the network names each candidate, shape ``(n, candidates)``."""
        apart = np.log2(f0_hz / self.f0_hz[:, None])
        near = np.exp(-0.5 * np.square(apart / NETWORK_WIDTH))
        return np.asarray(self.confidence[:, None] * near, dtype=np.float64)


@cache
def _network() -> SwiftF0:
    """Load the network once a process; the process that serves pages never does."""
    from swift_f0 import SwiftF0

    return SwiftF0(threads=1, spin=False)


def _second_opinion(samples: Samples, rate_hz: int, times_s: Values) -> _Opinion:
    """Ask the network; it hears the sound at full scale, as it takes what is soft for silence."""
    sound = resample(Sound(samples, rate_hz), RATE_HZ)
    peak = float(np.max(np.abs(sound.samples)))
    if peak < np.finfo(np.float32).tiny:
        return _Opinion(np.full(len(times_s), LOWEST_F0_HZ), np.zeros(len(times_s)))
    whole = np.zeros(max(len(sound.samples), LEAST_NETWORK_SAMPLES), dtype=np.float32)
    whole[: len(sound.samples)] = sound.samples / np.float32(peak)
    heard = _network().detect(whole, RATE_HZ, fmin=LOWEST_F0_HZ, fmax=HIGHEST_F0_HZ)
    step_s = heard.timestamps[1] - heard.timestamps[0]
    nearest = np.minimum(np.round(times_s / step_s).astype(np.intp), len(heard.pitch_hz) - 1)
    return _Opinion(heard.pitch_hz[nearest], heard.confidence[nearest])


def _with_second(
    found: tuple[Values, Values], second: _Opinion, flat: Samples, grid: tuple[int, int]
) -> tuple[Values, Values]:
    """Return candidates in Hz and their heights, the weakest replaced where none is the network's.

    `grid` is the lag of the first column of `flat`, and the rate.
    """
    (lags, height), (first_lag, rate_hz) = found, grid
    f0_hz = np.asarray(rate_hz / lags, dtype=np.float64)
    near = np.abs(np.log2(f0_hz / second.f0_hz[:, None])) < NETWORK_REACH
    rows = np.flatnonzero(~np.any(near & (height > 0.0), axis=1))
    weakest = np.argmin(height[rows], axis=1)
    f0_hz[rows, weakest] = second.f0_hz[rows]
    of_own = _strength_at(flat, rate_hz / second.f0_hz - first_lag)
    height[rows, weakest] = np.maximum(of_own[rows], np.finfo(np.float32).tiny)
    return f0_hz, height


def _autocorrelations(samples: Samples, rate_hz: int, first_lag: int) -> tuple[Samples, Samples]:
    """Return each frame's autocorrelation from a lag on: of its spectrum, and of that flattened.

    Both are corrected for the window. A cry's resonances, and telephones that cut the fundamental
    away, leave some harmonics far stronger than the rest; in the flattened spectrum these do not
    pass for a pitch of their own.
    """
    size, step = int(WINDOW_S * rate_hz), int(STEP_S * rate_hz)
    last_lag = int(rate_hz / LOWEST_F0_HZ) + 3  # a neighbour to spare, as at the first
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::step]
    window = np.hanning(size + 2)[1:-1].astype(np.float32)
    length = scipy.fft.next_fast_len(size + last_lag + 1, real=True)
    power = _power(frames * window, length)
    hertz = np.fft.rfftfreq(length, 1.0 / rate_hz)
    outside = (hertz < BAND_HZ[0]) | (hertz > BAND_HZ[1])
    leaked = LEAKAGE_FRAC * np.mean(power, axis=1, keepdims=True)
    power[:, outside] = 0.0
    width = round(FLATTENED_OVER_HZ / hertz[1])
    envelope = scipy.ndimage.uniform_filter1d(power, width, axis=1, mode="constant") + leaked
    flat = power / np.sqrt(np.maximum(envelope, np.finfo(np.float32).tiny))
    of_window = scipy.fft.irfft(_power(window, length), length)[first_lag:last_lag]
    correction = np.sum(np.square(window)) / of_window
    plain = _normalised(power, leaked, length)[:, first_lag:last_lag] * correction
    flattened = _normalised(flat, np.sqrt(leaked), length)[:, first_lag:last_lag] * correction
    return plain, flattened


def _normalised(power: Samples, leaked: Samples, length: int) -> Samples:
    whole = scipy.fft.irfft(power, length, axis=1)
    zero = np.maximum(whole[:, :1] + leaked, np.finfo(np.float32).tiny)
    return np.asarray(whole / zero, dtype=np.float32)


def _power(frames: Samples, length: int) -> Samples:
    spectrum = scipy.fft.rfft(frames, length, axis=-1)
    return np.asarray(np.square(spectrum.real) + np.square(spectrum.imag), dtype=np.float32)


def _candidates(correlation: Samples, first_lag: int) -> tuple[Values, Values]:
    """Return lags and heights of the highest peaks, shape ``(n, CANDIDATES)``; absent: height 0."""
    left, middle, right = correlation[:, :-2], correlation[:, 1:-1], correlation[:, 2:]
    is_peak = (middle > left) & (middle >= right)
    preference = OCTAVE_COST * np.log2(np.arange(1, middle.shape[1] + 1) + first_lag)
    rank = np.where(is_peak, middle - preference.astype(np.float32), -np.inf)
    best = np.argpartition(rank, -CANDIDATES, axis=1)[:, -CANDIDATES:]
    rows = np.arange(len(best))[:, None]
    shift, height = vertex(correlation, rows, best + 1)
    height = np.where(is_peak[rows, best], height, 0.0)
    return best + 1 + first_lag + shift, np.clip(height, 0.0, 1.0)


def vertex(
    heights: Samples, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[Values, Values]:
    """Return the vertex of the parabola through each place and its neighbours: shift and height."""
    low, middle, high = (heights[rows, columns + by].astype(np.float64) for by in (-1, 0, 1))
    curve = np.minimum(low - 2.0 * middle + high, -1e-9)
    shift = np.clip(0.5 * (low - high) / curve, -0.5, 0.5)
    return shift, middle - 0.25 * (low - high) * shift


def _strength_at(plain: Samples, places: Values) -> Values:
    """Return the autocorrelation at one fractional place of each row, as a fraction."""
    columns = np.clip(np.round(places), 1, plain.shape[1] - 2).astype(np.intp)
    return np.clip(vertex(plain, np.arange(len(plain)), columns)[1], 0.0, 1.0)


def _best_path(f0_hz: Values, strength: Values) -> NDArray[np.intp]:
    """Return the candidate of each frame on the best path; CANDIDATES stands for unvoiced."""
    octave = np.log2(f0_hz)
    worth = np.empty((len(f0_hz), CANDIDATES + 1))
    worth[:, :CANDIDATES] = strength + OCTAVE_COST * (octave - np.log2(LOWEST_F0_HZ))
    rows, best = np.arange(len(worth)), np.argmax(worth[:, :CANDIDATES], axis=1)
    # Relative to the best candidate, so that voicing is a matter of strength and not of octaves.
    worth[:, CANDIDATES] = VOICED_STRENGTH + worth[rows, best] - strength[rows, best]
    cost = np.full((len(f0_hz), CANDIDATES + 1, CANDIDATES + 1), VOICING_COST)
    cost[:, CANDIDATES, CANDIDATES] = 0.0
    cost[1:, :CANDIDATES, :CANDIDATES] = JUMP_COST * np.abs(
        octave[:-1, :, None] - octave[1:, None, :]
    )
    came_from = np.zeros(worth.shape, dtype=np.intp)
    total = worth[0]
    for frame in range(1, len(worth)):
        ways = total[:, None] - cost[frame]
        came_from[frame] = ways.argmax(axis=0)
        total = ways.max(axis=0) + worth[frame]
    path = np.empty(len(worth), dtype=np.intp)
    path[-1] = total.argmax()
    for frame in range(len(worth) - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return path


def in_band(samples: Samples, rate_hz: int) -> Samples:
    """Return samples without what lies outside the band in which pitch is looked for."""
    length = scipy.fft.next_fast_len(len(samples), real=True)
    spectrum = scipy.fft.rfft(samples, length)
    hertz = np.fft.rfftfreq(length, 1.0 / rate_hz)
    spectrum[(hertz < BAND_HZ[0]) | (hertz > BAND_HZ[1])] = 0.0
    return np.asarray(scipy.fft.irfft(spectrum, length)[: len(samples)], dtype=np.float32)
