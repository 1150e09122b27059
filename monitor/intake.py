"""Intake: sound of any rate and number of channels becomes 16 kHz, mono, 16 bits.

What comes in: raw bytes, 16 bits, little endian, in pieces of any length. What goes out: blocks of
samples. Guaranteed: the pieces' borders leave no trace; nothing is held but a part of a sample and
what the resampler needs; nothing is loaded for resampling where the rate is right already.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

RATE_HZ = 16_000
BLOCK_BYTES = 2**16
LOWEST = -32_767
"""So that no sample is further from zero than full scale; encoding could not give it back."""


def blocks_of(pieces: Iterable[bytes], rate_hz: int, channels: int = 1) -> Iterator[Samples]:
    """Yield what raw sound becomes; half a sample at its end is dropped."""
    size, rest = 2 * channels, b""
    resampler = None if rate_hz == RATE_HZ else _resampler(rate_hz)
    for piece in pieces:
        whole = rest + piece
        rest = whole[len(whole) // size * size :]
        mono = _mono(whole[: len(whole) - len(rest)], channels)
        block = mono if resampler is None else _resampled(resampler, mono)
        if len(block):
            yield np.maximum(block, LOWEST)
    if resampler is not None:
        tail = _resampled(resampler, np.empty(0, np.int16), is_last=True)
        if len(tail):
            yield np.maximum(tail, LOWEST)


def _mono(raw: bytes, channels: int) -> Samples:
    samples = np.frombuffer(raw, "<i2")
    if channels == 1:
        return samples
    return np.round(samples.reshape(-1, channels).mean(axis=1)).astype(np.int16)


def _resampler(rate_hz: int) -> Any:  # noqa: ANN401  published without types
    import soxr

    return soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="int16", quality="HQ")


def _resampled(resampler: Any, block: Samples, *, is_last: bool = False) -> Samples:  # noqa: ANN401
    return np.asarray(resampler.resample_chunk(np.ascontiguousarray(block), last=is_last))
