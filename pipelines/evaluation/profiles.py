"""Profiles: what the product's own measures say of one recording.

In: a file or its bytes. Out: every acoustic measure of its units, its pauses, and how its power is
spread over bands; and whether the gate takes it for crying. Guaranteed: decoded, segmented and
measured as in the product; a measure that cannot be taken is an empty list and never a number; a
band that the recording's rate cannot hold counts as none.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from pipelines.acoustics import measure_unit
from pipelines.errors import DecodeError
from pipelines.gate import gate_features
from pipelines.heads import bundled_heads
from pipelines.segment import Segmentation, segment
from pipelines.sound import Sound

BAND_EDGES_HZ = (0.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0)
BAND_WINDOW = 512
LEAST_BAND_DB = -80.0
UNIT_MEASURES = (
    "f0_median_hz",
    "f0_range_semitones",
    "f0_slope_semitones_per_s",
    "duration_s",
    "voiced_frac",
    "jitter_frac",
    "harmonics_to_noise_db",
    "hyperphonation_frac",
    "spectral_centroid_hz",
    "spectral_tilt_db_per_octave",
    "intensity_over_background_db",
)
RECORDING_MEASURES = ("pause_s", "units", "signal_to_background_db")
BANDS = tuple(f"band_{low:.0f}_{high:.0f}_db" for low, high in itertools.pairwise(BAND_EDGES_HZ))
MEASURES = (*UNIT_MEASURES, *RECORDING_MEASURES, *BANDS)

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """What the measures say of one recording."""

    infant: str
    sound: Sound
    rate_hz: int
    is_cry: bool
    values: Mapping[str, Sequence[float]]


def profile_of(infant: str, source: Path | bytes) -> Profile | None:
    """Measure one recording.

    Parameters
    ----------
    infant
        Whose it is.
    source
        A file or the bytes of one.

    Returns
    -------
    Profile or None
        None where nothing can be decoded or no unit is found.
    """
    try:
        heard = segment(source)
    except DecodeError:
        return None
    if heard.unusable is not None:
        return None
    heads = bundled_heads()
    probability = heads.cry.probability(gate_features(heard.sound, heard.units))
    values = {name: list(of_one) for name, of_one in _values(heard).items()}
    is_cry = probability >= heads.cry.threshold
    return Profile(infant, heard.sound, heard.source.rate_hz, is_cry, values)


def _values(heard: Segmentation) -> dict[str, list[float]]:
    units, background_dbfs = heard.units, heard.quality.background_dbfs
    taken = [measure_unit(heard.sound, unit, background_dbfs) for unit in units]
    values = {name: [one[name] for one in taken if name in one] for name in UNIT_MEASURES}
    values["pause_s"] = [b.onset_s - a.offset_s for a, b in itertools.pairwise(units)]
    values["units"] = [float(len(units))]
    values["signal_to_background_db"] = [heard.quality.signal_to_background_db]
    return values | band_levels(heard)


def band_levels(heard: Segmentation) -> dict[str, list[float]]:
    """Measure how much of the power of a recording's units lies in each band.

    Returns
    -------
    dict
        For each band one level in dB relative to all bands that the source could hold, or none
        where its rate cannot hold the band.
    """
    power = np.zeros(BAND_WINDOW // 2 + 1)
    for unit in heard.units:
        start, stop = (round(at_s * heard.sound.rate_hz) for at_s in (unit.onset_s, unit.offset_s))
        power += _spectrum(heard.sound.samples[start:stop])
    hertz = np.fft.rfftfreq(BAND_WINDOW, 1.0 / heard.sound.rate_hz)
    whole = float(np.sum(power[hertz < heard.source.rate_hz / 2.0])) or 1.0
    levels: dict[str, list[float]] = {}
    for name, (low, high) in zip(BANDS, itertools.pairwise(BAND_EDGES_HZ), strict=True):
        inside = (hertz >= low) & (hertz < high)
        share = max(float(np.sum(power[inside])) / whole, 10.0 ** (LEAST_BAND_DB / 10.0))
        held = high <= heard.source.rate_hz / 2.0
        levels[name] = [10.0 * float(np.log10(share))] if held else []
    return levels


def _spectrum(samples: NDArray[np.float32]) -> Values:
    if len(samples) < BAND_WINDOW:
        return np.zeros(BAND_WINDOW // 2 + 1)
    frames = np.lib.stride_tricks.sliding_window_view(samples, BAND_WINDOW)[:: BAND_WINDOW // 2]
    spectra = scipy.fft.rfft(frames * np.hanning(BAND_WINDOW), axis=1)
    return np.asarray(np.sum(np.square(np.abs(spectra)), axis=0), dtype=np.float64)
