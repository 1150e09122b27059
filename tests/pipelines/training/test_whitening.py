"""Whitening: what differs within an owner shrinks, and who is who stands out."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.errors import ConfigError
from pipelines.training.whitening import Whitening, fit_whitening, whitened

DIM = 12


def embeddings(seed: int, n_owners: int = 40, each: int = 4) -> tuple[NDArray, NDArray]:
    """Draw owners that differ in all directions, and whose own embeddings differ in the first."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(n_owners, DIM))
    spread = np.ones(DIM) * 0.2
    spread[0] = 4.0
    owners = np.repeat(np.arange(n_owners), each)
    return centres[owners] + spread * rng.normal(size=(len(owners), DIM)), owners


def separation(vectors: NDArray, owners: NDArray) -> float:
    """Mean cosine of an owner's own pairs minus that of strangers, in deviations of strangers."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    first, second = np.triu_indices(len(unit), k=1)
    cosine = (unit[first] * unit[second]).sum(axis=1)
    same = owners[first] == owners[second]
    return float((cosine[same].mean() - cosine[~same].mean()) / cosine[~same].std())


def test_owners_stand_out_more_on_embeddings_it_was_not_fitted_on() -> None:
    whitening = fit_whitening(*embeddings(0), shrinkage=0.1)
    vectors, owners = embeddings(1)
    better = separation(whitened(vectors, whitening), owners)
    assert better > separation(vectors, owners) + 0.5


def test_what_comes_out_has_unit_length_and_is_float32() -> None:
    vectors, owners = embeddings(0)
    result = whitened(vectors, fit_whitening(vectors, owners))
    assert result.dtype == np.float32
    assert np.linalg.norm(result, axis=1) == pytest.approx(np.ones(len(vectors)), abs=1e-5)


def test_it_is_unit_length_minus_mean_times_matrix_unit_length() -> None:
    rng = np.random.default_rng(2)
    whitening = Whitening(
        rng.normal(size=DIM).astype(np.float32), rng.normal(size=(DIM, DIM)).astype(np.float32)
    )
    vector = rng.normal(size=DIM)
    by_hand = (vector / np.linalg.norm(vector) - whitening.mean) @ whitening.matrix
    by_hand /= np.linalg.norm(by_hand)
    assert whitened(vector[None], whitening)[0] == pytest.approx(by_hand, abs=1e-5)


def test_the_length_of_an_embedding_plays_no_part() -> None:
    vectors, owners = embeddings(0)
    scaled = vectors * np.random.default_rng(1).uniform(0.1, 9.0, (len(vectors), 1))
    one, other = fit_whitening(vectors, owners), fit_whitening(scaled, owners)
    assert one.matrix == pytest.approx(other.matrix, abs=1e-5)
    assert one.mean == pytest.approx(other.mean, abs=1e-5)


def test_whole_shrinkage_only_centres() -> None:
    vectors, owners = embeddings(0)
    assert fit_whitening(vectors, owners, shrinkage=1.0).matrix == pytest.approx(np.eye(DIM))


def test_fewer_embeddings_than_dimensions_are_enough() -> None:
    vectors, owners = embeddings(0, n_owners=3, each=2)
    matrix = fit_whitening(vectors, owners).matrix
    assert np.isfinite(matrix).all()
    assert np.linalg.matrix_rank(matrix) == DIM


def test_an_owner_with_much_moves_the_mean_no_more_than_the_others() -> None:
    vectors, owners = embeddings(0, n_owners=4)
    again = np.concatenate([vectors, *[vectors[owners == 0]] * 9])
    more = np.concatenate([owners, np.zeros(9 * 4, dtype=int)])
    assert fit_whitening(again, more).mean == pytest.approx(fit_whitening(vectors, owners).mean)


def test_copies_in_other_rooms_shrink_what_rooms_do() -> None:
    rng = np.random.default_rng(3)
    dry = np.repeat(rng.normal(size=(50, DIM)), 3, axis=0)
    rooms = np.zeros_like(dry)
    rooms[:, 5] = rng.normal(0.0, 3.0, len(dry))
    whitening = fit_whitening(dry + rooms, np.repeat(np.arange(50), 3), shrinkage=0.05)
    assert whitening.matrix[5, 5] == np.diag(whitening.matrix).min()


@pytest.mark.parametrize(
    ("owners", "shrinkage", "words"),
    [([0, 1, 2], 0.5, "two embeddings"), ([0, 0, 1], 0.0, "shrinkage"), ([0, 0, 1], 1.5, "most 1")],
)
def test_what_cannot_be_fitted_is_refused(owners: list[int], shrinkage: float, words: str) -> None:
    vectors = np.random.default_rng(0).normal(size=(3, DIM))
    with pytest.raises(ConfigError, match=words):
        fit_whitening(vectors, np.array(owners), shrinkage)


def test_the_same_embedding_twice_is_no_spread() -> None:
    with pytest.raises(ConfigError, match="differ"):
        fit_whitening(np.ones((4, DIM)), np.zeros(4, dtype=int))
