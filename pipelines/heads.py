"""What the gate has learnt: its heads and usual ranges, as numbers in one artefact.

In: `weights/gate.safetensors`, written by ``python -m pipelines train-gate``. Out: a head that
tells cries from other sounds by what they are alike, a ridge head from embeddings to arousal that
belongs to one encoder, and the usual ranges of acoustic traits by age. Guaranteed: no network, no
torch; reading back what was written gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.artefacts import Artefact, read_artefact, write_artefact

KIND = "gate"
FORMAT_VERSION = 2
CLIP_SPREADS = 2.0
"""Features count no further than this from the training mean: other sounds lie far outside what
crying covers, where a straight line would go astray."""
BUNDLED = Path(__file__).parent / "weights" / "gate.safetensors"

MOST_SPREADS = 4.0
"""A trait counts no further than this in the arousal index: beyond, it is mostly mistracking."""

Vector = NDArray[np.float32]
Traits = dict[str, float]


@dataclass(frozen=True)
class Trait:
    """An acoustic measure that the gate looks at, on the scale on which its spread is even.

    Attributes
    ----------
    measure
        Its name among the measures of a unit.
    words
        What a person calls it.
    unit
        Unit for people; empty for a fraction.
    least_spread
        Spread below which a range is never taken to be narrow, on the trait's scale.
    is_log
        Whether the spread is even on the log2 scale.
    arousal_weight
        Its part in the arousal index; 0 keeps it out.
    develops
        Whether the developmental part looks at it.
    """

    measure: str
    words: str
    unit: str
    least_spread: float
    is_log: bool = False
    arousal_weight: float = 0.0
    develops: bool = True

    def to_scale(self, value: float) -> float:
        """Bring a measure to the scale of the trait."""
        return float(np.log2(max(value, 1e-6))) if self.is_log else value

    def spell(self, scaled: float) -> str:
        """Write a value on the trait's scale as people read the measure."""
        value = 2.0**scaled if self.is_log else scaled
        digits = 3 if abs(value) >= 10.0 else 2
        return f"{value:.{digits}g} {self.unit}".rstrip()


TRAITS = (
    Trait("f0_median_hz", "pitch", "Hz", 0.08, is_log=True, arousal_weight=1.0),
    Trait("f0_range_semitones", "pitch range", "semitones", 1.0, arousal_weight=0.5),
    Trait(
        "hyperphonation_frac",
        "share of very high pitch",
        "",
        0.1,
        arousal_weight=0.5,
        develops=False,
    ),
    Trait(
        "intensity_over_background_db",
        "loudness over background",
        "dB",
        3.0,
        arousal_weight=0.5,
        develops=False,
    ),
    Trait("duration_s", "length of a cry unit", "s", 0.2, is_log=True, arousal_weight=0.5),
    Trait("jitter_frac", "unsteadiness of pitch", "", 0.2, is_log=True),
    Trait("harmonics_to_noise_db", "harmonics over noise", "dB", 2.0),
)
"""Arousal: higher and wider pitch, hyperphonation, loudness and longer units go with stronger
distress (Porter, Miller and Marshall 1986; Lester et al. 1992; LaGasse, Neal and Lester 2005).
Pauses would too, but a unit's measures do not hold them."""


def summarise(measures: Sequence[Mapping[str, float]]) -> Traits:
    """Medians of the traits over the units of a recording.

    Parameters
    ----------
    measures
        One mapping per unit, as :func:`pipelines.acoustics.measure_unit` gives it.

    Returns
    -------
    dict
        By measure, on the trait's scale; a trait that no unit could give is absent.
    """
    found = {t: [unit[t.measure] for unit in measures if t.measure in unit] for t in TRAITS}
    return {t.measure: t.to_scale(float(np.median(v))) for t, v in found.items() if v}


def standardise(features: NDArray[np.floating], mean: Vector, scale: Vector) -> NDArray[np.float32]:
    """Bring features, shape ``(..., n_features)``, to spreads around the mean, and clip them."""
    spreads = np.clip((features - mean) / scale, -CLIP_SPREADS, CLIP_SPREADS)
    return np.asarray(spreads, dtype=np.float32)


