"""What every detector of the score stage promises, and the checks that all of them share.

In: the units of one infant's baseline, a matrix of embeddings, and later other units. Out: one
score a unit, high meaning anomalous. Guaranteed by every detector, and tried on each by one suite
of tests: fitting returns a new object and changes nothing; the same rows, groups and seed give the
same bits, in any process; a row's score does not depend on the rows beside it; what is saved and
loaded scores the same; no score before fitting; a score of exactly 0.0 is a score like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import ConfigError

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Arrays = dict[str, NDArray[Any]]

MATRIX_DIMENSIONS = 2


class Detector(Protocol):
    """One way to say how far a unit is from an infant's own units."""

    name: ClassVar[str]

    def fit(self, x: NDArray[Any], groups: NDArray[Any], seed: int) -> Self:
        """Learn a baseline.

        Parameters
        ----------
        x
            Units of the baseline, shape ``(n, width)``, real numbers; at least one row.
        groups
            Which recording, session or day each row belongs to, shape ``(n,)``, integers: rows of
            one group are never on both sides of a choice between settings.
        seed
            Seed of all chance in the fit; the global generators are never touched.

        Returns
        -------
        Self
            A fitted detector; this object stays as it was.

        Raises
        ------
        ConfigError
            If the shapes or types are not as above, or a value is not finite.
        """

    def score(self, x: NDArray[Any]) -> FloatArray:
        """Score units, high meaning anomalous.

        Parameters
        ----------
        x
            Units, shape ``(m, width)`` with the baseline's width; no row is allowed.

        Returns
        -------
        FloatArray
            One score a row, shape ``(m,)``.

        Raises
        ------
        NotFittedError
            If nothing was fitted or loaded.
        ConfigError
            If the shapes or types are not as above, or a value is not finite.
        """

    def arrays(self) -> Arrays:
        """Everything that scoring needs, by name; NotFittedError before fitting."""

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Build the detector that gave these arrays; ConfigError if one is missing."""


@runtime_checkable
class FitsFolds(Protocol):
    """What a detector has besides, where fitting several folds together costs less."""

    def fit_folds(
        self, x: NDArray[Any], groups: NDArray[Any], left_out: Sequence[BoolArray], seed: int
    ) -> list[Self]:
        """Fit once for each fold, on the rows that it does not leave out.

        The same rows, groups, folds and seed give the same bits. A fold's detector has learnt from
        no row that it leaves out, and the other folds change it by no more than rounding. Settings
        (a number of components, say) may be chosen once, on all rows: ``fit`` on a fold's rows
        would choose its own.

        Parameters
        ----------
        x, groups, seed
            As ``Detector.fit`` takes them.
        left_out
            For each fold, which rows it leaves out, boolean of shape ``(n,)``; not all of them.

        Returns
        -------
        list of Self
            A fitted detector for each fold; this object stays as it was.

        Raises
        ------
        ConfigError
            If the shapes or types are not as above, or a value is not finite.
        """


def fit_folds(
    detector: Detector,
    x: NDArray[Any],
    groups: NDArray[Any],
    left_out: Sequence[BoolArray],
    seed: int,
) -> Iterator[Detector]:
    """Fit a detector once for each fold: together where it can, else one fold after the other.

    Parameters
    ----------
    detector
        What to fit; it stays as it was.
    x, groups, left_out, seed
        As ``FitsFolds.fit_folds`` takes them.

    Returns
    -------
    Iterator of Detector
        A fitted detector for each fold, in their order.

    Raises
    ------
    ConfigError
        As ``FitsFolds.fit_folds`` raises it.
    """
    if isinstance(detector, FitsFolds):
        return iter(detector.fit_folds(x, groups, left_out, seed))
    kept = kept_rows(left_out, len(x))
    return (detector.fit(x[rows], groups[rows], seed) for rows in kept)


def kept_rows(left_out: Sequence[BoolArray], n_rows: int) -> list[BoolArray]:
    """Return for each fold the rows that it keeps; ConfigError if it keeps none or does not fit."""
    folds = [np.asarray(fold) for fold in left_out]
    for fold in folds:
        if fold.shape != (n_rows,) or fold.dtype != np.bool_:
            raise ConfigError(f"a fold must say of each of {n_rows} rows whether it is left out")
        if fold.all():
            raise ConfigError("a fold that leaves out every row leaves nothing to fit on")
    return [~fold for fold in folds]


def check_units(x: NDArray[Any], width: int | None = None) -> FloatArray:
    """Return units as a float64 matrix of their own.

    Parameters
    ----------
    x
        Claimed units.
    width
        How many columns there must be; None allows any number but zero.

    Returns
    -------
    FloatArray
        A C-contiguous copy, shape ``(n, width)``.

    Raises
    ------
    ConfigError
        If it is no matrix of finite real numbers of this width.
    """
    x = np.asarray(x)
    if x.ndim != MATRIX_DIMENSIONS or x.shape[1] == 0:
        raise ConfigError(f"units must be a matrix (n, width), not an array of shape {x.shape}")
    if width is not None and x.shape[1] != width:
        raise ConfigError(f"units have {x.shape[1]} columns where the baseline has {width}")
    if x.dtype.kind not in "fiu":
        raise ConfigError(f"units must be real numbers, not {x.dtype}")
    units = np.array(x, dtype=np.float64, order="C")
    if not np.isfinite(units).all():
        raise ConfigError("units hold a value that is not finite")
    return units


def check_groups(groups: NDArray[Any], n_rows: int) -> IntArray:
    """Return groups as int64, one for each of ``n_rows`` rows; ConfigError otherwise."""
    groups = np.asarray(groups)
    if groups.shape != (n_rows,):
        raise ConfigError(f"groups have shape {groups.shape} where {n_rows} rows need one each")
    if groups.dtype.kind not in "iu":
        raise ConfigError(f"groups must be integers, not {groups.dtype}")
    return groups.astype(np.int64)


def check_baseline(x: NDArray[Any], groups: NDArray[Any]) -> tuple[FloatArray, IntArray]:
    """Return checked units and groups of a baseline with at least one row."""
    units = check_units(x)
    if not len(units):
        raise ConfigError("a baseline needs at least one unit")
    return units, check_groups(groups, len(units))


def take(arrays: Mapping[str, NDArray[Any]], names: tuple[str, ...]) -> list[NDArray[Any]]:
    """Return copies of the named arrays in this order; ConfigError names those that are missing."""
    missing = [name for name in names if name not in arrays]
    if missing:
        raise ConfigError(f"a detector's arrays lack {', '.join(missing)}")
    return [np.array(arrays[name]) for name in names]


def split_groups(groups: IntArray, n_folds: int) -> list[BoolArray]:
    """Split rows into folds that keep every group whole.

    Groups are dealt in rising order of their number, in turn, so that a fold is spread over the
    whole time and the split depends on nothing but the groups.

    Parameters
    ----------
    groups
        Group of each row, shape ``(n,)``.
    n_folds
        At most how many folds; never more than there are groups.

    Returns
    -------
    list of boolean arrays
        For each fold, which rows are left out, shape ``(n,)``; empty with fewer than two groups,
        since nothing would be left to fit on.
    """
    names, index = np.unique(groups, return_inverse=True)
    count = min(n_folds, len(names))
    return [index % count == fold for fold in range(count)] if count > 1 else []
