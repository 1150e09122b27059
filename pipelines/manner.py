"""Manner: how a recording sounds over time, in a few numbers that do not depend on its level.

Serves the stage gate. In: a whole recording at 16 kHz and its units. Out: how sure the finder of
units is, how units and pauses follow each other, how the level moves, how clear and how high the
pitch is, and how quickly the spectrum changes. Guaranteed: finite whatever the sound; numpy alone,
no randomness; nothing over 3.9 kHz is looked at, so that every telephone gives the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import scipy
from numpy.typing import NDArray

from pipelines.finder import BANDS_HZ, HOP, band_powers, bundled_finder, frame_features, windows_of
from pipelines.frontend import HasSamples, HasTimes
from pipelines.sound import RATE_HZ, Sound

COUNT = 36
"""How many numbers there are."""
RANGE_DB = 60.0
LAGS = (14, 92)
"""Periods that are looked for, in samples: 174 to 1143 Hz."""
CLEAR = 0.6
LEAST_CLEAR = 5
TRANSFORM = 1_024
RHYTHM_HZ = (0.15, 1.0, 2.0, 4.0, 8.0, 16.0, 40.0)
RHYTHM_POINTS = 4_096
NO_PITCH = (9.0, 8.5, 9.5, 0.5, 0.2, 0.1, 0.3, 1.0, 1.0)
"""What stands for pitch where none is clear: the middle of what is looked for, restless."""

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


def manner(sound: HasSamples, units: Sequence[HasTimes]) -> NDArray[np.float32]:
    """Describe how a recording sounds over time.

    Parameters
    ----------
    sound
        Whole recording, 16 kHz.
    units
        Its cry units; none means the whole recording.

    Returns
    -------
    ndarray
        Shape ``(COUNT,)``, finite.
    """
    whole = Sound(sound.samples, RATE_HZ)
    powers = band_powers(whole)
    if len(powers) < 2:
        return np.zeros(COUNT, dtype=np.float32)
    inside = _inside(units, len(powers))
    numbers = [
        *_sureness(bundled_finder().chances(frame_features(powers)), inside),
        *_succession(units, len(powers), inside),
        *_rhythm(_levels_db(powers.sum(axis=1)), inside),
        *_pitch(whole, inside),
        *_restlessness(powers, inside),
    ]
    return np.asarray(numbers, dtype=np.float32)


def _inside(units: Sequence[HasTimes], count: int) -> Flags:
    inside = np.zeros(count, dtype=np.bool_)
    for unit in units:
        inside[round(unit.onset_s * RATE_HZ / HOP) : round(unit.offset_s * RATE_HZ / HOP)] = True
    return inside if inside.any() else np.ones(count, dtype=np.bool_)


def _levels_db(power: NDArray[np.floating]) -> Numbers:
    floor = max(float(power.max()) * 10.0 ** (-RANGE_DB / 10.0), 1e-20)
    return np.asarray(10.0 * np.log10(np.maximum(power, floor)), dtype=np.float64)


def _sureness(chances: NDArray[np.floating], inside: Flags) -> list[float]:
    """Log-odds of crying over the units' frames, the highest of all, and how many are likely."""
    bounded = np.clip(chances.astype(np.float64), 1e-4, 1.0 - 1e-4)
    odds = np.log(bounded / (1.0 - bounded))
    percentiles = np.percentile(odds[inside], [10.0, 50.0, 90.0]).tolist()
    likely = chances > 0.5
    sure = float(chances.max() >= 0.7)
    return [float(odds[inside].mean()), *percentiles, float(odds.max()), float(likely.mean()), sure]


def _succession(units: Sequence[HasTimes], count: int, inside: Flags) -> list[float]:
    """Lengths of units and pauses, how many units there are, and how much of the time they take."""
    whole_s = count * HOP / RATE_HZ
    lengths_s = np.array([unit.offset_s - unit.onset_s for unit in units] or [whole_s])
    onsets_s = np.array([unit.onset_s for unit in units])
    pauses_s = np.maximum(onsets_s[1:] - (onsets_s + lengths_s[: len(onsets_s)])[:-1], 0.0)
    mean_s = max(float(lengths_s.mean()), 1e-3)
    even = float(pauses_s.std() / max(pauses_s.mean(), 1e-3)) if len(pauses_s) > 1 else -0.2
    return [
        float(np.log(mean_s)),
        float(np.log(max(lengths_s.max(), 1e-3))),
        float(np.log(len(lengths_s) / whole_s)),
        float(inside.mean()),
        float(np.log(max(np.median(pauses_s), 1e-2))) if len(pauses_s) else float(np.log(5.0)),
        float(lengths_s.std()) / mean_s,
        even,
    ]


