"""Voice: what a simulated infant's vocal folds and tract do within one expiration.

In: a voice, the length of a unit and a generator. Out: the unit's samples and its fundamental
frequency at each of them. Guaranteed: no harmonic lies above the Nyquist frequency; two voices
that differ in one parameter differ in nothing else when they cry from equal generators, so that a
planted change is the only change. The model is source and filter: a jittered sum of harmonics with
a spectral tilt, and aspiration noise, through the resonances of a tube that is closed at one end
and moves a little.

Sources: Fant, *Acoustic Theory of Speech Production* (1960) for source and filter; Klatt, "Software
for a cascade/parallel formant synthesizer", J. Acoust. Soc. Am. 67 (1980) for the resonators;
LaGasse, Neal and Lester, "Assessment of infant cry", Ment. Retard. Dev. Disabil. Res. Rev. 11
(2005) for phonation, dysphonation (turbulent and noisy) and hyperphonation above 1000 Hz.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import scipy
from numpy.typing import NDArray

Signal = NDArray[np.float64]

SPEED_OF_SOUND_CM_PER_S = 35_400.0  # in warm, moist air
NYQUIST_SHARE = 0.95  # harmonics have faded out here
TUBES = 8
CONTOUR_STEP_S = 0.002
ATTACK_S = 0.06
RELEASE_S = 0.12
HYPERPHONATION_HZ = (1_050.0, 1_500.0)
LONGEST_DRAW = 2.0  # lengths are drawn within so many spreads of their middle
BREAK_SEMITONES = (5.0, 12.0)
BREAK_S = (0.06, 0.25)
EDGE_S = 0.03  # how long a stretch of another phonation takes to come and go
ROUGH_EDGE_S = 0.15
ROUGH_NOISE_HZ = 1_000.0
ROUGH_JITTER = 4.0
ROUGH_BREATH = 0.5
ROUGH_LOSS = 0.5
ROUGH_DOUBLING = 0.35
EFFORT = 0.4  # dB per octave less of tilt for every dB that a unit is louder
SOFT_HZ = 700.0
SOFT_BREATH = 0.6  # of the harmonics, at the very edge of a unit
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
    """A simulated infant; as it stands a textbook voice, without what makes cries irregular.

    `pipelines.cohort.typical_voice` gives one whose irregularities are those of real recordings.

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
    subharmonic_share
        Share of each unit in which the periods differ so.
    unit_s, unit_spread
        Median length of a unit, and the standard deviation of its logarithm.
    pause_s, pause_spread
        The same of the pauses between units.
    unit_f0_semitones
        Standard deviation of the units' pitches around the infant's.
    melody_variety_frac
        Chance of a unit with another melody than the infant's own.
    melody_spread
        Standard deviation of the logarithm of how far the pitch moves, and of how skewed it is.
    break_frac
        Chance of a unit in which the voice breaks: its pitch jumps and comes back.
    dysphonation_frac
        Chance of a unit with a rough, noisy stretch.
    intensity_db
        Loudness; the background of a room does not rise with it.
    unit_level_db
        Standard deviation of the levels of units, and of the level within a unit.
    formant_offsets
        How far each resonance lies from that of an even tube, relative to it, the lowest first.
    formant_spread
        Standard deviation of each resonance, relative to it, from one end of a unit to the other.
    damping
        Bandwidth of the resonances relative to that of a hard-walled tract.
    softening_frac
        How much duller, and how much breathier, the voice is where it is soft.
    inspiration_db
        Level of the breath drawn after a unit, relative to the units.
    inspiration_voiced_frac
        Chance that it is a short, falling whoop and no mere noise; it is no unit.
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
    subharmonic_share: float = 1.0
    unit_s: float = 0.9
    unit_spread: float = 0.25
    pause_s: float = 0.5
    pause_spread: float = 0.23
    unit_f0_semitones: float = 0.5
    melody_variety_frac: float = 0.0
    melody_spread: float = 0.0
    break_frac: float = 0.0
    dysphonation_frac: float = 0.0
    intensity_db: float = 0.0
    unit_level_db: float = 0.0
    formant_offsets: tuple[float, ...] = ()
    formant_spread: float = 0.0
    damping: float = 1.0
    softening_frac: float = 0.0
    inspiration_db: float = -30.0
    inspiration_voiced_frac: float = 0.0


