"""Recordings of one infant that sound most like one of them.

What comes in: the viewer and a visible recording. What goes out: the nearest recordings of the same
infant, by the cosine distance of the mean directions of their units. Guaranteed: none of the same
session, whose recordings are alike in everything; only embeddings of the same encoder are compared;
two queries.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from infants.access import Viewer, infants_for
from infants.arrays import STORED
from infants.models import Cry, Recording
from pipelines.similar import nearest

MOST = 10


@dataclass(frozen=True)
class Similar:
    """A recording that sounds alike; a distance of 0 is the same, 1 has nothing in common."""

    recording: UUID
    time: dt.datetime
    distance: float
    p_value: float | None


def similar_to(viewer: Viewer, recording: Recording, most: int = MOST) -> list[Similar]:
    """Return the recordings of other sessions that sound most like this one, nearest first."""
    own = list(recording.cries.exclude(embedding=None).values_list("embedding", "encoder"))
    if not own:
        return []
    rows = list(_others(viewer, recording, own[0][1]))
    if not rows:
        return []
    ids, directions = _directions(rows)
    wanted = _units([embedding for embedding, _ in own if embedding]).mean(axis=0)
    wanted /= max(float(np.linalg.norm(wanted)), 1e-12)
    told = {row[0]: row for row in rows}
    return [
        Similar(ids[at], told[ids[at]][1], distance, told[ids[at]][2])
        for at, distance in nearest(wanted, directions, most)
    ]


def _others(viewer: Viewer, recording: Recording, encoder: str) -> Any:  # noqa: ANN401  rows
    cries = Cry.objects.filter(
        recording__infant=recording.infant_id,
        recording__infant__in=infants_for(viewer),
        encoder=encoder,
    ).exclude(recording=recording.id)
    if recording.session_id is not None:
        cries = cries.exclude(recording__session=recording.session_id)
    columns = ("recording_id", "recording__recorded_at", "recording__judgement__p_value")
    return cries.order_by("recording__recorded_at", "index").values_list(*columns, "embedding")


def _directions(rows: Sequence[Any]) -> tuple[list[UUID], NDArray[np.float64]]:
    """Return the recordings and the mean direction of each one's units."""
    ids = list(dict.fromkeys(row[0] for row in rows))
    place = {id_: at for at, id_ in enumerate(ids)}
    units = _units([row[-1] for row in rows])
    sums = np.zeros((len(ids), units.shape[1]))
    np.add.at(sums, [place[row[0]] for row in rows], units)
    return ids, sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)


def _units(stored: Sequence[bytes | memoryview]) -> NDArray[np.float64]:
    """Read embeddings as rows."""
    flat = np.frombuffer(b"".join(bytes(one) for one in stored), dtype=STORED)
    return flat.reshape(len(stored), -1).astype(np.float64)
