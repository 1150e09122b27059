"""Acoustics: the measures that clinicians speak of, taken on one cry unit.

In: a recording at 16 kHz, a unit of it, and the level of its background. Out: named measures with
units in their names. Guaranteed: a measure that cannot be taken is absent, and never a NaN or a
neutral number; nothing depends on the recording's scale. Spectral measures look at 200 to 3800 Hz
only, which every telephone transmits, so that a change of device is not taken for one of voice.

Sources: Boersma, "Accurate short-term analysis of the fundamental frequency and the
harmonics-to-noise ratio of a sampled sound", Proc. Institute of Phonetic Sciences 17 (1993), for
the window-corrected autocorrelation, the path through candidates and the harmonicity; Tolonen and
Karjalainen, "A computationally efficient multipitch analysis model", IEEE Trans. Speech Audio
Process. 8 (2000), for the autocorrelation of a flattened spectrum; LaGasse, Neal and Lester,
"Assessment of infant cry", Ment. Retard. Dev. Disabil. Res. Rev. 11 (2005), for the measures and
for hyperphonation above 1000 Hz.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.fft
import scipy.ndimage
from numpy.typing import NDArray

from pipelines.segment import FLOOR_DBFS, Unit, cry_band
from pipelines.sound import Sound

Samples = NDArray[np.float32]
Values = NDArray[np.float64]

LOWEST_F0_HZ = 150.0
HIGHEST_F0_HZ = 2_000.0
HYPERPHONATION_HZ = 1_000.0
STEP_S = 0.01
WINDOW_S = 0.04
BAND_HZ = (150.0, 3_000.0)
FLATTENED_OVER_HZ = 800.0  # wider than the harmonics are apart, narrower than the resonances
LEAKAGE_FRAC = 1e-5  # of a frame's power: less within the band is leakage from outside it
CANDIDATES = 5
VOICED_STRENGTH = 0.45
OCTAVE_COST = 0.055  # for each octave under the highest F0: of equal peaks the shortest period wins
JUMP_COST = 1.0  # for each octave between successive frames
VOICING_COST = 0.5  # for each change between voiced and unvoiced

SPECTRAL_BAND_HZ = (200.0, 3_800.0)
SPECTRAL_WINDOW = 512
TILT_BAND_HZ = (600.0, 3_500.0)
TILT_SMOOTHING_HZ = 600.0
LEAST_VOICED_FRAMES = 10
LEAST_CYCLES = 20
MATCHED_CYCLES = 2.0
MATCHED_REACH = 0.15  # how far from the tracked period a cycle may be, relative to it


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
    """

    times_s: Values
    f0_hz: Values
    strength: Values


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
        return F0Track(np.empty(0), np.empty(0), np.empty(0))
    first_lag = int(rate_hz / HIGHEST_F0_HZ) - 1
    plain, flat = _autocorrelations(samples, rate_hz, first_lag)
    lags, likeness = _candidates(flat, first_lag)
    f0_hz = np.asarray(rate_hz / lags, dtype=np.float64)
    chosen = _best_path(f0_hz, likeness)
    rows = np.arange(len(chosen))
    voiced = chosen < CANDIDATES
    column = np.where(voiced, chosen, np.argmax(likeness, axis=1))
    times_s = np.asarray(rows * STEP_S + 0.5 * WINDOW_S, dtype=np.float64)
    taken_hz: Values = np.where(voiced, f0_hz[rows, column], np.nan)
    return F0Track(times_s, taken_hz, _strength_at(plain, lags[rows, column] - first_lag))


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
    shift, height = _vertex(correlation, rows, best + 1)
    height = np.where(is_peak[rows, best], height, 0.0)
    return best + 1 + first_lag + shift, np.clip(height, 0.0, 1.0)


