"""Control: a network of the same shape that has learnt nothing.

In: an encoder's name. Out: the same encoder with weights drawn at random. Guaranteed: seeded; the
front end stays, and what the training left besides weights (running statistics, whitening) is
gone. What this network tells, the front end and the shape tell: only the rest was learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from pipelines.embed import Encoder
from pipelines.encoders.checkpoint import load_checkpoint, made_network, read_card
from pipelines.encoders.table import BUNDLED
from pipelines.encoders.whitening import without_whitening

Arrays = Mapping[str, NDArray[Any]]


def untrained_encoder(spec: str, seed: int = 0) -> Encoder | None:
    """Load an encoder and draw its weights anew.

    Parameters
    ----------
    spec
        ``bundled``, or a path to a ``.safetensors`` file with its card beside it.
    seed
        Draws the weights.

    Returns
    -------
    Encoder or None
        None for an encoder of another kind, of which there is no card to build it by.

    Raises
    ------
    ConfigError, CorruptArtefactError
        As :func:`pipelines.embed.load_encoder` has them.
    """
    path = BUNDLED if spec == "bundled" else Path(spec)
    if path.suffix != ".safetensors":
        return None
    loaded = load_checkpoint(path)
    drawn = draw_weights(without_whitening(load_file(path)), seed)
    network = made_network(drawn, read_card(path)["constructor"], path)
    fingerprint = f"random-{seed}"
    return Encoder(
        replace(loaded, name="random", fingerprint=fingerprint, network=network, heard_infants=None)
    )


def draw_weights(arrays: Arrays, seed: int) -> dict[str, NDArray[np.float32]]:
    """Draw weights as torch draws those of a new network.

    Parameters
    ----------
    arrays
        Weights by their names; only names and shapes are looked at.
    seed
        Draws them.

    References
    ----------
    He, Zhang, Ren, Sun (2015), Delving deep into rectifiers: the range of the uniform weights.
    """
    rng = np.random.default_rng(seed)
    return {name: _drawn(name, arrays, rng) for name in sorted(arrays)}


def _drawn(name: str, arrays: Arrays, rng: np.random.Generator) -> NDArray[np.float32]:
    layer, _, kind = name.rpartition(".")
    shape = arrays[name].shape
    if f"{layer}.running_mean" in arrays:  # a normalisation starts by changing nothing
        return np.full(shape, 1.0 if kind in {"weight", "running_var"} else 0.0, dtype=np.float32)
    most = 1.0 / np.sqrt(np.prod(arrays[f"{layer}.weight"].shape[1:]))
    return rng.uniform(-most, most, shape).astype(np.float32)
