"""Segment: is a recording of use, and where in it are its cry units, the expirations.

In: a file or its bytes. Out: a `Segmentation`: the sound at 16 kHz, mean removed and scaled to
[-1, 1], what the file was, how good it is, and the units; or a named reason why it is of no use.
Guaranteed: whatever decodes gets a value and never an error; units are in order, without overlap,
within the recording and of 0.2 to 10 s; the same bytes always give the same result.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.finder import crying
from pipelines.sound import RATE_HZ, Sound, SourceFormat, decode, peak_normalise, resample

__all__ = [
    "MAX_DURATION_S",
    "MIN_DURATION_S",
    "RATE_HZ",
    "Quality",
    "Segmentation",
    "Unit",
    "Unusable",
    "cry_band",
    "find_units",
    "frame_levels",
    "segment",
    "units_by_chance",
    "units_by_level",
]

Samples = NDArray[np.float32]
Levels = NDArray[np.float64]

MIN_DURATION_S = 0.3
MAX_DURATION_S = 300.0
SILENT_PEAK_DBFS = -70.0
FLOOR_DBFS = -120.0
"""Lowest level that is told apart from nothing at all."""

FRAME_S = 0.01
SMOOTHING_FRAMES = 5
MERGE_GAP_S = 0.1
MIN_UNIT_S = 0.2
MIN_HEARD_S = 0.1
"""Crying that is shorter is dropped; up to `MIN_UNIT_S` its unit takes in what comes after it."""
INSIDE_CHANCE = 0.4
"""Frames from this chance on belong to a unit; one at least must reach `SURE_CHANCE`."""
SURE_CHANCE = 0.7
MAX_UNIT_S = 10.0  # no expiration lasts so long, and it keeps what comes after within bounds
CRY_BAND_HZ = (300.0, 4_000.0)  # rumble and hiss lie outside, and every telephone transmits it
CLIPPED_FROM = 0.999
LOUD_DB = 10.0  # frames this near to the 95th percentile of the levels count as loud
ROLL_OFF_FRAC = 0.95
WINDOW = 512
ENOUGH_FRAMES = 200  # a long recording's bandwidth needs no more


@dataclass(frozen=True)
class Unit:
    """One cry unit: where it begins and ends, in seconds from the start of the recording."""

    onset_s: float
    offset_s: float

    @property
    def duration_s(self) -> float:
        """Duration in seconds."""
        return self.offset_s - self.onset_s


class Unusable(StrEnum):
    """Why a recording that decodes is of no use all the same."""

    SILENT = "silent"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NO_CRY_UNITS = "no_cry_units"


@dataclass(frozen=True)
class Quality:
    """How good a recording is.

    Parameters
    ----------
    level_dbfs, peak_dbfs
        Root mean square and largest sample of the recording as it was uploaded, mean removed, in
        dB relative to full scale; not under -120.
    clipped_frac
        Share of its samples at full scale.
    signal_to_background_db
        95th over 10th percentile of its levels within the band of cries.
    bandwidth_hz
        Frequency under which 95 % of the power of its loud frames lies.
    background_dbfs
        10th percentile of the levels of `Segmentation.sound` within the band of cries, thus after
        peak normalisation; add `peak_dbfs` for the scale of the upload.
    """

    level_dbfs: float
    peak_dbfs: float
    clipped_frac: float
    signal_to_background_db: float
    bandwidth_hz: float
    background_dbfs: float


@dataclass(frozen=True)
class Segmentation:
    """What listening to a recording gave; `units` is empty wherever `unusable` has a reason."""

    sound: Sound
    source: SourceFormat
    quality: Quality
    units: tuple[Unit, ...]
    unusable: Unusable | None


def segment(source: Path | bytes) -> Segmentation:
    """Decode a recording, judge it, and find its cry units.

    Parameters
    ----------
    source
        A file, or the bytes of one, in any kind that `pipelines.sound.decode` reads.

    Returns
    -------
    Segmentation
        Of a recording that is too long only the first five minutes are looked at.

    Raises
    ------
    DecodeError
        The file holds no sound.
    OSError
        The path cannot be read.
    """
    decoded, source_format = decode(source)
    sound = peak_normalise(resample(decoded))
    levels = _cry_levels(sound)
    quality = _quality(decoded, sound, levels)
    unusable = _unusable(decoded, quality)
    units = () if unusable else _units(sound, levels)
    if not unusable and not units:
        unusable = Unusable.NO_CRY_UNITS
    return Segmentation(sound, source_format, quality, units, unusable)


def find_units(sound: Sound) -> tuple[Unit, ...]:
    """Find cry units by how much each frame sounds like crying.

    Gaps under 0.1 s are bridged, what lasts less than 0.1 s is dropped, and units over 10 s are cut
    into equal pieces. Where nothing sounds like crying, units are what stands out by its level:
    whether that is a cry at all remains the question of the gate.

    Parameters
    ----------
    sound
        At 16 kHz, at any scale.

    Returns
    -------
    tuple of Unit
        In order, without overlap.
    """
    return _units(sound, _cry_levels(sound))


def _units(sound: Sound, levels: Levels) -> tuple[Unit, ...]:
    heard = units_by_chance(crying(sound), sound.duration_s)
    return heard or units_by_level(levels, sound.duration_s)


def _cry_levels(sound: Sound) -> Levels:
    return frame_levels(cry_band(sound), sound.rate_hz)


def frame_levels(samples: Samples, rate_hz: int) -> Levels:
    """Level every 10 ms, smoothed over 50 ms.

    Parameters
    ----------
    samples
        Shape ``(n,)``, at any scale.
    rate_hz
        Their rate.

    Returns
    -------
    ndarray
        Shape ``(100 * duration_s,)``, at least one; dB relative to full scale, not under -120.
    """
    size = int(FRAME_S * rate_hz)
    count = len(samples) // size
    if not count:
        return np.full(1, FLOOR_DBFS)
    frames = samples[: count * size].reshape(count, size)
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / size
    padded = np.pad(power, SMOOTHING_FRAMES // 2, mode="edge")
    smooth = np.convolve(padded, np.full(SMOOTHING_FRAMES, 1.0 / SMOOTHING_FRAMES), mode="valid")
    floor = 10.0 ** (FLOOR_DBFS / 10.0)
    return np.asarray(10.0 * np.log10(np.maximum(smooth, floor)), dtype=np.float64)


def cry_band(sound: Sound) -> Samples:
    """Return the samples without what lies outside the band of cries, 300 to 4000 Hz."""
    if not len(sound.samples):
        return sound.samples
    import scipy.signal  # by far the slowest import here, and a monitor never comes to need it

    top_hz = min(CRY_BAND_HZ[1], 0.45 * sound.rate_hz)
    sections = scipy.signal.butter(
        2, (CRY_BAND_HZ[0], top_hz), "bandpass", fs=sound.rate_hz, output="sos"
    )
    return np.asarray(scipy.signal.sosfilt(sections, sound.samples), dtype=np.float32)


def units_by_level(
    levels: Levels,
    duration_s: float,
    merge_gap_s: float = MERGE_GAP_S,
    min_unit_s: float = MIN_UNIT_S,
) -> tuple[Unit, ...]:
    """Find the stretches whose level stands out.

    Parameters
    ----------
    levels
        As `frame_levels` gives them.
    duration_s
        Duration of the recording.
    merge_gap_s, min_unit_s
        Shorter gaps are bridged, then shorter units dropped.

    Returns
    -------
    tuple of Unit
        In order, without overlap.
    """
    low, high = np.percentile(levels, [10.0, 95.0])
    threshold = max(high - 25.0, min(low + 0.35 * (high - low), high - 6.0))
    return tuple(
        unit
        for start, stop in _stretches(levels > threshold, merge_gap_s)
        if (stop - start) * FRAME_S >= min_unit_s
        for unit in _pieces(start * FRAME_S, min(stop * FRAME_S, duration_s))
    )


def units_by_chance(chances: NDArray[np.floating], duration_s: float) -> tuple[Unit, ...]:
    """Find the stretches that sound like crying.

    Parameters
    ----------
    chances
        As `pipelines.finder.crying` gives them, one for every 10 ms.
    duration_s
        Duration of the recording.

    Returns
    -------
    tuple of Unit
        In order, without overlap; none where no frame reaches `SURE_CHANCE`.
    """
    shortest, least = round(MIN_HEARD_S / FRAME_S), round(MIN_UNIT_S / FRAME_S)
    heard = [
        (start, max(stop, start + least))
        for start, stop in _stretches(chances >= INSIDE_CHANCE, MERGE_GAP_S)
        if stop - start >= shortest and chances[start:stop].max() >= SURE_CHANCE
    ]
    return tuple(
        unit
        for start, stop in heard
        if stop <= len(chances)
        for unit in _pieces(start * FRAME_S, min(stop * FRAME_S, duration_s))
    )


def _stretches(flags: NDArray[np.bool_], merge_gap_s: float) -> list[tuple[int, int]]:
    """First frame and frame after the last of every stretch, with shorter gaps bridged."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    starts, stops = edges[0::2], edges[1::2]
    apart = starts[1:] - stops[:-1] >= round(merge_gap_s / FRAME_S)
    first, last = np.ones(len(starts), dtype=bool), np.ones(len(starts), dtype=bool)
    first[1:], last[:-1] = apart, apart
    return list(zip(starts[first].tolist(), stops[last].tolist(), strict=True))


