"""Gate: whether it is a cry at all, low-distress and developmentally normal.

In: what is stored of one recording (features, measures and embeddings of its units, age, the
infant's usual arousal). Out: a `GateDecision`: whether the infant's baseline may learn from it,
with the confidence and the reason of every part in plain words. Guaranteed: a pure function of its
input and of `weights/gate.safetensors`, without audio, so that a decision can be made again; under
two milliseconds; nothing in it is a diagnosis.

The method's third stage asks for low distress. No recording anywhere in the training material has
a distress label, so nothing here was taught distress: arousal is an index of acoustic measures
that the literature ties to it, compared with what is usual for this infant and this age, and the
embedding's part is a head fitted to that same index. Confidences are tail probabilities around
robust centres: 1 is as usual as can be, 0.05 is what about one usual cry in twenty reaches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipelines.frontend import HasSamples, HasTimes, mfcc_statistics
from pipelines.heads import TRAITS, Heads, Traits, bundled_heads, summarise
from pipelines.manner import manner

POPULATION_WEIGHT = 4.0
"""How many recordings the population's range counts for beside the infant's own."""
LEAST_OWN_SPREAD_FRAC = 0.5
MIN_OWN_FOR_SPREAD = 3
MAD_TO_SD = 1.4826
WITHIN_SPREADS = 1.0


def gate_features(sound: HasSamples, units: Sequence[HasTimes]) -> NDArray[np.float32]:
    """Compute the features that the cry head decides on.

    Parameters
    ----------
    sound
        Whole recording, 16 kHz, peak-normalised.
    units
        Its cry units; none means the whole recording.

    Returns
    -------
    ndarray
        Shape ``(116,)``: full-band MFCC means and standard deviations over the units' frames, then
        how the recording sounds over time, as :func:`pipelines.manner.manner` gives it.
    """
    return np.concatenate([mfcc_statistics(sound, units), manner(sound, units)])


def arousal_index(
    measures: Sequence[Mapping[str, float]], heads: Heads | None = None
) -> float | None:
    """Compute how aroused a recording sounds, in spreads of the training population.

    Parameters
    ----------
    measures
        Acoustic measures of its units.
    heads
        Learnt numbers; None takes the bundled ones.

    Returns
    -------
    float or None
        Weighted mean of standardised pitch, pitch range, hyperphonation, loudness over the
        background and unit length; None where no unit had a measurable pitch.
    """
    return (heads or bundled_heads()).arousal.index(summarise(measures))


def _bundled_threshold() -> float:
    return bundled_heads().threshold


@dataclass(frozen=True)
class GateSettings:
    """How strict the gate is.

    Attributes
    ----------
    threshold
        Confidence in [0, 1] from which a cry is accepted; the default is the one that nine in ten
        human-checked cries of the training infants reach.
    """

    threshold: float = field(default_factory=_bundled_threshold)


@dataclass(frozen=True)
class Usual:
    """What is usual for an infant's arousal, in the few numbers that a decision rests on.

    A decision can be made again from them when other recordings have come in since.

    Attributes
    ----------
    n
        Of how many accepted recordings.
    median, mad
        Median of their arousal indices, and median distance from it; None where there are none.
    """

    n: int = 0
    median: float | None = None
    mad: float | None = None

    @classmethod
    def of(cls, indices: Sequence[float]) -> Self:
        """Summarise the arousal indices of an infant's accepted recordings so far.

        Parameters
        ----------
        indices
            In any order; may be empty.

        Returns
        -------
        Usual
            Their number, median and median absolute deviation.
        """
        own = np.asarray(indices, dtype=np.float64)
        if not own.size:
            return cls()
        median = float(np.median(own))
        return cls(own.size, median, float(np.median(np.abs(own - median))))


@dataclass(frozen=True)
class GateInput:
    """What is stored of one recording.

    Attributes
    ----------
    features
        Shape ``(116,)``, from :func:`gate_features`.
    measures
        Acoustic measures of each unit.
    embeddings
        Shape ``(n_units, 192)``.
    encoder
        Fingerprint of the encoder that made the embeddings.
    age_days
        Corrected age, or None where it is not known.
    usual
        Arousal of the infant's accepted recordings so far.
    """

    features: NDArray[np.float32]
    measures: tuple[Mapping[str, float], ...]
    embeddings: NDArray[np.float32]
    encoder: str
    age_days: float | None = None
    usual: Usual = Usual()


@dataclass(frozen=True)
class GatePart:
    """One part's vote: its confidence in [0, 1], and why in plain words."""

    name: str
    confidence: float
    reason: str


