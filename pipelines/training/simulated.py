"""Training: simulated infants whose voices are known, so that a network can be asked for them.

In: how many, and a seed. Out: short recordings with the fundamental frequency of every 10 ms and
the traits of the voice. Guaranteed: seeded; an infant's takes differ in room, in mood and a little
in every trait, as one infant's do from day to day. Simulated, and nobody's voice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipelines.population import draw_room, draw_voice
from pipelines.sound import Sound, peak_normalise
from pipelines.synthesis import synthesise_cry
from pipelines.voice import InfantVoice

N_INFANTS = 400
TAKES = 3
DURATION_S = 3.5

# Centres and spreads of the simulated population, so that every target has about unit variance.
F0_CENTRE_HZ = 400.0
F0_OCTAVES = 0.4
_TRACT_CM, _TRACT_SPREAD = 8.0, 0.08
_JITTER, _JITTER_SPREAD = 0.011, 0.7
_BREATH, _BREATH_SPREAD = 0.03, 1.3


@dataclass(frozen=True)
class VoiceTraits:
    """Traits of a voice in spreads of the simulated population, on logarithmic scales."""

    tract_length: float
    jitter: float
    breathiness: float

    @classmethod
    def of(cls, voice: InfantVoice) -> VoiceTraits:
        """Take them from a voice."""
        return cls(
            math.log(voice.tract_length_cm / _TRACT_CM) / _TRACT_SPREAD,
            math.log(voice.jitter_frac / _JITTER) / _JITTER_SPREAD,
            math.log(voice.breathiness_frac / _BREATH) / _BREATH_SPREAD,
        )


TARGETS = ("f0", "tract_length", "jitter", "breathiness")
"""What the network is asked for, in this order."""


def f0_target(f0_hz: float) -> float:
    """Give a fundamental frequency in spreads of the population, on a logarithmic scale."""
    return math.log2(f0_hz / F0_CENTRE_HZ) / F0_OCTAVES


@dataclass(frozen=True)
class Take:
    """One simulated recording.

    Attributes
    ----------
    infant
        Whose it is.
    sound
        16 kHz, peak-normalised.
    f0_hz
        As planted, every 10 ms from the start, NaN where there is none.
    traits
        Of the voice in this take.
    """

    infant: str
    sound: Sound
    f0_hz: NDArray[np.float64]
    traits: VoiceTraits


def simulated_takes(infants: int, seed: int, takes: int = TAKES) -> Iterator[Take]:
    """Simulate the recordings of infants, infant by infant."""
    for number in range(infants):
        rng = np.random.default_rng([seed, number])
        voice = draw_voice(rng)
        for take in range(takes):
            yield _take(f"simulated-{number}", _on_a_day(voice, rng), take, rng)


def _on_a_day(voice: InfantVoice, rng: np.random.Generator) -> InfantVoice:
    """Return the voice as it is on one day: pitch moves most, the tract hardly."""
    draws = rng.standard_normal(4)
    return replace(
        voice,
        f0_hz=voice.f0_hz * math.exp(0.1 * draws[0]),
        tract_length_cm=voice.tract_length_cm * math.exp(0.02 * draws[1]),
        jitter_frac=voice.jitter_frac * math.exp(0.3 * draws[2]),
        breathiness_frac=voice.breathiness_frac * math.exp(0.5 * draws[3]),
    )


def _take(infant: str, voice: InfantVoice, number: int, rng: np.random.Generator) -> Take:
    seed = int(rng.integers(2**31)) + number
    cry = synthesise_cry(voice, seed, DURATION_S, room=draw_room(rng))
    return Take(infant, peak_normalise(cry.sound), cry.f0_hz, VoiceTraits.of(voice))
