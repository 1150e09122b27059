"""Made-up baselines for the tests of detectors: unit-length vectors of an infant's sessions."""

import numpy as np
from numpy.typing import NDArray

WIDTH = 192


def units_of(
    n_units: int, seed: int = 0, n_sessions: int = 12, infant: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return embeddings, shape (n_units, 192), and their sessions, shape (n_units,)."""
    centre = np.random.default_rng([1, infant]).normal(size=WIDTH)
    chance = np.random.default_rng([2, infant, seed])
    session = np.arange(n_units) * n_sessions // max(n_units, 1)
    drift = 0.3 * chance.normal(size=(n_sessions, WIDTH))
    units = centre + drift[session] + 0.3 * chance.normal(size=(n_units, WIDTH))
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    return units.astype(np.float32), session
