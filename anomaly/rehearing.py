"""Rehearing: embeddings made anew from stored audio, by an encoder that may not be in use yet.

What comes in: recordings that have their cries, and an encoder. What goes out: the embeddings of
those whose audio is there as it was uploaded, and for all others why there are none. Guaranteed:
nothing is written and nothing guessed; no embedding depends on its batch.
"""

import datetime as dt
import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from infants.errors import AudioCorruptError, AudioMissingError
from infants.models import Recording
from infants.stages.embed import BATCH_RECORDINGS, Heard
from infants.storage import read_audio
from pipelines.embed import Encoder, load_encoder
from pipelines.errors import DecodeError
from pipelines.segment import Unit
from pipelines.sound import decode, peak_normalise, resample

Told = Callable[[int], None]


class Obstacle(enum.StrEnum):
    """Why a recording cannot be heard again."""

    ERASED = "audio_erased"
    MISSING = "audio_missing"
    CORRUPT = "audio_corrupt"
    UNDECODABLE = "undecodable"


@dataclass(frozen=True)
class Embedded:
    """A recording's embeddings, shape (units, 192), and the encoder that made them."""

    encoder: str
    units: NDArray[np.float32]


@dataclass(frozen=True)
class Unheard:
    """A recording that cannot be heard again, and why."""

    recording: UUID
    recorded_at: dt.datetime
    reason: Obstacle


def nobody(_moved: int) -> None:
    """Stand in where nobody listens to the progress."""


def embed_again(
    recordings: Sequence[Recording], encoder: Encoder, told: Told = nobody
) -> tuple[dict[UUID, Embedded], list[Unheard]]:
    """Embed recordings from their audio; writes nothing. `told` hears of each batch's size."""
    embedded: dict[UUID, Embedded] = {}
    unheard: list[Unheard] = []
    for start in range(0, len(recordings), BATCH_RECORDINGS):
        batch = recordings[start : start + BATCH_RECORDINGS]
        heard = {recording.id: _hear(recording) for recording in batch}
        sounds = {id_: found for id_, found in heard.items() if not isinstance(found, Unheard)}
        arrays = encoder.embed(list(sounds.values()))
        for id_, units in zip(sounds, arrays, strict=True):
            embedded[id_] = Embedded(encoder.fingerprint, units)
        unheard += [found for found in heard.values() if isinstance(found, Unheard)]
        told(len(batch))
    return embedded, unheard


def _hear(recording: Recording) -> Heard | Unheard:
    """Return a recording's sound and units, or why they cannot be had."""
    if recording.audio_erased_at is not None:
        return _unheard(recording, Obstacle.ERASED)
    try:
        sound = peak_normalise(resample(decode(read_audio(recording))[0]))
    except AudioMissingError:
        return _unheard(recording, Obstacle.MISSING)
    except AudioCorruptError:
        return _unheard(recording, Obstacle.CORRUPT)
    except DecodeError:
        return _unheard(recording, Obstacle.UNDECODABLE)
    cries = sorted(recording.cries.all(), key=lambda cry: cry.index)
    return sound, [Unit(cry.onset_s, cry.offset_s) for cry in cries]


def _unheard(recording: Recording, reason: Obstacle) -> Unheard:
    return Unheard(recording.id, recording.recorded_at, reason)


def encoder_named(name: str) -> Encoder:
    """Load an encoder by the name that `ICLAS_ENCODER` would have, run as this installation runs.

    PipelineError where there is none of that name, or it is damaged.
    """
    return load_encoder(
        name,
        cache_dir=settings.ICLAS_HOME.encoders,
        threads=settings.ICLAS_WORKER_THREADS,
        runtime=settings.ICLAS_ENCODER_RUNTIME,
    )
