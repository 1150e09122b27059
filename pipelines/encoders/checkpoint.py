"""Checkpoints: a safetensors file of weights, with its card and its graph beside it.

In: a path to the weights; the card has the same name and ends in ``.json``, the graph in ``.onnx``.
Out: a :class:`~pipelines.encoders.loaded.LoadedEncoder`. Guaranteed: every weight that the
constructor asks for is there in the right shape; nothing in any of the files is executed; a graph
that is damaged, or made from other weights, is refused.

The graph is what ONNX Runtime runs. A checkpoint whose card names none (an older one), or whose
graph is missing, is no worse off: its graph is written in memory from the weights, in milliseconds,
and is the same.
"""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from pipelines.encoders.ecapa import build_ecapa
from pipelines.encoders.graph import MADE_FROM, OPSET, onnx_graph
from pipelines.encoders.loaded import (
    EMBEDDING_DIM,
    FrameSource,
    LoadedEncoder,
    LogMelFrames,
    fingerprint_of,
    widened,
)
from pipelines.encoders.runtime import Network, OnnxNetwork, Runtime, TorchNetwork
from pipelines.encoders.shapes import DEFAULTS, check_weights
from pipelines.encoders.whitening import whitened_network, whitening_of, without_whitening
from pipelines.errors import ConfigError, CorruptArtefactError
from pipelines.frontend import FrontEnd

if TYPE_CHECKING:
    import torch

ARCHITECTURE = "speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN"
LARGEST_DIFFERENCE = 1e-5
"""What ONNX Runtime and torch may differ by, of the largest number of an embedding."""


def load_checkpoint(
    weights: Path, runtime: Runtime = "onnxruntime", threads: int | None = None
) -> LoadedEncoder:
    """Load weights, card and graph.

    Parameters
    ----------
    weights
        A ``.safetensors`` file of float16 or float32 arrays.
    runtime, threads
        See :func:`pipelines.embed.load_encoder`.

    Raises
    ------
    ConfigError
        A file is missing, or the card asks for what is not supported.
    CorruptArtefactError
        The weights are damaged, or not those that the card describes; or the graph is.
    """
    card = read_card(weights)
    content = _read_weights(weights, card)
    arrays = _arrays_in(content, weights)
    frame_source = _frame_source(weights, card)
    check_weights(without_whitening(arrays), card["constructor"], weights)
    network = _stored_network(weights, card, content, threads) if runtime != "torch" else None
    return LoadedEncoder(
        name=str(card.get("name", weights.stem)),
        license=str(card.get("license", "unknown")),
        fingerprint=fingerprint_of(arrays, frame_source),
        network=network or made_network(arrays, card["constructor"], weights, runtime, threads),
        frame_source=frame_source,
        heard_infants=frozenset(card["heard_infants"]) if "heard_infants" in card else None,
    )


def made_network(
    arrays: Mapping[str, NDArray[Any]],
    constructor: Mapping[str, Any],
    weights: Path,
    runtime: Runtime = "onnxruntime",
    threads: int | None = None,
) -> Network:
    """Make a network from its arrays alone, for either runtime.

    Raises
    ------
    ConfigError
        The constructor describes no network.
    CorruptArtefactError
        A weight is missing, superfluous or of another shape.
    """
    check_weights(without_whitening(arrays), constructor, weights)
    if runtime == "torch":
        return TorchNetwork(network_with(arrays, constructor, weights))
    return OnnxNetwork(onnx_graph(arrays, constructor, weights), weights, threads)


def _stored_network(
    weights: Path, card: Mapping[str, Any], content: bytes, threads: int | None
) -> OnnxNetwork | None:
    """Return the network of the graph that lies beside the weights, or None where there is none."""
    path, wanted = weights.with_suffix(".onnx"), card.get("onnx_sha256")
    if wanted is None or not path.exists():
        return None
    try:
        graph = path.read_bytes()
    except OSError as error:
        message = f"the graph {path} cannot be read: {error}"
        raise ConfigError(message) from error
    if _sha256(graph) != wanted:
        raise CorruptArtefactError(path, "the checksum is not the one in the card")
    network = OnnxNetwork(graph, path, threads)
    if network.metadata.get(MADE_FROM) != _sha256(content):
        raise CorruptArtefactError(path, f"not made from {weights.name}")
    return network


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


