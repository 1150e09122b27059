"""Synthesis: simulated cries of simulated infants, with everything about them known.

In: a voice, a room and a seed. Out: a sound of several expirations with pauses between them, the
units as planted, and the fundamental frequency as planted. Guaranteed: the same arguments always
give the same samples; no harmonic lies above the Nyquist frequency; nothing of it is a recording
of anybody. The model is source and filter: a jittered sum of harmonics with a spectral tilt, and
aspiration noise, through the resonances of a tube closed at one end.

Sources: Fant, *Acoustic Theory of Speech Production* (1960) for source and filter; Klatt, "Software
for a cascade/parallel formant synthesizer", J. Acoust. Soc. Am. 67 (1980) for the resonators.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from pipelines.channel import coloured_noise, room_response
from pipelines.segment import Unit
from pipelines.sound import RATE_HZ, Sound

Signal = NDArray[np.float64]

SPEED_OF_SOUND_CM_PER_S = 35_400.0  # in warm, moist air
F0_STEP_S = 0.01
NYQUIST_SHARE = 0.95  # harmonics have faded out here
UNIT_S = (0.5, 1.5)
PAUSE_S = (0.3, 0.8)
ATTACK_S = 0.06
RELEASE_S = 0.12
BREATH_S = 0.15
BREATH_DB = -30.0
HYPERPHONATION_HZ = (1_050.0, 1_500.0)
DEVIATION_PER_JITTER = (
    np.sqrt(np.pi) / 2.0
)  # mean |difference| of two normal draws is 2/sqrt(pi) sd


class Melody(StrEnum):
    """How the pitch moves within a unit."""

    RISING_FALLING = "rising_falling"
    FALLING = "falling"
    RISING = "rising"
    FLAT = "flat"
    DOUBLE = "double"


@dataclass(frozen=True)
class InfantVoice:
    """A simulated infant.

    Parameters
    ----------
    f0_hz
        Middle of its fundamental frequency.
    tract_length_cm
        Length of the vocal tract; resonances lie at odd quarters of the wavelength.
    jitter_frac, shimmer_frac
        Mean difference of successive periods, and of their amplitudes, relative to the mean.
    breathiness_frac
        Amplitude of aspiration noise relative to the harmonics.
    tilt_db_per_octave
        Fall of the harmonics' level before the resonances.
    melody
        How the pitch moves within a unit.
    melody_semitones
        How far it moves.
    hyperphonation_frac
        Chance of a unit above 1000 Hz.
    subharmonic_frac
        Amplitude difference of every second period.
    """

    f0_hz: float = 450.0
    tract_length_cm: float = 8.5
    jitter_frac: float = 0.008
    shimmer_frac: float = 0.03
    breathiness_frac: float = 0.05
    tilt_db_per_octave: float = 9.0
    melody: Melody = Melody.RISING_FALLING
    melody_semitones: float = 3.0
    hyperphonation_frac: float = 0.0
    subharmonic_frac: float = 0.0


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
        Power within the units over that of the stationary background.
    noise_db_per_octave
        Fall of the background's spectrum.
    peak_dbfs
        Level of the largest sample of the recording.
    seed
        Draws the tail of the room.
    """

    decay_s: float = 0.25
    direct_to_reverberant_db: float = 8.0
    signal_to_noise_db: float = 30.0
    noise_db_per_octave: float = 4.0
    peak_dbfs: float = -6.0
    seed: int = 0


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
    rng = np.random.default_rng(seed)
    units = tuple(_plan(duration_s, rng))
    dry = np.zeros(int(duration_s * rate_hz))
    truth = np.full(int(duration_s / F0_STEP_S), np.nan)
    for unit in units:
        _plant(dry, truth, unit, _Expiration(voice, unit.duration_s, rate_hz, rng))
        _breathe(dry, unit.offset_s, voice, rate_hz, rng)
    recorded = _in_room(dry, units, room or Room(), rate_hz, rng)
    return SyntheticCry(Sound(recorded.astype(np.float32), rate_hz), units, truth)


