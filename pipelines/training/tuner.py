"""Training: a network that is fine-tuned, one step at a time.

In: an encoder taken apart, and frames of several crops of many infants. Out: a loss, and the
weights. Guaranteed: everything that a step changes is in :meth:`Tuner.arrays`, so a run that is
taken up again from there goes on exactly as it would have; what is frozen does not move, and
neither do its batch norms' statistics.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.encoders.checkpoint import network_with
from pipelines.frontend import Frames
from pipelines.training.contrastive import TEMPERATURE, ge2e, nt_xent
from pipelines.training.start import Arrays, Start

Network = Any  # an ECAPA-TDNN of SpeechBrain, which is published without types
WARM_UP_STEPS = 20
GRADIENT_NORM = 3.0
GE2E_SCALE, GE2E_BIAS = 10.0, -5.0  # where the objective's authors begin


class Objective(StrEnum):
    """What fine-tuning minimises; see :mod:`pipelines.training.contrastive`."""

    NT_XENT = "nt-xent"
    GE2E = "ge2e"


@dataclass(frozen=True)
class Recipe:
    """What decides a run; two runs of one recipe on one corpus give the same weights.

    Attributes
    ----------
    objective
        What is minimised.
    seed
        Seed of the batches and of the changes made to them.
    steps
        Batches at most.
    infants, each
        Infants per batch, and crops of each; NT-Xent takes two of each.
    unfrozen
        How many of the upper SE-Res2 blocks learn, besides what follows them.
    learning_rate, weight_decay
        Of AdamW; the rate rises over the first steps and then stays.
    temperature
        Of NT-Xent.
    check_every, patience
        Steps between looks at the validation infants, and how many looks in a row without a better
        equal error rate end the run; a patience of 0 takes every step and the last weights.
    """

    objective: Objective = Objective.NT_XENT
    seed: int = 0
    steps: int = 1000
    infants: int = 24
    each: int = 2
    unfrozen: int = 1
    learning_rate: float = 1e-5
    weight_decay: float = 1e-4
    temperature: float = TEMPERATURE
    check_every: int = 50
    patience: int = 6

    def learning_rate_at(self, step: int) -> float:
        """Learning rate of a step."""
        return self.learning_rate * min(1.0, (step + 1) / WARM_UP_STEPS)


class Tuner:
    """Network, what the objective learns beside it, and optimiser.

    Parameters
    ----------
    start
        What is fine-tuned.
    recipe
        What decides the run.
    device
        Where the network runs; on a GPU in mixed precision.
    """

    def __init__(self, start: Start, recipe: Recipe, device: torch.device) -> None:
        self.recipe = recipe
        self.device = device
        self.network: Network = network_with(start.arrays, start.constructor, Path(start.name))
        self._learning = learning_parts(self.network, recipe.unfrozen)
        for part in self._learning:
            part.requires_grad_(requires_grad=True)
        self.network.to(device)
        self.scale = torch.nn.Parameter(torch.tensor(math.log(GE2E_SCALE), device=device))
        self.bias = torch.nn.Parameter(torch.tensor(GE2E_BIAS, device=device))
        weights = [weight for part in self._learning for weight in part.parameters()]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": weights, "weight_decay": recipe.weight_decay},
                {"params": [self.scale, self.bias], "weight_decay": 0.0},
            ],
            lr=recipe.learning_rate,
        )

    def embed(self, frames: Frames) -> torch.Tensor:
        """Raw embeddings of crops, shape ``(n, 192)``, float32, with gradients."""
        mixed = torch.autocast(
            self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda"
        )
        with mixed:
            raw: torch.Tensor = self.network(torch.from_numpy(frames).to(self.device))[:, 0]
        return raw.float()

    def loss(self, frames: Frames, each: int) -> torch.Tensor:
        """Loss of crops, ``each`` of every infant, one infant after the other."""
        vectors = self.embed(frames)
        vectors = vectors.reshape(len(vectors) // each, each, -1)
        if self.recipe.objective is Objective.GE2E:
            return ge2e(vectors, self.scale, self.bias)
        return nt_xent(vectors[:, 0], vectors[:, 1], self.recipe.temperature)

    def learn(self, frames: Frames, each: int, step: int) -> float:
        """Take one step and return its loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate_at(step)
        for part in self._learning:
            part.train()
        loss = self.loss(frames, each)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._weights(), GRADIENT_NORM)
        self.optimiser.step()
        self.network.eval()
        return loss.item()

    def _weights(self) -> Iterator[torch.nn.Parameter]:
        return (weight for group in self.optimiser.param_groups for weight in group["params"])

    def weights(self) -> Arrays:
        """Weights and statistics of the network alone."""
        return {name: _array(value) for name, value in self.network.state_dict().items()}

    def arrays(self) -> Arrays:
        """Everything that a step changes."""
        result = {f"network.{name}": array for name, array in self.weights().items()}
        result |= {"scale": _array(self.scale), "bias": _array(self.bias)}
        for index, moments in self.optimiser.state_dict()["state"].items():
            result |= {f"adam.{index}.{key}": _array(value) for key, value in moments.items()}
        return result

    def load_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what :meth:`arrays` gave."""
        tensors = {name: torch.from_numpy(np.array(value)) for name, value in arrays.items()}
        self.network.load_state_dict(_under("network", tensors))
        with torch.no_grad():
            self.scale.copy_(tensors["scale"])
            self.bias.copy_(tensors["bias"])
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in _under("adam", tensors).items():
            index, key = name.split(".", 1)
            moments.setdefault(int(index), {})[key] = value
        state = self.optimiser.state_dict()
        self.optimiser.load_state_dict({**state, "state": moments})


def learning_parts(network: Network, unfrozen: int) -> list[torch.nn.Module]:
    """Name what learns: the uppermost SE-Res2 blocks, their aggregation, pooling and last layer.

    The first block is a plain convolution and always stays frozen.
    """
    blocks = list(network.blocks)[1:]
    upper = blocks[len(blocks) - unfrozen :]
    return [*upper, network.mfa, network.asp, network.asp_bn, network.fc]


def _array(tensor: torch.Tensor) -> NDArray[Any]:
    result: NDArray[Any] = tensor.detach().cpu().numpy().copy()
    return result


def _under(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    start = prefix + "."
    return {name[len(start) :]: v for name, v in tensors.items() if name.startswith(start)}
