"""Autoencoder of the score stage: how badly a unit is rebuilt by a net that knows one infant.

In and out as the detector contract says; the score is the mean squared error of the rebuilt unit.
Guaranteed: torch is imported only where the net is trained; loading and scoring are plain numpy on
the stored weights, so a stored net scores the same bits on any machine with the same numpy.

Layers 192-128-64-32-64-128-192 with ReLU and mean squared error, as the method's authors describe
them. Units are centred on the baseline's mean and multiplied by the square root of their width:
embeddings have length one, so their elements are near 0.07 and the net would otherwise spend its
training on finding the scale.

Training is 30 full-batch steps of Adam at a rate of 0.003, always. Early stopping was left out: it
would need part of a small baseline, and longer training does not help. On nine installations of
Donate-a-Cry with a small encoder the AUC was 0.79, 0.79, 0.78, 0.77, 0.77 after 30, 50, 100, 200,
400 steps (means of four seeds); on eleven infants there that the bundled encoder was not trained on
it is 0.77, 0.76, 0.76, 0.76 after 20, 30, 40, 50 steps (means of three seeds).

A calibration needs ten nets besides the one of the whole baseline. Because all of them take the
same steps, several are trained at once, as one stack of matrices: the folds of one baseline
(``fit_folds``) or several infants' baselines (``fit_many``). A baseline shorter than the longest of
its stack is filled up with rows that count nothing. The gradients are written out, because
autograd's bookkeeping would add about a third to the matrix products, which take what time is left.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from pipelines.detectors.contract import (
    Arrays,
    BoolArray,
    FloatArray,
    check_baseline,
    check_units,
    kept_rows,
    take,
)
from pipelines.errors import ConfigError, NotFittedError

if TYPE_CHECKING:
    import torch

HIDDEN_WIDTHS = (128, 64, 32, 64, 128)
STEPS = 30
LEARNING_RATE = 3e-3
STACKED = 3
"""So many nets are trained at once: of more, what a step needs leaves the processor's cache."""

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
        """Train a net on an infant's units."""
        units, _ = check_baseline(x, groups)
        return type(self)(_train([units], [seed])[0])

    def fit_folds(
        self, x: NDArray[Any], groups: NDArray[Any], left_out: Sequence[BoolArray], seed: int
    ) -> list[Self]:
        """Train a net without each fold, several at once."""
        units, _ = check_baseline(x, groups)
        kept = [units[rows] for rows in kept_rows(left_out, len(units))]
        return [type(self)(net) for net in _train(kept, [seed] * len(kept))]

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


def fit_many(baselines: Sequence[NDArray[Any]], seeds: Sequence[int]) -> list[Autoencoder]:
    """Fit the autoencoders of several infants, several at once.

    Parameters
    ----------
    baselines
        Units of each infant, shape ``(n, width)``; all of one width.
    seeds
        Seed of each infant's net.

    Returns
    -------
    list of Autoencoder
        One for each infant; but for rounding, what ``Autoencoder().fit`` gives for it alone.

    Raises
    ------
    ConfigError
        If a baseline is no matrix of finite real numbers with at least one row, widths differ, or
        there is not one seed for each.
    """
    matrices = [check_units(units) for units in baselines]
    if len(seeds) != len(matrices):
        raise ConfigError(f"{len(seeds)} seeds where {len(matrices)} baselines need one each")
    if not all(len(units) for units in matrices):
        raise ConfigError("a baseline needs at least one unit")
    if len({units.shape[1] for units in matrices}) > 1:
        raise ConfigError("baselines that are fitted together need units of one width")
    return [Autoencoder(net) for net in _train(matrices, seeds)]


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


# --- training -----------------------------------------------------------------------------------


