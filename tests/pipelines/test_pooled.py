"""Pooled calibration: the promise kept, finer than ranks, and weights that do what they say."""

import numpy as np
import pytest

from pipelines.errors import ConfigError
from pipelines.pooled import POOL_WEIGHT, Pooled

ICC, CORRELATION = 0.3, 0.6
SCORERS = ("a", "b", "c")


def draw(chance: np.random.Generator, *shape: int) -> np.ndarray:
    """Draw scores of three scorers that partly say the same; heavy tails, unit variance."""
    common, own = (chance.standard_t(6, (*shape, n)) / np.sqrt(1.5) for n in (1, len(SCORERS)))
    return np.sqrt(CORRELATION) * common + np.sqrt(1 - CORRELATION) * own


def lives(chance: np.random.Generator, days: int, sessions: int = 4) -> np.ndarray:
    """Draw sessions with days' own effects, shape (days, sessions, scorers)."""
    of_day = draw(chance, days, 1)
    return np.sqrt(ICC) * of_day + np.sqrt(1 - ICC) * draw(chance, days, sessions)


def a_baseline(values: np.ndarray, device: int = -1) -> Pooled:
    """Return a calibration of one recording a session."""
    days, sessions, _ = values.shape
    scores = {name: values[..., at].ravel() for at, name in enumerate(SCORERS)}
    number = np.arange(days * sessions)
    day = np.repeat(np.arange(days), sessions)
    return Pooled(scores, number, day, np.full(len(number), device))


def one(row: np.ndarray) -> dict[str, float]:
    return dict(zip(SCORERS, map(float, row), strict=True))


@pytest.mark.parametrize(("days", "sessions"), [(14, 4), (9, 1), (30, 2)])
def test_the_promise_is_kept_on_new_days(days: int, sessions: int) -> None:
    chance = np.random.default_rng(days)
    rates = []
    for _ in range(60):
        scale, level = np.exp(0.3 * chance.normal(size=3)), chance.normal(size=3)
        pooled = a_baseline(level + scale * lives(chance, days, sessions))
        new = level + scale * lives(chance, 10, 2).reshape(-1, 3)
        p_values = np.array([pooled.judge_recording(one(row)).p_value for row in new])
        rates.append([(p_values <= alpha).mean() for alpha in (0.10, 0.05)])
    at_10, at_05 = np.mean(rates, axis=0)
    assert 0.06 <= at_10 <= 0.13
    assert 0.02 <= at_05 <= 0.08


def test_the_promise_is_not_kept_by_being_blind() -> None:
    chance = np.random.default_rng(1)
    pooled = a_baseline(lives(chance, 14))
    shifted = lives(chance, 20, 2).reshape(-1, 3) + 2.0
    assert np.mean([pooled.judge_recording(one(row)).p_value <= 0.10 for row in shifted]) > 0.6


def test_p_values_are_finer_than_ranks_and_bounded_by_what_is_told() -> None:
    pooled = a_baseline(lives(np.random.default_rng(2), 9, 1))
    strange, stranger = (pooled.judge_recording(dict.fromkeys(SCORERS, by)) for by in (4.0, 8.0))
    assert pooled.smallest_p_value <= stranger.p_value < strange.p_value < 1 / (9 + 1)
    assert pooled.smallest_p_value == pytest.approx(9 / (9 + POOL_WEIGHT) / 10)
    assert {name: float(p[0]) for name, p in strange.p_values.items()}.keys() == set(SCORERS)


def test_with_many_sessions_the_own_ranks_decide() -> None:
    values = lives(np.random.default_rng(3), 1, 2000)
    pooled = a_baseline(values)
    row = values[0, 7]
    judged = pooled.judge_recording(one(row))
    rank = (1 + (values[0, :, 0] >= row[0]).sum()) / 2001
    assert float(judged.p_values["a"][0]) == pytest.approx(rank, abs=0.02)


def test_a_session_is_judged_by_its_mean_and_beside_sessions() -> None:
    values = lives(np.random.default_rng(4), 14)
    pooled = a_baseline(values)
    rows = lives(np.random.default_rng(5), 1, 3)[0]
    session = pooled.judge_session({name: rows[:, at] for at, name in enumerate(SCORERS)})
    assert session.p_value == pooled.judge_recording(one(rows.mean(axis=0))).p_value


def test_a_session_of_many_recordings_counts_once() -> None:
    values = lives(np.random.default_rng(6), 14, 1)
    plain = a_baseline(values)
    again = Pooled(
        {name: np.append(own, [own[0]] * 20) for name, own in plain.scores.items()},
        np.append(plain.session, [0] * 20),
        np.append(plain.day, [0] * 20),
        np.append(plain.device, [-1] * 20),
    )
    row = one(values[3, 0])
    whole, once = (one_of.judge_recording(row).p_value for one_of in (again, plain))
    assert whole == pytest.approx(once, rel=1e-3)


def test_old_sessions_and_other_devices_count_for_less() -> None:
    chance = np.random.default_rng(7)
    old, new = lives(chance, 60, 1) + 3.0, lives(chance, 60, 1)
    values = np.concatenate([old, new])
    pooled = a_baseline(values)
    reverse = a_baseline(values[::-1])
    usual_lately = dict.fromkeys(SCORERS, 2.5)
    assert (
        pooled.judge_recording(usual_lately).p_value < reverse.judge_recording(usual_lately).p_value
    )
    of_two = Pooled(pooled.scores, pooled.session, pooled.day, np.repeat([0, 1], 60))
    p_values = [of_two.judge_recording(usual_lately, device).p_value for device in (0, 1)]
    assert p_values[1] < p_values[0]
    assert of_two.judge_recording(usual_lately).p_value == pytest.approx(
        pooled.judge_recording(usual_lately).p_value
    )


def test_the_population_steadies_a_short_baseline() -> None:
    values = 0.05 * lives(np.random.default_rng(8), 3, 1)
    alone = a_baseline(values)
    beside = Pooled(
        alone.scores, alone.session, alone.day, alone.device, dict.fromkeys(SCORERS, (0.0, 1.0))
    )
    row = dict.fromkeys(SCORERS, 1.0)
    assert 2.0 * alone.judge_recording(row).p_value < beside.judge_recording(row).p_value


def test_scores_of_other_scorers_are_refused() -> None:
    pooled = a_baseline(lives(np.random.default_rng(9), 9, 1))
    with pytest.raises(ConfigError, match="calibrated"):
        pooled.judge_recording({"a": 1.0})


def test_equal_scores_are_no_error() -> None:
    pooled = a_baseline(np.zeros((9, 1, 3)))
    assert pooled.judge_recording(dict.fromkeys(SCORERS, 0.0)).p_value > 0.3