def lengths_s(median_s: float, spread: float, draws: Signal) -> Signal:
    """Turn standard normal draws into lengths around a median, none of them far out."""
    within = np.clip(draws, -LONGEST_DRAW, LONGEST_DRAW)
    return np.asarray(median_s * np.exp(spread * within), dtype=np.float64)


@dataclass(frozen=True)
class _Stretch:
    """Part of a unit, as shares of it."""

    start: float
    stop: float

    def weight(self, times_s: Signal, duration_s: float, edge_s: float = EDGE_S) -> Signal:
        """Return 1 inside and 0 outside, with slopes between."""
        since_s = times_s - self.start * duration_s
        left_s = self.stop * duration_s - times_s
        return np.asarray(np.clip(np.minimum(since_s, left_s) / edge_s, 0.0, 1.0))


def _stretch(share: float, rng: np.random.Generator) -> _Stretch:
    start = float(rng.uniform()) * (1.0 - share)
    return _Stretch(start, start + share)


@dataclass(frozen=True)
class _Manner:
    """How one unit is cried: everything drawn before a sample is made."""

    melody: Melody
    extent: float
    skew: float
    own_semitones: float
    tremor: tuple[float, float]
    high_hz: float | None
    jump_semitones: float
    jump: _Stretch
    rough: _Stretch | None
    doubled: _Stretch
    level_db: Signal
    edges_s: tuple[float, float]
    formant_draws: Signal


def _manner(voice: InfantVoice, duration_s: float, rng: np.random.Generator) -> _Manner:
    """Draw a unit's manner; the number of draws does not depend on the voice."""
    chances, normal = rng.uniform(size=4), rng.standard_normal(8)
    others = [melody for melody in Melody if melody is not voice.melody]
    other = others[int(rng.integers(len(others)))]
    high_hz = float(rng.uniform(*HYPERPHONATION_HZ))
    jump = float(rng.uniform(*BREAK_SEMITONES)) * float(rng.choice([-1.0, 1.0]))
    jump_share = min(0.5, float(rng.uniform(*BREAK_S)) / duration_s)
    rough = _stretch(float(rng.uniform(0.2, 1.0)), rng)
    longer = float(np.exp(voice.unit_level_db / 6.0 * 0.5 * abs(normal[3])))
    return _Manner(
        melody=other if chances[0] < voice.melody_variety_frac else voice.melody,
        extent=voice.melody_semitones * float(np.exp(voice.melody_spread * normal[0])),
        skew=0.7 * float(np.exp(0.6 * voice.melody_spread * normal[1])),
        own_semitones=voice.unit_f0_semitones * float(normal[2]),
        tremor=(float(rng.uniform(4.0, 8.0)), float(rng.uniform())),
        high_hz=high_hz if chances[1] < voice.hyperphonation_frac else None,
        jump_semitones=jump if chances[2] < voice.break_frac else 0.0,
        jump=_stretch(jump_share, rng),
        rough=rough if chances[3] < voice.dysphonation_frac else None,
        doubled=_stretch(voice.subharmonic_share, rng),
        level_db=voice.unit_level_db * normal[4:8],
        edges_s=(ATTACK_S * longer, RELEASE_S * longer),
        formant_draws=rng.standard_normal((2, TUBES)),
    )


