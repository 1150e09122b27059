"""Peers of the per-infant evaluation: the same three kinds of detector as PyOD makes them.

In: a trial. Out: the same judgements as our own detectors give, from PyOD's AutoEncoder, OCSVM and
GMM with PyOD's own settings, on the very same unit embeddings, calibrated by the very same left-out
days. Guaranteed: PyOD is imported only where a peer is asked for; where it is not installed,
`pyod_judge` says how to install it.

One setting gives way where PyOD would not run: its AutoEncoder drops a batch that is not full, so
that a baseline of fewer than 32 units is one batch; and a single unit is taken twice, since one
alone has no spread. PyOD seeds the global generators; nothing else of an evaluation draws from
them.

Source: Zhao, Nasrullah and Li, "PyOD: A Python toolbox for scalable outlier detection", Journal of
Machine Learning Research 20 (2019).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.detectors.contract import (
    Arrays,
    Detector,
    FloatArray,
    check_baseline,
    check_units,
)
from pipelines.errors import ConfigError, NotFittedError
from pipelines.evaluation.controls import layout_of
from pipelines.evaluation.protocol import Judged, Trial, judge

JudgeTrial = Callable[[Trial, int], dict[str, Judged]]

PYOD = ("pyod_autoencoder", "pyod_ocsvm", "pyod_gmm")
BATCH = 32
LEAST_BATCH = 2


@dataclass(frozen=True, eq=False)
class _Peer(ABC):
    """A detector of PyOD that keeps as much of the detector contract as an evaluation asks for.

    ``model`` is PyOD's object, fitted.
    """

    name: ClassVar[str]
    model: Any = None

    def fit(self, x: NDArray[Any], groups: NDArray[Any], seed: int) -> Self:
        """Fit PyOD's detector to the units; it knows no groups."""
        units, _ = check_baseline(x, groups)
        return type(self)(self._made(units, seed))

    @abstractmethod
    def _made(self, units: FloatArray, seed: int) -> Any:  # noqa: ANN401  PyOD has no types
        """Return PyOD's detector, fitted to the units."""

    def score(self, x: NDArray[Any]) -> FloatArray:
        """Score units by PyOD's decision function, high meaning anomalous there too."""
        if self.model is None:
            raise NotFittedError(self.name)
        return np.asarray(self.model.decision_function(check_units(x)), dtype=np.float64)

    def arrays(self) -> Arrays:
        """Refuse: a peer is never stored."""
        _never_stored(self.name)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:  # noqa: ARG003
        """Refuse: a peer is never stored."""
        _never_stored(cls.name)


class PyodAutoencoder(_Peer):
    """PyOD's AutoEncoder: 64 and 32 hidden units, batch normalisation, dropout, ten epochs."""

    name = "pyod_autoencoder"

    def _made(self, units: FloatArray, seed: int) -> Any:  # noqa: ANN401
        from pyod.models.auto_encoder import AutoEncoder

        enough = units if len(units) >= LEAST_BATCH else np.repeat(units, LEAST_BATCH, axis=0)
        batch = min(BATCH, len(enough))
        return AutoEncoder(batch_size=batch, random_state=seed, verbose=0).fit(enough)


class PyodOcsvm(_Peer):
    """PyOD's one-class SVM: nu 0.5."""

    name = "pyod_ocsvm"

    def _made(self, units: FloatArray, seed: int) -> Any:  # noqa: ANN401, ARG002
        from pyod.models.ocsvm import OCSVM

        return OCSVM().fit(units)


class PyodGmm(_Peer):
    """PyOD's Gaussian mixture: one component with a full covariance."""

    name = "pyod_gmm"

    def _made(self, units: FloatArray, seed: int) -> Any:  # noqa: ANN401
        from pyod.models.gmm import GMM

        enough = units if len(units) >= LEAST_BATCH else np.repeat(units, LEAST_BATCH, axis=0)
        return GMM(random_state=seed).fit(enough)


def pyod_judge() -> JudgeTrial:
    """Return what judges a trial by PyOD's detectors.

    Returns
    -------
    JudgeTrial
        Takes a trial and a seed; gives a judgement for each name of ``PYOD``.

    Raises
    ------
    ConfigError
        If PyOD is not installed.
    """
    try:
        import pyod.models.base  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"--pyod needs {error.name}: pip install -r requirements-dev.txt"
        ) from error
    return judge_pyod


def judge_pyod(trial: Trial, seed: int = 0) -> dict[str, Judged]:
    """Judge a trial by PyOD's detectors, each on its own."""
    peers: list[Detector] = [PyodAutoencoder(), PyodOcsvm(), PyodGmm()]
    layout = layout_of(trial, lambda heard: heard.embeddings)
    judged = judge(trial, layout, {peer.name: peer for peer in peers}, seed)
    return {name: judged[name] for name in PYOD}


def _never_stored(name: str) -> NoReturn:
    raise ConfigError(f"{name} is for comparison only and is never stored")
