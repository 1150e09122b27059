"""Agreement: how far several readers say the same of the same items, beyond chance.

In: what each reader said of each item, as numbers of categories. Out: a kappa with an interval, or
the reason why there is none. Guaranteed: pure; the same seed gives the same interval; an item that
somebody did not read counts for nothing; where everybody said one and the same of everything, there
is no kappa, rather than a 0 or a 1.

The interval is a percentile bootstrap, which holds for few items and for any number of readers,
where the large-sample variances do not (Zapf et al., BMC Med Res Methodol 2016). Where items come
in groups, such as several of one infant, whole groups are drawn, since items of one group are alike
(Field and Welsh, J R Stat Soc B 2007).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipelines.errors import ConfigError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
MISSING = -1
RESAMPLES = 2000
LEVEL = 0.95
LEAST_GROUPS = 10
"""So few groups drawn with replacement say too little; items are drawn then."""
LEAST_DEFINED_FRAC = 0.5
"""An interval is told only where at least half of the resamples have a kappa."""
BANDS = (
    (0.81, "almost perfect"),
    (0.61, "substantial"),
    (0.41, "moderate"),
    (0.21, "fair"),
    (0.0, "slight"),
)
"""The words of Landis and Koch, Biometrics 1977, which are conventions and no thresholds."""


@dataclass(frozen=True)
class Agreement:
    """How far readers agree.

    Attributes
    ----------
    kappa
        Agreement beyond chance: 1 is perfect, 0 is chance; None where it is not defined.
    low, high
        Interval of 95 %; None where it cannot be told: of fewer than two items, where many draws
        have no kappa, or where all have the same one, as when nobody ever differed, which says
        nothing of what further items would bring.
    observed_frac
        Share of pairs of readings that are the same; None without items.
    n_items
        Items that every reader read.
    n_readers
        How many readers.
    by_groups
        Whether whole groups were drawn for the interval.
    """

    kappa: float | None
    low: float | None
    high: float | None
    observed_frac: float | None
    n_items: int
    n_readers: int
    by_groups: bool

    @property
    def words(self) -> str:
        """The conventional word for it; empty where there is no kappa."""
        if self.kappa is None:
            return ""
        return next((word for least, word in BANDS if self.kappa >= least), "poor")


def cohen_kappa(first: ArrayLike, second: ArrayLike, n_categories: int) -> float | None:
    """Compute Cohen's kappa of two readers.

    Parameters
    ----------
    first, second
        What each said, ``(n,)``, as numbers from 0 to ``n_categories - 1``; -1 is missing.
    n_categories
        How many categories there are, used or not.

    Returns
    -------
    float or None
        Unweighted kappa; None without items, or where chance alone would agree on everything.

    Raises
    ------
    ConfigError
        If the two do not fit each other, or a number is no category.

    Notes
    -----
    Cohen, J. (1960). A coefficient of agreement for nominal scales. Educational and Psychological
    Measurement 20, 37-46.
    """
    ratings = _checked(np.stack([np.asarray(first), np.asarray(second)], axis=1), n_categories)
    return _kappa(_cohen, ratings, n_categories)


def fleiss_kappa(ratings: ArrayLike, n_categories: int) -> float | None:
    """Compute Fleiss' kappa of two or more readers.

    Parameters
    ----------
    ratings
        What each said, ``(n, readers)``, as numbers from 0 to ``n_categories - 1``; an item with a
        -1 is left out.
    n_categories
        How many categories there are, used or not.

    Returns
    -------
    float or None
        Kappa; None without items, or where chance alone would agree on everything.

    Raises
    ------
    ConfigError
        If there are fewer than two readers, or a number is no category.

    Notes
    -----
    Fleiss, J. L. (1971). Measuring nominal scale agreement among many raters. Psychological
    Bulletin 76, 378-382.
    """
    known = _checked(np.asarray(ratings), n_categories)
    return _kappa(_fleiss, known, n_categories)


def agreement(
    ratings: ArrayLike,
    n_categories: int,
    groups: Sequence[int] | None = None,
    seed: int = 0,
) -> Agreement:
    """Tell how far readers agree: Cohen's kappa for two of them, Fleiss' for more.

    Parameters
    ----------
    ratings
        What each said, ``(n, readers)``, as numbers from 0 to ``n_categories - 1``; -1 is missing.
    n_categories
        How many categories there are, used or not.
    groups
        To which group each item belongs, ``(n,)``; None: each is its own.
    seed
        Of the draws.

    Returns
    -------
    Agreement
        With an interval of 95 %.

    Raises
    ------
    ConfigError
        If there are fewer than two readers, a number is no category, or the groups do not fit.
    """
    table = np.asarray(ratings)
    known = _checked(table, n_categories)
    own = np.arange(len(table)) if groups is None else np.asarray(groups)
    if own.shape != (len(table),):
        raise ConfigError(f"{len(own)} groups of {len(table)} items")
    kept = own[(table != MISSING).all(axis=1)]
    by_groups = groups is not None and len(np.unique(kept)) >= LEAST_GROUPS
    statistic = _cohen if known.shape[1] == 2 else _fleiss
    members = kept if by_groups else np.arange(len(known))
    low, high = _interval(known, n_categories, statistic, members, seed)
    return Agreement(
        kappa=_kappa(statistic, known, n_categories),
        low=low,
        high=high,
        observed_frac=_observed(known, n_categories),
        n_items=len(known),
        n_readers=known.shape[1],
        by_groups=by_groups,
    )


Statistic = Callable[[IntArray, FloatArray, int], FloatArray]


def _checked(table: NDArray[np.generic], n_categories: int) -> IntArray:
    """Return the items that every reader read."""
    if table.ndim != 2 or table.shape[1] < 2:
        raise ConfigError(f"readings of two readers or more are needed, not {table.shape}")
    if len(table) and not np.isin(table, range(MISSING, n_categories)).all():
        raise ConfigError(f"a reading is none of {n_categories} categories")
    kept: IntArray = table[(table != MISSING).all(axis=1)].astype(np.int64)
    return kept


def _one_hot(ratings: IntArray, n_categories: int) -> FloatArray:
    """Return who said what, ``(n, readers, categories)``."""
    said: FloatArray = np.eye(n_categories)[ratings]
    return said


def _cohen(ratings: IntArray, weights: FloatArray, n_categories: int) -> FloatArray:
    """Return kappa for each row of item weights, ``(b,)``."""
    said = _one_hot(ratings, n_categories)
    both = (said[:, 0, :, None] * said[:, 1, None, :]).reshape(len(ratings), n_categories**2)
    table = (weights @ both).reshape(-1, n_categories, n_categories)
    totals = table.sum(axis=(1, 2))
    observed = np.trace(table, axis1=1, axis2=2) / totals
    expected = (table.sum(axis=1) * table.sum(axis=2)).sum(axis=1) / totals**2
    return _beyond(observed, expected)


def _fleiss(ratings: IntArray, weights: FloatArray, n_categories: int) -> FloatArray:
    """Return kappa for each row of item weights, ``(b,)``."""
    counts = _one_hot(ratings, n_categories).sum(axis=1)
    totals = weights.sum(axis=1)
    observed = weights @ _pairs_alike(counts, ratings.shape[1]) / totals
    shares = weights @ counts / (totals[:, None] * ratings.shape[1])
    return _beyond(observed, (shares**2).sum(axis=1))


def _pairs_alike(counts: FloatArray, n_readers: int) -> FloatArray:
    """Return of each item the share of pairs of readers that say the same, ``(n,)``."""
    alike: FloatArray = ((counts**2).sum(axis=1) - n_readers) / (n_readers * (n_readers - 1))
    return alike


def _beyond(observed: FloatArray, expected: FloatArray) -> FloatArray:
    """Return agreement beyond chance; NaN where chance agrees on everything."""
    room = 1.0 - expected
    is_defined = room > 1e-12
    return np.where(is_defined, (observed - expected) / np.where(is_defined, room, 1.0), np.nan)


def _kappa(statistic: Statistic, ratings: IntArray, n_categories: int) -> float | None:
    """Return kappa over all items, each once."""
    if not len(ratings):
        return None
    [kappa] = statistic(ratings, np.ones((1, len(ratings))), n_categories)
    return None if np.isnan(kappa) else float(kappa)


def _observed(ratings: IntArray, n_categories: int) -> float | None:
    if not len(ratings):
        return None
    counts = _one_hot(ratings, n_categories).sum(axis=1)
    return float(_pairs_alike(counts, ratings.shape[1]).mean())


def _interval(
    ratings: IntArray,
    n_categories: int,
    statistic: Statistic,
    members: NDArray[np.generic],
    seed: int,
) -> tuple[float | None, float | None]:
    """Return the interval by drawing groups with replacement."""
    names, group = np.unique(members, return_inverse=True)
    if len(names) < 2:
        return None, None
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1.0 / len(names)), size=RESAMPLES)
    kappas = statistic(ratings, drawn[:, group].astype(np.float64), n_categories)
    kappas = kappas[~np.isnan(kappas)]
    if len(kappas) < LEAST_DEFINED_FRAC * RESAMPLES or kappas.min() == kappas.max():
        return None, None
    tail = (1.0 - LEVEL) / 2.0
    low, high = np.quantile(kappas, [tail, 1.0 - tail])
    return float(low), float(high)
