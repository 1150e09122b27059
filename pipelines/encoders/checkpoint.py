"""Checkpoints: a safetensors file of weights with its card beside it.

In: a path to the weights; the card has the same name and ends in ``.json``. Out: a
:class:`~pipelines.encoders.loaded.LoadedEncoder`. Guaranteed: every weight that the constructor
asks for is there in the right shape; nothing in either file is executed.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from pipelines.encoders.ecapa import build_ecapa
from pipelines.encoders.loaded import (
    EMBEDDING_DIM,
    LoadedEncoder,
    LogMelFrames,
    fingerprint_of,
    widened,
)
from pipelines.errors import ConfigError, CorruptArtefactError
from pipelines.frontend import FrontEnd

if TYPE_CHECKING:
    import torch

ARCHITECTURE = "speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN"


def load_checkpoint(weights: Path) -> LoadedEncoder:
    """Load weights and card.

    Parameters
    ----------
    weights
        A ``.safetensors`` file of float16 or float32 arrays.

    Raises
    ------
    ConfigError
        A file is missing, or the card asks for what is not supported.
    CorruptArtefactError
        The weights are damaged, or not those that the card describes.
    """
    card = read_card(weights)
    arrays = _read_arrays(weights, card)
    frame_source = LogMelFrames(_front_end(weights, card))
    return LoadedEncoder(
        name=str(card.get("name", weights.stem)),
        license=str(card.get("license", "unknown")),
        fingerprint=fingerprint_of(arrays, frame_source),
        network=network_with(arrays, card["constructor"], weights),
        frame_source=frame_source,
        heard_infants=frozenset(card["heard_infants"]) if "heard_infants" in card else None,
    )


def read_card(weights: Path) -> dict[str, Any]:
    """Read the card that lies beside the weights."""
    path = weights.with_suffix(".json")
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        message = f"{weights} has no card {path.name} beside it"
        raise ConfigError(message) from error
    except (OSError, ValueError) as error:
        message = f"the card {path} cannot be read: {error}"
        raise ConfigError(message) from error
    missing = {"architecture", "constructor", "front_end"} - set(card)
    if missing or card["architecture"] != ARCHITECTURE:
        message = f"the card {path} describes no {ARCHITECTURE} (missing: {sorted(missing)})"
        raise ConfigError(message)
    if card["constructor"].get("lin_neurons", EMBEDDING_DIM) != EMBEDDING_DIM:
        message = f"the card {path} describes no embedding of {EMBEDDING_DIM} dimensions"
        raise ConfigError(message)
    return dict(card)


def _front_end(weights: Path, card: Mapping[str, Any]) -> FrontEnd:
    try:
        return FrontEnd.from_card(card["front_end"])
    except (KeyError, TypeError, ValueError) as error:
        message = f"the card of {weights.name} has a front end that cannot be used: {error}"
        raise ConfigError(message) from error


def _read_arrays(weights: Path, card: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    try:
        content = weights.read_bytes()
    except OSError as error:
        message = f"the weights {weights} cannot be read: {error}"
        raise ConfigError(message) from error
    wanted = card.get("weights_sha256")
    if wanted is not None and hashlib.sha256(content).hexdigest() != wanted:
        raise CorruptArtefactError(weights, "the checksum is not the one in the card")
    try:
        return dict(load(content))
    except SafetensorError as error:
        raise CorruptArtefactError(weights, f"not a safetensors file: {error}") from error


def network_with(
    arrays: Mapping[str, NDArray[Any]], constructor: Mapping[str, Any], weights: Path
) -> "torch.nn.Module":
    """Build the network, put the weights in, and set it to evaluation.

    Raises
    ------
    CorruptArtefactError
        A weight is missing, superfluous or of another shape.
    """
    import torch  # only when an encoder is loaded

    network = build_ecapa(constructor)
    state = {name: torch.from_numpy(np.array(widened(array))) for name, array in arrays.items()}
    try:
        network.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise CorruptArtefactError(weights, f"not the weights of its card: {error}") from error
    return network.eval().requires_grad_(requires_grad=False)


def save_checkpoint(
    weights: Path, arrays: Mapping[str, NDArray[Any]], card: Mapping[str, Any]
) -> None:
    """Write weights as float16 and the card beside them, with the weights' checksum in it."""
    stored = {
        name: array.astype(np.float16) if np.issubdtype(array.dtype, np.floating) else array
        for name, array in arrays.items()
    }
    content = save(stored)
    weights.parent.mkdir(parents=True, exist_ok=True)
    full = {**card, "weights_sha256": hashlib.sha256(content).hexdigest()}
    _replace(weights, content)
    _replace(weights.with_suffix(".json"), (json.dumps(full, indent=1) + "\n").encode())


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(content)
    temporary.replace(path)
