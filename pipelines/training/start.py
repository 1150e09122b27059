"""Training: the checkpoint that fine-tuning starts from, taken apart, and the one that it ends in.

In: an encoder's name as everywhere (``bundled``, a path, a folder, a hub name). Out: weights,
constructor, front end and card apart, so that they can be trained on and written again. Guaranteed:
what is written is loaded by `pipelines.embed.load_encoder`, with the same front end; whom the start
is known to have heard stays known.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from huggingface_hub import try_to_load_from_cache
from numpy.typing import NDArray
from safetensors.numpy import load_file

from pipelines.embed import load_encoder
from pipelines.encoders import hub
from pipelines.encoders.checkpoint import ARCHITECTURE, load_checkpoint, read_card
from pipelines.encoders.loaded import FrameSource, LoadedEncoder, infant_digest, widened
from pipelines.encoders.table import BUNDLED, HUB_ENCODERS
from pipelines.encoders.whitening import MATRIX, MEAN, whitening_of, without_whitening
from pipelines.errors import ConfigError
from pipelines.training.whitening import Whitening

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Start:
    """An encoder taken apart.

    Attributes
    ----------
    name, license, fingerprint
        As its card or its hub states them; the fingerprint of the whole encoder.
    arrays
        Weights of the network alone, float32.
    constructor
        Keyword arguments of the network.
    frame_source
        What makes its frames.
    whitening
        None where it has none.
    heard_infants
        Digests of the infants that it was trained on; None where nothing says so.
    card
        Its card; empty where it has none.
    """

    name: str
    license: str
    fingerprint: str
    arrays: Arrays
    constructor: Mapping[str, Any]
    frame_source: FrameSource
    whitening: Whitening | None = None
    heard_infants: frozenset[str] | None = None
    card: Mapping[str, Any] = field(default_factory=dict)


def load_start(spec: str, cache_dir: Path | None = None) -> Start:
    """Take an encoder apart.

    Parameters
    ----------
    spec, cache_dir
        See :func:`pipelines.embed.load_encoder`.

    Raises
    ------
    ConfigError
        Nothing of that name, or a hub that cannot be reached.
    CorruptArtefactError
        The weights are damaged.
    """
    load_encoder(spec, cache_dir)  # checks it as a whole, and fetches what a hub has
    path = BUNDLED if spec == "bundled" else Path(spec)
    if path.is_dir() and not (path / hub.HYPERPARAMETERS).exists():
        (path,) = path.glob("*.safetensors")
    if path.suffix == ".safetensors":
        return _of_checkpoint(path)
    name = None if path.is_dir() else hub.parse_hub_name(spec)
    if name is None:
        return _of_hub(path, hub.load_hub_folder(path, path.name))
    return _of_hub(_cached(name, cache_dir), hub.load_from_hub(name, cache_dir))


def _of_checkpoint(weights: Path) -> Start:
    loaded, card = load_checkpoint(weights), read_card(weights)
    arrays = {name: widened(array) for name, array in load_file(weights).items()}
    found = whitening_of(arrays, weights)
    whitening = None if found is None else Whitening(*found)
    return _start(loaded, without_whitening(arrays), card["constructor"], whitening, card)


def _of_hub(folder: Path, loaded: LoadedEncoder) -> Start:
    state = torch.load(folder / hub.WEIGHTS, map_location="cpu", weights_only=True)
    arrays = {name: np.array(tensor.numpy()) for name, tensor in state.items()}
    constructor = hub.read_constructor(folder / hub.HYPERPARAMETERS)
    return _start(loaded, arrays, constructor, None, {})


def _cached(name: hub.HubName, cache_dir: Path | None) -> Path:
    """Find the folder into which a hub's files have been fetched."""
    found = try_to_load_from_cache(name.repository, hub.HYPERPARAMETERS, cache_dir, name.revision)
    if not isinstance(found, str):
        message = f"{name} is not in the cache"
        raise ConfigError(message)
    return Path(found).parent


def _start(
    loaded: LoadedEncoder,
    arrays: Arrays,
    constructor: Mapping[str, Any],
    whitening: Whitening | None,
    card: Mapping[str, Any],
) -> Start:
    return Start(
        name=loaded.name,
        license=loaded.license,
        fingerprint=loaded.fingerprint,
        arrays=arrays,
        constructor=constructor,
        frame_source=loaded.frame_source,
        whitening=whitening,
        heard_infants=loaded.heard_infants,
        card=card,
    )


_OF_THE_START = frozenset(
    # These are said of the start's own weights and training, and hold of nothing else.
    {
        "choices",
        "figures_on_held_out_infants",
        "held_out",
        "onnx_made_by",
        "onnx_sha256",
        "training",
        "weights_sha256",
    }
)


def stored(arrays: Arrays, whitening: Whitening | None) -> Arrays:
    """Put weights and whitening together as a checkpoint holds them, rounded as it rounds them."""
    added = {} if whitening is None else {MEAN: whitening.mean, MATRIX: whitening.matrix}
    return {name: _rounded(array) for name, array in {**arrays, **added}.items()}


def _rounded(array: NDArray[Any]) -> NDArray[Any]:
    floating = np.issubdtype(array.dtype, np.floating)
    return array.astype(np.float16).astype(np.float32) if floating else array


def card_of(start: Start, facts: Mapping[str, Any], heard: Iterable[str]) -> dict[str, Any]:
    """Write the card of what was fine-tuned from a start.

    Parameters
    ----------
    start
        What it was fine-tuned from; everything in its card that still holds is kept.
    facts
        What is said of the fine-tuned encoder instead.
    heard
        Identifiers of the infants that it was fine-tuned on, validation included.
    """
    kept = {name: value for name, value in start.card.items() if name not in _OF_THE_START}
    card = {
        **kept,
        "architecture": ARCHITECTURE,
        "constructor": dict(start.constructor),
        "front_end": kept.get("front_end") or start.frame_source.description(),
        **facts,
    }
    known = start.heard_infants
    if known is None and start.name.partition("@")[0] in HUB_ENCODERS:
        known = frozenset()  # trained on adults
    if known is not None:
        card["heard_infants"] = sorted(known | {infant_digest(name) for name in heard})
    return card
