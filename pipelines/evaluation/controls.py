"""Controls of the per-infant evaluation: what can be reached without hearing an infant.

In: a trial. Out: the same judgements as the real detectors give, from the background alone, from
the level alone, and from verdicts that never change. Guaranteed: the background goes through the
very same detectors and calibration as the embeddings do, so that any figure which the background
also reaches is no evidence about infants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.detectors import DETECTORS
from pipelines.detectors.dummies import LevelMeter
from pipelines.detectors.gmm import GaussianMixture
from pipelines.evaluation.protocol import Judged, Layout, Rows, Trial, judge
from pipelines.recordings import Heard

STRONGEST = GaussianMixture.name
"""Detector that hears most in backgrounds, on clean recordings: the control of the reports."""

RowsOf = Callable[[Heard], NDArray[np.floating]]


@dataclass(frozen=True)
class BackgroundScale:
    """What background statistics are standardised by.

    Attributes
    ----------
    centre, spread
        Mean and standard deviation of the corpus, shape ``(80,)``.
    """

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def of(cls, heard: Sequence[Heard]) -> BackgroundScale:
        """Take them from recordings; no label is looked at."""
        values = np.array([one.background for one in heard], dtype=np.float64)
        return cls(values.mean(axis=0), np.maximum(values.std(axis=0), 1e-6))

    def row(self, heard: Heard) -> NDArray[np.floating]:
        """Give one row at unit length, shape ``(1, 80)``, as embeddings have it.

        Among the forms tried (raw, whitened, means only) this is the strongest control.
        """
        standard = (heard.background - self.centre) / self.spread
        return (standard / max(float(np.linalg.norm(standard)), 1e-12))[None]


def rows_of(recordings: Sequence[Heard], look: RowsOf) -> Rows:
    """Lay out what ``look`` sees of each recording."""
    parts = [look(one) for one in recordings]
    return Rows(np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(p) for p in parts]))


def layout_of(trial: Trial, look: RowsOf) -> Layout:
    """Lay out the three parts of a trial."""
    return Layout(
        rows_of(trial.baseline, look),
        rows_of(trial.normal, look),
        rows_of(trial.anomalous, look),
    )


def judge_embeddings(trial: Trial, seed: int = 0) -> dict[str, Judged]:
    """Judge by the personal model's detectors on embeddings: each of them, and combined."""
    return _judged(trial, lambda heard: heard.embeddings, seed)


def judge_background(trial: Trial, scale: BackgroundScale, seed: int = 0) -> dict[str, Judged]:
    """Judge by the same detectors on the background alone: each of them, and combined."""
    return _judged(trial, scale.row, seed)


def _judged(trial: Trial, look: RowsOf, seed: int) -> dict[str, Judged]:
    unfitted = {name: detector() for name, detector in DETECTORS.items()}
    return judge(trial, layout_of(trial, look), unfitted, seed)


def judge_level(trial: Trial) -> Judged:
    """Judge by the recording's level alone."""
    layout = layout_of(trial, lambda heard: np.array([[heard.quality.level_dbfs]]))
    return judge(trial, layout, {LevelMeter.name: LevelMeter()})[LevelMeter.name]


def judge_dummies(trial: Trial) -> dict[str, Judged]:
    """Give the verdicts that never change: p-values of 0 fire at any alpha, those of 1 never."""
    return {
        "always_fire": _constant(trial, score=1.0, p_value=0.0),
        "never_fire": _constant(trial, score=0.0, p_value=1.0),
        LevelMeter.name: judge_level(trial),
    }


def _constant(trial: Trial, score: float, p_value: float) -> Judged:
    n_normal, n_anomalous = len(trial.normal), len(trial.anomalous)
    return Judged(
        normal=np.full(n_normal, score),
        anomalous=np.full(n_anomalous, score),
        normal_p=np.full(n_normal, p_value),
        anomalous_p=np.full(n_anomalous, p_value),
        normal_session_p=np.full(len(np.unique(trial.normal_session)), p_value),
        anomalous_session_p=np.full(len(np.unique(trial.anomalous_session)), p_value),
        sessions=trial.n_baseline_sessions,
    )
