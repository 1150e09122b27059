"""What loading an encoder gives, whatever it was loaded from.

In: a network and what turns recordings into its frames. Out: one value that `pipelines.embed` runs.
Guaranteed: the fingerprint changes with any weight and with anything in the front end.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipelines.frontend import (
    Frames,
    FrontEnd,
    HasSamples,
    HasTimes,
    frame_span,
    log_mel,
    normalise_unit,
)

if TYPE_CHECKING:
    import torch

    from pipelines.encoders.runtime import Network

EMBEDDING_DIM = 192
FRAME_STEP = 16
"""Unit lengths are rounded to whole steps of this many frames (10 ms each)."""


class FrameSource(Protocol):
    """Turns the cry units of one recording into what a network takes in."""

    def unit_frames(self, sound: HasSamples, units: Sequence[HasTimes]) -> list[Frames]:
        """Frames of each unit, shape ``(frames, bands)``."""

    def description(self) -> dict[str, Any]:
        """All parameters, as JSON can hold them."""


@dataclass(frozen=True)
class LogMelFrames:
    """Frames of the bundled encoder and its kin: the numpy front end, globally normalised."""

    front_end: FrontEnd

    def unit_frames(self, sound: HasSamples, units: Sequence[HasTimes]) -> list[Frames]:
        """Cut units out of the log-mel frames of the whole recording."""
        if not units:
            return []
        level_db = log_mel(sound, self.front_end)
        hop = self.front_end.hop
        spans = [frame_span(unit, len(level_db), FRAME_STEP, hop) for unit in units]
        return [normalise_unit(level_db[start:stop], self.front_end) for start, stop in spans]

    def description(self) -> dict[str, Any]:
        """Parameters of the front end, and how units are cut."""
        return {**self.front_end.to_card(), "frame_step": FRAME_STEP}


@dataclass(frozen=True)
class LoadedEncoder:
    """A network ready to run, and where it comes from.

    Attributes
    ----------
    name, license
        As its card or its hub states them.
    fingerprint
        16 hexadecimal digits over all weights and the front end.
    network
        What runs on frames (see :mod:`pipelines.encoders.runtime`), or a module of torch from
        ``(n, frames, bands)`` to ``(n, 1, 192)`` in evaluation mode.
    frame_source
        What makes its frames.
    heard_infants
        Digests of the infants it was trained on; None where its card does not say.
    """

    name: str
    license: str
    fingerprint: str
    network: "Network | torch.nn.Module"
    frame_source: FrameSource
    heard_infants: frozenset[str] | None = None

    def heard(self, infant: str) -> bool | None:
        """Say whether the encoder was trained on this infant; None where its card does not say."""
        if self.heard_infants is None:
            return None
        return infant_digest(infant) in self.heard_infants


def widened(array: NDArray[Any]) -> NDArray[Any]:
    """Give floating-point weights as float32, whatever they were stored as; others as they are."""
    floating = np.issubdtype(array.dtype, np.floating)
    return array.astype(np.float32) if floating else array


def fingerprint_of(arrays: Mapping[str, NDArray[Any]], frame_source: FrameSource) -> str:
    """Digest of weights and front end, short enough to stand beside every stored embedding."""
    digest = hashlib.sha256(json.dumps(frame_source.description(), sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(widened(arrays[name]))
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def infant_digest(infant: str) -> str:
    """Digest that stands for an infant's identifier in a card."""
    return hashlib.sha256(infant.encode()).hexdigest()[:16]
