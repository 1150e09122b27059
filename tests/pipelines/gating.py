"""Made-up heads and inputs for the tests of the gate."""

from collections.abc import Mapping

import numpy as np

from pipelines.gate import GateInput, Usual
from pipelines.heads import TRAITS, AgeRanges, ArousalScale, CryHead, EmbeddingHead, Heads

ENCODER = "0123456789abcdef"
USUAL_UNIT: dict[str, float] = {
    "f0_median_hz": 400.0,
    "f0_range_semitones": 6.0,
    "hyperphonation_frac": 0.0,
    "intensity_over_background_db": 20.0,
    "duration_s": 1.0,
    "jitter_frac": 0.01,
    "harmonics_to_noise_db": 12.0,
}
SPREADS = np.array([0.2, 2.0, 0.1, 5.0, 0.5, 0.5, 3.0])


def usual_traits() -> np.ndarray:
    return np.array([trait.to_scale(USUAL_UNIT[trait.measure]) for trait in TRAITS])


def made_up_heads(threshold: float = 0.05) -> Heads:
    """Heads whose usual cry is USUAL_UNIT: the older band is an octave lower, unknown is widest."""
    young = np.append(usual_traits(), 0.0)
    old = young.copy()
    old[0] -= 1.0
    spread = np.append(SPREADS, 0.5)
    return Heads(
        cry=CryHead(
            mean=np.zeros(80, dtype=np.float32),
            scale=np.ones(80, dtype=np.float32),
            landmarks=np.array([np.ones(80), -np.ones(80)], dtype=np.float32),
            weights=np.array([8.0, -8.0]),
            bias=0.0,
            threshold=0.3,
        ),
        embedding=EmbeddingHead(
            encoder=ENCODER,
            weights=np.eye(192, dtype=np.float32)[0],
            bias=0.0,
            centre=0.0,
            spread=0.25,
            correlation=0.5,
        ),
        ranges=AgeRanges(
            until_days=np.array([100.0, np.inf], dtype=np.float32),
            names=("young", "old", "any age"),
            centre=np.array([young, old, young], dtype=np.float32),
            spread=np.array([spread, spread, 2.0 * spread], dtype=np.float32),
            no_pitch_frac=0.01,
        ),
        arousal=ArousalScale(usual_traits().astype(np.float32), SPREADS.astype(np.float32)),
        threshold=threshold,
        version="gate-made-up",
    )


def an_input(
    measures: Mapping[str, float] | None = None,
    features: float = 1.0,
    first: float = 0.0,
    age_days: float | None = 30.0,
    usual: tuple[float, ...] = (),
    encoder: str = ENCODER,
) -> GateInput:
    """Build the stored values of a recording of two units; `first` leads its embedding."""
    unit = USUAL_UNIT if measures is None else dict(measures)
    embedding = np.zeros((2, 192), dtype=np.float32)
    embedding[:, 0], embedding[:, 1] = first, np.sqrt(1.0 - first**2)
    return GateInput(
        features=np.full(80, features, dtype=np.float32),
        measures=(unit, unit),
        embeddings=embedding,
        encoder=encoder,
        age_days=age_days,
        usual=Usual.of(usual),
    )
