"""Gaussian mixture: a true density, the planted number of components."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import multivariate_normal
from sklearn.covariance import ledoit_wolf

from pipelines.detectors import gmm
from pipelines.detectors.gmm import GaussianMixture, choose_components
from tests.pipelines.detectors.baselines import WIDTH


def planted(k: int, n_units: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return unit-length vectors around k centres, every session with units of each."""
    chance = np.random.default_rng([seed, k])
    centres = chance.normal(size=WIDTH) + 0.6 * chance.normal(size=(k, WIDTH))
    units = centres[np.arange(n_units) % k] + 0.25 * chance.normal(size=(n_units, WIDTH))
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    return units, np.arange(n_units) * 12 // n_units


@pytest.mark.parametrize("k", [2, 3, 4, 5])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_planted_number_of_components_is_found(k: int, seed: int) -> None:
    units, sessions = planted(k, 120, seed)
    assert choose_components(units, sessions, 0) == k
    assert GaussianMixture().fit(units, sessions, 0).n_components == k


def test_bic_is_the_formula_of_the_docstring(monkeypatch: pytest.MonkeyPatch) -> None:
    # With the same likelihood for every K only the penalty is left, so the smallest K wins; a
    # gain of just over half the penalty of one component, (1 + 8) log n, outweighs it.
    units, sessions = planted(2, 60, 0)
    gain = {2: 0.0, 3: 0.0, 4: 0.0, 5: 0.0}

    class Flat:
        def __init__(self, k: int) -> None:
            self.k = k

        def log_density(self, left_out: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.full(len(left_out), gain[self.k] / 60)

    monkeypatch.setattr(gmm, "_fit_mixture", lambda _u, _p, k, _s: Flat(k))
    assert choose_components(units, sessions, 0) == 2
    gain[3] = 0.5 * 9 * np.log(60) - 0.01
    assert choose_components(units, sessions, 0) == 2
    gain[3] += 0.02
    assert choose_components(units, sessions, 0) == 3


def test_the_score_is_the_negative_log_density_of_the_mixture() -> None:
    units, sessions = planted(3, 120, 0)
    mixture = GaussianMixture().fit(units, sessions, 0)
    arrays = mixture.arrays()
    covariance = arrays["factor"] @ arrays["factor"].T
    means = arrays["white_means"] @ arrays["factor"].T
    others = planted(3, 30, 1)[0]
    density = np.logaddexp.reduce(
        [
            log_weight + multivariate_normal(mean, covariance).logpdf(others)
            for log_weight, mean in zip(arrays["log_weights"], means, strict=True)
        ]
    )
    np.testing.assert_allclose(mixture.score(others), -density, rtol=1e-8)
    assert np.exp(arrays["log_weights"]).sum() == pytest.approx(1.0)


def test_the_covariance_is_that_of_ledoit_and_wolf_about_the_component_means() -> None:
    units, sessions = planted(3, 120, 0)
    arrays = GaussianMixture().fit(units, sessions, 0).arrays()
    means = arrays["white_means"] @ arrays["factor"].T
    nearest = ((units[:, None] - means[None]) ** 2).sum(axis=2).argmin(axis=1)
    assert np.array_equal(np.unique(nearest[0::3]), [nearest[0]])  # the planted components
    expected, shrinkage = ledoit_wolf(units - means[nearest], assume_centered=True)
    expected += gmm.VARIANCE_FLOOR * np.eye(WIDTH)
    assert 0.0 < shrinkage < 1.0
    np.testing.assert_allclose(
        arrays["factor"] @ arrays["factor"].T, expected, rtol=1e-6, atol=1e-12
    )


def test_a_density_in_the_plane_integrates_to_one() -> None:
    chance = np.random.default_rng(0)
    points = np.concatenate([chance.normal(-2, 1, (40, 2)), chance.normal(2, 1, (40, 2))])
    mixture = GaussianMixture().fit(points, np.arange(80) % 8, 0)
    axis = np.linspace(-12, 12, 241)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    assert np.exp(-mixture.score(grid)).sum() * 0.1**2 == pytest.approx(1.0, abs=1e-3)


def test_one_session_alone_takes_the_smallest_number() -> None:
    units, _ = planted(4, 40, 0)
    assert GaussianMixture().fit(units, np.zeros(40, dtype=np.int64), 0).n_components == 2


@pytest.mark.parametrize("n_rows", [2, 5, 60, 400])
def test_the_shrunk_covariance_is_that_of_scikit_learn(n_rows: int) -> None:
    chance = np.random.default_rng(n_rows)
    residuals = chance.normal(size=(n_rows, 20)) * np.linspace(0.1, 2.0, 20)
    expected, _ = ledoit_wolf(residuals, assume_centered=True)
    shrunk = gmm._shrunk_covariance(residuals) - gmm.VARIANCE_FLOOR * np.eye(20)
    np.testing.assert_allclose(shrunk, expected, rtol=1e-9, atol=1e-12)


def test_residuals_of_nothing_leave_the_floor() -> None:
    expected = gmm.VARIANCE_FLOOR * np.eye(7)
    np.testing.assert_array_equal(gmm._shrunk_covariance(np.zeros((3, 7))), expected)


@pytest.mark.parametrize(("n_rows", "n_directions"), [(1, 0), (2, 1), (5, 4), (9, 8), (40, 8)])
def test_directions_are_the_leading_ones_and_no_more_than_there_are(
    n_rows: int, n_directions: int
) -> None:
    units = np.random.default_rng(n_rows).normal(size=(n_rows, 30)) * np.linspace(3.0, 1.0, 30)
    plane = gmm._principal_directions(units)
    expected = np.linalg.svd(units - units.mean(axis=0))[2][:n_directions]
    assert plane.shape == (n_directions, 30)
    np.testing.assert_allclose(plane.T @ plane, expected.T @ expected, atol=1e-9)


def test_clusters_are_settled_and_centres_are_their_means() -> None:
    points = np.random.default_rng(0).normal(size=(80, 3))
    for k in gmm.K_CHOICES:
        members, centres = gmm._cluster(points, k, 0)
        squares = ((points[:, None] - centres[None]) ** 2).sum(axis=2)
        np.testing.assert_array_equal(members, squares.argmin(axis=1))
        means = [points[members == c].mean(axis=0) for c in range(k)]
        np.testing.assert_allclose(centres, means, atol=1e-12)


def test_fewer_different_points_than_clusters_leave_no_cluster_empty() -> None:
    points = np.repeat([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], 4, axis=0)
    members, centres = gmm._cluster(points, 5, 0)
    np.testing.assert_allclose(centres[members], points, atol=1e-12)
    assert np.bincount(members).min() > 0


def test_folds_have_the_components_that_the_whole_asks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    units, sessions = planted(4, 60, 0)
    asked: list[int] = []

    def choose(rows: NDArray[np.float64], _groups: NDArray[np.int64], _seed: int) -> int:
        asked.append(len(rows))
        return 3

    monkeypatch.setattr(gmm, "choose_components", choose)
    fitted = GaussianMixture().fit_folds(units, sessions, [sessions == 0, sessions == 5], 0)
    assert [one.n_components for one in fitted] == [3, 3]
    assert asked == [60]
