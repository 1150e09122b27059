"""Segment: where, in a recording that is decoded and judged usable, the cry units are.

What comes in: recordings in state `received`. What goes out: their quality, their `Cry` rows with
acoustic measures, their acoustic channels, their place in a session, state `segmented`; or a named
end. Guaranteed: a recording's results and its new state are written together or not at all, and
one bad recording disturbs no other.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from infants.arrays import to_bytes
from infants.errors import AudioCorruptError, AudioMissingError
from infants.leases import Lease, leased
from infants.locks import infant_locked
from infants.models import Cry, Recording
from infants.sessions import join_session
from infants.states import Reason, State
from infants.storage import read_audio
from pipelines.acoustics import RecordingChannels, channels_of, hear_unit, to_json
from pipelines.errors import DecodeError
from pipelines.gate import gate_features
from pipelines.room import background_views
from pipelines.segment import Segmentation, segment

Measures = dict[str, float]


@dataclass(frozen=True)
class Heard:
    """What listening to one recording gave, before anything is written."""

    segmentation: Segmentation
    measures: tuple[Measures, ...]
    channels: RecordingChannels
    features: NDArray[np.float32]
    room: NDArray[np.float32]


def segment_recordings(ids: Sequence[UUID]) -> None:
    """Segment those of the recordings that wait for it; commits one by one, idempotent."""
    with leased(ids, State.RECEIVED) as lease:
        for recording in lease.begun():
            _segment_one(lease, recording)


def _segment_one(lease: Lease, recording: Recording) -> None:
    try:
        content = read_audio(recording)
    except AudioMissingError as error:
        lease.fail(recording, Reason.AUDIO_MISSING, str(error))
        return
    except AudioCorruptError as error:
        lease.fail(recording, Reason.AUDIO_CORRUPT, str(error))
        return
    try:
        segmentation = segment(content)
    except DecodeError as error:
        lease.reject(recording, Reason(error.reason), str(error))
        return
    if segmentation.unusable is not None:
        _note_sound(recording, segmentation)
        lease.reject(recording, Reason(segmentation.unusable.value))
        return
    _write(lease, recording, _listen(segmentation))


def _listen(segmentation: Segmentation) -> Heard:
    """Measure every unit and the whole; the slow part, outside any transaction."""
    sound, background_dbfs = segmentation.sound, segmentation.quality.background_dbfs
    heard = [hear_unit(sound, unit, background_dbfs) for unit in segmentation.units]
    return Heard(
        segmentation,
        tuple(unit.measures for unit in heard),
        channels_of(heard),
        gate_features(sound, segmentation.units),
        background_views(sound),
    )


def _note_sound(recording: Recording, segmentation: Segmentation) -> None:
    recording.duration_s = segmentation.source.duration_s
    recording.source_format = asdict(segmentation.source)
    recording.quality = asdict(segmentation.quality)
    recording.save(update_fields=["duration_s", "source_format", "quality"])


def _write(lease: Lease, recording: Recording, heard: Heard) -> None:
    with infant_locked(recording.subject.id):
        _note_sound(recording, heard.segmentation)
        recording.cries.all().delete()
        Cry.objects.bulk_create(
            Cry(
                recording=recording,
                index=index,
                onset_s=unit.onset_s,
                offset_s=unit.offset_s,
                measures=measures,
            )
            for index, (unit, measures) in enumerate(
                zip(heard.segmentation.units, heard.measures, strict=True)
            )
        )
        session = join_session(recording)
        lease.advance(
            recording,
            State.SEGMENTED,
            session=session,
            channels=to_json(heard.channels),
            gate_features=to_bytes(heard.features),
            room=to_bytes(heard.room),
        )
