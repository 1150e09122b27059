"""Training: a whitening that makes one infant's recordings lie close together.

In: embeddings with their owners. Out: a mean and a matrix that an encoder applies to every
embedding. Guaranteed: numpy alone, no randomness; the same embeddings give the same whitening.

An owner is whatever shall stay together. With infants as owners, the directions along which one
infant's recordings differ are shrunk; with copies of one recording in several rooms under one
owner, the directions along which rooms move an embedding; with both at once, both.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import ConfigError

SHRINKAGE = 0.5
_SMALLEST = 1e-12

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Whitening:
    """What is done to an embedding of unit length: minus ``mean``, times ``matrix``.

    Attributes
    ----------
    mean
        Shape ``(dim,)``.
    matrix
        Shape ``(dim, dim)``, symmetric.
    """

    mean: Vectors
    matrix: Vectors


def fit_whitening(
    embeddings: NDArray[Any], owners: NDArray[Any], shrinkage: float = SHRINKAGE
) -> Whitening:
    """Fit within-class covariance normalisation.

    Parameters
    ----------
    embeddings
        Any length but zero, shape ``(n, dim)``; they are brought to unit length first.
    owners
        Whose each one is, shape ``(n,)``; an owner of one embedding moves the mean only.
    shrinkage
        Weight, above 0 and at most 1, of a sphere of the same mean variance; needed wherever there
        are fewer embeddings than dimensions.

    Returns
    -------
    Whitening
        Its matrix is scaled so that a sphere of unit variance within owners stays one on average.

    Raises
    ------
    ConfigError
        No owner has two embeddings that differ, or the shrinkage is out of range.

    References
    ----------
    Hatch, Kajarekar, Stolcke (2006), Within-class covariance normalization for SVM-based speaker
    recognition. Ledoit, Wolf (2004), A well-conditioned estimator for large-dimensional covariance
    matrices (the target of the shrinkage).
    """
    if not 0.0 < shrinkage <= 1.0:
        message = f"shrinkage is {shrinkage:g}, not above 0 and at most 1"
        raise ConfigError(message)
    unit = _unit_length(np.asarray(embeddings, dtype=np.float64))
    within = _within(unit, owners)
    variance = np.trace(within) / len(within)
    shrunk = (1.0 - shrinkage) * within / variance + shrinkage * np.eye(len(within))
    values, axes = np.linalg.eigh(shrunk)
    matrix = (axes / np.sqrt(values)) @ axes.T
    return Whitening(_mean_of_owners(unit, owners).astype(np.float32), matrix.astype(np.float32))


def whitened(vectors: NDArray[Any], whitening: Whitening) -> Vectors:
    """Whiten embeddings as an encoder does, shape ``(n, dim)``, rows of unit length.

    Parameters
    ----------
    vectors
        Raw embeddings, shape ``(n, dim)``.
    whitening
        See :func:`fit_whitening`.
    """
    unit = _unit_length(np.asarray(vectors, dtype=np.float32))
    moved: Vectors = _unit_length((unit - whitening.mean) @ whitening.matrix)
    return moved.astype(np.float32, copy=False)


def _unit_length(vectors: NDArray[Any]) -> NDArray[Any]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / length.clip(min=_SMALLEST)


def _mean_of_owners(unit: NDArray[np.float64], owners: NDArray[Any]) -> NDArray[np.float64]:
    """Mean over owners, so that one who has much counts no more than the others."""
    means = [unit[owners == owner].mean(axis=0) for owner in np.unique(owners)]
    mean: NDArray[np.float64] = np.mean(means, axis=0)
    return mean


def _within(unit: NDArray[np.float64], owners: NDArray[Any]) -> NDArray[np.float64]:
    """Pooled covariance of embeddings around their owner's mean."""
    centred, freedom = [], 0
    for owner in np.unique(owners):
        own = unit[owners == owner]
        centred.append(own - own.mean(axis=0))
        freedom += len(own) - 1
    away = np.concatenate(centred)
    if not freedom or not np.abs(away).max() > _SMALLEST:
        message = "whitening needs an owner with two embeddings that differ"
        raise ConfigError(message)
    covariance: NDArray[np.float64] = away.T @ away / freedom
    return covariance
