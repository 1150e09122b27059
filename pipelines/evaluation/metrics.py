"""Metrics of anomaly detection and gating, each with its interval.

In: scores (high = anomalous, or high = cry), flags and the groups they belong to. Out: plain
fractions, and `Estimate` or `Absent` where an interval or a reason goes with them. Guaranteed:
seeded, so that the same figures give the same interval; a figure that cannot be taken is an
`Absent` with its reason and never a number.

F1 and average precision are printed because the method's authors print them. With 50 anomalies
against a handful of normal recordings they are nearly empty: AUC and recall at a false-positive
rate of at most 0.10 are what to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score, roc_curve

MAX_FPR = 0.10
RESAMPLES = 2000
AUC_RESAMPLES = 300
INTERVAL_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; one group alone has no interval.

    Attributes
    ----------
    value
        The figure.
    lo, hi
        Percentile bootstrap interval over groups; None where there are fewer than two groups.
    n
        How many observations it rests on.
    groups
        How many groups (infants, sessions) they belong to.
    """

    value: float
    lo: float | None
    hi: float | None
    n: int
    groups: int

    def __str__(self) -> str:
        """Write the figure and, where there is one, its interval."""
        if self.lo is None or self.hi is None:
            return f"{self.value:.2f}"
        return f"{self.value:.2f} [{self.lo:.2f}, {self.hi:.2f}]"


@dataclass(frozen=True)
class Absent:
    """There is no figure, and why."""

    reason: str

    def __str__(self) -> str:
        """Write the reason."""
        return self.reason


def json_keys(name: str, figure: Estimate | Absent) -> dict[str, object]:
    """Spell a figure out as JSON keys.

    Parameters
    ----------
    name
        The figure's key; ``_lo``, ``_hi``, ``_n`` and ``_groups`` are appended to it.
    figure
        What to write.

    Returns
    -------
    dict
        The keys; for an absent figure the key holds null and ``_reason`` says why.
    """
    if isinstance(figure, Absent):
        return {name: None, f"{name}_reason": figure.reason, f"{name}_n": 0}
    return {
        name: figure.value,
        f"{name}_lo": figure.lo,
        f"{name}_hi": figure.hi,
        f"{name}_n": figure.n,
        f"{name}_groups": figure.groups,
    }


