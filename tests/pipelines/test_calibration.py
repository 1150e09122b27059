"""Calibration: ranks by hand, nothing in-sample, and the promise kept on simulated infants."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from pipelines.calibration import MAX_FOLDS, Calibration, calibrate
from pipelines.errors import ConfigError

ICC = 0.3
WIDTH = 4


@dataclass(frozen=True)
class Distance:
    """Squared distance from the mean: a detector that costs nothing."""

    name: ClassVar[str] = "distance"
    mean: NDArray[np.float64] | None = None

    def fit(self, x: NDArray[Any], groups: NDArray[Any], seed: int) -> Self:
        assert len(groups) == len(x)
        assert seed == 0
        return type(self)(x.mean(axis=0))

    def score(self, x: NDArray[Any]) -> NDArray[np.float64]:
        return ((x - self.mean) ** 2).sum(axis=1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        assert self.mean is not None
        return {"mean": self.mean}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        return cls(arrays["mean"])


class FirstElement(Distance):
    """Another view of the same units."""

    def score(self, x: NDArray[Any]) -> NDArray[np.float64]:
        assert self.mean is not None
        return np.abs(x - self.mean)[:, 0]


QUICK = {"distance": Distance(), "first": FirstElement()}


@dataclass(frozen=True)
class Life:
    """Units of a simulated infant, with their recording, session and day."""

    units: NDArray[np.float64]
    recording: NDArray[np.int64]
    session: NDArray[np.int64]
    day: NDArray[np.int64]


def a_life(
    chance: np.random.Generator, n_days: int, sessions_a_day: int = 1, shift: float = 0.0
) -> Life:
    """Simulate days with their own effect (ICC 0.3), sessions of one or two recordings."""
    rows = []
    recording = session = 0
    for day in range(n_days):
        day_effect = np.sqrt(ICC) * chance.normal(size=WIDTH)
        for _ in range(sessions_a_day):
            here = day_effect + shift + np.sqrt(0.6 * (1 - ICC)) * chance.normal(size=WIDTH)
            for _ in range(chance.integers(1, 3)):
                cry = here + np.sqrt(0.4 * (1 - ICC)) * chance.normal(size=WIDTH)
                for _ in range(3):
                    rows.append((cry + 0.5 * chance.normal(size=WIDTH), recording, session, day))
                recording += 1
            session += 1
    units, *groups = zip(*rows, strict=True)
    return Life(np.array(units), *(np.array(group) for group in groups))


def p_values_of_a_new_session(
    seed: int, n_days: int, sessions_a_day: int = 1, shift: float = 0.0
) -> tuple[float, float]:
    """Return the p-values of a new session, and of its first recording, of one infant."""
    chance = np.random.default_rng([7, seed])
    known = a_life(chance, n_days, sessions_a_day)
    new = a_life(chance, 1, 1, shift)
    calibration = calibrate(QUICK, known.units, known.recording, known.session, known.day, seed=0)
    scores = {}
    for name, detector in QUICK.items():
        unit_scores = detector.fit(known.units, known.session, 0).score(new.units)
        scores[name] = np.bincount(new.recording, unit_scores) / np.bincount(new.recording)
    first = {name: float(score[0]) for name, score in scores.items()}
    return calibration.judge_session(scores).p_value, calibration.judge_recording(first).p_value


@pytest.mark.parametrize(
    ("n_days", "sessions_a_day", "alpha"),
    [(9, 1, 0.10), (14, 2, 0.10), (19, 1, 0.10), (19, 1, 0.05), (10, 4, 0.10)],
)
def test_the_promise_is_kept_on_new_days(n_days: int, sessions_a_day: int, alpha: float) -> None:
    n_infants = 200
    p_values = np.array(
        [p_values_of_a_new_session(seed, n_days, sessions_a_day) for seed in range(n_infants)]
    )
    most = binom.ppf(0.99, n_infants, alpha)
    for realised in (p_values <= alpha + 1e-12).sum(axis=0):
        assert 0 < realised <= most


def test_the_promise_is_not_kept_by_being_blind() -> None:
    shifted = np.array([p_values_of_a_new_session(seed, 19, shift=2.0) for seed in range(60)])
    recall_session, recall_recording = (shifted <= 0.10).mean(axis=0)
    assert recall_session > 0.7
    assert recall_recording > 0.6


def test_calibrating_on_cries_instead_of_sessions_breaks_the_promise() -> None:
    # The control that shows that the test of the promise can fail: each cry as its own recording,
    # session and day, so that cries of the same session are heard by the detectors and ranked.
    fired = 0
    for seed in range(200):
        chance = np.random.default_rng([8, seed])
        known, new = a_life(chance, 4, 2), a_life(chance, 1)
        apart = np.arange(len(known.units))
        calibration = calibrate(QUICK, known.units, apart, apart, apart, seed=0)
        scores = {
            name: float(d.fit(known.units, known.session, 0).score(new.units[:1])[0])
            for name, d in QUICK.items()
        }
        fired += calibration.judge_recording(scores).p_value <= 0.10
    assert fired > binom.ppf(0.99, 200, 0.10)


def test_no_recording_is_scored_by_a_detector_that_has_heard_its_day() -> None:
    life = a_life(np.random.default_rng(0), 24, sessions_a_day=2)
    heard: list[NDArray[np.float64]] = []

    class Listening(Distance):
        def fit(self, x: NDArray[Any], groups: NDArray[Any], seed: int) -> Self:
            heard.append(x)
            return super().fit(x, groups, seed)

        def score(self, x: NDArray[Any]) -> NDArray[np.float64]:
            days = {int(life.day[(life.units == row).all(axis=1)][0]) for row in x}
            of_those_days = life.units[np.isin(life.day, list(days))]
            together = (of_those_days[:, None] == heard[-1][None]).all(axis=2)
            assert not together.any()
            return super().score(x)

    calibrate({"spy": Listening()}, life.units, life.recording, life.session, life.day, seed=0)
    assert len(heard) == MAX_FOLDS


def test_a_session_past_midnight_is_left_out_whole() -> None:
    life = a_life(np.random.default_rng(0), 10, sessions_a_day=2)
    day = life.day.copy()
    last_of_day_3 = np.flatnonzero(life.session == 7)[-1]
    day[last_of_day_3] = 4
    late = calibrate(QUICK, life.units, life.recording, life.session, day, seed=0)
    plain = calibrate(QUICK, life.units, life.recording, life.session, life.day, seed=0)
    for name in QUICK:
        np.testing.assert_array_equal(late.scores[name], plain.scores[name])


def test_every_session_counts_once() -> None:
    # Sessions 0 and 1 have one recording, session 2 has four of which one is above 5.
    calibration = Calibration(
        {"d": np.array([6.0, 1.0, 9.0, 2.0, 2.0, 2.0])}, np.array([0, 1, 2, 2, 2, 2])
    )
    assert calibration.n_sessions == 3
    judged = calibration.judge_recording({"d": 5.0})
    assert judged.p_values["d"].tolist() == [(1 + 1 + 0 + 0.25) / 4]


def test_an_equal_score_counts_as_at_least_as_anomalous() -> None:
    calibration = Calibration({"d": np.arange(9.0)}, np.arange(9))
    p_values = [calibration.judge_recording({"d": s}).p_value for s in (9.0, 8.0, 0.0, -1.0)]
    assert p_values == pytest.approx([0.1, 0.2, 1.0, 1.0])


def test_with_one_detector_the_combination_changes_nothing() -> None:
    chance = np.random.default_rng(0)
    calibration = Calibration({"d": chance.normal(size=30)}, np.arange(30))
    for score in chance.normal(size=50):
        judged = calibration.judge_recording({"d": float(score)})
        assert judged.p_value == pytest.approx(judged.p_values["d"][0])
        assert judged.statistic == pytest.approx(-np.log(judged.p_value))


def test_ranks_are_those_of_a_plain_count() -> None:
    """Compare with the definition, spelt out: every session is ranked among all the others."""
    chance = np.random.default_rng(1)
    session = np.repeat(np.arange(6), [1, 3, 2, 1, 4, 2])
    scores = {name: chance.normal(size=len(session)).round(1) for name in "abc"}
    new = {name: chance.normal(size=2).round(1) for name in "abc"}
    judged = Calibration(scores, session).judge_session(new)

    groups = [np.flatnonzero(session == s) for s in range(6)]
    sessions = [{n: scores[n][g] for n in "abc"} for g in groups] + [new]
    statistics = []
    for here, own in enumerate(sessions):
        others = sessions[:here] + sessions[here + 1 :]
        logs = [
            np.log([(1 + sum((o[n] >= s).mean() for o in others)) / 7 for s in own[n]])
            for n in "abc"
        ]
        statistics.append(float(-np.mean(logs)))
    assert judged.statistic == pytest.approx(statistics[-1])
    above = sum(statistic >= statistics[-1] - 1e-9 for statistic in statistics)
    assert judged.p_value == pytest.approx(above / 7)


def test_any_of_the_exchangeable_sessions_may_have_been_the_new_one() -> None:
    # Exactly valid on scores that are exchangeable: over all choices of the new session, each
    # p-value k / n occurs once, whatever the detectors.
    chance = np.random.default_rng(2)
    scores = {name: chance.normal(size=20) for name in "abc"}
    p_values = []
    for new in range(20):
        rest = np.arange(20) != new
        calibration = Calibration({n: s[rest] for n, s in scores.items()}, np.arange(19))
        one = {n: s[new : new + 1] for n, s in scores.items()}
        p_values.append(calibration.judge_session(one).p_value)
    assert (np.sort(p_values) >= np.arange(1, 21) / 20 - 1e-9).all()
    assert min(p_values) == pytest.approx(1 / 20)


@pytest.mark.parametrize("scores", [{}, {"a": 1.0}, {"a": 1.0, "b": 1.0, "c": 1.0}])
def test_scores_of_other_detectors_are_refused(scores: dict[str, float]) -> None:
    calibration = Calibration({"a": np.zeros(3), "b": np.zeros(3)}, np.arange(3))
    with pytest.raises(ConfigError):
        calibration.judge_recording(scores)


def test_what_cannot_be_calibrated_is_a_named_error() -> None:
    life = a_life(np.random.default_rng(0), 3)
    one_day = np.zeros_like(life.day)
    with pytest.raises(ConfigError, match="two days"):
        calibrate(QUICK, life.units, life.recording, life.session, one_day, seed=0)
    one_recording = np.zeros_like(life.recording)
    with pytest.raises(ConfigError, match="two sessions"):
        calibrate(QUICK, life.units, one_recording, life.session, life.day, seed=0)
    with pytest.raises(ConfigError, match="groups"):
        calibrate(QUICK, life.units, life.recording, life.session[:-1], life.day, seed=0)
