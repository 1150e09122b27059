"""A network that has learnt nothing: same shape, other weights, the same for the same seed."""

import numpy as np
import pytest

from pipelines.embed import load_encoder
from pipelines.evaluation.untrained import draw_weights, untrained_encoder
from pipelines.segment import Unit
from pipelines.sound import Sound

ARRAYS = {
    "layer.weight": np.full((8, 100, 4), 9.0),
    "layer.bias": np.full(8, 9.0),
    "norm.weight": np.full(8, 9.0),
    "norm.bias": np.full(8, 9.0),
    "norm.running_mean": np.full(8, 9.0),
    "norm.running_var": np.full(8, 9.0),
}


def test_weights_lie_within_their_range_and_normalisation_changes_nothing() -> None:
    drawn = draw_weights(ARRAYS, seed=0)
    assert {name: array.shape for name, array in drawn.items()} == {
        name: array.shape for name, array in ARRAYS.items()
    }
    assert 0.04 < np.abs(drawn["layer.weight"]).max() <= 0.05  # 1 / sqrt(100 * 4)
    assert np.abs(drawn["layer.bias"]).max() <= 0.05
    assert (drawn["norm.weight"] == 1.0).all()
    assert (drawn["norm.running_var"] == 1.0).all()
    assert (drawn["norm.bias"] == 0.0).all()
    assert (drawn["norm.running_mean"] == 0.0).all()


def test_it_embeds_as_the_seed_says_and_not_as_the_trained_one() -> None:
    rng = np.random.default_rng(0)
    sound = Sound(rng.normal(size=16_000).astype(np.float32), 16_000)
    units = (Unit(0.1, 0.9),)
    encoders = [untrained_encoder("bundled", seed) for seed in (1, 1, 2)]
    encoders.append(load_encoder("bundled"))
    vectors = [encoder.embed([(sound, units)])[0] for encoder in encoders if encoder]
    assert np.array_equal(vectors[0], vectors[1])
    assert np.abs(vectors[0] - vectors[2]).max() > 1e-3
    assert np.abs(vectors[0] - vectors[3]).max() > 1e-3
    assert np.linalg.norm(vectors[0]) == pytest.approx(1.0, abs=1e-5)


def test_an_encoder_without_a_card_has_no_such_network() -> None:
    assert untrained_encoder("speechbrain/spkrec-ecapa-voxceleb@abc") is None
