"""Familiar: strangers are unlike, movements are heard, and what is missing says nothing."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.acoustics import CHANNELS
from pipelines.errors import ConfigError
from pipelines.familiar import (
    ACOUSTICS,
    EMBEDDING,
    ROOM,
    Familiar,
    Views,
    channel_values,
    channel_weights,
    checked_views,
    direction,
    left_out_scores,
    turn,
)
from pipelines.prior import Population, ViewPrior
from pipelines.room import ROOM_WIDTH

N_CHANNELS = len(CHANNELS)
WIDTHS = {EMBEDDING: 192, ACOUSTICS: N_CHANNELS, ROOM: ROOM_WIDTH}


def some_views(infants: int, recordings: int, seed: int = 0, spread: float = 0.5) -> Views:
    """Draw recordings of infants that differ by 1 and vary by ``spread``."""
    chance = np.random.default_rng(seed)
    count = infants * recordings

    def drawn(width: int) -> np.ndarray:
        level = np.repeat(chance.normal(size=(infants, width)), recordings, axis=0)
        return level + spread * chance.normal(size=(count, width))

    return Views(drawn(192), drawn(N_CHANNELS), drawn(ROOM_WIDTH), np.full(count, 60.0))


@pytest.fixture(scope="module")
def priors() -> dict[str, ViewPrior]:
    views = some_views(60, 4)
    infant, session = np.repeat(np.arange(60), 4), np.tile(np.arange(4), 60)
    unknown = np.full(240, np.nan)
    return {
        EMBEDDING: ViewPrior.fit(Population(views.embeddings, infant, session, unknown), 16),
        ACOUSTICS: ViewPrior.fit_each(Population(views.channels, infant, session, views.age_days)),
        ROOM: ViewPrior.fit(Population(views.room, infant, session, unknown), 16),
    }


def one_infant(priors: dict[str, ViewPrior], n: int = 20) -> tuple[Familiar, Views]:
    """Return an infant learnt from most of its recordings, and the two that are left."""
    views = some_views(1, n + 2, seed=7)
    turned = turn(views.of(np.arange(n)), priors)
    session = np.arange(n)
    folds = [session % 5 == fold for fold in range(5)]
    left_out = left_out_scores(priors, turned, session, folds)
    return Familiar.of(priors, turned, session, left_out.spread), views.of(np.arange(n, n + 2))


def test_a_stranger_is_unlike_and_its_room_is_far(priors: dict[str, ViewPrior]) -> None:
    familiar, own = one_infant(priors)
    stranger = turn(some_views(2, 1, seed=9), priors)
    mine = turn(own, priors)
    assert familiar.likelihood(mine).max() < 0.0 < familiar.likelihood(stranger).min()
    assert familiar.room_distance(mine).max() < familiar.room_distance(stranger).min()


def test_one_channel_that_moves_is_heard_in_either_direction(priors: dict[str, ViewPrior]) -> None:
    familiar, own = one_infant(priors)
    usual = familiar.movement(turn(own, priors))
    for by in (3.0, -3.0):
        moved = own.channels.copy()
        moved[:, 0] += by
        assert (familiar.movement(turn(replace(own, channels=moved), priors)) > usual + 1.0).all()


def test_pitch_weighs_most_and_weights_are_one_in_all() -> None:
    weights = channel_weights()
    assert weights.sum() == pytest.approx(1.0)
    assert CHANNELS[int(np.argmax(weights))].name == "f0_log2_hz"


def test_what_is_missing_says_nothing(priors: dict[str, ViewPrior]) -> None:
    familiar, own = one_infant(priors)
    nothing = Views(
        own.embeddings,
        np.full_like(own.channels, np.nan),
        np.full_like(own.room, np.nan),
        np.full_like(own.age_days, np.nan),
    )
    turned = turn(nothing, priors)
    np.testing.assert_allclose(familiar.movement(turned), 0.0, atol=1e-12)
    assert np.isnan(familiar.room_distance(turned)).all()
    without = turn(own, {name: prior for name, prior in priors.items() if name != EMBEDDING})
    assert without.embedding.shape == (2, 0)


def test_an_infant_that_varies_more_is_given_more_room(priors: dict[str, ViewPrior]) -> None:
    steady, wild = some_views(1, 40, 3), some_views(1, 40, 3, spread=1.5)
    session = np.arange(40)
    folds = [session % 5 == fold for fold in range(5)]
    spreads = [
        left_out_scores(priors, turn(views, priors), session, folds).spread
        for views in (steady, wild)
    ]
    assert (spreads[1] > 1.5 * spreads[0]).all()
    assert spreads[0] == pytest.approx(1.0, abs=0.4)


def test_left_out_scores_have_not_heard_their_fold(priors: dict[str, ViewPrior]) -> None:
    views = some_views(1, 12, seed=4)
    session = np.arange(12)
    folds = [session < 6, session >= 6]
    whole = left_out_scores(priors, turn(views, priors), session, folds)
    changed = views.channels.copy()
    changed[0] += 10.0
    again = left_out_scores(priors, turn(replace(views, channels=changed), priors), session, folds)
    # The recording itself, and those judged by what heard it; none of its own fold.
    assert again.likelihood[0] != whole.likelihood[0]
    np.testing.assert_array_equal(again.likelihood[1:6], whole.likelihood[1:6])
    assert (again.likelihood[6:] != whole.likelihood[6:]).all()


def test_saved_and_loaded_it_scores_the_same(priors: dict[str, ViewPrior]) -> None:
    familiar, own = one_infant(priors)
    again = Familiar.from_arrays(familiar.arrays())
    turned = turn(own, priors)
    np.testing.assert_array_equal(again.likelihood(turned), familiar.likelihood(turned))
    np.testing.assert_array_equal(again.movement(turned), familiar.movement(turned))
    np.testing.assert_array_equal(again.room_distance(turned), familiar.room_distance(turned))
    arrays = familiar.arrays()
    del arrays["spread"]
    with pytest.raises(ConfigError, match="spread"):
        Familiar.from_arrays(arrays)


def test_shapes_that_do_not_fit_are_named() -> None:
    views = some_views(1, 3)
    assert checked_views(views) is views
    with pytest.raises(ConfigError, match="channels of shape"):
        checked_views(replace(views, channels=views.channels[:, 1:]))
    with pytest.raises(ConfigError, match="embeddings of 3"):
        checked_views(replace(views, embeddings=views.embeddings[1:]))


def test_a_recording_becomes_one_direction_and_one_row() -> None:
    assert np.linalg.norm(direction(np.eye(3, 192))) == pytest.approx(1.0)
    assert np.isnan(channel_values({})).all()