def _train(baselines: Sequence[FloatArray], seeds: Sequence[int]) -> list[_Net]:
    """Train a net for each baseline; those of a like length share a stack."""
    nets: dict[int, _Net] = {}
    order = sorted(range(len(baselines)), key=lambda index: len(baselines[index]))
    with _one_thread():
        for start in range(0, len(order), STACKED):
            stack = order[start : start + STACKED]
            trained = _trained([baselines[i] for i in stack], [seeds[i] for i in stack])
            nets.update(zip(stack, trained, strict=True))
    return [nets[index] for index in range(len(baselines))]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread: such small matrices gain nothing, and bits stay the same."""
    import torch  # imported here: the web process never trains

    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            yield
    finally:
        torch.set_num_threads(n_threads)


def _trained(baselines: list[FloatArray], seeds: list[int]) -> list[_Net]:
    """Train a stack of nets, one for each baseline."""
    import torch

    longest, width = max(len(units) for units in baselines), baselines[0].shape[1]
    drawn = {seed: _first_layers(width, seed) for seed in seeds}
    nets = [_Net(units.mean(axis=0), drawn[s]) for units, s in zip(baselines, seeds, strict=True)]
    inputs = torch.zeros(len(nets), longest, width, dtype=torch.float32)
    counts = torch.zeros(len(nets), longest, 1, dtype=torch.float32)
    for index, (net, units) in enumerate(zip(nets, baselines, strict=True)):
        inputs[index, : len(units)] = torch.from_numpy(net.scaled(units))
        counts[index, : len(units)] = 2.0 / units.size  # the slope of a mean of squares
    # In the order of `_views`: by layer, first all weights, then all biases.
    parts = [
        np.stack(part)
        for layer in zip(*(net.layers for net in nets), strict=True)
        for part in zip(*layer, strict=True)
    ]
    flat = torch.from_numpy(np.concatenate([part.ravel() for part in parts]))
    _descend(flat, inputs, counts)
    layers = [(w.numpy(), b.numpy()[:, 0]) for w, b in _views(flat, len(nets), width)]
    return [
        _Net(net.centre, tuple((w[index].copy(), b[index].copy()) for w, b in layers))
        for index, net in enumerate(nets)
    ]


def _views(flat: torch.Tensor, n_nets: int, width: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return weights ``(nets, in, out)`` and biases ``(nets, 1, out)`` by layer, inside ``flat``.

    One flat tensor lets Adam take its step in one call.
    """
    layers, start = [], 0
    for n_in, n_out in pairwise((width, *HIDDEN_WIDTHS, width)):
        middle = start + n_nets * n_in * n_out
        end = middle + n_nets * n_out
        weights = flat[start:middle].view(n_nets, n_in, n_out)
        layers.append((weights, flat[middle:end].view(n_nets, 1, n_out)))
        start = end
    return layers


def _descend(flat: torch.Tensor, inputs: torch.Tensor, counts: torch.Tensor) -> None:
    """Take the steps of Adam down the mean squared error of each net, in place."""
    import torch

    n_nets, _, width = inputs.shape
    flat.grad = torch.zeros_like(flat)
    layers, slopes = _views(flat, n_nets, width), _views(flat.grad, n_nets, width)
    values = [inputs, *(inputs.new_empty(*inputs.shape[:2], b.shape[2]) for _, b in layers)]
    errors = [torch.empty_like(value) for value in values]
    optimiser = torch.optim.Adam([flat], lr=LEARNING_RATE, fused=True)
    for _ in range(STEPS):
        for index, (weights, biases) in enumerate(layers):
            torch.baddbmm(biases, values[index], weights, out=values[index + 1])
            if index < len(HIDDEN_WIDTHS):
                values[index + 1].relu_()
        torch.sub(values[-1], inputs, out=errors[-1]).mul_(counts)
        _climb(layers, slopes, values, errors)
        optimiser.step()


def _climb(
    layers: list[tuple[torch.Tensor, torch.Tensor]],
    slopes: list[tuple[torch.Tensor, torch.Tensor]],
    values: list[torch.Tensor],
    errors: list[torch.Tensor],
) -> None:
    """Write the slopes of all layers, from the last to the first; ``errors`` are worked on."""
    import torch

    for index in reversed(range(len(layers))):
        error = errors[index + 1]
        torch.bmm(values[index].transpose(1, 2), error, out=slopes[index][0])
        torch.sum(error, dim=1, keepdim=True, out=slopes[index][1])
        if index > 0:  # a layer that was 0 after ReLU passes nothing on; nobody asks the first
            torch.bmm(error, layers[index][0].transpose(1, 2), out=errors[index])
            errors[index].mul_(values[index].sign())
