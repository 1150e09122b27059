"""Synthesis: simulated cries of simulated infants, with everything about them known.

In: a voice, a room and a seed. Out: a sound of several expirations with pauses between them, the
units as planted, and the fundamental frequency as planted. Guaranteed: the same arguments always
give the same samples; no harmonic lies above the Nyquist frequency; a change of the voice changes
neither the plan of the units nor the room; nothing of it is a recording of anybody. How a unit
comes about is told in `pipelines.voice`; here units are strung together and set into a room.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy
from numpy.typing import NDArray

from pipelines.channel import coloured_noise, room_response
from pipelines.segment import Unit
from pipelines.sound import RATE_HZ, Sound
from pipelines.voice import Expiration, InfantVoice, Melody, lengths_s, tract

__all__ = [
    "F0_STEP_S",
    "InfantVoice",
    "Melody",
    "Room",
    "SyntheticCry",
    "synthesise_cry",
]

Signal = NDArray[np.float64]

F0_STEP_S = 0.01
LEAST_UNIT_S = 0.5  # of a voice whose units are longer than that; others have a least of their own
LEAD_FRAC = 0.6  # of a pause: a recording begins somewhere in the silence before a unit
LATEST_LEAD_FRAC = 0.4  # of the recording, so that a short one holds a unit too
END_S = 0.1
BREATH_S = 0.15
BREATH_AFTER = 0.25  # of the pause
BREATH_SHARE = 0.5
LEAST_BREATH_S = 0.03
WHOOP_RATIO = 1.8
WHOOP_SEMITONES = 7.0
HUM_HZ = 50.0
HUM_HARMONICS = 8
FLUTTER_STEP_S = 0.25
KNOCK_S = 0.04
LOUDEST_PEAK_DBFS = -0.1
_PLAN, _ROOM, _UNITS = 0, 1, 2  # any numbers: each has draws of its own, so none disturbs another


@dataclass(frozen=True)
class Room:
    """A simulated place and microphone: the same `seed` is the same room.

    Parameters
    ----------
    decay_s
        Reverberation time (60 dB).
    direct_to_reverberant_db
        Energy of the direct sound over that of the tail.
    signal_to_noise_db
        Power within the units, of a voice of intensity 0 dB, over that of the background.
    noise_db_per_octave
        Fall of the background's spectrum.
    peak_dbfs
        Level of the largest sample of the recording, for a voice of intensity 0 dB.
    seed
        Draws the tail of the room.
    flutter_db
        Standard deviation of the background's level from one quarter of a second to the next.
    hum_db
        Level of the mains hum relative to the background; None where nothing hums.
    knocks_per_s
        How often something knocks or rustles.
    knock_db
        Level of that relative to the cry.
    """

    decay_s: float = 0.25
    direct_to_reverberant_db: float = 8.0
    signal_to_noise_db: float = 30.0
    noise_db_per_octave: float = 4.0
    peak_dbfs: float = -6.0
    seed: int = 0
    flutter_db: float = 0.0
    hum_db: float | None = None
    knocks_per_s: float = 0.0
    knock_db: float = -15.0


@dataclass(frozen=True)
class SyntheticCry:
    """A simulated recording with its truth.

    Parameters
    ----------
    sound
        The recording.
    units
        Where its units were planted.
    f0_hz
        Fundamental frequency every 10 ms from the start, NaN outside the units.
    """

    sound: Sound
    units: tuple[Unit, ...]
    f0_hz: Signal


def synthesise_cry(
    voice: InfantVoice,
    seed: int,
    duration_s: float = 7.0,
    rate_hz: int = RATE_HZ,
    room: Room | None = None,
) -> SyntheticCry:
    """Simulate a recording of an infant's cry.

    Parameters
    ----------
    voice
        The infant.
    seed
        Draws this cry: its units, pauses, noise.
    duration_s
        Length of the recording, at least one second.
    rate_hz
        Sampling rate, 8000 Hz or more.
    room
        The place; None is an ordinary room.

    Returns
    -------
    SyntheticCry
        Recording and truth.

    Raises
    ------
    ValueError
        Too short, or too low a rate, to hold a cry.
    """
    if duration_s < 1.0 or rate_hz < 8_000:
        message = f"no cry fits into {duration_s} s at {rate_hz} Hz"
        raise ValueError(message)
    units = tuple(_plan(voice, duration_s, np.random.default_rng([seed, _PLAN])))
    dry = np.zeros(int(duration_s * rate_hz))
    truth = np.full(int(duration_s / F0_STEP_S), np.nan)
    onsets_s = [*(unit.onset_s for unit in units[1:]), duration_s]
    for number, (unit, next_s) in enumerate(zip(units, onsets_s, strict=True)):
        rng = np.random.default_rng([seed, _UNITS, number])
        _plant(dry, truth, unit, Expiration(voice, unit.duration_s, rate_hz, rng))
        _Inspiration(voice, rate_hz, rng).plant(dry, unit, next_s - unit.offset_s)
    place = _Place(room or Room(), rate_hz, np.random.default_rng([seed, _ROOM]))
    recorded = place.recorded(dry, units, voice.intensity_db)
    return SyntheticCry(Sound(recorded.astype(np.float32), rate_hz), units, truth)


def _plan(voice: InfantVoice, duration_s: float, rng: np.random.Generator) -> Iterator[Unit]:
    """Yield units from left to right; the last one ends before the recording does."""
    least_s = min(LEAST_UNIT_S, _length_s(voice.unit_s, voice.unit_spread, -np.inf))
    lead_s = LEAD_FRAC * _length_s(voice.pause_s, voice.pause_spread, rng.standard_normal())
    onset_s = min(lead_s, LATEST_LEAD_FRAC * duration_s)
    while True:
        drawn = rng.standard_normal(2)
        room_left_s = duration_s - END_S - onset_s
        length_s = min(_length_s(voice.unit_s, voice.unit_spread, drawn[0]), room_left_s)
        if length_s < least_s:
            return
        yield Unit(onset_s, onset_s + length_s)
        onset_s += length_s + _length_s(voice.pause_s, voice.pause_spread, drawn[1])


def _length_s(median_s: float, spread: float, draw: float) -> float:
    return float(lengths_s(median_s, spread, np.asarray(draw)))


def _plant(dry: Signal, truth: Signal, unit: Unit, expiration: Expiration) -> None:
    start = int(unit.onset_s * expiration.rate_hz)
    samples = expiration.samples()
    dry[start : start + len(samples)] += samples
    steps = np.arange(int(np.ceil(unit.onset_s / F0_STEP_S)), int(unit.offset_s / F0_STEP_S))
    since_s = steps * F0_STEP_S - unit.onset_s
    truth[steps] = np.interp(since_s, expiration.times_s, expiration.f0_hz)


class _Inspiration:
    """The short intake of breath after a unit: noise through the same tract, or a whoop."""

    def __init__(self, voice: InfantVoice, rate_hz: int, rng: np.random.Generator) -> None:
        self.voice = voice
        self.rate_hz = rate_hz
        self.rng = rng

    def plant(self, dry: Signal, unit: Unit, pause_s: float) -> None:
        """Add it to the pause after a unit."""
        start = int((unit.offset_s + BREATH_AFTER * pause_s) * self.rate_hz)
        wanted_s = min(BREATH_S, BREATH_SHARE * pause_s) * float(self.rng.uniform(0.7, 1.3))
        length = min(int(wanted_s * self.rate_hz), len(dry) - start)
        if length <= LEAST_BREATH_S * self.rate_hz:
            return
        is_voiced = self.rng.uniform() < self.voice.inspiration_voiced_frac
        breath = self._whoop(length) if is_voiced else self._noise(length)
        level = 10.0 ** (self.voice.inspiration_db / 20.0) / np.sqrt(np.mean(breath**2))
        dry[start : start + len(breath)] += level * breath

    def _noise(self, length: int) -> Signal:
        noise = scipy.signal.sosfilt(
            tract(self.voice, self.rate_hz), self.rng.standard_normal(length)
        )
        return np.asarray(noise * np.hanning(length))

    def _whoop(self, length: int) -> Signal:
        higher = replace(
            self.voice,
            f0_hz=WHOOP_RATIO * self.voice.f0_hz,
            melody=Melody.FALLING,
            melody_semitones=WHOOP_SEMITONES,
            melody_variety_frac=0.0,
            dysphonation_frac=0.0,
            hyperphonation_frac=0.0,
            break_frac=0.0,
            unit_level_db=0.0,
            formant_spread=0.0,
        )
        return Expiration(higher, length / self.rate_hz, self.rate_hz, self.rng).samples()


class _Place:
    """A room around a dry cry: its echo, its background and what happens in it."""

    def __init__(self, room: Room, rate_hz: int, rng: np.random.Generator) -> None:
        self.room = room
        self.rate_hz = rate_hz
        self.rng = rng

    def recorded(self, dry: Signal, units: tuple[Unit, ...], intensity_db: float) -> Signal:
        """Return the recording; a louder voice stands out more, and peaks higher."""
        room = self.room
        of_room = np.random.default_rng(room.seed)
        response = room_response(self.rate_hz, room.decay_s, room.direct_to_reverberant_db, of_room)
        wet = scipy.signal.oaconvolve(dry, response.astype(np.float64))[: len(dry)]
        cried_s = sum(unit.duration_s for unit in units)
        power = float(np.sum(wet**2) / (cried_s * self.rate_hz))
        ratio_db = room.signal_to_noise_db + intensity_db
        background = self._background(len(dry)) * np.sqrt(power / 10.0 ** (ratio_db / 10.0))
        recorded = wet + background + self._knocks(len(dry)) * np.sqrt(power)
        peak_dbfs = room.peak_dbfs
        if intensity_db:
            peak_dbfs = min(peak_dbfs + intensity_db, max(peak_dbfs, LOUDEST_PEAK_DBFS))
        return np.asarray(recorded * 10.0 ** (peak_dbfs / 20.0) / np.max(np.abs(recorded)))

    def _background(self, length: int) -> Signal:
        """Return the background, power 1."""
        duration_s = length / self.rate_hz
        noise = coloured_noise(duration_s, self.rate_hz, self.room.noise_db_per_octave, self.rng)
        background = np.resize(noise.samples.astype(np.float64), length)
        if self.room.flutter_db:
            knots = self.rng.standard_normal(int(duration_s / FLUTTER_STEP_S) + 2)
            at_s = np.arange(length) / self.rate_hz
            level_db = np.interp(at_s, np.arange(len(knots)) * FLUTTER_STEP_S, knots)
            background *= 10.0 ** (self.room.flutter_db * level_db / 20.0)
        background /= np.sqrt(np.mean(background**2))
        if self.room.hum_db is not None:
            background += 10.0 ** (self.room.hum_db / 20.0) * self._hum(length)
        return np.asarray(background / np.sqrt(np.mean(background**2)))

    def _hum(self, length: int) -> Signal:
        phase = 2.0 * np.pi * (HUM_HZ * np.arange(length) / self.rate_hz + self.rng.uniform())
        hum = sum(np.sin(number * phase) / number for number in range(1, HUM_HARMONICS + 1))
        return np.asarray(hum / np.sqrt(np.mean(np.square(hum))))

    def _knocks(self, length: int) -> Signal:
        """Return short bursts of noise, their first moment as loud as asked or softer."""
        knocks = np.zeros(length)
        if not self.room.knocks_per_s:
            return knocks
        size = int(KNOCK_S * self.rate_hz)
        decay = np.exp(-np.arange(size) / (0.25 * size))
        for _ in range(self.rng.poisson(self.room.knocks_per_s * length / self.rate_hz)):
            start = int(self.rng.integers(0, max(1, length - size)))
            level_db = self.room.knock_db - self.rng.exponential(6.0)
            burst = self.rng.standard_normal(size) * decay * 10.0 ** (level_db / 20.0)
            knocks[start : start + size] += burst[: length - start]
        return knocks
