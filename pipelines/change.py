"""Change: how a simulated infant's voice moves over days, by chance, by growth and by plan.

In: a voice, and what has happened to it. Out: the voice as it is then. Guaranteed: an effect of
nothing leaves a voice as it was; a planted deviation acts through one parameter and no other; no
voice leaves the range in which it can be synthesised.

Growth. The vocal tract grows by 1.5 to 2 cm in the first two years (Vorperian and Kent, "Vowel
acoustic space development in children", J. Speech Lang. Hear. Res. 50 (2007)), thus by about 0.07
cm a month. On the pitch of cries the literature disagrees: Baeck and de Souza, "Longitudinal study
of the fundamental frequency of hunger cries along the first 6 months of healthy babies", J. Voice
21 (2007), found a fall in the first fortnight and ups and downs after it; Gilbert and Robb, "Vocal
fundamental frequency characteristics of infant hunger cries", Int. J. Pediatr. Otorhinolaryngol. 34
(1996), a rise over the first year in four infants. The default, a fall by half a percent a month,
is what a growing larynx alone would do; it is a parameter, so that a rise can be simulated too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from enum import StrEnum

import numpy as np

from pipelines.errors import ConfigError
from pipelines.voice import InfantVoice

MONTH_DAYS = 30.4375
NEWBORN_TRACT_CM = 5.5
LONGEST_TRACT_CM = 20.0
LOWEST_F0_HZ = 150.0
HIGHEST_F0_HZ = 1_900.0
MOST_JITTER_FRAC = 0.2
LEAST_UNIT_S = 0.2
LONGEST_UNIT_S = 8.0


class Parameter(StrEnum):
    """What of a voice a deviation can change."""

    F0 = "f0"
    TRACT = "tract"
    BREATHINESS = "breathiness"
    JITTER = "jitter"
    INTENSITY = "intensity"
    UNIT = "unit"
    HYPERPHONATION = "hyperphonation"


SCALED = (Parameter.F0, Parameter.TRACT, Parameter.JITTER, Parameter.UNIT)
"""Parameters that a deviation changes by a fraction of themselves; to the others it is added."""


@dataclass(frozen=True)
class Deviation:
    """A planted change of one parameter.

    Parameters
    ----------
    parameter
        What changes.
    amount
        By how much once it is whole: of ``f0``, ``tract``, ``jitter`` and ``unit`` a fraction
        (0.2 is a fifth more); added to ``breathiness`` and ``hyperphonation``, which are fractions
        themselves; of ``intensity`` in dB.
    onset_day
        Day from which it acts, 0 being the first.
    ramp_days
        How long it takes to become whole.
    end_day
        Day from which it is gone again; None: it stays.

    Raises
    ------
    ConfigError
        A fraction of -1 or less, a ramp that runs backwards, or an end before the onset.
    """

    parameter: Parameter
    amount: float
    onset_day: float
    ramp_days: float = 0.0
    end_day: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no voice could do."""
        whole = (self.amount, self.onset_day, self.ramp_days, self.end_day or 0.0)
        if not all(math.isfinite(number) for number in whole):
            raise ConfigError(f"a deviation of {self.parameter} holds no finite numbers")
        if self.parameter in SCALED and self.amount <= -1.0:
            raise ConfigError(f"{self.parameter} cannot change by {self.amount:+g} of itself")
        if self.ramp_days < 0.0:
            raise ConfigError(f"the ramp of {self.parameter} lasts {self.ramp_days:g} days")
        if self.end_day is not None and self.end_day <= self.onset_day:
            raise ConfigError(f"the deviation of {self.parameter} ends before it begins")

    def strength(self, day: float) -> float:
        """Return how much of it is there on a day, 0 to 1."""
        if day < self.onset_day or (self.end_day is not None and day >= self.end_day):
            return 0.0
        if self.ramp_days == 0.0:
            return 1.0
        return min(1.0, (day - self.onset_day) / self.ramp_days)


@dataclass(frozen=True)
class Growth:
    """How an infant grows: `f0_frac_per_month` compounds, `tract_cm_per_month` adds up."""

    f0_frac_per_month: float = -0.005
    tract_cm_per_month: float = 0.07


@dataclass(frozen=True)
class Effect:
    """What chance does to a voice and its surroundings: logarithms of factors, or dB.

    `background_db` raises the background and nothing of the voice.
    """

    f0_log: float = 0.0
    tract_log: float = 0.0
    breathiness_log: float = 0.0
    jitter_log: float = 0.0
    unit_log: float = 0.0
    intensity_db: float = 0.0
    background_db: float = 0.0

    def plus(self, other: Effect) -> Effect:
        """Return both effects together."""
        summed = {
            one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)
        }
        return Effect(**summed)