class Expiration:
    """One unit: its pitch, its source and its way through the tract.

    Parameters
    ----------
    voice
        Whose.
    duration_s
        How long.
    rate_hz
        Sampling rate.
    rng
        Draws how this unit is cried, and its noise.
    """

    def __init__(
        self, voice: InfantVoice, duration_s: float, rate_hz: int, rng: np.random.Generator
    ) -> None:
        self.voice = voice
        self.duration_s = duration_s
        self.rate_hz = rate_hz
        self.rng = rng
        self.manner = _manner(voice, duration_s, rng)
        self.times_s = np.arange(int(duration_s * rate_hz)) / rate_hz
        self.f0_hz = _contour(voice, self.manner, self.times_s, duration_s)

    def samples(self) -> Signal:
        """Return the unit, power 1 before its envelope where the voice's levels do not vary."""
        rough = self._rough()
        harmonics = self._harmonics(rough)
        breath = self.rng.standard_normal(len(harmonics)) * np.sqrt(np.mean(harmonics**2))
        envelope = self._envelope()
        soft = self.voice.softening_frac * (1.0 - np.clip(envelope, 0.0, 1.0))
        source = harmonics + (self.voice.breathiness_frac + SOFT_BREATH * soft) * breath
        if self.manner.rough is not None:
            dull = _dulled(breath, ROUGH_NOISE_HZ, self.rate_hz)
            loud = ROUGH_BREATH * np.sqrt(np.mean(breath**2) / np.mean(dull**2))
            source += rough * (loud * dull - ROUGH_LOSS * harmonics)
        wet = self._through_tract(source)
        wet /= np.sqrt(np.mean(wet**2))
        return self._softened(wet, soft) * envelope

    def _rough(self) -> Signal:
        if self.manner.rough is None:
            return np.zeros_like(self.times_s)
        return self.manner.rough.weight(self.times_s, self.duration_s, ROUGH_EDGE_S)

    def _harmonics(self, rough: Signal) -> Signal:
        cycles = np.cumsum(self.f0_hz) / self.rate_hz
        draws = self.rng.standard_normal((2, int(cycles[-1]) + 3))
        deviation = self.voice.jitter_frac * DEVIATION_PER_JITTER * draws[0]
        stray = deviation[cycles.astype(np.int64)] * (1.0 + ROUGH_JITTER * rough)
        instant_hz = self.f0_hz * (1.0 + np.clip(stray, -0.5, 0.5))
        phase = 2.0 * np.pi * np.cumsum(instant_hz) / self.rate_hz
        tilt_db = max(0.0, self.voice.tilt_db_per_octave - EFFORT * self.manner.level_db[0])
        summed = _harmonic_sum(phase, instant_hz, tilt_db, self.rate_hz)
        strength = 1.0 + self.voice.shimmer_frac * DEVIATION_PER_JITTER * draws[1]
        shimmer = np.interp(cycles, np.arange(len(strength)), strength)
        return np.asarray(summed * shimmer * self._doubling(phase, rough), dtype=np.float64)

    def _doubling(self, phase: Signal, rough: Signal) -> Signal | float:
        """Return what every second period is stronger by; a rough voice doubles its periods too."""
        if self.voice.subharmonic_frac == 0.0 and self.manner.rough is None:
            return 1.0
        inside = self.manner.doubled.weight(self.times_s, self.duration_s)
        if self.voice.subharmonic_share >= 1.0:
            inside = np.ones_like(inside)
        depth = self.voice.subharmonic_frac * inside + ROUGH_DOUBLING * rough
        return 1.0 + depth * np.cos(phase / 2.0)

    def _through_tract(self, source: Signal) -> Signal:
        """Filter by the tract, which moves from one shape to another over the unit."""
        shapes = self.voice.formant_spread * self.manner.formant_draws
        first = scipy.signal.sosfilt(tract(self.voice, self.rate_hz, shapes[0]), source)
        if self.voice.formant_spread == 0.0:
            return np.asarray(first, dtype=np.float64)
        last = scipy.signal.sosfilt(tract(self.voice, self.rate_hz, shapes[1]), source)
        place = self.times_s / self.duration_s
        return np.asarray(first + place * (last - first), dtype=np.float64)

    def _envelope(self) -> Signal:
        attack_s, release_s = self.manner.edges_s
        rise = np.clip(self.times_s / attack_s, 0.0, 1.0)
        fall = np.clip(self.times_s[::-1] / release_s, 0.0, 1.0)
        edges = np.sin(0.5 * np.pi * rise) ** 2 * np.sin(0.5 * np.pi * fall) ** 2
        if self.voice.unit_level_db == 0.0:
            return np.asarray(edges)
        return np.asarray(edges * self._swell())

    def _swell(self) -> Signal:
        """Return the slow course of the amplitude: a level of the unit's own, and an arc on it."""
        whole, *knots = self.manner.level_db
        arc_db = np.interp(self.times_s / self.duration_s, [0.1, 0.5, 0.9], 0.6 * np.array(knots))
        return np.asarray(10.0 ** ((whole + arc_db) / 20.0))

    def _softened(self, wet: Signal, soft: Signal) -> Signal:
        """Take high harmonics away where the voice is soft."""
        if self.voice.softening_frac == 0.0:
            return wet
        return np.asarray(wet + soft * (_dulled(wet, SOFT_HZ, self.rate_hz) - wet))


def _dulled(samples: Signal, edge_hz: float, rate_hz: int) -> Signal:
    sections = scipy.signal.butter(1, edge_hz, fs=rate_hz, output="sos")
    return np.asarray(scipy.signal.sosfilt(sections, samples), dtype=np.float64)


