"""Networks of random weights that are as unlike a fresh one as a trained network is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.encoders.checkpoint import ARCHITECTURE, save_checkpoint
from pipelines.encoders.ecapa import build_ecapa
from pipelines.encoders.whitening import MATRIX, MEAN
from pipelines.frontend import FrontEnd

TINY: Mapping[str, Any] = {
    "input_size": 80,
    "lin_neurons": 192,
    "channels": [16, 16, 16, 16, 48],
    "attention_channels": 8,
    "se_channels": 8,
}
Arrays = dict[str, NDArray[Any]]


def random_arrays(
    constructor: Mapping[str, Any] = TINY, seed: int = 0, *, signs: bool = True
) -> Arrays:
    """Weights whose batch norms shift, scale and, with signs, turn channels over."""
    torch.manual_seed(seed)
    network = build_ecapa(constructor)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm1d):
                module.running_mean.normal_(0.0, 0.3)
                module.running_var.uniform_(0.5, 2.0)
                module.bias.normal_(0.0, 0.2)
                module.weight.uniform_(0.5, 1.5)
                if signs:
                    module.weight.mul_(torch.randn_like(module.weight).sign())
    return {name: value.detach().numpy() for name, value in network.state_dict().items()}


def random_whitening(seed: int = 0) -> Arrays:
    rng = np.random.default_rng(seed)
    matrix = np.eye(192) + 0.1 * rng.normal(size=(192, 192))
    mean = 0.05 * rng.normal(size=192)
    return {MEAN: mean.astype(np.float32), MATRIX: matrix.astype(np.float32)}


def card_of(constructor: Mapping[str, Any] = TINY) -> dict[str, Any]:
    return {
        "architecture": ARCHITECTURE,
        "constructor": dict(constructor),
        "front_end": FrontEnd(global_mel_mean_db=(0.0,) * 80).to_card(),
        "name": "tiny",
    }


def saved(folder: Path, arrays: Arrays, constructor: Mapping[str, Any] = TINY) -> Path:
    path = folder / "tiny.safetensors"
    save_checkpoint(path, arrays, card_of(constructor))
    return path
