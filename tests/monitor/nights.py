"""Nights for the monitor's tests: short files of crying in a room, no two with the same bytes."""

import hashlib
import os
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitor.listen import RATE_HZ, Listener
from monitor.sources import SETTLED_S
from pipelines.sound import Sound, wav_bytes
from pipelines.synthesis import InfantVoice, synthesise_cry

Samples = NDArray[np.int16]

BOUTS_S = (2.0, 3.0)


def room(duration_s: float, seed: int) -> NDArray[np.float32]:
    """Return the noise of a quiet room."""
    rng = np.random.default_rng(seed)
    return (0.002 * rng.standard_normal(int(duration_s * RATE_HZ))).astype(np.float32)


@cache
def _bout(seed: int) -> NDArray[np.float32]:
    return synthesise_cry(InfantVoice(), seed, BOUTS_S[seed % 2]).sound.samples.astype(np.float32)


def a_night(number: int) -> Samples:
    """Return some seconds of a night with one or two bouts of crying."""
    parts = [room(1.0, number)]
    for bout in range(1 + number % 2):
        parts += [_bout((number + bout) % 4), room(5.5, 100 + number + bout)]
    whole = np.concatenate(parts) * (1.0 - 0.001 * (number % 500))
    return np.round(whole * 32_767.0).astype(np.int16)


def content_of(samples: Samples) -> bytes:
    """Return samples as a WAV file."""
    return wav_bytes(Sound(samples.astype(np.float32) / np.float32(32_767.0), RATE_HZ))


def put_night(folder: Path, number: int) -> tuple[Path, set[str]]:
    """Write a night into a folder, as it was some time ago; return it and the keys of its cries."""
    samples = a_night(number)
    content = content_of(samples)
    path = folder / f"night-{number:04}.wav"
    draft = path.with_suffix(".draft")
    draft.write_bytes(content)
    long_ago = time.time() - 10 * SETTLED_S
    os.utime(draft, (long_ago, long_ago))
    draft.replace(path)
    return path, set(_keys(content, samples))


def _keys(content: bytes, samples: Samples) -> Iterator[str]:
    """Tell, without the client, what the client shall find in a night."""
    identity = hashlib.sha256(content).hexdigest()[:32]
    listener = Listener()
    for take in [*listener.hear(samples), *listener.end()]:
        yield f"{identity}-{take.first}"
