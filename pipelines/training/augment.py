"""Training: change the room, the microphone and the background of crops, and keep who cries.

In: mel power of crops, of their own background, and of the backgrounds of others. Out: normalised
log-mel crops as the network sees them in use. Guaranteed: seeded by the generator that is handed
in; whatever a crop is mixed with, its identity stays.

Everything happens on mel power, where sounds add (in the mean over their phases), a room is a
decaying tail of the frames before, and a microphone a gain per band: a whole batch takes
milliseconds, where convolving samples would cost more than the network itself.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.frontend import Frames, FrontEnd

HOP_S = 0.01
TELEPHONE_BAND = 59  # first mel band above 3.7 kHz, where 8 kHz telephone codecs end
_SILENCE = 1e-10


@dataclass(frozen=True)
class Strength:
    """How strongly crops are changed; fractions are the share of crops that get a change.

    `signal_to_background_db` is the range that is drawn from; None mixes no background in.
    """

    clean_frac: float = 0.1
    subtract_frac: float = 0.6
    room_frac: float = 0.5
    telephone_frac: float = 0.5
    signal_to_background_db: tuple[float, float] | None = (3.0, 30.0)
    equaliser_db: float = 4.0
    tilt_db: float = 6.0
    reverberation_s: tuple[float, float] = (0.15, 0.9)
    direct_to_reverberant_db: tuple[float, float] = (0.0, 15.0)


OWN_ROOM = Strength(subtract_frac=0.0, room_frac=0.0, signal_to_background_db=None)
"""Crops keep the room and the background that they were recorded with."""


@dataclass(frozen=True)
class Crops:
    """Crops of equal length: mel power, the mean power of each one's own background, new ones.

    Attributes
    ----------
    power
        Shape ``(n, frames, bands)``.
    own_background
        Shape ``(n, bands)``: mean power of the quietest frames of the crop's own recording.
    new_background
        Shape ``(n, frames, bands)``: background frames of other recordings.
    """

    power: Frames
    own_background: Frames
    new_background: Frames


def _chosen(rng: np.random.Generator, n: int, frac: float) -> NDArray[np.bool_]:
    return rng.random(n) < frac


def subtract_background(
    power: Frames, background: Frames, rng: np.random.Generator, frac: float
) -> Frames:
    """Take the recording's own mean background out, as spectral subtraction does."""
    factor = rng.uniform(1.0, 3.0, len(power)) * _chosen(rng, len(power), frac)
    own = factor.astype(np.float32)[:, None, None] * background[:, None, :]
    return np.maximum(power - own, np.float32(0.02) * power)


def add_room(power: Frames, rng: np.random.Generator, strength: Strength) -> Frames:
    """Add a decaying tail of the frames before; higher bands decay faster, as rooms do."""
    n, frames, bands = power.shape
    shortest_s, longest_s = strength.reverberation_s
    decay_s = np.outer(rng.uniform(shortest_s, longest_s, n), np.linspace(1.0, 0.6, bands))
    keep = np.power(10.0, -6.0 * HOP_S / decay_s).astype(np.float32)
    ratio_db = rng.uniform(*strength.direct_to_reverberant_db, n)
    level = np.power(10.0, -ratio_db / 10.0) * _chosen(rng, n, strength.room_frac)
    tail = np.zeros((n, bands), dtype=np.float32)
    gain = (1.0 - keep) * level.astype(np.float32)[:, None]
    result = power.copy()
    for frame in range(1, frames):
        tail = keep * tail + gain * power[:, frame - 1]
        result[:, frame] += tail
    return result


def equaliser(n: int, bands: int, rng: np.random.Generator, strength: Strength) -> Frames:
    """Random smooth gain of each crop, shape ``(n, 1, bands)``, as power."""
    position = np.linspace(0.0, 1.0, bands)
    gain_db = rng.normal(0.0, strength.tilt_db, (n, 1)) * (position - 0.5)
    for order in (1, 2, 3, 4):
        phase = rng.uniform(0.0, 2.0 * np.pi, (n, 1))
        size = rng.normal(0.0, strength.equaliser_db / order, (n, 1))
        gain_db = gain_db + size * np.sin(2.0 * np.pi * 0.5 * order * position + phase)
    gain: Frames = np.power(10.0, gain_db / 10.0).astype(np.float32)[:, None, :]
    return gain


def mix_background(
    power: Frames, background: Frames, rng: np.random.Generator, strength: Strength
) -> Frames:
    """Add another recording's background at a random level under the crop's mean power."""
    if strength.signal_to_background_db is None:
        return power
    ratio_db = rng.uniform(*strength.signal_to_background_db, len(power))
    crop_power = power.mean(axis=(1, 2)) + _SILENCE
    background_power = background.mean(axis=(1, 2)) + _SILENCE
    gain = crop_power / background_power * np.power(10.0, -ratio_db / 10.0)
    return power + gain.astype(np.float32)[:, None, None] * background


def _telephone(power: Frames, rng: np.random.Generator, frac: float) -> Frames:
    cut = _chosen(rng, len(power), frac)
    result = power.copy()
    result[cut, :, TELEPHONE_BAND:] = _SILENCE
    return result


def normalise_crops(power: Frames, front_end: FrontEnd, mean_db: Frames) -> Frames:
    """Turn mel power into what the network sees: dB, floored, centred, ``mean_db`` subtracted."""
    level_db = 10.0 * np.log10(np.maximum(power, np.float32(_SILENCE)))
    flat = level_db.reshape(len(level_db), -1)
    rank = int(0.99 * (flat.shape[1] - 1))
    top_db = np.partition(flat, rank, axis=1)[:, rank]
    floor_db = (top_db - front_end.floor_below_p99_db)[:, None, None]
    level_db = np.maximum(level_db, floor_db)
    centred: Frames = level_db - level_db.mean(axis=(1, 2), keepdims=True) - mean_db
    return centred.astype(np.float32, copy=False)


def mask(crops: Frames, rng: np.random.Generator) -> Frames:
    """Blank one stretch of bands and one of frames in every crop."""
    n, frames, bands = crops.shape
    result = crops.copy()
    for axis, size, widest in ((1, frames, frames // 8), (2, bands, 10)):
        width = rng.integers(0, widest + 1, n)
        start = rng.integers(0, size - width + 1)
        position = np.arange(size)
        blank = (position >= start[:, None]) & (position < (start + width)[:, None])
        blank = np.expand_dims(blank, 3 - axis)
        result = np.where(blank, np.float32(0.0), result)
    return result


def change_room(crops: Crops, rng: np.random.Generator, strength: Strength) -> Frames:
    """Give every crop another room, microphone and background; a few stay as they were.

    Returns
    -------
    ndarray
        Mel power, shape ``(n, frames, bands)``.
    """
    n, _, bands = crops.power.shape
    power = subtract_background(crops.power, crops.own_background, rng, strength.subtract_frac)
    power = add_room(power, rng, strength)
    power = power * equaliser(n, bands, rng, strength)
    power = mix_background(power, crops.new_background, rng, strength)
    clean = _chosen(rng, n, strength.clean_frac)[:, None, None]
    power = np.where(clean, crops.power, power)
    return _telephone(power, rng, strength.telephone_frac)
