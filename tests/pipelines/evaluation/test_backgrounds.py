"""The background-only control: it hears the room, and not who cries."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.evaluation.backgrounds import VIEW_SIZE, background_scores, background_views
from pipelines.evaluation.pairs import Pairs, equal_error_rate, whitened_scores
from pipelines.sound import Sound


def recording(pitch_hz: float, colour: float, seed: int) -> Sound:
    """Make two seconds of crying by turns with silence, over noise of some colour."""
    rng = np.random.default_rng(seed)
    times_s = np.arange(4 * 16_000) / 16_000
    cry = np.sin(2 * np.pi * pitch_hz * times_s) * (times_s % 2.0 < 1.0)
    noise = rng.normal(size=times_s.size)
    noise[1:] += colour * noise[:-1]
    return Sound((0.5 * cry + 0.005 * noise).astype(np.float32), 16_000)


def test_the_room_changes_the_views_and_the_cry_does_not() -> None:
    plain = background_views(recording(400.0, 0.9, 0))
    other_cry = background_views(recording(600.0, 0.9, 1))
    other_room = background_views(recording(400.0, -0.9, 2))
    assert plain.shape == (2 * VIEW_SIZE,)
    moved = [float(np.linalg.norm(plain - other)) for other in (other_cry, other_room)]
    assert moved[0] < 0.3 * moved[1]


def pairs_of(infants: int, each: int) -> Pairs:
    owner = np.repeat(np.arange(infants), each)
    first, second = np.triu_indices(len(owner), k=1)
    same = owner[first] == owner[second]
    return Pairs(first, second, same, np.ones(len(first), dtype=bool), owner)


def views(pairs: Pairs, strength: float, noise_seed: int = 3) -> NDArray[np.float32]:
    centres = np.random.default_rng(2).normal(size=(int(pairs.infant.max()) + 1, VIEW_SIZE))
    noise = np.random.default_rng(noise_seed).normal(size=(len(pairs.infant), VIEW_SIZE))
    return (strength * centres[pairs.infant] + noise).astype(np.float32)


def test_two_views_tell_more_than_one() -> None:
    pairs = pairs_of(30, 4)
    both = np.hstack([views(pairs, 0.25, noise_seed=3), views(pairs, 0.25, noise_seed=4)])
    alone = equal_error_rate(background_scores(both[:, :VIEW_SIZE], pairs), pairs.same)
    together = equal_error_rate(background_scores(both, pairs), pairs.same)
    assert together < alone - 2.0


def test_one_view_alone_is_scored_as_it_is() -> None:
    pairs = pairs_of(8, 3)
    one = views(pairs, 0.5)
    assert background_scores(one, pairs) == pytest.approx(whitened_scores(one, pairs))