def _pieces(onset_s: float, offset_s: float) -> Iterator[Unit]:
    """Yield a unit, or equal pieces of one that is too long to be one."""
    count = math.ceil((offset_s - onset_s) / MAX_UNIT_S)
    edges_s = np.linspace(onset_s, offset_s, count + 1)
    for start_s, stop_s in itertools.pairwise(edges_s):
        yield Unit(float(start_s), float(stop_s))


def _unusable(decoded: Sound, quality: Quality) -> Unusable | None:
    if decoded.duration_s > MAX_DURATION_S:
        return Unusable.TOO_LONG
    if decoded.duration_s < MIN_DURATION_S:
        return Unusable.TOO_SHORT
    if quality.peak_dbfs < SILENT_PEAK_DBFS:
        return Unusable.SILENT
    return None


def _quality(decoded: Sound, sound: Sound, levels: Levels) -> Quality:
    centred = decoded.samples - np.float32(decoded.samples.mean(dtype=np.float64))
    low, high = np.percentile(levels, [10.0, 95.0])
    return Quality(
        level_dbfs=_dbfs(float(np.sqrt(np.mean(np.square(centred), dtype=np.float64)))),
        peak_dbfs=_dbfs(float(np.max(np.abs(centred)))),
        clipped_frac=float(np.mean(np.abs(decoded.samples) >= CLIPPED_FROM)),
        signal_to_background_db=float(high - low),
        bandwidth_hz=_bandwidth_hz(sound, levels, float(high)),
        background_dbfs=float(low),
    )


def _dbfs(amplitude: float) -> float:
    return max(FLOOR_DBFS, 20.0 * float(np.log10(max(amplitude, 1e-12))))


def _bandwidth_hz(sound: Sound, levels: Levels, high: float) -> float:
    size = int(FRAME_S * sound.rate_hz)
    starts = np.flatnonzero(levels > high - LOUD_DB) * size
    starts = starts[starts + WINDOW <= len(sound.samples)]
    starts = starts[:: len(starts) // ENOUGH_FRAMES + 1]
    if not len(starts) or high <= FLOOR_DBFS:
        return 0.0
    frames = sound.samples[starts[:, None] + np.arange(WINDOW)] * np.hanning(WINDOW).astype("f4")
    power = np.sum(np.square(np.abs(np.fft.rfft(frames, axis=1))), axis=0)
    share = np.cumsum(power) / np.sum(power)
    return float(np.searchsorted(share, ROLL_OFF_FRAC) * sound.rate_hz / WINDOW)