def _plan(duration_s: float, rng: np.random.Generator) -> Iterator[Unit]:
    """Yield units from left to right; the last one ends before the recording does."""
    onset_s = float(rng.uniform(0.2, 0.4))
    while True:
        room_left_s = duration_s - 0.1 - onset_s
        length_s = min(float(rng.uniform(*UNIT_S)), room_left_s)
        if length_s < UNIT_S[0]:
            return
        yield Unit(onset_s, onset_s + length_s)
        onset_s += length_s + float(rng.uniform(*PAUSE_S))


class _Expiration:
    """One unit: its pitch, its source and its way through the tract."""

    def __init__(
        self, voice: InfantVoice, duration_s: float, rate_hz: int, rng: np.random.Generator
    ) -> None:
        self.voice = voice
        self.rate_hz = rate_hz
        self.rng = rng
        self.times_s = np.arange(int(duration_s * rate_hz)) / rate_hz
        self.f0_hz = _contour(voice, self.times_s / duration_s, rng)

    def samples(self) -> Signal:
        """Return the unit, power 1 before its envelope."""
        harmonics = self._harmonics()
        breath = self.rng.standard_normal(len(harmonics)) * np.sqrt(np.mean(harmonics**2))
        source = harmonics + self.voice.breathiness_frac * breath
        wet = scipy.signal.sosfilt(_tract(self.voice.tract_length_cm, self.rate_hz), source)
        level = np.sqrt(np.mean(wet**2))
        return np.asarray(wet / level * _envelope(len(wet), self.rate_hz), dtype=np.float64)

    def _harmonics(self) -> Signal:
        cycles = np.cumsum(self.f0_hz) / self.rate_hz
        draws = self.rng.standard_normal((2, int(cycles[-1]) + 3))
        deviation = self.voice.jitter_frac * DEVIATION_PER_JITTER * draws[0]
        instant_hz = self.f0_hz * (1.0 + deviation[cycles.astype(np.int64)])
        phase = 2.0 * np.pi * np.cumsum(instant_hz) / self.rate_hz
        summed = _harmonic_sum(phase, instant_hz, self.voice.tilt_db_per_octave, self.rate_hz)
        strength = 1.0 + self.voice.shimmer_frac * DEVIATION_PER_JITTER * draws[1]
        shimmer = np.interp(cycles, np.arange(len(strength)), strength)
        doubled = 1.0 + self.voice.subharmonic_frac * np.cos(phase / 2.0)
        return np.asarray(summed * shimmer * doubled, dtype=np.float64)


def _contour(voice: InfantVoice, place: Signal, rng: np.random.Generator) -> Signal:
    """Return the pitch over a unit, `place` running from 0 to 1."""
    shapes = {
        Melody.RISING_FALLING: np.sin(np.pi * place**0.7) - 0.5,
        Melody.FALLING: 0.5 - place,
        Melody.RISING: place - 0.5,
        Melody.FLAT: np.zeros_like(place),
        Melody.DOUBLE: np.abs(np.sin(2.0 * np.pi * place)) - 0.5,
    }
    own = rng.normal(0.0, 0.5)  # no two units of a cry are quite at the same pitch
    tremor = 0.15 * np.sin(2.0 * np.pi * (rng.uniform(4.0, 8.0) * place + rng.uniform()))
    semitones = own + tremor + voice.melody_semitones * shapes[voice.melody]
    high = rng.uniform() < voice.hyperphonation_frac
    middle_hz = rng.uniform(*HYPERPHONATION_HZ) if high else voice.f0_hz
    return np.asarray(middle_hz * 2.0 ** ((0.2 * semitones if high else semitones) / 12.0))


