"""Training: the network with all that learns beside it, one step at a time.

In: normalised crops, their identities, and what is known of their voices. Out: losses, and finally
the network's own weights. Guaranteed: everything that a step changes is in :meth:`Learner.arrays`,
so a run that is taken up again from there goes on exactly as it would have. On a GPU the network
runs in mixed precision (bfloat16), the objectives in single precision.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from pipelines.encoders.ecapa import SMALL_CONSTRUCTOR, build_ecapa
from pipelines.encoders.loaded import EMBEDDING_DIM, widened
from pipelines.frontend import Frames
from pipelines.training.batches import Batch, Shares
from pipelines.training.objectives import (
    aam_softmax,
    angular_prototypical,
    known_squared_error,
    shared_variance,
)
from pipelines.training.simulated import N_INFANTS, TARGETS

WARM_UP_STEPS = 100
GRADIENT_NORM = 5.0
CENTRE_SCALE = 0.05
"""Small, so that steps of the optimiser's size turn the centres' directions within few visits."""


@dataclass(frozen=True)
class Recipe:
    """What decides a run; two runs of one recipe on one corpus give the same weights.

    Attributes
    ----------
    seed
        Seed of the weights, the batches and the changes made to them.
    crops
        How many crops the network sees in all.
    identities
        Identities per batch; each gives two crops.
    learning_rate, weight_decay
        Of AdamW; the rate rises over the first steps, then falls along a cosine.
    margin
        Of the additive angular margin softmax, reached after half of the run.
    adults_frac, simulated_frac
        Shares of batches of adults and of simulated infants at the start. The last third of the run
        hears no adults, and half as many simulated infants.
    simulated_infants
        How many of them there are.
    same_take_frac
        Share of batches whose pairs are one crop in two rooms.
    swap
        Whether crops get other rooms and other recordings' backgrounds.
    trait_weight
        Weight of asking the embedding for the voice's traits (pitch, tract, jitter, breathiness).
    room_weight
        Weight of how far one crop's embeddings in two rooms lie apart.
    floor_db
        Dynamic range of the front end: what lies further under the loud frames is not heard.
    orthogonality_weight
        Weight of the variance that embeddings share with the background they were recorded with.
    """

    seed: int = 0
    crops: int = 240_000
    identities: int = 48
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    margin: float = 0.2
    adults_frac: float = 0.3
    simulated_frac: float = 0.2
    simulated_infants: int = N_INFANTS
    same_take_frac: float = 0.5
    swap: bool = True
    trait_weight: float = 1.0
    room_weight: float = 3.0
    floor_db: float = 30.0
    orthogonality_weight: float = 0.0

    @property
    def steps(self) -> int:
        """How many batches that is."""
        return math.ceil(self.crops / (2 * self.identities))

    def margin_at(self, done_frac: float) -> float:
        """Margin after a share of the run."""
        return self.margin * min(1.0, 2.0 * done_frac)

    def shares_at(self, done_frac: float) -> Shares:
        """Give what batches are likely to be after a share of the run."""
        rise = min(1.0, max(0.0, (done_frac - 0.5) * 6.0))
        adults = self.adults_frac * (1.0 - rise)
        simulated = self.simulated_frac * (1.0 - 0.5 * rise)
        return Shares(1.0 - adults - simulated, adults, simulated, self.same_take_frac)

    def learning_rate_at(self, step: int) -> float:
        """Learning rate of a step."""
        warm = min(1.0, (step + 1) / WARM_UP_STEPS)
        return self.learning_rate * warm * 0.5 * (1.0 + math.cos(math.pi * step / self.steps))


@dataclass(frozen=True)
class Losses:
    """Losses of one step before weighting; `rooms` is zero where no crop is heard in two."""

    margin_softmax: float
    prototypical: float
    traits: float
    rooms: float
    background: float


class Learner:
    """Network, centres of the identities, and optimiser.

    Parameters
    ----------
    recipe
        What decides the run.
    identities
        How many identities each group has.
    constructor
        Keyword arguments of the network.
    device
        ``cpu`` or ``cuda``.
    """

    def __init__(
        self,
        recipe: Recipe,
        identities: Mapping[str, int],
        constructor: Mapping[str, Any] = SMALL_CONSTRUCTOR,
        device: str = "cpu",
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.device = torch.device(device)
        # Centring and scaling the embedding keeps it from gathering around one direction; both are
        # folded into the network's last layer at the end.
        self.neck = torch.nn.BatchNorm1d(EMBEDDING_DIM, affine=False).to(self.device)
        self.network = build_ecapa(constructor).to(self.device)
        self.centres = {
            group: self._learnt(CENTRE_SCALE * torch.randn(count, EMBEDDING_DIM))
            for group, count in sorted(identities.items())
        }
        self.scale = self._learnt(torch.tensor(math.log(10.0)))
        self.bias = self._learnt(torch.tensor(0.0))
        self.ask = torch.nn.Linear(EMBEDDING_DIM, len(TARGETS)).to(self.device)
        free = [*self.centres.values(), self.scale, self.bias, *self.ask.parameters()]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": list(self.network.parameters()), "weight_decay": recipe.weight_decay},
                {"params": free, "weight_decay": 0.0},
            ],
            lr=recipe.learning_rate,
        )

    def _learnt(self, value: torch.Tensor) -> torch.nn.Parameter:
        return torch.nn.Parameter(value.to(self.device))

    def _tensor(self, array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    def embed(self, crops: Frames) -> torch.Tensor:
        """Embeddings of crops, unit length, with gradients."""
        mixed = self.device.type == "cuda"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=mixed):
            raw = self.network(self._tensor(crops))[:, 0]
        return functional.normalize(self.neck(raw.float()), dim=1)

    def learn(self, crops: Frames, batch: Batch, step: int) -> Losses:
        """Take one step.

        Parameters
        ----------
        crops
            The batch's crops as the network sees them, shape ``(2 * identities, frames, bands)``.
        batch
            Whose they are; its second half repeats the identities of the first.
        step
            Number of the step, which decides rate and margin.
        """
        for part in self.optimiser.param_groups:
            part["lr"] = self.recipe.learning_rate_at(step)
        self.network.train()
        self.neck.train()
        parts = self._losses(self.embed(crops), batch, step)
        softmax, pairs, traits, rooms, background = parts
        loss = (
            0.5 * softmax
            + 0.5 * pairs
            + self.recipe.trait_weight * traits
            + self.recipe.room_weight * rooms
            + self.recipe.orthogonality_weight * background
        )
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_NORM)
        self.optimiser.step()
        return Losses(*(part.item() for part in parts))

    def _losses(self, vectors: torch.Tensor, batch: Batch, step: int) -> tuple[torch.Tensor, ...]:
        half = len(vectors) // 2
        apart = 1.0 - (vectors[:half] * vectors[half:]).sum(dim=1).mean()
        margin = self.recipe.margin_at(step / self.recipe.steps)
        said = self.ask(vectors * math.sqrt(EMBEDDING_DIM))
        return (
            aam_softmax(vectors, self.centres[batch.group], self._tensor(batch.labels), margin),
            angular_prototypical(vectors[:half], vectors[half:], self.scale, self.bias),
            known_squared_error(said, self._tensor(batch.targets)),
            apart if batch.same_take else torch.zeros_like(apart),
            shared_variance(vectors, self._tensor(batch.nuisance)),
        )

    def _modules(self) -> dict[str, Any]:
        return {"network": self.network, "neck": self.neck, "ask": self.ask}

    def _parameters(self) -> dict[str, torch.nn.Parameter]:
        named = {f"centres.{group}": value for group, value in self.centres.items()}
        return {**named, "scale": self.scale, "bias": self.bias}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that a step changes."""
        result: dict[str, NDArray[Any]] = {}
        for prefix, module in self._modules().items():
            state = module.state_dict()
            result |= {f"{prefix}.{name}": _array(value) for name, value in state.items()}
        result |= {name: _array(value.detach()) for name, value in self._parameters().items()}
        for index, moments in self.optimiser.state_dict()["state"].items():
            result |= {f"adam.{index}.{key}": _array(value) for key, value in moments.items()}
        return result

    def load_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what :meth:`arrays` gave."""
        tensors = {name: torch.from_numpy(np.array(value)) for name, value in arrays.items()}
        for prefix, module in self._modules().items():
            module.load_state_dict(_under(prefix, tensors))
        with torch.no_grad():
            for name, parameter in self._parameters().items():
                parameter.copy_(tensors[name])
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in _under("adam", tensors).items():
            index, key = name.split(".", 1)
            moments.setdefault(int(index), {})[key] = value
        state = self.optimiser.state_dict()
        self.optimiser.load_state_dict({**state, "state": moments})

    def finished_weights(self) -> dict[str, NDArray[Any]]:
        """Weights of the network alone, with the neck folded into its last layer."""
        state = {name: _array(value) for name, value in self.network.state_dict().items()}
        mean = _array(self.neck.running_mean)  # type: ignore[arg-type]
        variance = _array(self.neck.running_var)  # type: ignore[arg-type]
        factor = 1.0 / np.sqrt(variance + self.neck.eps)
        state["fc.conv.weight"] = state["fc.conv.weight"] * factor[:, None, None]
        state["fc.conv.bias"] = (state["fc.conv.bias"] - mean) * factor
        return {name: widened(value) for name, value in state.items()}


def _array(tensor: torch.Tensor) -> NDArray[Any]:
    result: NDArray[Any] = tensor.detach().cpu().numpy().copy()
    return result


def _under(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    start = prefix + "."
    return {name[len(start) :]: v for name, v in tensors.items() if name.startswith(start)}
