"""Similar: which recordings of an infant sound most like one of them, as the encoder hears it.

In: the mean direction of a recording's units, and those of others. Out: the nearest, with their
distances. Guaranteed: a pure function; 0 is the same direction, 1 none in common, 2 the opposite;
the order of equally near ones is that in which they came.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def nearest(
    wanted: NDArray[np.floating], others: NDArray[np.floating], most: int
) -> list[tuple[int, float]]:
    """Find the nearest directions by cosine distance.

    Parameters
    ----------
    wanted
        Unit length, shape ``(w,)``.
    others
        Unit length, shape ``(n, w)``.
    most
        How many to return.

    Returns
    -------
    list of (int, float)
        Row and distance, the nearest first.
    """
    distances = 1.0 - np.asarray(others, dtype=np.float64) @ np.asarray(wanted, dtype=np.float64)
    order = np.argsort(distances, kind="stable")[:most]
    return [(int(row), float(np.clip(distances[row], 0.0, 2.0))) for row in order]