def likeness(standard: NDArray[np.floating], landmarks: Vector) -> NDArray[np.float64]:
    """Compute how alike standardised features and landmarks are, in (0, 1].

    Parameters
    ----------
    standard
        Shape ``(..., n_features)``.
    landmarks
        Shape ``(n_landmarks, n_features)``.

    Returns
    -------
    ndarray
        Shape ``(..., n_landmarks)``: exp of minus the mean squared difference.
    """
    one, other = np.asarray(standard, dtype=np.float64), landmarks.astype(np.float64)
    squared = np.sum(one**2, axis=-1)[..., None] + np.sum(other**2, axis=1) - 2.0 * one @ other.T
    return np.asarray(np.exp(-np.maximum(squared, 0.0) / landmarks.shape[1]))


@dataclass(frozen=True)
class CryHead:
    """Logistic head on how alike a sound is to some of the training sounds, the landmarks.

    Attributes
    ----------
    mean, scale
        Shape ``(n_features,)``: what features are standardised by, and then clipped.
    landmarks
        Shape ``(n_landmarks, n_features)``, standardised.
    weights
        Shape ``(n_landmarks,)``, double precision.
    bias
        Intercept, at equal odds of cries and other sounds.
    threshold
        Probability from which a sound counts as a cry.
    """

    mean: Vector
    scale: Vector
    landmarks: Vector
    weights: NDArray[np.float64]
    bias: float
    threshold: float

    def probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Probability that each recording is a cry, ``(...)`` from ``(..., n_features)``.

        Features that an earlier release stored are fewer: what they lack counts as average.
        """
        known = features.shape[-1]
        given = np.zeros((*features.shape[:-1], len(self.mean)), dtype=np.float32)
        given[..., :known] = standardise(features, self.mean[:known], self.scale[:known])
        logit = likeness(given, self.landmarks) @ self.weights + self.bias
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -60.0, 60.0))))

    def probability(self, features: NDArray[np.floating]) -> float:
        """Probability that a recording with these features is a cry, shape ``(n_features,)``."""
        return float(self.probabilities(features))


@dataclass(frozen=True)
class EmbeddingHead:
    """Ridge head from a recording's embedding to its arousal index; belongs to one encoder.

    Attributes
    ----------
    encoder
        Fingerprint of the encoder whose embeddings it was fitted on.
    weights
        Shape ``(192,)``.
    bias
        Intercept.
    centre, spread
        Median and scaled MAD of what it says of unseen training recordings.
    correlation
        Correlation with the arousal index on held-out infants.
    """

    encoder: str
    weights: Vector
    bias: float
    centre: float
    spread: float
    correlation: float

    def predict(self, embeddings: NDArray[np.floating]) -> float:
        """Arousal as the mean embedding of units, shape ``(n, 192)``, tells it."""
        mean = embeddings.mean(axis=0)
        direction = mean / max(float(np.linalg.norm(mean)), 1e-12)
        return float(direction @ self.weights) + self.bias


@dataclass(frozen=True)
class AgeRanges:
    """Usual ranges by age: one row per age band, and a last row for unknown age.

    Attributes
    ----------
    until_days
        Shape ``(bands,)``: the age at which each band ends; the last is infinite.
    names
        What people call the bands, and the unknown age last.
    centre, spread
        Shape ``(bands + 1, traits + 1)``: median and scaled MAD of every trait and, last, of
        the arousal index.
    no_pitch_frac
        Share of the recordings behind the ranges in which no unit had a measurable pitch.
    """

    until_days: Vector
    names: tuple[str, ...]
    centre: Vector
    spread: Vector
    no_pitch_frac: float

    def row(self, age_days: float | None) -> int:
        """Row of an age; the last row where it is not known."""
        if age_days is None:
            return len(self.until_days)
        return int(np.searchsorted(self.until_days[:-1], age_days, side="right"))


@dataclass(frozen=True)
class ArousalScale:
    """What the arousal index standardises by, at every age the same.

    Attributes
    ----------
    centre, spread
        Median and scaled MAD of every trait over cries of the training infants, ``(traits,)``.
    """

    centre: Vector
    spread: Vector

    def index(self, traits: Mapping[str, float]) -> float | None:
        """Arousal index of a recording's traits, in spreads; None where no pitch was measured."""
        if TRAITS[0].measure not in traits:
            return None
        parts = [
            (trait.arousal_weight, (traits[trait.measure] - centre) / spread)
            for trait, centre, spread in zip(TRAITS, self.centre, self.spread, strict=True)
            if trait.arousal_weight and trait.measure in traits
        ]
        weights, spreads = np.array(parts, dtype=np.float64).T
        return float(np.average(np.clip(spreads, -MOST_SPREADS, MOST_SPREADS), weights=weights))


