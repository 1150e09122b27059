"""What days have in common, and the cumulative sum (CUSUM) that the monitor is measured against.

In: p-values of sessions, or deviates, by day. Out: normal deviates, and the standardised mean of a
day's sessions so far. Guaranteed: pure functions.

A p-value becomes a normal deviate, z = Phi^-1(1 - p), high = anomalous. The mean of a day's n
sessions has variance ``icc + (1 - icc) / n``, because sessions of one day share what the day brings
(a cold, a visit, a warm room): without the day effect a monitor takes every unusual day for several
independent pieces of evidence. The cumulative sum ``C = min(h, max(0, C + d - k))`` of standardised
daily deviations is Page's, "Continuous inspection schemes", Biometrika 41 (1954); k = 0.5 is the
best allowance for a shift by one standard deviation.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

DAY_EFFECT_ICC = 0.3
ALLOWANCE = 0.5
Z_LIMITS = (-2.0, 3.0)
"""p = 1 says nothing more than p = 0.98, and no single session may count for several."""

TARGET_DAYS = 90
MISSED_DAYS = 60


def deviates(p_values: FloatArray) -> FloatArray:
    """Turn p-values into normal deviates, high = anomalous, within ``Z_LIMITS``."""
    z: FloatArray = np.clip(
        scipy.special.ndtri(1.0 - np.asarray(p_values, dtype=np.float64)), *Z_LIMITS
    )
    return z


def running_day_means(z: FloatArray, icc: float, present: NDArray[np.bool_]) -> FloatArray:
    """Standardised mean of a day's sessions so far, after each of them.

    Parameters
    ----------
    z
        Deviates, shape ``(..., m)``: the sessions of a day in their order.
    icc
        Share of the variance that all sessions of a day have in common.
    present
        Which sessions there are, shape ``(..., m)``; the first of each day must be.

    Returns
    -------
    ndarray
        Shape ``(..., m)``; an absent session repeats the value before it, so that the last value
        is that of the whole day.
    """
    count = present.cumsum(axis=-1)
    sums = np.where(present, z, 0.0).cumsum(axis=-1)
    means: FloatArray = sums / count / np.sqrt(icc + (1.0 - icc) / count)
    return means
