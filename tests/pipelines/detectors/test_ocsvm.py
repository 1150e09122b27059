"""One-class SVM: scikit-learn's numbers without scikit-learn, and nu by its rule."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.svm import OneClassSVM

from pipelines.detectors import ocsvm
from pipelines.detectors.ocsvm import NU_CHOICES, OneClassSvm, choose_nu
from tests.pipelines.detectors.baselines import units_of


@pytest.mark.parametrize("n_units", [5, 60, 150])
def test_scores_equal_those_of_scikit_learn(n_units: int) -> None:
    units, sessions = units_of(n_units)
    others = np.concatenate([units_of(40, seed=1)[0], units_of(40, infant=1)[0], units])
    detector = OneClassSvm().fit(units, sessions, 0)
    machine = OneClassSVM(kernel="rbf", gamma="scale", nu=detector.nu)
    machine.fit(units.astype(np.float64))
    expected = -machine.decision_function(others.astype(np.float64))
    np.testing.assert_allclose(detector.score(others), expected, rtol=0, atol=1e-9)
    assert detector.arrays()["gamma"] == pytest.approx(machine._gamma, rel=1e-12)


@pytest.mark.parametrize(
    ("rejected", "nu"),
    [
        ({0.05: 0.30, 0.075: 0.31, 0.1: 0.30}, 0.1),  # 0.25, 0.235 and 0.20 away
        ({0.05: 0.06, 0.075: 0.12, 0.1: 0.13}, 0.05),
        ({0.05: 0.10, 0.075: 0.08, 0.1: 0.15}, 0.075),
        ({0.05: 0.05, 0.075: 0.075, 0.1: 0.1}, 0.05),  # a tie goes to the smallest
    ],
)
def test_nu_is_the_one_that_keeps_its_promise_best(
    monkeypatch: pytest.MonkeyPatch, rejected: dict[float, float], nu: float
) -> None:
    monkeypatch.setattr(ocsvm, "_rejected_frac", lambda _units, _folds, nu: rejected[nu])
    units, sessions = units_of(20)
    assert choose_nu(units.astype(np.float64), sessions) == nu


def test_nu_is_judged_on_sessions_left_out_whole() -> None:
    units, sessions = units_of(60)
    folds = ocsvm.split_groups(sessions, ocsvm.N_FOLDS)
    for left_out in folds:
        assert not set(sessions[left_out]) & set(sessions[~left_out])
    assert np.sum(folds, axis=0).tolist() == [1] * 60
    by_session = ocsvm._rejected_frac(units.astype(np.float64), folds, 0.1)
    mixed = ocsvm.split_groups(np.arange(60), ocsvm.N_FOLDS)
    assert by_session > ocsvm._rejected_frac(units.astype(np.float64), mixed, 0.1)


def test_one_session_alone_takes_the_smallest_nu() -> None:
    units, _ = units_of(20)
    assert OneClassSvm().fit(units, np.zeros(20, dtype=np.int64), 0).nu == NU_CHOICES[0]


def test_folds_have_the_nu_that_the_whole_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    units, sessions = units_of(60)
    asked: list[int] = []

    def choose(rows: NDArray[np.float64], _groups: NDArray[np.int64]) -> float:
        asked.append(len(rows))
        return 0.075

    monkeypatch.setattr(ocsvm, "choose_nu", choose)
    fitted = OneClassSvm().fit_folds(units, sessions, [sessions == 0, sessions == 5], 0)
    assert [one.nu for one in fitted] == [0.075, 0.075]
    assert asked == [60]