@dataclass(frozen=True)
class Heads:
    """Everything the gate has learnt.

    Attributes
    ----------
    cry, embedding, ranges, arousal
        The parts.
    threshold
        Default confidence from which a cry is accepted.
    version
        Names format and content.
    """

    cry: CryHead
    embedding: EmbeddingHead
    ranges: AgeRanges
    arousal: ArousalScale
    threshold: float
    version: str = ""


def write_heads(path: Path, heads: Heads, facts: Mapping[str, Any]) -> str:
    """Write the heads as one artefact and return its SHA-256; ``facts`` go along as metadata."""
    arrays: dict[str, NDArray[Any]] = {
        "cry_mean": heads.cry.mean,
        "cry_scale": heads.cry.scale,
        "cry_landmarks": heads.cry.landmarks,
        "cry_weights": heads.cry.weights,
        "embedding_weights": heads.embedding.weights,
        "until_days": heads.ranges.until_days,
        "range_centre": heads.ranges.centre,
        "range_spread": heads.ranges.spread,
        "arousal_centre": heads.arousal.centre,
        "arousal_spread": heads.arousal.spread,
    }
    numbers = {
        "cry_bias": heads.cry.bias,
        "cry_threshold": heads.cry.threshold,
        "embedding_bias": heads.embedding.bias,
        "embedding_centre": heads.embedding.centre,
        "embedding_spread": heads.embedding.spread,
        "embedding_correlation": heads.embedding.correlation,
        "no_pitch_frac": heads.ranges.no_pitch_frac,
        "threshold": heads.threshold,
        "band_names": list(heads.ranges.names),
        "traits": [trait.measure for trait in TRAITS],
    }
    standing = {
        "kind": KIND,
        "format_version": FORMAT_VERSION,
        "encoder_fingerprint": heads.embedding.encoder,
    }
    return write_artefact(path, arrays, {**facts, **numbers, **standing})


def read_heads(path: Path) -> Heads:
    """Read heads back.

    Raises
    ------
    CorruptArtefactError, IncompatibleArtefactError
        The file is damaged, or of another kind or format.
    """
    artefact = read_artefact(path, KIND, FORMAT_VERSION)
    arrays, facts = artefact.arrays, artefact.metadata
    return Heads(
        cry=CryHead(
            arrays["cry_mean"],
            arrays["cry_scale"],
            arrays["cry_landmarks"],
            arrays["cry_weights"],
            facts["cry_bias"],
            facts["cry_threshold"],
        ),
        embedding=_embedding_head(artefact),
        ranges=AgeRanges(
            arrays["until_days"],
            tuple(facts["band_names"]),
            arrays["range_centre"],
            arrays["range_spread"],
            facts["no_pitch_frac"],
        ),
        arousal=ArousalScale(arrays["arousal_centre"], arrays["arousal_spread"]),
        threshold=facts["threshold"],
        version=f"gate-{FORMAT_VERSION}-{artefact.sha256[:12]}",
    )


def _embedding_head(artefact: Artefact) -> EmbeddingHead:
    facts = artefact.metadata
    return EmbeddingHead(
        encoder=facts["encoder_fingerprint"],
        weights=artefact.arrays["embedding_weights"],
        bias=facts["embedding_bias"],
        centre=facts["embedding_centre"],
        spread=facts["embedding_spread"],
        correlation=facts["embedding_correlation"],
    )


@cache
def bundled_heads() -> Heads:
    """Return the heads that the project ships, read once a process."""
    return read_heads(BUNDLED)
