"""Fits of the gate's heads and usual ranges, on arrays.

In: features with their labels, traits with ages, embeddings with arousal. Out: the parts of
:class:`pipelines.heads.Heads`. Guaranteed: deterministic; every choice between settings is made on
groups (infants, speakers, whole sources) that the candidate had not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from pipelines.gate import MAD_TO_SD
from pipelines.heads import (
    TRAITS,
    AgeRanges,
    CryHead,
    EmbeddingHead,
    Traits,
    likeness,
    standardise,
)

Matrix = NDArray[np.float32]
Numbers = NDArray[np.float64]

PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0)
LANDMARKS = 200
LEAST_EIGENVALUE = 1e-6
ALPHAS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
FOLDS = 5
SHIFTS = 2
"""Folds of infants in which the sources are left out in turn; all of them would take long."""
LEAST_BAND = 30
LEAST_AROUSAL_SPREAD = 0.2
AGE_BANDS = (
    (28.0, "0 to 4 weeks"),
    (56.0, "4 to 8 weeks"),
    (213.0, "2 to 6 months"),
    (730.0, "7 months to 2 years"),
    (float("inf"), "over 2 years"),
)
UNKNOWN_AGE = "any age, as it is not known"


@dataclass(frozen=True)
class CrySet:
    """Examples for the cry head.

    Attributes
    ----------
    features
        Shape ``(n, n_features)``.
    is_cry
        Shape ``(n,)``.
    source, group, codec
        Shape ``(n,)``: where each comes from, what it must not be split from, its path.
    """

    features: Matrix
    is_cry: NDArray[np.bool_]
    source: NDArray[np.str_]
    group: NDArray[np.str_]
    codec: NDArray[np.str_]

    def part(self, chosen: NDArray[np.bool_]) -> CrySet:
        """Return the chosen examples."""
        return CrySet(
            self.features[chosen],
            self.is_cry[chosen],
            self.source[chosen],
            self.group[chosen],
            self.codec[chosen],
        )


def balanced_weights(examples: CrySet) -> Numbers:
    """Weight examples so that on each codec both kinds, and in them all sources, count the same."""
    cells = np.array([f"{c}|{s}" for c, s in zip(examples.codec, examples.source, strict=True)])
    kinds = np.array([f"{c}|{k}" for c, k in zip(examples.codec, examples.is_cry, strict=True)])
    weights = np.empty(len(cells))
    for kind in np.unique(kinds):
        inside = np.unique(cells[kinds == kind])
        for cell in inside:
            member = (cells == cell) & (kinds == kind)
            weights[member] = 1.0 / (len(inside) * member.sum())
    return weights * len(cells) / weights.sum()


def fit_cry_head(examples: CrySet, penalty: float, threshold: float = 0.5) -> CryHead:
    """Fit the head: a logistic model with the kernel of likeness, after Nystroem.

    Source: Williams and Seeger, "Using the Nystroem method to speed up kernel machines", 2001.

    Parameters
    ----------
    examples
        Both kinds.
    penalty
        Inverse strength of the ridge penalty (scikit-learn's ``C``), at mean weight 1.
    threshold
        Probability from which the head calls a sound a cry.
    """
    mean = examples.features.mean(axis=0, dtype=np.float64).astype(np.float32)
    scale = np.maximum(examples.features.std(axis=0, dtype=np.float64), 1e-6).astype(np.float32)
    standard = standardise(examples.features, mean, scale)
    count = min(LANDMARKS, len(standard))
    landmarks = standard[np.random.default_rng(0).permutation(len(standard))[:count]]
    to_even = _evening(likeness(landmarks, landmarks))
    model = LogisticRegression(C=penalty, max_iter=2000, tol=1e-6)
    model.fit(
        likeness(standard, landmarks) @ to_even,
        examples.is_cry,
        sample_weight=balanced_weights(examples),
    )
    return CryHead(
        mean=mean,
        scale=scale,
        landmarks=landmarks,
        weights=to_even @ model.coef_[0],
        bias=float(model.intercept_[0]),
        threshold=threshold,
    )


def _evening(between: Numbers) -> Numbers:
    """Inverse square root of the landmarks' likeness: after it, inner products are likeness."""
    values, vectors = np.linalg.eigh(between)
    return np.asarray((vectors / np.sqrt(np.maximum(values, LEAST_EIGENVALUE))) @ vectors.T)


def probabilities(head: CryHead, features: Matrix) -> Numbers:
    """Cry probabilities of features, shape ``(n, n_features)``."""
    return head.probabilities(features)


def unseen_source_auc(examples: CrySet, penalty: float) -> dict[str, float]:
    """AUC of each source of other sounds with a head that never met it, nor the cries' infants.

    Returns
    -------
    dict
        By source, the mean over folds of infants.
    """
    sources = sorted(set(examples.source[~examples.is_cry].tolist()))
    fold = _folds_of(examples.group)
    return {
        source: float(
            np.mean([_left_out_auc(examples, source, fold == f, penalty) for f in range(SHIFTS)])
        )
        for source in sources
    }


def _left_out_auc(
    examples: CrySet, source: str, in_fold: NDArray[np.bool_], penalty: float
) -> float:
    left_out = np.where(examples.is_cry, in_fold, examples.source == source)
    head = fit_cry_head(examples.part(~left_out), penalty)
    test = examples.part(left_out)
    return float(roc_auc_score(test.is_cry, probabilities(head, test.features)))


def _folds_of(groups: NDArray[np.str_]) -> NDArray[np.intp]:
    """Fold of each example; groups stay whole."""
    fold = np.empty(len(groups), dtype=np.intp)
    for index, (_, test) in enumerate(GroupKFold(FOLDS).split(groups, groups=groups)):
        fold[test] = index
    return fold


def choose_penalty(examples: CrySet) -> tuple[float, dict[str, float]]:
    """Choose the strongest penalty that on unseen sources cannot be told from the best.

    That is one whose mean AUC lies within a standard error, over the sources, of the best one's
    (Breiman et al., "Classification and regression trees", 1984): what the head must bear is
    sounds that no source here has, and the plainer head bears them better.
    """
    tried = {penalty: unseen_source_auc(examples, penalty) for penalty in PENALTIES}
    means = {penalty: float(np.mean(list(found.values()))) for penalty, found in tried.items()}
    best = list(tried[max(means, key=means.__getitem__)].values())
    error = float(np.std(best, ddof=1) / np.sqrt(len(best))) if len(best) > 1 else 0.0
    chosen = min(p for p, mean in means.items() if mean >= max(means.values()) - error)
    return chosen, tried[chosen]


def unseen_probabilities(examples: CrySet, penalty: float) -> Numbers:
    """Probability of each example by a head that had not met its group, shape ``(n,)``."""
    fold = _folds_of(examples.group)
    result = np.empty(len(fold))
    for index in range(FOLDS):
        head = fit_cry_head(examples.part(fold != index), penalty)
        result[fold == index] = probabilities(head, examples.features[fold == index])
    return result


# --- usual ranges -------------------------------------------------------------------------------


def trait_matrix(traits: Sequence[Traits]) -> Numbers:
    """Traits of recordings as a matrix ``(n, traits)``; NaN inside where one is absent."""
    return np.array([[t.get(trait.measure, np.nan) for trait in TRAITS] for t in traits])


def centre_and_spread(values: Numbers, least: Numbers) -> tuple[Numbers, Numbers]:
    """Median and scaled MAD of every column, NaN left out; spreads are at least ``least``."""
    centre = np.nanmedian(values, axis=0)
    spread = MAD_TO_SD * np.nanmedian(np.abs(values - centre), axis=0)
    return centre, np.maximum(spread, least)


def least_spreads() -> Numbers:
    """Smallest spread of every trait, shape ``(traits,)``."""
    return np.array([trait.least_spread for trait in TRAITS])


def fit_ranges(
    values: Numbers, ages_days: Sequence[float | None], no_pitch_frac: float
) -> AgeRanges:
    """Fit usual ranges by age.

    Parameters
    ----------
    values
        Shape ``(n, traits + 1)``: traits and, last, the arousal index; NaN where absent.
    ages_days
        Age at each recording, None where it is not known.
    no_pitch_frac
        Share of recordings without a measurable pitch.

    Returns
    -------
    AgeRanges
        A band with fewer than ``LEAST_BAND`` recordings borrows its neighbours until it has as
        many. Where the age is not known the widest spread of all bands counts.
    """
    least = np.append(least_spreads(), LEAST_AROUSAL_SPREAD)
    until = np.array([until for until, _ in AGE_BANDS])
    band = np.array(
        [-1 if a is None else np.searchsorted(until[:-1], a, side="right") for a in ages_days]
    )
    rows = [centre_and_spread(values[_near(band, index)], least) for index in range(len(until))]
    everyone, spread = centre_and_spread(values, least)
    widest = np.maximum(spread, np.max([row[1] for row in rows], axis=0))
    rows.append((everyone, widest))
    return AgeRanges(
        until_days=until.astype(np.float32),
        names=(*(name for _, name in AGE_BANDS), UNKNOWN_AGE),
        centre=np.array([row[0] for row in rows], dtype=np.float32),
        spread=np.array([row[1] for row in rows], dtype=np.float32),
        no_pitch_frac=no_pitch_frac,
    )


def _near(band: NDArray[np.intp], index: int) -> NDArray[np.bool_]:
    """Say which recordings stand for a band; an unknown age (-1) stands for none."""
    known = band >= 0
    for reach in range(len(AGE_BANDS)):
        near = known & (np.abs(band - index) <= reach)
        if near.sum() >= LEAST_BAND:
            return near
    return np.ones(len(band), dtype=bool)


# --- embedding to arousal -----------------------------------------------------------------------


def directions(embeddings: Sequence[Matrix]) -> Matrix:
    """Mean embedding of each recording's units, at unit length, shape ``(n, 192)``."""
    means = np.array([units.mean(axis=0) for units in embeddings])
    lengths = np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    return (means / lengths).astype(np.float32)


def fit_embedding_head(
    x: Matrix,
    arousal: Numbers,
    groups: NDArray[np.str_],
    is_usual: NDArray[np.bool_],
    encoder: str,
) -> tuple[EmbeddingHead, float]:
    """Fit the ridge head from directions to arousal.

    Parameters
    ----------
    x
        Shape ``(n, 192)``.
    arousal
        Shape ``(n,)``.
    groups
        Infant of each.
    is_usual
        Which of them say what is usual: the head's centre and spread are taken on these.
    encoder
        Fingerprint of the encoder.

    Returns
    -------
    EmbeddingHead
        With the cross-fitted correlation; the held-out one replaces it once it is known.
    float
        The chosen ridge penalty.
    """
    fold = _folds_of(groups)
    tried = {alpha: _cross_fitted(x, arousal, fold, alpha) for alpha in ALPHAS}
    errors = {a: float(np.mean((said - arousal) ** 2)) for a, said in tried.items()}
    best = min(ALPHAS, key=errors.__getitem__)
    model = Ridge(alpha=best).fit(x, arousal)
    said = tried[best]
    centre, spread = centre_and_spread(said[is_usual, None], np.array([1e-3]))
    head = EmbeddingHead(
        encoder=encoder,
        weights=model.coef_.astype(np.float32),
        bias=float(model.intercept_),
        centre=float(centre[0]),
        spread=float(spread[0]),
        correlation=float(np.corrcoef(said, arousal)[0, 1]),
    )
    return head, best


def _cross_fitted(x: Matrix, y: Numbers, fold: NDArray[np.intp], alpha: float) -> Numbers:
    said = np.empty(len(y))
    for index in range(FOLDS):
        inside = fold != index
        said[~inside] = Ridge(alpha=alpha).fit(x[inside], y[inside]).predict(x[~inside])
    return said
