"""Recordings of a manifest as the first stages hear them, for training and evaluation.

In: rows of a manifest and an encoder. Out: for each row what segment and embed give, and what the
gate and the background-only control look at; or the reason why there is nothing. Guaranteed: in the
order of the rows; sounds are not kept, so that a whole corpus fits into memory.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.acoustics import RecordingChannels, channels_of, hear_unit
from pipelines.embed import Encoder
from pipelines.errors import ConfigError, DecodeError
from pipelines.familiar import Views, channel_values, direction
from pipelines.frontend import background_statistics
from pipelines.gate import gate_features
from pipelines.manifest import BadRow, ManifestRow, read_manifest
from pipelines.room import ROOM_WIDTH, background_views
from pipelines.segment import Quality, Segmentation, Unit, segment
from pipelines.sound import Sound

BATCH = 16
SESSION_GAP = dt.timedelta(minutes=30)
"""So much quiet parts two sessions, as in the product."""

Step = Callable[[int], None]


def _unknown_room() -> NDArray[np.float32]:
    return np.full(ROOM_WIDTH, np.nan, dtype=np.float32)


@dataclass(frozen=True)
class Heard:
    """What one recording gave.

    Attributes
    ----------
    row
        The manifest's row.
    quality
        How good the recording is.
    units
        Its cry units.
    measures
        Acoustic measures of each unit.
    features
        What the gate's cry head looks at, shape ``(116,)``.
    background
        MFCC statistics of the quietest frames, shape ``(80,)``.
    embeddings
        Shape ``(n_units, 192)``.
    channels
        What each acoustic channel says of the recording.
    room
        Statistics of the background, heard in two ways, shape ``(160,)``; NaN: not known.
    """

    row: ManifestRow
    quality: Quality
    units: tuple[Unit, ...]
    measures: tuple[Mapping[str, float], ...]
    features: NDArray[np.float32]
    background: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    channels: RecordingChannels = field(default_factory=dict)
    room: NDArray[np.float32] = field(default_factory=_unknown_room)


@dataclass(frozen=True)
class Unheard:
    """A recording that gave nothing, and why: a decoder's or the segment stage's reason."""

    row: ManifestRow
    reason: str


def good_rows(path: Path) -> list[ManifestRow]:
    """Read the rows of a manifest that can be taken, in its order.

    Raises
    ------
    ConfigError
        The manifest lacks a column, or none of its rows can be taken.
    """
    rows = [row for row in read_manifest(path) if not isinstance(row, BadRow)]
    if not rows:
        message = f"{path} holds no row that can be taken"
        raise ConfigError(message)
    return rows


def hear(
    rows: Iterable[ManifestRow], encoder: Encoder, step: Step | None = None
) -> list[Heard | Unheard]:
    """Segment, measure and embed recordings.

    Parameters
    ----------
    rows
        Which recordings.
    encoder
        What embeds their units.
    step
        Called with how many recordings were finished.

    Returns
    -------
    list of Heard or Unheard
        In the order of the rows.
    """
    results: list[Heard | Unheard] = []
    for batch in _batches(rows):
        opened = [_open(row) for row in batch]
        results += _embedded(opened, encoder)
        if step is not None:
            step(len(batch))
    return results


def _batches(rows: Iterable[ManifestRow]) -> Iterator[list[ManifestRow]]:
    whole = list(rows)
    return (whole[start : start + BATCH] for start in range(0, len(whole), BATCH))


Opened = tuple[Sound, Heard]


def _open(row: ManifestRow) -> Opened | Unheard:
    try:
        segmentation = segment(row.file)
    except DecodeError as error:
        return Unheard(row, error.reason)
    if segmentation.unusable is not None:
        return Unheard(row, segmentation.unusable.value)
    return segmentation.sound, _described(row, segmentation)


def _described(row: ManifestRow, segmentation: Segmentation) -> Heard:
    sound, units = segmentation.sound, segmentation.units
    background_dbfs = segmentation.quality.background_dbfs
    heard = [hear_unit(sound, unit, background_dbfs) for unit in units]
    return Heard(
        row=row,
        quality=segmentation.quality,
        units=units,
        measures=tuple(unit.measures for unit in heard),
        features=gate_features(sound, units),
        background=background_statistics(sound),
        embeddings=np.empty((0, 0), dtype=np.float32),
        channels=channels_of(heard),
        room=background_views(sound),
    )


def _embedded(opened: Sequence[Opened | Unheard], encoder: Encoder) -> list[Heard | Unheard]:
    present = [pair for pair in opened if not isinstance(pair, Unheard)]
    vectors = iter(encoder.embed([(sound, heard.units) for sound, heard in present]))
    return [
        pair if isinstance(pair, Unheard) else replace(pair[1], embeddings=next(vectors))
        for pair in opened
    ]


def session_numbers(times: Sequence[dt.datetime]) -> NDArray[np.int64]:
    """Give the sessions of one infant's recordings numbers.

    Parameters
    ----------
    times
        When each recording was made, in rising order.

    Returns
    -------
    ndarray
        Shape ``(n,)``, from 0: a new session after every gap longer than ``SESSION_GAP``.
    """
    gaps = [later - earlier > SESSION_GAP for earlier, later in pairwise(times)]
    return np.concatenate([[0], np.cumsum(gaps)]).astype(np.int64)[: len(times)]


def by_infant(heard: Iterable[Heard | Unheard]) -> dict[str, list[Heard]]:
    """Group what was heard by infant, each in the order of time."""
    groups: dict[str, list[Heard]] = {}
    for item in heard:
        if isinstance(item, Heard):
            groups.setdefault(item.row.infant, []).append(item)
    return {
        infant: sorted(items, key=lambda item: (item.row.recorded_at, item.row.file.name))
        for infant, items in groups.items()
    }


def views_of(heard: Sequence[Heard]) -> Views:
    """Return recordings in the three views that are judged.

    Parameters
    ----------
    heard
        Recordings.

    Returns
    -------
    Views
        In the same order.
    """
    return Views(
        embeddings=np.array([direction(one.embeddings) for one in heard]),
        channels=np.array([channel_values(one.channels) for one in heard]),
        room=np.array([one.room for one in heard], dtype=np.float64),
        age_days=np.array(
            [np.nan if one.row.age_days is None else one.row.age_days for one in heard]
        ),
    )