def _vertex(
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
    return np.clip(_vertex(plain, np.arange(len(plain)), columns)[1], 0.0, 1.0)


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


def measure_unit(sound: Sound, unit: Unit, background_dbfs: float) -> dict[str, float]:
    """Measure one cry unit.

    Parameters
    ----------
    sound
        The whole recording at 16 kHz.
    unit
        Where in it.
    background_dbfs
        Level of its background within the band of cries, on the scale of `sound`.

    Returns
    -------
    dict
        ``duration_s``, ``voiced_frac``, ``f0_median_hz``, ``f0_range_semitones`` (5th to 95th
        percentile), ``f0_slope_semitones_per_s``, ``jitter_frac`` (mean difference of successive
        periods over their mean; matched over two cycles, thus a lower bound),
        ``harmonics_to_noise_db``, ``hyperphonation_frac`` (of the voiced frames),
        ``spectral_centroid_hz``, ``spectral_tilt_db_per_octave``, ``intensity_over_background_db``.
        Absent: all but the duration of a silent unit, pitch measures under 10 voiced frames,
        jitter under 20 cycles, spectral measures under 32 ms, intensity over a background of
        nothing.
    """
    start, stop = (round(at * sound.rate_hz) for at in (unit.onset_s, unit.offset_s))
    samples = sound.samples[max(start, 0) : stop]
    measures = {"duration_s": unit.duration_s}
    level_dbfs = _level_dbfs(Sound(samples, sound.rate_hz))
    if level_dbfs <= FLOOR_DBFS:
        return measures
    if background_dbfs > FLOOR_DBFS:
        measures["intensity_over_background_db"] = level_dbfs - background_dbfs
    measures |= _spectral_measures(samples, sound.rate_hz)
    track = track_f0(samples, sound.rate_hz)
    if len(track.times_s):
        measures |= _pitch_measures(track)
        measures |= _jitter(samples, sound.rate_hz, track)
    return {name: float(value) for name, value in measures.items()}


def _level_dbfs(sound: Sound) -> float:
    power = np.square(cry_band(sound), dtype=np.float64)
    return 10.0 * math.log10(max(float(np.mean(power)) if len(power) else 0.0, 1e-30))


def _pitch_measures(track: F0Track) -> dict[str, float]:
    voiced = np.isfinite(track.f0_hz)
    measures = {"voiced_frac": float(np.mean(voiced))}
    if np.count_nonzero(voiced) < LEAST_VOICED_FRAMES:
        return measures
    f0_hz, strength = track.f0_hz[voiced], np.clip(track.strength[voiced], 0.01, 0.9999)
    semitones = 12.0 * np.log2(f0_hz)
    low, high = np.percentile(semitones, [5.0, 95.0])
    return measures | {
        "f0_median_hz": float(np.median(f0_hz)),
        "f0_range_semitones": float(high - low),
        "f0_slope_semitones_per_s": float(np.polyfit(track.times_s[voiced], semitones, 1)[0]),
        "harmonics_to_noise_db": float(np.median(10.0 * np.log10(strength / (1.0 - strength)))),
        "hyperphonation_frac": float(np.mean(f0_hz > HYPERPHONATION_HZ)),
    }


def _jitter(samples: Samples, rate_hz: int, track: F0Track) -> dict[str, float]:
    """Measure how much successive periods differ.

    Each period is the shift at which two cycles of the wave are most like the cycles after them.
    Matching whole waves uses every harmonic, and so survives noise and rooms far better than
    crossings or peaks do.
    """
    voiced = np.isfinite(track.f0_hz)
    if np.count_nonzero(voiced) < LEAST_VOICED_FRAMES:
        return {}
    at_s = np.arange(len(samples)) / rate_hz
    smooth_hz = np.interp(at_s, track.times_s[voiced], _smoothed(track.f0_hz[voiced]))
    cycles = np.cumsum(smooth_hz) / rate_hz
    whole = np.arange(1.0, np.floor(cycles[-1]) + 1.0)
    marks = np.interp(whole, cycles, np.arange(len(samples), dtype=np.float64))
    nearest = np.round((marks / rate_hz - track.times_s[0]) / STEP_S).astype(np.intp)
    inside = voiced[np.clip(nearest, 0, len(voiced) - 1)]
    periods = _matched_periods(_in_band(samples, rate_hz), marks)
    return _relative_difference(periods, inside[: len(periods)])


def _in_band(samples: Samples, rate_hz: int) -> Samples:
    length = scipy.fft.next_fast_len(len(samples), real=True)
    spectrum = scipy.fft.rfft(samples, length)
    hertz = np.fft.rfftfreq(length, 1.0 / rate_hz)
    spectrum[(hertz < BAND_HZ[0]) | (hertz > BAND_HZ[1])] = 0.0
    return np.asarray(scipy.fft.irfft(spectrum, length)[: len(samples)], dtype=np.float32)


def _matched_periods(samples: Samples, marks: Values) -> Values:
    """Return the period from each mark on, in samples; fewer than marks, as the end has no next."""
    expected = np.diff(marks)
    reach = int(MATCHED_REACH * np.median(expected)) + 2
    size = round(MATCHED_CYCLES * float(np.median(expected)))
    starts, shifts = np.round(marks[:-1]).astype(np.intp), np.round(expected).astype(np.intp)
    fits = starts + shifts + reach + size <= len(samples)
    starts, shifts = starts[fits], shifts[fits]
    if not len(starts):
        return np.empty(0)
    around = np.arange(-reach, reach + 1)
    waves = np.lib.stride_tricks.sliding_window_view(samples, size)
    later = waves[np.maximum((starts + shifts)[:, None] + around, 0)]
    likeness = np.einsum("nw,ndw->nd", waves[starts], later)
    likeness /= np.sqrt(np.einsum("ndw,ndw->nd", later, later) + np.finfo(np.float32).tiny)
    rows = np.arange(len(starts))
    best = np.clip(likeness.argmax(axis=1), 1, 2 * reach - 1)
    period = shifts + around[best] + _vertex(likeness, rows, best)[0]
    return np.asarray(period, dtype=np.float64)


def _smoothed(f0_hz: Values) -> Values:
    """Smooth over 50 ms: what is quicker than that is no melody."""
    padded = np.pad(f0_hz, 2, mode="edge")
    return np.asarray(np.convolve(padded, np.full(5, 0.2), mode="valid"), dtype=np.float64)


def _relative_difference(periods: Values, used: NDArray[np.bool_]) -> dict[str, float]:
    both = used[1:] & used[:-1]
    if np.count_nonzero(both) < LEAST_CYCLES:
        return {}
    differences = np.abs(np.diff(periods))[both]
    return {"jitter_frac": float(np.mean(differences) / np.mean(periods[used]))}


def _spectral_measures(samples: Samples, rate_hz: int) -> dict[str, float]:
    """Measure the long-term spectrum of the unit within the band that telephones transmit."""
    if len(samples) < SPECTRAL_WINDOW:
        return {}
    frames = np.lib.stride_tricks.sliding_window_view(samples, SPECTRAL_WINDOW)
    windowed = frames[:: SPECTRAL_WINDOW // 2] * np.hanning(SPECTRAL_WINDOW).astype(np.float32)
    spectra = np.abs(scipy.fft.rfft(windowed, axis=1)).astype(np.float64)
    power: Values = np.mean(np.square(spectra), axis=0)
    hertz = np.asarray(np.fft.rfftfreq(SPECTRAL_WINDOW, 1.0 / rate_hz), dtype=np.float64)
    inside = (hertz >= SPECTRAL_BAND_HZ[0]) & (hertz <= SPECTRAL_BAND_HZ[1])
    total = float(np.sum(power[inside]))
    if total <= 0.0:
        return {}
    return {
        "spectral_centroid_hz": float(np.sum(power[inside] * hertz[inside]) / total),
        "spectral_tilt_db_per_octave": _tilt(power, hertz),
    }


def _tilt(power: Values, hertz: Values) -> float:
    """Return the slope of the spectrum, smoothed so wide that the harmonics melt together."""
    width = 2 * round(0.5 * TILT_SMOOTHING_HZ / hertz[1]) + 1
    smooth = np.convolve(power, np.full(width, 1.0 / width), mode="same")
    low, high = np.log2(TILT_BAND_HZ)
    octaves = np.arange(low, high, 1.0 / 6.0)
    floor = 1e-12 * float(np.max(power))  # a band that holds nothing has no logarithm
    level_db = 10.0 * np.log10(np.maximum(np.interp(2.0**octaves, hertz, smooth), floor))
    return float(np.polyfit(octaves, level_db, 1)[0])