@dataclass(frozen=True)
class GateAbstention:
    """A part that has no vote on this recording, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class GateDecision:
    """What the gate decided.

    Attributes
    ----------
    is_cry
        Whether it is a cry at all; what is none goes no further.
    cry_probability
        The cry head's probability, at equal odds of cries and other sounds.
    accepted
        Whether the baseline may learn from it.
    confidence
        The lowest confidence of the parts that voted.
    threshold
        What the confidence was held against.
    arousal
        Arousal index; None where no pitch was measurable.
    parts
        The votes, the cry head's first.
    abstained
        Parts that had nothing to vote on.
    version
        Version of the gate's learnt numbers.
    """

    is_cry: bool
    cry_probability: float
    accepted: bool
    confidence: float
    threshold: float
    arousal: float | None
    parts: tuple[GatePart, ...]
    abstained: tuple[GateAbstention, ...]
    version: str


def gate_cry(
    given: GateInput, settings: GateSettings | None = None, heads: Heads | None = None
) -> GateDecision:
    """Decide whether a recording may update the infant's baseline.

    Parameters
    ----------
    given
        What is stored of the recording.
    settings
        How strict to be; None takes the default threshold.
    heads
        Learnt numbers; None takes the bundled ones.

    Returns
    -------
    GateDecision
        ``accepted`` only where it is a cry and no part's confidence is under the threshold.
    """
    heads = heads or bundled_heads()
    threshold = settings.threshold if settings else heads.threshold
    traits = summarise(given.measures)
    arousal = heads.arousal.index(traits)
    cry = _cry_part(heads, given)
    is_cry = cry.confidence >= heads.cry.threshold
    voices = [cry, *(_normality(heads, given, traits, arousal) if is_cry else ())]
    parts = tuple(voice for voice in voices if isinstance(voice, GatePart))
    confidence = min(part.confidence for part in parts)
    return GateDecision(
        is_cry=is_cry,
        cry_probability=cry.confidence,
        accepted=is_cry and confidence >= threshold,
        confidence=confidence,
        threshold=threshold,
        arousal=arousal,
        parts=parts,
        abstained=tuple(voice for voice in voices if isinstance(voice, GateAbstention)),
        version=heads.version,
    )


def _normality(
    heads: Heads, given: GateInput, traits: Traits, arousal: float | None
) -> tuple[GatePart | GateAbstention, ...]:
    return (
        _arousal_part(heads, given, arousal),
        _embedding_part(heads, given),
        _development_part(heads, given, traits),
    )


def _cry_part(heads: Heads, given: GateInput) -> GatePart:
    probability = heads.cry.probability(given.features)
    is_cry = probability >= heads.cry.threshold
    words = "sounds like crying" if is_cry else "does not sound like crying"
    return GatePart("cry", probability, f"{words} (probability {probability:.2f})")


def two_sided_tail(spreads: float) -> float:
    """Compute how likely something usual is to be so far from the centre, either way.

    Student's t with four degrees of freedom, in closed form: measures of real cries stray far
    more often than a normal law has it, mistracked pitch above all.

    Parameters
    ----------
    spreads
        Distance from the centre.

    Returns
    -------
    float
        In [0, 1]; 1 at the centre.
    """
    scaled = 1.0 + spreads**2 / 4.0
    inside = 0.75 * abs(spreads) / math.sqrt(scaled) * (1.0 - spreads**2 / (12.0 * scaled))
    return max(0.0, 1.0 - inside)


def _upper_tail(spreads: float) -> float:
    """Confidence that nothing is too high: 1 up to the usual, then falling."""
    return two_sided_tail(max(spreads, 0.0))


def _usual_arousal(heads: Heads, given: GateInput) -> tuple[float, float]:
    """Centre and spread of the infant's own arousal, drawn towards those of the age."""
    row = heads.ranges.row(given.age_days)
    age_centre, age_spread = (
        float(table[row, -1]) for table in (heads.ranges.centre, heads.ranges.spread)
    )
    own = given.usual
    if own.median is None or own.mad is None:
        return age_centre, age_spread
    centre = (own.n * own.median + POPULATION_WEIGHT * age_centre) / (own.n + POPULATION_WEIGHT)
    if own.n < MIN_OWN_FOR_SPREAD:
        return centre, age_spread
    own_spread = MAD_TO_SD * own.mad
    pooled = (own.n * own_spread**2 + POPULATION_WEIGHT * age_spread**2) / (
        own.n + POPULATION_WEIGHT
    )
    return centre, max(math.sqrt(pooled), LEAST_OWN_SPREAD_FRAC * age_spread)


