"""Peers: PyOD's own numbers, our calibration, and one line where PyOD is not installed."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from pipelines.__main__ import main
from pipelines.detectors.contract import Detector
from pipelines.errors import ConfigError, NotFittedError
from pipelines.evaluation import evaluate_tables
from pipelines.evaluation.evaluate import evaluate
from pipelines.evaluation.metrics import auc
from pipelines.evaluation.peers import (
    PYOD,
    PyodAutoencoder,
    PyodGmm,
    PyodOcsvm,
    judge_pyod,
    pyod_judge,
)
from pipelines.evaluation.protocol import Trial, make_trials
from tests.pipelines.detectors.baselines import units_of
from tests.pipelines.evaluation.recordings_made_up import a_corpus

PEERS: list[Detector] = [PyodAutoencoder(), PyodOcsvm(), PyodGmm()]


def the_trials(voice: float = 1.5) -> list[Trial]:
    return make_trials(a_corpus(infants=3, days=6, voice=voice), {})[0]


def test_peers_are_those_of_the_tables() -> None:
    assert tuple(peer.name for peer in PEERS) == PYOD


def test_scores_are_those_of_pyod() -> None:
    from pyod.models.ocsvm import OCSVM

    (units, sessions), (others, _) = units_of(40), units_of(10, seed=1)
    theirs = OCSVM().fit(units.astype(np.float64)).decision_function(others.astype(np.float64))
    np.testing.assert_array_equal(PyodOcsvm().fit(units, sessions, 0).score(others), theirs)


@pytest.mark.parametrize("peer", PEERS, ids=PYOD)
@pytest.mark.parametrize("n_units", [1, 2, 33])
def test_they_run_on_as_little_as_ours_and_give_the_same_twice(
    peer: Detector, n_units: int
) -> None:
    others, _ = units_of(5, seed=1)
    one, two = (peer.fit(*units_of(n_units), 3).score(others) for _ in range(2))
    assert np.isfinite(one).all()
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("peer", PEERS, ids=PYOD)
def test_they_are_never_stored_and_score_nothing_before_they_are_fitted(peer: Detector) -> None:
    with pytest.raises(NotFittedError):
        peer.score(units_of(3)[0])
    with pytest.raises(ConfigError, match="never stored"):
        peer.arrays()
    with pytest.raises(ConfigError, match="never stored"):
        peer.from_arrays({})


def test_they_are_calibrated_as_ours_are() -> None:
    trial = the_trials()[0]
    judged = judge_pyod(trial)
    assert set(judged) == set(PYOD)
    for own in judged.values():
        assert own.sessions == trial.n_baseline_sessions
        assert own.normal_p.min() >= 1 / (own.sessions + 1)
    assert auc(judged["pyod_gmm"].normal, judged["pyod_gmm"].anomalous) > 0.9


def test_their_rows_stand_between_ours_and_the_dummies() -> None:
    figures = evaluate(the_trials()[:1], peers=pyod_judge())
    console = Console(width=160, record=True, file=io.StringIO())
    evaluate_tables.show(console, {**figures, "n": 18, "n_unheard": 0, "not_tried": []})
    table = console.export_text().split("Mean over infants")[1]
    places = [table.index(name) for name in ("background", *PYOD, "always_fire")]
    assert places == sorted(places)
    for name in PYOD:
        assert {"auc", "ap", "recall_at_fpr10", "fpr_at_alpha10"} <= set(figures[name])


def test_without_pyod_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "pyod"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyod", None)
    assert main(["evaluate", str(tmp_path / "manifest.csv"), "--pyod"]) == 1
    said = capsys.readouterr().err
    assert "requirements-dev.txt" in said
    assert said.count("\n") == 1
