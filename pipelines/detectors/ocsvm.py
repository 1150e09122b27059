"""One-class support vector machine of the score stage: a boundary around an infant's units.

In and out as the detector contract says; the score is the negative decision function, so that a
unit outside the boundary is positive and one exactly on it is 0.0. Guaranteed: scoring needs numpy
only and agrees with scikit-learn to 1e-9; what is stored are the support vectors, their weights,
the intercept and the number that ``gamma="scale"`` came to.

Source: Schölkopf et al., "Estimating the support of a high-dimensional distribution", Neural
Computation 13 (2001); nu between 0.05 and 0.1 as the method's authors use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.detectors.contract import (
    Arrays,
    BoolArray,
    FloatArray,
    IntArray,
    check_baseline,
    check_units,
    kept_rows,
    split_groups,
    take,
)
from pipelines.errors import NotFittedError

NU_CHOICES = (0.05, 0.075, 0.1)
N_FOLDS = 5
_ARRAYS = ("support_vectors", "dual_coefs", "intercept", "gamma", "nu")


@dataclass(frozen=True, eq=False)
class _Boundary:
    """A fitted boundary: everything that scoring needs."""

    support_vectors: FloatArray
    dual_coefs: FloatArray
    intercept: float
    gamma: float
    nu: float

    def outside(self, units: FloatArray) -> FloatArray:
        """Measure how far beyond the boundary units lie, by the kernel; negative inside."""
        kernel = np.exp(-self.gamma * _squared_distances(units, self.support_vectors))
        beyond: FloatArray = -(kernel @ self.dual_coefs + self.intercept)
        return beyond


@dataclass(frozen=True, eq=False)
class OneClassSvm:
    """One-class SVM with an RBF kernel whose nu is chosen on left-out groups.

    Rule for nu: for each of 0.05, 0.075 and 0.1, fit with each of at most five grouped folds left
    out and count the left-out units that fall outside. Nu promises to be about that share, so the
    nu nearest to its own share is taken, the smaller one in a tie. With fewer than two groups there
    is nothing to leave out, and the smallest is taken.

    Where the boundary runs depends on nu, so scores of two nus cannot be compared: the folds of a
    calibration share the nu of the whole (``fit_folds``).
    """

    name: ClassVar[str] = "ocsvm"
    boundary: _Boundary | None = None

    @property
    def nu(self) -> float:
        """The nu that was chosen; NotFittedError before fitting."""
        return self._fitted().nu

    def fit(self, x: NDArray[Any], groups: NDArray[Any], seed: int) -> Self:  # noqa: ARG002
        """Learn the boundary of an infant's units; the fit is exact and needs no chance."""
        units, labels = check_baseline(x, groups)
        return type(self)(_fit_boundary(units, choose_nu(units, labels)))

    def fit_folds(
        self,
        x: NDArray[Any],
        groups: NDArray[Any],
        left_out: Sequence[BoolArray],
        seed: int,  # noqa: ARG002
    ) -> list[Self]:
        """Learn a boundary without each fold, all with the nu that is chosen once on all units."""
        units, labels = check_baseline(x, groups)
        kept = kept_rows(left_out, len(units))
        nu = choose_nu(units, labels) if kept else NU_CHOICES[0]
        return [type(self)(_fit_boundary(units[rows], nu)) for rows in kept]

    def score(self, x: NDArray[Any]) -> FloatArray:
        """Score units by how far outside the boundary they are."""
        boundary = self._fitted()
        return boundary.outside(check_units(x, boundary.support_vectors.shape[1]))

    def arrays(self) -> Arrays:
        """Return support vectors, weights, intercept, gamma and nu."""
        boundary = self._fitted()
        return {name: np.array(getattr(boundary, name)) for name in _ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Build it from what ``arrays`` gave."""
        vectors, coefs, intercept, gamma, nu = take(arrays, _ARRAYS)
        return cls(_Boundary(vectors, coefs, float(intercept), float(gamma), float(nu)))

    def _fitted(self) -> _Boundary:
        if self.boundary is None:
            raise NotFittedError(self.name)
        return self.boundary


def choose_nu(units: FloatArray, groups: IntArray) -> float:
    """Choose nu by the rule that stands at ``OneClassSvm``.

    Parameters
    ----------
    units
        Units of the baseline, shape ``(n, width)``.
    groups
        Group of each unit, shape ``(n,)``.

    Returns
    -------
    float
        One of ``NU_CHOICES``.
    """
    folds = split_groups(groups, N_FOLDS)
    if not folds:
        return NU_CHOICES[0]
    # The sorted order is rising, and `min` keeps the first of equals: the smaller nu wins a tie.
    return min(NU_CHOICES, key=lambda nu: abs(_rejected_frac(units, folds, nu) - nu))


def _rejected_frac(units: FloatArray, folds: list[BoolArray], nu: float) -> float:
    rejected = sum(
        int((_fit_boundary(units[~left_out], nu).outside(units[left_out]) > 0).sum())
        for left_out in folds
    )
    return rejected / len(units)


def _fit_boundary(units: FloatArray, nu: float) -> _Boundary:
    from sklearn.svm import OneClassSVM  # imported here: only fitting needs scikit-learn

    variance = float(units.var())
    # scikit-learn's own definition of gamma="scale", computed here because the number is stored.
    gamma = 1.0 / (units.shape[1] * variance) if variance > 0 else 1.0
    machine = OneClassSVM(kernel="rbf", gamma=gamma, nu=nu)
    # Its fit needs no chance, but would draw a number from numpy's global generator all the same.
    machine.random_state = 0
    machine.fit(units)
    return _Boundary(
        support_vectors=np.array(machine.support_vectors_),
        dual_coefs=np.array(machine.dual_coef_[0]),
        intercept=float(machine.intercept_[0]),
        gamma=gamma,
        nu=nu,
    )


def _squared_distances(a: FloatArray, b: FloatArray) -> FloatArray:
    products = a @ b.T
    squares: FloatArray = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * products
    return np.maximum(squares, 0.0)