def _contour(voice: InfantVoice, manner: _Manner, times_s: Signal, duration_s: float) -> Signal:
    """Return the pitch over a unit, in Hz."""
    steps_s = np.arange(0.0, duration_s + CONTOUR_STEP_S, CONTOUR_STEP_S)
    place = np.minimum(steps_s / duration_s, 1.0)
    speed, start = manner.tremor
    tremor = 0.15 * np.sin(2.0 * np.pi * (speed * place + start))
    shape = _shape(manner.melody, place, manner.skew)
    semitones = manner.own_semitones + tremor + manner.extent * shape
    middle_hz = voice.f0_hz
    if manner.high_hz is not None:
        semitones, middle_hz = 0.2 * semitones, manner.high_hz
    elif manner.jump_semitones:
        semitones = semitones + manner.jump_semitones * manner.jump.weight(steps_s, duration_s)
    return np.asarray(np.interp(times_s, steps_s, middle_hz * 2.0 ** (semitones / 12.0)))


def _shape(melody: Melody, place: Signal, skew: float) -> Signal:
    shapes = {
        Melody.RISING_FALLING: np.sin(np.pi * place**skew) - 0.5,
        Melody.FALLING: 0.5 - place,
        Melody.RISING: place - 0.5,
        Melody.FLAT: np.zeros_like(place),
        Melody.DOUBLE: np.abs(np.sin(2.0 * np.pi * place)) - 0.5,
    }
    return np.asarray(shapes[melody])


def _harmonic_sum(phase: Signal, f0_hz: Signal, tilt_db: float, rate_hz: int) -> Signal:
    """Sum harmonics that fade out under the Nyquist frequency.

    Each sine follows from the two before it, sin(k p) = 2 cos(p) sin((k-1) p) - sin((k-2) p), which
    is a good deal quicker than computing it.
    """
    top_hz = NYQUIST_SHARE * rate_hz / 2.0
    twice_cosine = 2.0 * np.cos(phase)
    before, current = np.zeros_like(phase), np.sin(phase)
    total = np.zeros_like(phase)
    highest_f0_hz = float(np.max(f0_hz))
    for harmonic in range(1, int(top_hz / np.min(f0_hz)) + 1):
        level = harmonic ** (-tilt_db / 6.0206)
        if (harmonic + 0.5) * highest_f0_hz > 0.9 * top_hz:
            highest_hz = (harmonic + 0.5) * f0_hz  # with the sideband that period doubling adds
            total += level * np.clip((top_hz - highest_hz) / (0.1 * top_hz), 0.0, 1.0) * current
        else:
            total += level * current
        before, current = current, twice_cosine * current - before
    return total


def tract(voice: InfantVoice, rate_hz: int, moved: Signal | None = None) -> Signal:
    """Build the filter of a voice's tract.

    Parameters
    ----------
    voice
        Whose tract.
    rate_hz
        Sampling rate.
    moved
        How far each resonance lies from where it rests, relative to it; None is at rest.

    Returns
    -------
    ndarray
        Second-order sections, gain 1 at 0 Hz, of the resonances that lie well under the Nyquist
        frequency.
    """
    numbers = np.arange(1, TUBES + 1)
    even_hz = (2 * numbers - 1) * SPEED_OF_SOUND_CM_PER_S / (4.0 * voice.tract_length_cm)
    offsets = np.zeros(TUBES) if moved is None else np.clip(moved, -0.4, 0.4)
    known = np.asarray(voice.formant_offsets[:TUBES], dtype=np.float64)
    offsets = offsets + np.pad(known, (0, TUBES - len(known)))
    centres_hz = even_hz * (1.0 + offsets)
    centres_hz = centres_hz[centres_hz < 0.9 * rate_hz / 2.0]
    bandwidths_hz = voice.damping * (60.0 + 0.06 * centres_hz)
    radius = np.exp(-np.pi * bandwidths_hz / rate_hz)
    sections = np.zeros((len(centres_hz), 6))
    sections[:, 3] = 1.0
    sections[:, 4] = -2.0 * radius * np.cos(2.0 * np.pi * centres_hz / rate_hz)
    sections[:, 5] = radius**2
    sections[:, 0] = sections[:, 3:].sum(axis=1)  # gain 1 at 0 Hz
    return sections
