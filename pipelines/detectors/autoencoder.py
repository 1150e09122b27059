"""Autoencoder of the score stage: how badly a unit is rebuilt by a net that knows one infant.

In and out as the detector contract says; the score is the mean squared error of the rebuilt unit.
Guaranteed: torch is imported only where the net is trained; loading and scoring are plain numpy on
the stored weights, so a stored net scores the same bits on any machine with the same numpy.

Layers 192-128-64-32-64-128-192 with ReLU and mean squared error, as the method's authors describe
them. Units are centred on the baseline's mean and multiplied by the square root of their width:
embeddings have length one, so their elements are near 0.07 and the net would otherwise spend its
training on finding the scale.

Training is 50 full-batch steps of Adam at a rate of 0.003, always. Early stopping was left out: it
would need part of a small baseline, and on nine installations of Donate-a-Cry with a small encoder
longer training does not help (AUC 0.79, 0.79, 0.78, 0.77, 0.77 after 30, 50, 100, 200, 400 steps,
means of four seeds). Fifty steps on 150 units take less than 0.1 s, and a calibration needs eleven.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from pipelines.detectors.contract import Arrays, FloatArray, check_baseline, check_units, take
from pipelines.errors import NotFittedError

if TYPE_CHECKING:
    import torch

HIDDEN_WIDTHS = (128, 64, 32, 64, 128)
STEPS = 50
LEARNING_RATE = 3e-3

Weights = NDArray[np.float32]
Layer = tuple[Weights, Weights]


@dataclass(frozen=True, eq=False)
class _Net:
    """A trained net: the centre of the units, then weights ``(in, out)`` and biases ``(out,)``.

    Weights are kept in single precision, as they were trained; the arithmetic is double.
    """

    centre: FloatArray
    layers: tuple[Layer, ...]

    def scaled(self, units: FloatArray) -> FloatArray:
        """Scale units to what the net sees."""
        return (units - self.centre) * math.sqrt(len(self.centre))

    def rebuilt(self, scaled: FloatArray) -> FloatArray:
        """Rebuild scaled units."""
        values = scaled
        for index, (weights, biases) in enumerate(self.layers):
            values = values if index == 0 else np.maximum(values, 0.0)
            values = values @ weights.astype(np.float64) + biases
        return values


@dataclass(frozen=True, eq=False)
class Autoencoder:
    """Mean squared error of a unit rebuilt by a net trained on the infant's own units."""

    name: ClassVar[str] = "autoencoder"
    net: _Net | None = None

    def fit(self, x: NDArray[Any], groups: NDArray[Any], seed: int) -> Self:
        """Train a net on an infant's units; the only place of this module that needs torch."""
        units, _ = check_baseline(x, groups)
        centre = units.mean(axis=0)
        untrained = _Net(centre, _first_layers(units.shape[1], seed))
        return type(self)(_Net(centre, _trained(untrained, units)))

    def score(self, x: NDArray[Any]) -> FloatArray:
        """Score units by the mean squared error of rebuilding them."""
        net = self._fitted()
        scaled = net.scaled(check_units(x, len(net.centre)))
        error: FloatArray = ((net.rebuilt(scaled) - scaled) ** 2).mean(axis=1)
        return error

    def arrays(self) -> Arrays:
        """Return the centre, and weights and biases (float32, as trained) by layer."""
        net = self._fitted()
        arrays: Arrays = {"centre": net.centre.copy()}
        for index, (weights, biases) in enumerate(net.layers):
            arrays |= dict(zip(_names(index), (weights.copy(), biases.copy()), strict=True))
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Build it from what ``arrays`` gave."""
        (centre,) = take(arrays, ("centre",))
        layers = tuple(
            cast(Layer, tuple(take(arrays, _names(index))))
            for index in range(len(HIDDEN_WIDTHS) + 1)
        )
        return cls(_Net(centre, layers))

    def _fitted(self) -> _Net:
        if self.net is None:
            raise NotFittedError(self.name)
        return self.net


def _names(index: int) -> tuple[str, str]:
    return f"weights_{index}", f"biases_{index}"


def _first_layers(width: int, seed: int) -> tuple[Layer, ...]:
    """Draw weights and biases uniformly within one over the root of the incoming width."""
    chance = np.random.default_rng(seed)
    widths = (width, *HIDDEN_WIDTHS, width)
    layers = []
    for n_in, n_out in pairwise(widths):
        drawn = chance.uniform(-1, 1, (n_in + 1, n_out)) / math.sqrt(n_in)
        weights = drawn.astype(np.float32)
        layers.append((weights[:-1], weights[-1]))
    return tuple(layers)


def _trained(net: _Net, units: FloatArray) -> tuple[Layer, ...]:
    """Train with torch on one thread: such small matrices gain nothing, and bits stay the same."""
    import torch  # imported here: the web process never trains

    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        parameters = [
            torch.tensor(part, requires_grad=True) for layer in net.layers for part in layer
        ]
        _descend(parameters, torch.tensor(net.scaled(units), dtype=torch.float32))
    finally:
        torch.set_num_threads(n_threads)
    parts = [part.detach().numpy() for part in parameters]
    return tuple(zip(parts[::2], parts[1::2], strict=True))


def _descend(parameters: list[torch.Tensor], targets: torch.Tensor) -> None:
    import torch

    optimiser = torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)
    for _ in range(STEPS):
        values = targets
        for index in range(0, len(parameters), 2):
            values = values if index == 0 else torch.relu(values)
            values = torch.addmm(parameters[index + 1], values, parameters[index])
        optimiser.zero_grad()
        torch.autograd.backward(torch.nn.functional.mse_loss(values, targets))
        optimiser.step()
