"""Prior: what is planted in a population is found, and an infant is learnt beside it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelines.errors import ConfigError, CorruptArtefactError
from pipelines.prior import (
    Known,
    Population,
    ViewPrior,
    bundled_priors,
    own_variance,
    read_priors,
    session_means,
    write_priors,
)

BETWEEN, SESSION, OWN = 4.0, 0.5, 0.5


def a_population(
    n_infants: int = 150, sessions: int = 3, width: int = 3, age_slope: float = 0.0
) -> Population:
    """Draw infants with known variances: 4 between them, 1 within, half of it by session."""
    chance = np.random.default_rng(0)
    infant = np.repeat(np.arange(n_infants), 2 * sessions)
    session = np.tile(np.repeat(np.arange(sessions), 2), n_infants)
    level = np.sqrt(BETWEEN) * chance.normal(size=(n_infants, width))
    common = np.sqrt(SESSION) * chance.normal(size=(n_infants, sessions, width))
    ages = np.repeat(chance.uniform(10.0, 200.0, n_infants), 2 * sessions)
    own = np.sqrt(OWN) * chance.normal(size=(len(infant), width))
    values = 7.0 + level[infant] + common[infant, session] + own
    values += (age_slope * np.log2(ages / 60.0))[:, None]
    return Population(values, infant, session, ages)


def test_variances_between_and_within_are_found() -> None:
    each = ViewPrior.fit_each(a_population(n_infants=600))
    assert each.is_of_each
    np.testing.assert_allclose(each.ratios, BETWEEN, rtol=0.35)
    np.testing.assert_allclose(np.diag(each.turn), 1.0, rtol=0.15)
    np.testing.assert_allclose(each.mean, 7.0, atol=0.5)


def test_a_rotation_of_the_values_changes_no_ratio() -> None:
    population = a_population()
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    plain = ViewPrior.fit(population, 3, shrinkage=0.0)
    turned = ViewPrior.fit(replace(population, values=population.values @ turn), 3, shrinkage=0.0)
    np.testing.assert_allclose(plain.ratios, turned.ratios, rtol=1e-6)
    rows = population.values[:20]
    np.testing.assert_allclose(
        np.abs(plain.turned(rows)), np.abs(turned.turned(rows @ turn)), rtol=1e-5, atol=1e-8
    )


def test_directions_have_unit_variance_within_infants() -> None:
    population = a_population(n_infants=300)
    turned = ViewPrior.fit(population, 3, shrinkage=0.0).turned(population.values)
    other = turned[population.session == 0][::2] - turned[population.session == 1][::2]
    np.testing.assert_allclose(other.var(axis=0) / 2.0, 1.0, rtol=0.25)


def test_age_is_taken_out_where_it_is_known() -> None:
    aged = ViewPrior.fit_each(a_population(n_infants=400, age_slope=2.0))
    np.testing.assert_allclose(aged.age_slope, 2.0, atol=0.4)
    young, old = aged.turned(np.full((2, 3), 7.0), np.array([60.0, 240.0]))
    np.testing.assert_allclose((young - old) / np.diag(aged.turn), 2 * aged.age_slope)
    np.testing.assert_allclose(aged.turned(np.full((1, 3), 7.0)), young[None])


def test_nobody_recorded_twice_is_a_named_error() -> None:
    population = a_population()
    alone = replace(population, infant=np.arange(len(population.infant)))
    with pytest.raises(ConfigError, match="two recordings"):
        ViewPrior.fit(alone, 2)


def test_without_recordings_an_infant_is_the_populations() -> None:
    prior = ViewPrior.fit_each(a_population())
    nobody = Known.of(prior, np.empty((0, 3)), np.empty(0, dtype=np.int64))
    np.testing.assert_array_equal(nobody.mean, 0.0)
    np.testing.assert_array_equal(nobody.variance, prior.ratios)
    rows = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(nobody.unlikeness(rows), 0.0, atol=1e-12)


def test_many_recordings_bring_an_infant_to_its_own_mean() -> None:
    prior = ViewPrior.fit_each(a_population())
    rows = 3.0 + np.random.default_rng(0).normal(size=(400, 3))
    known = Known.of(prior, rows, np.arange(400))
    np.testing.assert_allclose(known.mean, rows.mean(axis=0), atol=0.02)
    assert (known.variance < 0.01).all()


def test_one_session_of_many_recordings_says_little_more_than_one_of_two() -> None:
    prior = ViewPrior.fit_each(a_population())
    rows = np.ones((50, 3))
    two = Known.of(prior, rows[:2], np.zeros(2, dtype=np.int64))
    fifty = Known.of(prior, rows, np.zeros(50, dtype=np.int64))
    apart = Known.of(prior, rows, np.arange(50))
    assert (apart.variance < 0.2 * fifty.variance).all()
    assert (fifty.variance > 0.6 * two.variance).all()


def test_a_known_infant_is_likelier_itself_and_a_stranger_is_not() -> None:
    prior = ViewPrior.fit_each(a_population())
    chance = np.random.default_rng(3)
    level = np.array([3.0, -2.0, 1.0])
    known = Known.of(prior, level + chance.normal(size=(20, 3)), np.arange(20))
    own = known.unlikeness(level + chance.normal(size=(200, 3)))
    stranger = known.unlikeness(np.sqrt(BETWEEN + 1.0) * chance.normal(size=(200, 3)))
    assert own.mean() < -1.0 < 1.0 < stranger.mean()
    assert abs(known.surprise(level + chance.normal(size=(2000, 3))).mean()) < 0.2
    assert known.surprise((level + 4.0)[None])[0] > 5.0


def test_what_is_missing_is_no_deviation() -> None:
    prior = ViewPrior.fit_each(a_population())
    known = Known.of(prior, np.ones((6, 3)), np.arange(6))
    nothing = np.full((1, 3), np.nan)
    assert known.unlikeness(nothing)[0] == 0.0
    one = np.array([[1.0, np.nan, np.nan]])
    alone = Known(known.ratios[:1], known.mean[:1], known.variance[:1])
    assert known.unlikeness(one)[0] == pytest.approx(alone.unlikeness(one[:, :1])[0])
    mostly = np.array([[1.0, np.nan, 2.0]] * 6)
    half = Known.of(prior, mostly, np.arange(6))
    assert half.variance[1] == prior.ratios[1]
    assert half.variance[0] == known.variance[0]


def test_session_means_count_what_is_there() -> None:
    rows = np.array([[1.0, np.nan], [3.0, 2.0], [5.0, np.nan]])
    means, count = session_means(rows, np.array([4, 4, 9]))
    np.testing.assert_array_equal(count, [[2, 1], [1, 0]])
    np.testing.assert_array_equal(means[0], [2.0, 2.0])
    assert means[1, 0] == 5.0
    assert np.isnan(means[1, 1])
    assert own_variance(1) == 1.0 > own_variance(4) > own_variance(10**9) == pytest.approx(0.5)


def test_what_is_written_is_read_and_the_embedding_belongs_to_its_encoder(tmp_path: Path) -> None:
    prior = ViewPrior.fit_each(a_population())
    facts = {"encoder_fingerprint": "here", "moments": {"likelihood": (1.0, 2.0)}}
    path = tmp_path / "prior.safetensors"
    write_priors(path, {"embedding": prior, "acoustics": prior}, facts)
    found = read_priors(path, "here")
    assert set(found.views) == {"embedding", "acoustics"}
    assert found.moments == {"likelihood": (1.0, 2.0)}
    np.testing.assert_array_equal(found.views["embedding"].turn, prior.turn)
    elsewhere = read_priors(path, "there")
    assert set(elsewhere.views) == {"acoustics"}
    assert elsewhere.moments == {}
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(CorruptArtefactError):
        read_priors(path, "here")


def test_the_prior_that_ships_has_every_view() -> None:
    from pipelines.embed import load_encoder

    found = bundled_priors(load_encoder("bundled").fingerprint)
    assert set(found.views) == {"embedding", "acoustics", "room"}
    assert found.views["acoustics"].is_of_each
    assert set(found.moments) == {"likelihood", "acoustics"}
    assert found.version.startswith("prior-1-")