def _arousal_part(
    heads: Heads, given: GateInput, arousal: float | None
) -> GatePart | GateAbstention:
    if arousal is None:
        return GateAbstention("arousal", "no unit has a pitch that can be measured")
    centre, spread = _usual_arousal(heads, given)
    spreads = (arousal - centre) / spread
    band = heads.ranges.names[heads.ranges.row(given.age_days)]
    heard = f"this infant ({given.usual.n} recordings) and" if given.usual.n else "infants of"
    known = f"{heard} this age ({band})"
    if spreads <= WITHIN_SPREADS:
        reason = f"no more aroused than is usual for {known}"
    else:
        reason = f"more aroused than is usual for {known}: {spreads:.1f} spreads above"
    return GatePart("arousal", _upper_tail(spreads), reason)


def _embedding_part(heads: Heads, given: GateInput) -> GatePart | GateAbstention:
    if given.encoder != heads.embedding.encoder:
        return GateAbstention("embedding", "no head for this encoder")
    said = heads.embedding.predict(given.embeddings)
    spreads = (said - heads.embedding.centre) / heads.embedding.spread
    high = spreads > WITHIN_SPREADS
    words = f"tells more arousal than usual: {spreads:.1f} spreads above" if high else "is usual"
    return GatePart("embedding", _upper_tail(spreads), f"the voice's embedding {words}")


def _development_part(heads: Heads, given: GateInput, traits: Traits) -> GatePart:
    """Vote on the trait that is furthest from the age's range, corrected for looking at several."""
    row = heads.ranges.row(given.age_days)
    band = heads.ranges.names[row]
    if TRAITS[0].measure not in traits:
        reason = "no unit has a pitch that can be measured, which is rare in crying"
        return GatePart("development", heads.ranges.no_pitch_frac, reason)
    spreads = {
        index: (traits[trait.measure] - float(heads.ranges.centre[row, index]))
        / float(heads.ranges.spread[row, index])
        for index, trait in enumerate(TRAITS)
        if trait.develops and trait.measure in traits
    }
    furthest = max(spreads, key=lambda index: abs(spreads[index]))
    tail = two_sided_tail(spreads[furthest])
    confidence = 1.0 - (1.0 - tail) ** len(spreads)
    return GatePart("development", confidence, _range_reason(heads, row, furthest, traits, band))


def _range_reason(heads: Heads, row: int, index: int, traits: Traits, band: str) -> str:
    trait = TRAITS[index]
    centre = float(heads.ranges.centre[row, index])
    reach = 2.0 * float(heads.ranges.spread[row, index])
    usual = f"{trait.spell(centre - reach)} to {trait.spell(centre + reach)}"
    value = traits[trait.measure]
    if abs(value - centre) <= reach:
        return f"pitch, unit length and voice are within what is usual at {band}"
    side = "above" if value > centre else "below"
    return f"{trait.words} {trait.spell(value)} is {side} what is usual at {band}: {usual}"