@dataclass(frozen=True)
class Variation:
    """How much an infant varies.

    Parameters
    ----------
    spread
        Standard deviation of each effect from recording to recording over many days.
    day_share
        Share of that variance which whole days have in common (intra-class correlation).

    Raises
    ------
    ConfigError
        The share is no fraction.
    """

    spread: Effect = Effect(
        f0_log=0.12,
        tract_log=0.02,
        breathiness_log=0.30,
        jitter_log=0.25,
        unit_log=0.15,
        intensity_db=4.0,
        background_db=4.0,
    )
    day_share: float = 0.3

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        if not 0.0 <= self.day_share <= 1.0:
            raise ConfigError(f"a day's share of the variance is no {self.day_share:g}")

    def day_effect(self, rng: np.random.Generator) -> Effect:
        """Draw what a whole day has in common."""
        return self._drawn(math.sqrt(self.day_share), rng)

    def recording_effect(self, rng: np.random.Generator) -> Effect:
        """Draw what one recording has to itself."""
        return self._drawn(math.sqrt(1.0 - self.day_share), rng)

    def _drawn(self, scale: float, rng: np.random.Generator) -> Effect:
        drawn = {
            one.name: scale * getattr(self.spread, one.name) * float(rng.standard_normal())
            for one in fields(Effect)
        }
        return Effect(**drawn)


NO_VARIATION = Variation(Effect())


def grown(voice: InfantVoice, growth: Growth, days: float) -> InfantVoice:
    """Return a voice as it is so many days later."""
    months = days / MONTH_DAYS
    return _within(
        replace(
            voice,
            f0_hz=voice.f0_hz * (1.0 + growth.f0_frac_per_month) ** months,
            tract_length_cm=voice.tract_length_cm + growth.tract_cm_per_month * months,
        )
    )


def affected(voice: InfantVoice, effect: Effect) -> InfantVoice:
    """Return a voice as chance has it."""
    return _within(
        replace(
            voice,
            f0_hz=voice.f0_hz * math.exp(effect.f0_log),
            tract_length_cm=voice.tract_length_cm * math.exp(effect.tract_log),
            breathiness_frac=voice.breathiness_frac * math.exp(effect.breathiness_log),
            jitter_frac=voice.jitter_frac * math.exp(effect.jitter_log),
            unit_s=voice.unit_s * math.exp(effect.unit_log),
            intensity_db=voice.intensity_db + effect.intensity_db,
        )
    )


def deviated(voice: InfantVoice, deviations: Iterable[Deviation], day: float) -> InfantVoice:
    """Return a voice as planted deviations have it on a day."""
    for deviation in deviations:
        amount = deviation.amount * deviation.strength(day)
        if amount:
            voice = _DEVIATED[deviation.parameter](voice, amount)
    return _within(voice)


_DEVIATED = {
    Parameter.F0: lambda voice, by: replace(voice, f0_hz=voice.f0_hz * (1.0 + by)),
    Parameter.TRACT: lambda voice, by: replace(
        voice, tract_length_cm=voice.tract_length_cm * (1.0 + by)
    ),
    Parameter.BREATHINESS: lambda voice, by: replace(
        voice, breathiness_frac=max(0.0, voice.breathiness_frac + by)
    ),
    Parameter.JITTER: lambda voice, by: replace(voice, jitter_frac=voice.jitter_frac * (1.0 + by)),
    Parameter.INTENSITY: lambda voice, by: replace(voice, intensity_db=voice.intensity_db + by),
    Parameter.UNIT: lambda voice, by: replace(voice, unit_s=voice.unit_s * (1.0 + by)),
    Parameter.HYPERPHONATION: lambda voice, by: replace(
        voice, hyperphonation_frac=min(1.0, max(0.0, voice.hyperphonation_frac + by))
    ),
}


def _within(voice: InfantVoice) -> InfantVoice:
    """Keep a voice where it can be synthesised."""
    return replace(
        voice,
        f0_hz=min(max(voice.f0_hz, LOWEST_F0_HZ), HIGHEST_F0_HZ),
        tract_length_cm=min(max(voice.tract_length_cm, NEWBORN_TRACT_CM), LONGEST_TRACT_CM),
        jitter_frac=min(voice.jitter_frac, MOST_JITTER_FRAC),
        unit_s=min(max(voice.unit_s, LEAST_UNIT_S), LONGEST_UNIT_S),
    )
