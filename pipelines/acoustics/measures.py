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
import scipy
from numpy.typing import NDArray

from pipelines.acoustics.pitch import NO_TRACK, STEP_S, WINDOW_S, F0Track, in_band, track_f0, vertex
from pipelines.segment import FLOOR_DBFS, Unit, cry_band
from pipelines.sound import Sound

Samples = NDArray[np.float32]
Values = NDArray[np.float64]

HYPERPHONATION_HZ = 1_000.0

SPECTRAL_BAND_HZ = (200.0, 3_800.0)
SPECTRAL_WINDOW = 512
TILT_BAND_HZ = (600.0, 3_500.0)
TILT_SMOOTHING_HZ = 600.0
LEAST_VOICED_FRAMES = 10
LEAST_CYCLES = 20
MATCHED_CYCLES = 2.0
LOUD_WITHIN_DB = 20.0  # of the loudest frame of the unit
SURE_FRAME = 0.5  # confidence from which a frame's harmonics are where its pitch says
NOISE_TRANSFORM = 2_048
NOISE_BAND_HZ = (500.0, 3_400.0)
MOST_HARMONICS = 12
DOUBLED = 0.05  # by so much is a wave more like itself two periods on than one
MATCHED_REACH = 0.15  # how far from the tracked period a cycle may be, relative to it


@dataclass(frozen=True)
class HeardUnit:
    """A cry unit, its measures, and the pitch that they were taken from."""

    unit: Unit
    measures: dict[str, float]
    track: F0Track


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
        ``duration_s``, ``voiced_frac``, ``noisy_frac`` (frames that are loud and have no pitch),
        ``f0_median_hz``, ``f0_range_semitones`` (5th to 95th percentile),
        ``f0_slope_semitones_per_s``, ``jitter_frac`` (mean difference of successive periods over
        their mean; matched over two cycles, thus a lower bound), ``shimmer_frac`` (the same of
        their amplitudes), ``harmonics_to_noise_db``, ``breath_noise_db`` (what lies between the
        harmonics over what lies on them), ``hyperphonation_frac`` and ``subharmonic_frac`` (of the
        voiced frames), ``spectral_centroid_hz``, ``spectral_tilt_db_per_octave``,
        ``intensity_over_background_db``.
        Absent: all but the duration of a silent unit, pitch measures under 10 voiced frames,
        jitter and shimmer under 20 cycles, spectral measures under 32 ms, intensity over a
        background of nothing.
    """
    return hear_unit(sound, unit, background_dbfs).measures


def hear_unit(sound: Sound, unit: Unit, background_dbfs: float) -> HeardUnit:
    """Measure one cry unit, as :func:`measure_unit` says, and keep its pitch."""
    start, stop = (round(at * sound.rate_hz) for at in (unit.onset_s, unit.offset_s))
    samples = sound.samples[max(start, 0) : stop]
    measures = {"duration_s": unit.duration_s}
    level_dbfs = _level_dbfs(Sound(samples, sound.rate_hz))
    if level_dbfs <= FLOOR_DBFS:
        return HeardUnit(unit, measures, NO_TRACK)
    if background_dbfs > FLOOR_DBFS:
        measures["intensity_over_background_db"] = level_dbfs - background_dbfs
    measures |= _spectral_measures(samples, sound.rate_hz)
    track = track_f0(samples, sound.rate_hz)
    if len(track.times_s):
        measures |= _pitch_measures(track)
        measures |= _cycle_measures(samples, sound.rate_hz, track)
        measures |= _noise_measures(samples, sound.rate_hz, track)
    return HeardUnit(unit, {name: float(value) for name, value in measures.items()}, track)


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
        "subharmonic_frac": float(np.mean(track.doubling[voiced] > DOUBLED)),
    }


def _cycle_measures(samples: Samples, rate_hz: int, track: F0Track) -> dict[str, float]:
    """Measure how much successive periods, and their amplitudes, differ.

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
    heard = in_band(samples, rate_hz)
    periods, amplitudes = _matched_periods(heard, marks), _amplitudes(heard, marks)
    return _relative_difference("jitter_frac", periods, inside) | _relative_difference(
        "shimmer_frac", amplitudes, inside
    )


def _amplitudes(samples: Samples, marks: Values) -> Values:
    """Return the root mean square of each cycle from one mark to the next."""
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    at_marks = np.interp(marks, np.arange(len(energy)), energy)
    return np.sqrt(np.maximum(np.diff(at_marks), 0.0) / np.maximum(np.diff(marks), 1e-9))


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
    period = shifts + around[best] + vertex(likeness, rows, best)[0]
    return np.asarray(period, dtype=np.float64)


def _smoothed(f0_hz: Values) -> Values:
    """Smooth over 50 ms: what is quicker than that is no melody."""
    padded = np.pad(f0_hz, 2, mode="edge")
    return np.asarray(np.convolve(padded, np.full(5, 0.2), mode="valid"), dtype=np.float64)


def _relative_difference(name: str, values: Values, inside: NDArray[np.bool_]) -> dict[str, float]:
    used = inside[: len(values)]
    both = used[1:] & used[:-1]
    if np.count_nonzero(both) < LEAST_CYCLES or not np.any(values[used] > 0.0):
        return {}
    differences = np.abs(np.diff(values))[both]
    return {name: float(np.mean(differences) / np.mean(values[used]))}


def _noise_measures(samples: Samples, rate_hz: int, track: F0Track) -> dict[str, float]:
    """Measure what lies between the harmonics, and how much of the unit is loud without pitch."""
    size, step = int(WINDOW_S * rate_hz), int(STEP_S * rate_hz)
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::step][: len(track.f0_hz)]
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    loud = power > 10.0 ** (-LOUD_WITHIN_DB / 10.0) * np.max(power)
    measures = {"noisy_frac": float(np.mean(loud & ~np.isfinite(track.f0_hz)))}
    chosen = np.flatnonzero(loud & (track.confidence >= SURE_FRAME))
    if len(chosen) < LEAST_VOICED_FRAMES:
        return measures
    ratios_db = _between_harmonics_db(frames[chosen], track.f0_hz[chosen], rate_hz)
    return measures | {"breath_noise_db": float(np.median(ratios_db))}


def _between_harmonics_db(frames: Samples, f0_hz: Values, rate_hz: int) -> Values:
    """Return for each frame the level midway between its harmonics over that on them."""
    window = np.hanning(frames.shape[1] + 2)[1:-1].astype(np.float32)
    spectrum = scipy.fft.rfft(frames * window, NOISE_TRANSFORM, axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    level_db = 10.0 * np.log10(np.maximum(power, 1e-9 * np.max(power, axis=1, keepdims=True)))
    orders = np.arange(1, MOST_HARMONICS + 1)
    on_hz, midway_hz = f0_hz[:, None] * orders, f0_hz[:, None] * (orders + 0.5)
    rows = np.arange(len(f0_hz))[:, None]
    on, midway = (_bins(hertz, rate_hz, NOISE_TRANSFORM) for hertz in (on_hz, midway_hz))
    over_db = (level_db[rows, midway] - level_db[rows, on]).astype(np.float64)
    used = (on_hz > NOISE_BAND_HZ[0]) & (midway_hz < NOISE_BAND_HZ[1])
    return np.asarray(np.nanmedian(np.where(used, over_db, np.nan), axis=1), dtype=np.float64)


def _bins(hertz: Values, rate_hz: int, length: int) -> NDArray[np.intp]:
    return np.minimum(np.round(hertz * length / rate_hz), length // 2 - 1).astype(np.intp)


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
