"""Controls that stand beside the real detectors in every report, and know nothing about a cry.

In and out as the detector contract says. A figure that a control reaches is no evidence for a
detector: one that always fires has a perfect recall, one that never fires has no false alarm, and
the level meter tells recordings apart by loudness alone. None of them is part of a personal model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.detectors.contract import (
    Arrays,
    FloatArray,
    check_baseline,
    check_units,
    take,
)
from pipelines.errors import NotFittedError


@dataclass(frozen=True, eq=False)
class _Constant:
    """A detector whose score never changes."""

    name: ClassVar[str]
    constant: ClassVar[float]
    width: int | None = None

    def fit(self, x: NDArray[Any], groups: NDArray[Any], seed: int) -> Self:  # noqa: ARG002
        """Learn nothing but the width."""
        units, _ = check_baseline(x, groups)
        return type(self)(width=units.shape[1])

    def score(self, x: NDArray[Any]) -> FloatArray:
        """Give every unit the same score."""
        if self.width is None:
            raise NotFittedError(self.name)
        return np.full(len(check_units(x, self.width)), self.constant)

    def arrays(self) -> Arrays:
        """Return the width."""
        if self.width is None:
            raise NotFittedError(self.name)
        return {"width": np.array(self.width, dtype=np.int64)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Build it from its width."""
        (width,) = take(arrays, ("width",))
        return cls(width=int(width))


class AlwaysFire(_Constant):
    """Calls every unit anomalous: score 1.0."""

    name = "always_fire"
    constant = 1.0


class NeverFire(_Constant):
    """Calls no unit anomalous: score 0.0, which is a score and not a missing one."""

    name = "never_fire"
    constant = 0.0


@dataclass(frozen=True, eq=False)
class LevelMeter:
    """Distance of a recording's level from the median level of the baseline, in dB.

    Works on levels, not on embeddings: one row is one recording, its only value ``level_dbfs``. A
    plain vector of levels is taken as a matrix of one column.
    """

    name: ClassVar[str] = "level_meter"
    median_dbfs: float | None = None

    def fit(self, x: NDArray[Any], groups: NDArray[Any], seed: int) -> Self:  # noqa: ARG002
        """Learn the median level from ``level_dbfs``, shape ``(n,)`` or ``(n, 1)``."""
        levels, _ = check_baseline(_as_column(x), groups)
        return type(self)(median_dbfs=float(np.median(check_units(levels, 1))))

    def score(self, x: NDArray[Any]) -> FloatArray:
        """Score levels, shape ``(m,)`` or ``(m, 1)``, by their distance from the median."""
        if self.median_dbfs is None:
            raise NotFittedError(self.name)
        distance: FloatArray = np.abs(check_units(_as_column(x), 1)[:, 0] - self.median_dbfs)
        return distance

    def arrays(self) -> Arrays:
        """Return the median level."""
        if self.median_dbfs is None:
            raise NotFittedError(self.name)
        return {"median_dbfs": np.array(self.median_dbfs)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Build it from its median level."""
        (median_dbfs,) = take(arrays, ("median_dbfs",))
        return cls(median_dbfs=float(median_dbfs))


def _as_column(levels_dbfs: NDArray[Any]) -> NDArray[Any]:
    levels_dbfs = np.asarray(levels_dbfs)
    return levels_dbfs[:, None] if levels_dbfs.ndim == 1 else levels_dbfs
