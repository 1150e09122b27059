"""Embed: which point in the 192-d identity space each cry unit is.

What comes in: recordings in state `segmented`. What goes out: an L2-normalised embedding on every
cry with the fingerprint of the encoder that made it, state `embedded`. Guaranteed: recordings are
embedded in batches, but no embedding depends on its batch; the encoder is loaded once a process.
"""

import functools
import logging
from collections.abc import Iterator, Sequence
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from numpy.typing import NDArray

from infants.arrays import to_bytes
from infants.errors import AudioCorruptError, AudioMissingError
from infants.leases import Lease, leased
from infants.models import Cry, Infant, Recording
from infants.states import Reason, State
from infants.storage import erase_audio, read_audio
from pipelines.embed import Encoder, load_encoder
from pipelines.segment import Unit
from pipelines.sound import Sound, decode, peak_normalise, resample

log = logging.getLogger(__name__)
BATCH_RECORDINGS = 16
Heard = tuple[Sound, list[Unit]]


@functools.cache
def encoder() -> Encoder:
    """Return the encoder that this installation is configured for."""
    return load_encoder(
        settings.ICLAS_ENCODER,
        cache_dir=settings.ICLAS_HOME.encoders,
        threads=settings.ICLAS_WORKER_THREADS,
        runtime=settings.ICLAS_ENCODER_RUNTIME,
    )


def embed_recordings(ids: Sequence[UUID]) -> None:
    """Embed those of the recordings that wait for it; commits one by one, idempotent."""
    with leased(ids, State.SEGMENTED) as lease:
        if lease.recordings:
            encoder()  # seconds, in which a worker may be stopped: no recording's fault
        for batch in list(_batches(lease.recordings)):
            lease.begin(batch)
            _embed_batch(lease, batch)


def _batches(recordings: Sequence[Recording]) -> Iterator[Sequence[Recording]]:
    """Yield batches; what was tried before in vain goes alone, so that it takes no other down."""
    fresh = [recording for recording in recordings if recording.attempts == 0]
    for start in range(0, len(fresh), BATCH_RECORDINGS):
        yield fresh[start : start + BATCH_RECORDINGS]
    yield from ([recording] for recording in recordings if recording.attempts)


def _embed_batch(lease: Lease, recordings: Sequence[Recording]) -> None:
    present = [(r, heard) for r in recordings if (heard := _hear(lease, r)) is not None]
    vectors = encoder().embed([heard for _, heard in present])
    for (recording, _), embeddings in zip(present, vectors, strict=True):
        _write(lease, recording, embeddings)


def _hear(lease: Lease, recording: Recording) -> Heard | None:
    """Return a recording's sound and units, or None once it has been failed by name."""
    try:
        content = read_audio(recording)
    except AudioMissingError as error:
        lease.fail(recording, Reason.AUDIO_MISSING, str(error))
        return None
    except AudioCorruptError as error:
        lease.fail(recording, Reason.AUDIO_CORRUPT, str(error))
        return None
    sound = peak_normalise(resample(decode(content)[0]))
    return sound, [Unit(cry.onset_s, cry.offset_s) for cry in recording.cries.all()]


def _write(lease: Lease, recording: Recording, embeddings: NDArray[np.float32]) -> None:
    cries = list(recording.cries.order_by("index"))
    for cry, embedding in zip(cries, embeddings, strict=True):
        cry.embedding, cry.encoder = to_bytes(embedding), encoder().fingerprint
    with transaction.atomic():
        Cry.objects.bulk_update(cries, ["embedding", "encoder"])
        lease.advance(recording, State.EMBEDDED)
        if _erasable(recording):
            transaction.on_commit(lambda: _erase(recording))


def _erase(recording: Recording) -> None:
    """Erase the audio now; where that cannot be, the hourly round does."""
    try:
        erase_audio(recording, timezone.now())
    except OSError as error:
        log.warning("audio of recording %s is erased later: %s", recording.id, type(error).__name__)


def _erasable(recording: Recording) -> bool:
    """Tell whether the infant's policy keeps no audio of what has been embedded."""
    return recording.subject.audio_policy == Infant.AudioPolicy.EMBEDDING_ONLY