def _frame_source(weights: Path, card: Mapping[str, Any]) -> FrameSource:
    if "filterbank" in card["front_end"]:
        from pipelines.encoders.hub import frames_of_card  # the hub imports this module

        return frames_of_card(card["front_end"])
    return LogMelFrames(_front_end(weights, card))


def _front_end(weights: Path, card: Mapping[str, Any]) -> FrontEnd:
    try:
        return FrontEnd.from_card(card["front_end"])
    except (KeyError, TypeError, ValueError) as error:
        message = f"the card of {weights.name} has a front end that cannot be used: {error}"
        raise ConfigError(message) from error


def _read_weights(weights: Path, card: Mapping[str, Any]) -> bytes:
    try:
        content = weights.read_bytes()
    except OSError as error:
        message = f"the weights {weights} cannot be read: {error}"
        raise ConfigError(message) from error
    wanted = card.get("weights_sha256")
    if wanted is not None and _sha256(content) != wanted:
        raise CorruptArtefactError(weights, "the checksum is not the one in the card")
    return content


def _arrays_in(content: bytes, weights: Path) -> dict[str, NDArray[Any]]:
    try:
        return dict(load(content))
    except SafetensorError as error:
        raise CorruptArtefactError(weights, f"not a safetensors file: {error}") from error


def network_with(
    arrays: Mapping[str, NDArray[Any]], constructor: Mapping[str, Any], weights: Path
) -> "torch.nn.Module":
    """Build the network in torch, put the weights in, whiten where they say how, and evaluate.

    Raises
    ------
    CorruptArtefactError
        A weight is missing, superfluous or of another shape.
    """
    import torch  # only where torch runs

    whitening = whitening_of(arrays, weights)
    network = build_ecapa(constructor)
    own = without_whitening(arrays)
    state = {name: torch.from_numpy(np.array(widened(array))) for name, array in own.items()}
    try:
        network.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise CorruptArtefactError(weights, f"not the weights of its card: {error}") from error
    if whitening is not None:
        network = whitened_network(network, *whitening)
    return network.eval().requires_grad_(requires_grad=False)


def save_checkpoint(
    weights: Path, arrays: Mapping[str, NDArray[Any]], card: Mapping[str, Any]
) -> None:
    """Write weights as float16, the graph, and the card that holds the checksums of both.

    Parameters
    ----------
    weights
        Where the weights shall stand; graph and card get the same name with another ending.
    arrays
        All weights, and ``whitening.mean`` and ``whitening.matrix`` where embeddings are whitened.
    card
        At least ``architecture``, ``constructor`` and ``front_end``.

    Raises
    ------
    ConfigError
        The constructor describes no network, or its graph computes something else than torch.
    CorruptArtefactError
        A weight is missing, superfluous or of another shape.
    """
    stored = {
        name: array.astype(np.float16) if np.issubdtype(array.dtype, np.floating) else array
        for name, array in arrays.items()
    }
    content = save(stored)
    made_from = {MADE_FROM: _sha256(content)}
    check_weights(without_whitening(stored), card["constructor"], weights)
    graph = onnx_graph(stored, card["constructor"], weights, made_from)
    _check_graph(graph, stored, card["constructor"], weights)
    made_by = {"opset": OPSET, "onnx": version("onnx"), "onnxruntime": version("onnxruntime")}
    full = {**card, "weights_sha256": _sha256(content), "onnx_sha256": _sha256(graph)}
    full["onnx_made_by"] = made_by
    weights.parent.mkdir(parents=True, exist_ok=True)
    _replace(weights, content)
    _replace(weights.with_suffix(".onnx"), graph)
    _replace(weights.with_suffix(".json"), (json.dumps(full, indent=1) + "\n").encode())


def _check_graph(
    graph: bytes,
    arrays: Mapping[str, NDArray[Any]],
    constructor: Mapping[str, Any],
    weights: Path,
) -> None:
    """Compare the graph with torch on two units of noise, before anybody relies on it."""
    bands = int(constructor.get("input_size", DEFAULTS["input_size"]))
    frames = 10.0 * np.random.default_rng(0).standard_normal((2, 48, bands), dtype=np.float32)
    reference = TorchNetwork(network_with(arrays, constructor, weights))(frames)
    away = np.abs(OnnxNetwork(graph, weights)(frames) - reference).max()
    if not away <= LARGEST_DIFFERENCE * max(1.0, float(np.abs(reference).max())):
        message = f"the graph of {weights.name} differs from torch by {away:.2g}"
        raise ConfigError(message)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(content)
    temporary.replace(path)