def _labelled(
    negative: ArrayLike, positive: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    low = np.asarray(negative, dtype=np.float64)
    high = np.asarray(positive, dtype=np.float64)
    if not low.size or not high.size:
        message = "a ranking metric needs at least one score of either kind"
        raise ValueError(message)
    truth = np.concatenate([np.zeros(low.size, dtype=bool), np.ones(high.size, dtype=bool)])
    return truth, np.concatenate([low, high])


def auc(negative: ArrayLike, positive: ArrayLike) -> float:
    """Area under the ROC curve; ties count half.

    Parameters
    ----------
    negative, positive
        Scores of shape ``(n,)`` and ``(m,)``; positives are expected to be higher.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        One of the two is empty, or a score is not finite.
    """
    return float(roc_auc_score(*_labelled(negative, positive)))


def average_precision(negative: ArrayLike, positive: ArrayLike) -> float:
    """Average precision; depends on the share of positives. Arguments as for :func:`auc`."""
    return float(average_precision_score(*_labelled(negative, positive)))


def recall_at_fpr(negative: ArrayLike, positive: ArrayLike, max_fpr: float = MAX_FPR) -> float:
    """Largest recall among thresholds whose false-positive rate is at most ``max_fpr``.

    With fewer than ``1 / max_fpr`` negatives this means no false positive at all.
    Arguments as for :func:`auc`.
    """
    fpr, tpr, _ = roc_curve(*_labelled(negative, positive), drop_intermediate=False)
    return float(tpr[fpr <= max_fpr].max())


def pass_at_recall(negative: ArrayLike, positive: ArrayLike, recall: float) -> float:
    """Smallest share of negatives that pass a threshold which ``recall`` of the positives pass.

    Arguments as for :func:`auc`.
    """
    fpr, tpr, _ = roc_curve(*_labelled(negative, positive), drop_intermediate=False)
    return float(fpr[tpr >= recall - 1e-12].min())


@dataclass(frozen=True)
class Operating:
    """What flagging did at one threshold.

    Attributes
    ----------
    f1, recall, fpr
        F1 and recall of the anomalies, false-positive rate of the normal recordings.
    """

    f1: float
    recall: float
    fpr: float


def operating_point(negative_flagged: ArrayLike, positive_flagged: ArrayLike) -> Operating:
    """Count flags of normal and of anomalous recordings, shapes ``(n,)`` and ``(m,)``."""
    truth, flagged = _labelled(negative_flagged, positive_flagged)
    raised = flagged > 0
    return Operating(
        f1=float(f1_score(truth, raised, zero_division=0.0)),
        recall=float(raised[truth].mean()),
        fpr=float(raised[~truth].mean()),
    )


def mean_over_groups(values: Sequence[float], seed: int = 0) -> Estimate | Absent:
    """Mean of one figure per group, with a bootstrap interval over the groups.

    Parameters
    ----------
    values
        One figure per group (infant).
    seed
        Seed of the resampling.

    Returns
    -------
    Estimate or Absent
        Absent where there is no group at all.
    """
    return frac_by_group(values, np.arange(len(values)), seed)


def frac_by_group(
    values: Sequence[float] | NDArray[np.generic], groups: ArrayLike, seed: int = 0
) -> Estimate | Absent:
    """Mean of pooled values, with a bootstrap interval that draws whole groups.

    Recordings of one session resemble each other; drawing sessions instead of recordings keeps
    the interval honest. Flags that are all up or all down have nothing to resample: they get the
    exact binomial interval of as many trials as there are groups.

    Parameters
    ----------
    values
        Shape ``(n,)``: figures, or flags as booleans.
    groups
        Shape ``(n,)``: the group of each.
    seed
        Seed of the resampling.

    Returns
    -------
    Estimate or Absent
        Absent where there is nothing to pool.
    """
    given = np.asarray(values)
    if not given.size:
        return Absent("nothing to pool")
    pooled = given.astype(np.float64)
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    if given.dtype == np.bool_ and len(names) > 1 and given.all() == given.any():
        lo, hi = _exact_interval(len(names), is_all=bool(given.all()))
    else:
        count = np.bincount(member).astype(np.float64)
        total = np.bincount(member, weights=pooled).astype(np.float64)
        lo, hi = _interval(total, count, seed)
    return Estimate(float(pooled.mean()), lo, hi, pooled.size, len(names))


def _exact_interval(trials: int, *, is_all: bool) -> tuple[float | None, float | None]:
    """Clopper-Pearson interval of none, or all, of so many trials."""
    bound = (INTERVAL_PERCENTILES[0] / 100.0) ** (1.0 / trials)
    return (bound, 1.0) if is_all else (0.0, 1.0 - bound)


def _interval(
    total: NDArray[np.float64], count: NDArray[np.float64], seed: int
) -> tuple[float | None, float | None]:
    """Percentile interval of sum(total) / sum(count) over resampled groups."""
    if len(total) < 2:
        return None, None
    drawn = np.random.default_rng(seed).integers(0, len(total), size=(RESAMPLES, len(total)))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    lo, hi = np.percentile(means, INTERVAL_PERCENTILES)
    return float(lo), float(hi)


def auc_by_group(
    scores: tuple[ArrayLike, ArrayLike], groups: tuple[ArrayLike, ArrayLike], seed: int = 0
) -> Estimate | Absent:
    """AUC of pooled scores, with a bootstrap interval that draws whole groups of either kind.

    Parameters
    ----------
    scores
        Negative and positive scores, shapes ``(n,)`` and ``(m,)``.
    groups
        The group of each negative and of each positive.
    seed
        Seed of the resampling.
    """
    negative, positive = (np.asarray(part, dtype=np.float64) for part in scores)
    if not negative.size or not positive.size:
        return Absent("needs scores of both kinds")
    rng = np.random.default_rng(seed)
    low, high = (_members(part) for part in groups)
    drawn = [
        auc(negative[_draw(low, rng)], positive[_draw(high, rng)]) for _ in range(AUC_RESAMPLES)
    ]
    lo, hi = np.percentile(drawn, INTERVAL_PERCENTILES)
    n_groups = len(low) + len(high)
    value = auc(negative, positive)
    return Estimate(value, float(lo), float(hi), negative.size + positive.size, n_groups)


def _members(groups: ArrayLike) -> list[NDArray[np.intp]]:
    """Return the indices of every group's members."""
    member = np.unique(np.asarray(groups), return_inverse=True)[1]
    return [np.flatnonzero(member == index) for index in range(member.max() + 1)]


def _draw(members: list[NDArray[np.intp]], rng: np.random.Generator) -> NDArray[np.intp]:
    chosen = rng.integers(0, len(members), size=len(members))
    return np.concatenate([members[index] for index in chosen])
