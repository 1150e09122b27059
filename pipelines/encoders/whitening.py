"""Whitening: the last step of a network whose checkpoint brings one.

In: a network and the two arrays of its checkpoint that whiten. Out: a network of the same shape
whose embeddings are whitened and of unit length. Guaranteed: a checkpoint without the arrays is
left as it is; one of the two without the other is refused.

The step is: unit length, minus the mean, times the matrix, unit length. Both arrays count for the
fingerprint as every other weight does.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.encoders.loaded import EMBEDDING_DIM, widened
from pipelines.errors import CorruptArtefactError

if TYPE_CHECKING:
    import torch

MEAN = "whitening.mean"
MATRIX = "whitening.matrix"
SMALLEST_LENGTH = 1e-12
_SHAPES = {MEAN: (EMBEDDING_DIM,), MATRIX: (EMBEDDING_DIM, EMBEDDING_DIM)}

Arrays = Mapping[str, NDArray[Any]]


def without_whitening(arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Return the arrays of the network itself."""
    return {name: array for name, array in arrays.items() if name not in _SHAPES}


def whitening_of(
    arrays: Arrays, weights: Path
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Return mean and matrix of a checkpoint as float32, or None where it has neither.

    Raises
    ------
    CorruptArtefactError
        One of the two is missing or of another shape.
    """
    found = {name: widened(arrays[name]) for name in _SHAPES if name in arrays}
    if not found:
        return None
    if {name: array.shape for name, array in found.items()} != _SHAPES:
        shapes = {name: array.shape for name, array in found.items()}
        raise CorruptArtefactError(weights, f"a whitening of {shapes}, not {_SHAPES}")
    return found[MEAN], found[MATRIX]


def whitened_network(
    network: "torch.nn.Module", mean: NDArray[np.float32], matrix: NDArray[np.float32]
) -> "torch.nn.Module":
    """Put the whitening behind a network.

    Parameters
    ----------
    network
        From ``(n, frames, bands)`` to ``(n, 1, 192)``.
    mean, matrix
        Shapes ``(192,)`` and ``(192, 192)``; a row vector is multiplied from the left.
    """
    import torch  # only when an encoder is loaded
    from torch.nn.functional import normalize

    class Whitened(torch.nn.Module):
        """A network and the whitening of its embeddings."""

        mean: torch.Tensor
        matrix: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.network = network
            self.register_buffer("mean", torch.from_numpy(np.array(mean)))
            self.register_buffer("matrix", torch.from_numpy(np.array(matrix)))

        def forward(self, frames: torch.Tensor) -> torch.Tensor:
            unit = normalize(self.network(frames), dim=-1, eps=SMALLEST_LENGTH)
            return normalize((unit - self.mean) @ self.matrix, dim=-1, eps=SMALLEST_LENGTH)

    return Whitened()
