"""What days have in common: deviates and their daily means, by hand."""

import numpy as np

from pipelines.cusum import deviates, running_day_means


def test_p_values_become_normal_deviates_within_limits() -> None:
    z = deviates(np.array([0.5, 0.158655, 0.975, 1.0, 1e-9]))
    np.testing.assert_allclose(z, [0.0, 1.0, -1.95996, -2.0, 3.0], atol=1e-4)


def test_a_days_mean_is_standardised_with_the_day_effect() -> None:
    z = np.array([1.0, 2.0, 0.0, 9.0])
    present = np.array([True, True, True, False])
    looks = running_day_means(z, 0.3, present)
    variance = 0.3 + 0.7 / np.array([1, 2, 3])
    expected = np.array([1.0, 1.5, 1.0]) / np.sqrt(variance)
    np.testing.assert_allclose(looks, [*expected, expected[-1]])


def test_a_days_mean_has_unit_variance_when_sessions_share_the_day() -> None:
    chance = np.random.default_rng(0)
    day = np.sqrt(0.3) * chance.normal(size=(20_000, 1))
    z = day + np.sqrt(0.7) * chance.normal(size=(20_000, 5))
    looks = running_day_means(z, 0.3, np.ones_like(z, dtype=bool))
    np.testing.assert_allclose(looks.std(axis=0), 1.0, atol=0.02)