def _rhythm(levels_db: Numbers, inside: Flags) -> list[float]:
    """Shares of the level's movement by how quick it is, and how far the level moves."""
    moving = (levels_db - levels_db.mean()) * np.hanning(len(levels_db))
    power = np.square(np.abs(np.fft.rfft(moving, max(RHYTHM_POINTS, len(moving)))))
    rates_hz = np.linspace(0.0, 0.5 * RATE_HZ / HOP, len(power))
    edges = np.searchsorted(rates_hz, RHYTHM_HZ)
    sums = np.array([power[a:b].sum() for a, b in pairwise(edges)])
    shares = np.log(sums / max(float(sums.sum()), 1e-12) + 1e-6).tolist()
    low, high = np.percentile(levels_db, [10.0, 95.0])
    return [*shares, float(levels_db[inside].std()), float(high - low)]


def _pitch(sound: Sound, inside: Flags) -> list[float]:
    """How clear the pitch is, how high, how wide its range, how steady, and for how long."""
    clearness, octaves = _track(sound)
    voiced = inside & (clearness > CLEAR)
    shown = clearness[inside]
    numbers = [float(voiced.sum() / inside.sum()), float(shown.mean()), float(shown.std())]
    if voiced.sum() < LEAST_CLEAR:
        return [*numbers, *NO_PITCH]
    low, lower, middle, upper, high = np.percentile(octaves[voiced], [10, 25, 50, 75, 90])
    both = voiced[1:] & voiced[:-1]
    steps = np.abs(np.diff(octaves))[both] if both.any() else np.zeros(1)
    edges = np.flatnonzero(np.diff(voiced, prepend=False, append=False))
    runs = (edges[1::2] - edges[0::2]).astype(np.float64)
    spread = [float(middle), float(low), float(high), float(upper - lower)]
    unsteady = [np.minimum(steps, 0.5).mean(), np.median(steps), (steps > 0.2).mean()]
    lasting = [np.log(runs.mean()), np.log(np.percentile(runs, 90.0))]
    return [*numbers, *spread, *map(float, unsteady), *map(float, lasting)]


def _track(sound: Sound) -> tuple[Numbers, Numbers]:
    """Track clearness and log2 of the pitch every 10 ms, by autocorrelation within the bands.

    The shortest period that is nearly as clear as the best is taken, so that a multiple is not
    (Boersma, "Accurate short-term analysis of the fundamental frequency", 1993).
    """
    found = [_correlated(windows) for windows in windows_of(sound)]
    correlations = np.concatenate(found)[:, LAGS[0] : LAGS[1]]
    near = correlations >= 0.9 * correlations.max(axis=1, keepdims=True)
    rising = np.diff(correlations, axis=1) >= 0.0
    summit = np.ones_like(near)
    summit[:, 1:] &= rising
    summit[:, :-1] &= ~rising | (np.diff(correlations, axis=1) == 0.0)
    good = near & summit
    first = np.where(good.any(axis=1), good.argmax(axis=1), correlations.argmax(axis=1))
    clearness = np.clip(correlations[np.arange(len(first)), first], -1.0, 1.2)
    return clearness.astype(np.float64), np.log2(RATE_HZ / (first + float(LAGS[0])))


def _correlated(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Autocorrelation of windows, relative to its height at no lag and to the taper's own."""
    taper = np.hanning(windows.shape[1]).astype(np.float32)
    spectrum = scipy.fft.rfft(windows * taper, TRANSFORM, axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    power[:, : int(BANDS_HZ[0] * TRANSFORM / RATE_HZ) + 1] = 0.0
    power[:, int(BANDS_HZ[1] * TRANSFORM / RATE_HZ) + 1 :] = 0.0
    raw = scipy.fft.irfft(power, axis=1)[:, : LAGS[1] + 1]
    own = scipy.fft.irfft(np.square(np.abs(scipy.fft.rfft(taper, TRANSFORM))))[: LAGS[1] + 1]
    return np.asarray(raw / np.maximum(raw[:, :1], 1e-12) / (own / own[0]), dtype=np.float32)


def _restlessness(powers: NDArray[np.float32], inside: Flags) -> list[float]:
    """How far the bands move from one frame to the next: on average, and in the liveliest tenth."""
    moves_db = np.abs(np.diff(_levels_db(powers), axis=0)).mean(axis=1)
    shown = moves_db[inside[1:]] if inside[1:].any() else moves_db
    return [float(shown.mean()), float(np.percentile(shown, 90.0))]