def _harmonic_sum(phase: Signal, f0_hz: Signal, tilt_db: float, rate_hz: int) -> Signal:
    """Sum harmonics that fade out under the Nyquist frequency.

    Each sine follows from the two before it, sin(k p) = 2 cos(p) sin((k-1) p) - sin((k-2) p), which
    is a good deal quicker than computing it.
    """
    top_hz = NYQUIST_SHARE * rate_hz / 2.0
    twice_cosine = 2.0 * np.cos(phase)
    before, current = np.zeros_like(phase), np.sin(phase)
    total = np.zeros_like(phase)
    for harmonic in range(1, int(top_hz / np.min(f0_hz)) + 1):
        highest_hz = (harmonic + 0.5) * f0_hz  # with the sideband that period doubling adds
        fade = np.clip((top_hz - highest_hz) / (0.1 * top_hz), 0.0, 1.0)
        total += harmonic ** (-tilt_db / 6.0206) * fade * current
        before, current = current, twice_cosine * current - before
    return total


def _tract(length_cm: float, rate_hz: int) -> NDArray[np.float64]:
    """Return second-order sections of the resonances that lie well under the Nyquist frequency."""
    numbers = np.arange(1, 9)
    centres_hz = (2 * numbers - 1) * SPEED_OF_SOUND_CM_PER_S / (4.0 * length_cm)
    centres_hz = centres_hz[centres_hz < 0.9 * rate_hz / 2.0]
    radius = np.exp(-np.pi * (60.0 + 0.06 * centres_hz) / rate_hz)
    sections = np.zeros((len(centres_hz), 6))
    sections[:, 3] = 1.0
    sections[:, 4] = -2.0 * radius * np.cos(2.0 * np.pi * centres_hz / rate_hz)
    sections[:, 5] = radius**2
    sections[:, 0] = sections[:, 3:].sum(axis=1)  # gain 1 at 0 Hz
    return sections


def _envelope(length: int, rate_hz: int) -> Signal:
    after_s = np.arange(length) / rate_hz
    rise = np.clip(after_s / ATTACK_S, 0.0, 1.0)
    fall = np.clip(after_s[::-1] / RELEASE_S, 0.0, 1.0)
    return np.asarray(np.sin(0.5 * np.pi * rise) ** 2 * np.sin(0.5 * np.pi * fall) ** 2)


def _plant(dry: Signal, truth: Signal, unit: Unit, expiration: _Expiration) -> None:
    start = int(unit.onset_s * expiration.rate_hz)
    samples = expiration.samples()
    dry[start : start + len(samples)] += samples
    steps = np.arange(int(np.ceil(unit.onset_s / F0_STEP_S)), int(unit.offset_s / F0_STEP_S))
    since_s = steps * F0_STEP_S - unit.onset_s
    truth[steps] = np.interp(since_s, expiration.times_s, expiration.f0_hz)


def _breathe(
    dry: Signal, offset_s: float, voice: InfantVoice, rate_hz: int, rng: np.random.Generator
) -> None:
    """Add the short intake of breath after a unit; it is noise through the same tract."""
    start = int((offset_s + 0.05) * rate_hz)
    length = min(int(BREATH_S * rate_hz), len(dry) - start)
    if length <= 0:
        return
    noise = scipy.signal.sosfilt(
        _tract(voice.tract_length_cm, rate_hz), rng.standard_normal(length)
    )
    noise *= np.hanning(length) * 10.0 ** (BREATH_DB / 20.0) / np.sqrt(np.mean(noise**2))
    dry[start : start + length] += noise


def _in_room(
    dry: Signal, units: tuple[Unit, ...], room: Room, rate_hz: int, rng: np.random.Generator
) -> Signal:
    response = room_response(
        rate_hz, room.decay_s, room.direct_to_reverberant_db, np.random.default_rng(room.seed)
    )
    wet = scipy.signal.oaconvolve(dry, response.astype(np.float64))[: len(dry)]
    noise = coloured_noise(len(dry) / rate_hz, rate_hz, room.noise_db_per_octave, rng)
    background = np.resize(noise.samples.astype(np.float64), len(dry))
    cried_s = sum(unit.duration_s for unit in units)
    power = np.sum(wet**2) / (cried_s * rate_hz)
    wanted = power / 10.0 ** (room.signal_to_noise_db / 10.0)
    recorded = wet + background * np.sqrt(wanted / np.mean(background**2))
    gain = 10.0 ** (room.peak_dbfs / 20.0) / np.max(np.abs(recorded))
    return np.asarray(recorded * gain, dtype=np.float64)
