"""Baseline: an infant's recordings as the score stage takes them.

In: what the stages before found of each recording. Out: one recording, or all those that an infant
is known by, as arrays. Guaranteed: what is not known stays unknown (NaN), and is no deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.acoustics import CHANNELS
from pipelines.detectors.contract import check_baseline, check_groups
from pipelines.errors import ConfigError
from pipelines.familiar import Views, checked_views, direction
from pipelines.pooled import UNKNOWN_DEVICE
from pipelines.room import ROOM_WIDTH


@dataclass(frozen=True, eq=False)
class Cried:
    """One recording as it is judged.

    Attributes
    ----------
    embeddings
        Of its units, shape ``(u, 192)``.
    channels
        Acoustic channels on their own scales in the order of ``CHANNELS``, ``(17,)``; None or NaN
        where not known.
    room
        Statistics of its background, ``(160,)``; None where not known.
    age_days
        The infant's age then; NaN where not known.
    device
        Number of the device, as in the baseline; negative where not known.
    """

    embeddings: NDArray[np.float32]
    channels: NDArray[np.float64] | None = None
    room: NDArray[np.floating[Any]] | None = None
    age_days: float = float("nan")
    device: int = UNKNOWN_DEVICE

    def views(self) -> Views:
        """Return it in three views, as one row."""
        return views_of([self])


def views_of(recordings: Sequence[Cried]) -> Views:
    """Return recordings in three views, a row each; what is not known is NaN."""

    def known(part: NDArray[np.floating[Any]] | None, width: int) -> NDArray[np.float64]:
        return np.full(width, np.nan) if part is None else np.asarray(part, dtype=np.float64)

    return Views(
        np.array([direction(one.embeddings) for one in recordings]),
        np.array([known(one.channels, len(CHANNELS)) for one in recordings]),
        np.array([known(one.room, ROOM_WIDTH) for one in recordings]),
        np.array([one.age_days for one in recordings]),
    )


@dataclass(frozen=True, eq=False)
class Baseline:
    """What an infant's accepted recordings gave, one row a unit.

    Attributes
    ----------
    embeddings
        Shape ``(n, 192)``.
    recording, session, day
        Which recording, session and day of the infant each unit belongs to: integers of shape
        ``(n,)``, meaningful only in being equal or not, and in their order.
    views
        The recordings in three views, by rising number of the recording; None where only their
        embeddings are known.
    device
        Number of the device of each recording, shape ``(r,)``; None where not known.
    """

    embeddings: NDArray[np.float32]
    recording: NDArray[np.int64]
    session: NDArray[np.int64]
    day: NDArray[np.int64]
    views: Views | None = None
    device: NDArray[np.int64] | None = None

    def checked(self) -> Self:
        """Return it; ConfigError if the shapes or types do not fit."""
        units, _ = check_baseline(self.embeddings, self.recording)
        for groups in (self.session, self.day):
            check_groups(groups, len(units))
        if self.views is not None and len(checked_views(self.views)) != self.n_recordings:
            raise ConfigError(f"{len(self.views)} views of {self.n_recordings} recordings")
        if self.device is not None:
            check_groups(self.device, self.n_recordings)
        return self

    def whole_views(self) -> Views:
        """Return the recordings in three views; what is not known is NaN."""
        if self.views is not None:
            return self.views
        each = [self.embeddings[self.recording == one] for one in np.unique(self.recording)]
        return views_of([Cried(units) for units in each])

    def of_recordings(self, groups: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the session or day of each recording, that of its first unit; ``(r,)``."""
        return groups[np.unique(self.recording, return_index=True)[1]]

    @property
    def n_days(self) -> int:
        """On how many different days there are units."""
        return len(np.unique(self.day))

    @property
    def n_sessions(self) -> int:
        """How many different sessions there are."""
        return len(np.unique(self.session))

    @property
    def n_recordings(self) -> int:
        """How many different recordings there are."""
        return len(np.unique(self.recording))
