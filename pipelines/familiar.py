"""Familiar: how like this infant, and how usual for it, a recording is, from the first ones on.

In: an infant's baseline recordings in three views (embedding, acoustic channels, background) and
what is known of the population (``pipelines.prior``). Out: the scores ``likelihood`` and
``acoustics`` of a recording, and how far its background is from those known. Guaranteed: a pure
function; a value that is missing is no deviation; saved and loaded it scores the same bits.

``likelihood``: log of how much likelier the recording is as another infant's than as this one's,
by embedding and channels together. ``acoustics``: log of how much likelier the channels are if one
of them has moved by two standard deviations than if none has; a person's own spread counts. The
first hears a stranger, the second a change in the infant itself: what moves away from everybody is
unlike the population too, and no stranger.

``room``: distance of the background from the nearest one of the baseline. An infant has several
rooms, so that a mean of them says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.acoustics import CHANNELS, RecordingChannels
from pipelines.acoustics.channels import scaled
from pipelines.detectors.contract import Arrays, take
from pipelines.errors import ConfigError
from pipelines.prior import Known, ViewPrior
from pipelines.room import ROOM_WIDTH

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EMBEDDING, ACOUSTICS, ROOM = "embedding", "acoustics", "room"
LIKELIHOOD = "likelihood"
MOVED_BY_SPREADS = 2.0
FURTHEST_SPREADS = 4.0
SPREAD_WEIGHT = 8.0
"""The infant's own spread is drawn to the population's with the weight of so many recordings."""
CHANNEL_WEIGHTS = {
    "f0_log2_hz": 6.0,
    "jitter_frac": 2.0,
    "harmonics_to_noise_db": 2.0,
    "breath_noise_db": 2.0,
    "spectral_tilt_db_per_octave": 2.0,
    "intensity_over_background_db": 2.0,
    "duration_s": 2.0,
}
"""Weight of each channel before anything is heard, 1 where it is not named: pitch, which clinicians
name first and trackers hear best, has as much as a fifth of all channels together."""


@dataclass(frozen=True, eq=False)
class Views:
    """Recordings in three views.

    Attributes
    ----------
    embeddings
        Mean direction of each recording's units, shape ``(r, 192)``.
    channels
        Acoustic channels on their own scales, in the order of ``CHANNELS``, NaN where there is
        none; shape ``(r, 17)``.
    room
        Statistics of the background, NaN where it was not kept; shape ``(r, 160)``.
    age_days
        Age, NaN where not known; shape ``(r,)``.
    """

    embeddings: FloatArray
    channels: FloatArray
    room: FloatArray
    age_days: FloatArray

    def __len__(self) -> int:
        """How many recordings there are."""
        return len(self.age_days)

    def of(self, chosen: IntArray | NDArray[np.bool_]) -> Views:
        """Return some of the recordings."""
        return Views(
            self.embeddings[chosen], self.channels[chosen], self.room[chosen], self.age_days[chosen]
        )


def direction(embeddings: NDArray[np.floating]) -> FloatArray:
    """Return the mean direction of a recording's units: ``(u, 192)`` in, ``(192,)`` out."""
    mean = np.asarray(embeddings, dtype=np.float64).mean(axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-12)


def channel_values(channels: RecordingChannels) -> FloatArray:
    """Return a recording's channels on their own scales, ``(17,)``; NaN where there is none."""
    values = scaled(channels)
    return np.array([values.get(channel.name, np.nan) for channel in CHANNELS])


def checked_views(views: Views) -> Views:
    """Return them; ConfigError if the shapes do not fit together."""
    rows = len(views.age_days)
    widths = {"channels": (views.channels, len(CHANNELS)), "room": (views.room, ROOM_WIDTH)}
    for name, (array, width) in widths.items():
        if array.shape != (rows, width):
            raise ConfigError(f"{name} of shape {array.shape} where {(rows, width)} is needed")
    if len(views.embeddings) != rows:
        raise ConfigError(f"{len(views.embeddings)} embeddings of {rows} recordings")
    return views


@dataclass(frozen=True, eq=False)
class Turned:
    """Recordings in the directions of the priors; NaN where a value is missing."""

    embedding: FloatArray
    acoustics: FloatArray
    room: FloatArray

    def of(self, chosen: IntArray | NDArray[np.bool_]) -> Turned:
        """Return some of the recordings."""
        return Turned(self.embedding[chosen], self.acoustics[chosen], self.room[chosen])


def turn(views: Views, priors: Mapping[str, ViewPrior]) -> Turned:
    """Turn recordings into the priors' directions; a view without a prior has none.

    Parameters
    ----------
    views
        Recordings.
    priors
        By view; the embedding's is missing where the encoder is another than the prior's.
    """

    def turned(name: str, values: FloatArray, ages: FloatArray) -> FloatArray:
        if name not in priors:
            return np.zeros((len(values), 0))
        there = np.isfinite(values).sum(axis=1) > 0
        rows = priors[name].turned(values, ages)
        return np.where(there[:, None], rows, np.nan)

    unknown = np.full(len(views), np.nan)
    return Turned(
        turned(EMBEDDING, views.embeddings, unknown),
        turned(ACOUSTICS, views.channels, views.age_days),
        turned(ROOM, views.room, unknown),
    )


@dataclass(frozen=True, eq=False)
class Familiar:
    """What is known of one infant in the three views.

    Attributes
    ----------
    embedding, acoustics
        The infant's own levels.
    spread
        Its own spread in each channel over the population's, shape ``(17,)``.
    rooms
        Backgrounds of its baseline, turned; shape ``(n, q)``.
    """

    embedding: Known
    acoustics: Known
    spread: FloatArray
    rooms: FloatArray

    @classmethod
    def of(
        cls,
        priors: Mapping[str, ViewPrior],
        turned: Turned,
        session: IntArray,
        spread: FloatArray | None = None,
    ) -> Familiar:
        """Learn an infant.

        Parameters
        ----------
        priors
            By view.
        turned, session
            The baseline's recordings, and the session of each, ``(r,)``.
        spread
            Its own spread, where it was learnt from left-out recordings; else the population's.
        """
        embedding = _known(priors.get(EMBEDDING), turned.embedding, session)
        acoustics = _known(priors.get(ACOUSTICS), turned.acoustics, session)
        own = np.ones(turned.acoustics.shape[1]) if spread is None else spread
        # As they are kept, so that a version that was saved scores the same bits.
        rooms = turned.room[np.isfinite(turned.room).all(axis=1)].astype(np.float32)
        return cls(embedding, acoustics, own, rooms.astype(np.float64))

    def likelihood(self, turned: Turned) -> FloatArray:
        """How much likelier recordings are as somebody else's, as a log ratio, ``(r,)``."""
        return self.embedding.unlikeness(turned.embedding) + self.acoustics.unlikeness(
            turned.acoustics
        )

    def movement(self, turned: Turned) -> FloatArray:
        """How much likelier the channels are if one has moved, as a log ratio, ``(r,)``."""
        spreads = np.clip(self.channel_spreads(turned), -FURTHEST_SPREADS, FURTHEST_SPREADS)
        ratios = np.cosh(MOVED_BY_SPREADS * spreads) * np.exp(-(MOVED_BY_SPREADS**2) / 2.0)
        weights = channel_weights()
        moved: FloatArray = np.log(np.where(np.isfinite(ratios), ratios, 1.0) @ weights)
        return moved

    def channel_spreads(self, turned: Turned) -> FloatArray:
        """How many of its own standard deviations each channel is off, ``(r, 17)``."""
        return self.acoustics.spreads(turned.acoustics) / self.spread

    def room_distance(self, turned: Turned) -> FloatArray:
        """Log of the distance of each background to the nearest known one, ``(r,)``, or NaN."""
        if not len(self.rooms) or not turned.room.shape[1]:
            return np.full(len(turned.room), np.nan)
        squares = ((turned.room[:, None] - self.rooms[None]) ** 2).mean(axis=2)
        distance: FloatArray = 0.5 * np.log(squares.min(axis=1) + 1e-12)
        return distance

    def arrays(self) -> Arrays:
        """Everything that scoring needs, by name."""
        parts: Arrays = {"spread": self.spread, "rooms": self.rooms.astype(np.float32)}
        for name, known in ((EMBEDDING, self.embedding), (ACOUSTICS, self.acoustics)):
            parts |= {f"{name}/{part}": array for part, array in vars(known).items()}
        return parts

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.floating]]) -> Familiar:
        """Build it from what ``arrays`` gave; ConfigError if one is missing."""
        known = [
            Known(*take(arrays, tuple(f"{name}/{part}" for part in ("ratios", "mean", "variance"))))
            for name in (EMBEDDING, ACOUSTICS)
        ]
        spread, rooms = take(arrays, ("spread", "rooms"))
        return cls(known[0], known[1], spread, rooms.astype(np.float64))


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Scores of a baseline's recordings by what had not heard their fold; each ``(r,)``."""

    likelihood: FloatArray
    acoustics: FloatArray
    room: FloatArray
    spread: FloatArray


def left_out_scores(
    priors: Mapping[str, ViewPrior],
    turned: Turned,
    session: IntArray,
    folds: list[NDArray[np.bool_]],
) -> LeftOut:
    """Score a baseline's recordings, fold by fold, by what the others teach.

    Parameters
    ----------
    priors, turned, session
        As for ``Familiar.of``.
    folds
        For each fold, which recordings are left out, ``(r,)``; every recording in one fold.

    Returns
    -------
    LeftOut
        ``acoustics`` is in the infant's own spread, which is learnt from the same folds.
    """
    without = [Familiar.of(priors, turned.of(~fold), session[~fold]) for fold in folds]
    likelihood, room = np.empty(len(session)), np.empty(len(session))
    spreads = np.full(turned.acoustics.shape, np.nan)
    for fold, familiar in zip(folds, without, strict=True):
        left = turned.of(fold)
        likelihood[fold], room[fold] = familiar.likelihood(left), familiar.room_distance(left)
        spreads[fold] = familiar.channel_spreads(left)
    own = _own_spread(spreads)
    moved = np.empty(len(session))
    for fold, familiar in zip(folds, without, strict=True):
        mine = Familiar(familiar.embedding, familiar.acoustics, own, familiar.rooms)
        moved[fold] = mine.movement(turned.of(fold))
    return LeftOut(likelihood, moved, room, own)


def channel_weights() -> FloatArray:
    """Weight of each channel in the order of ``CHANNELS``, 1 in all."""
    weights = np.array([CHANNEL_WEIGHTS.get(channel.name, 1.0) for channel in CHANNELS])
    return weights / weights.sum()


def _known(prior: ViewPrior | None, turned: FloatArray, session: IntArray) -> Known:
    if prior is None:
        return Known(np.zeros(0), np.zeros(0), np.zeros(0))
    return Known.of(prior, turned, session)


def _own_spread(spreads: FloatArray) -> FloatArray:
    """Root mean square of left-out deviations, drawn to 1."""
    there = np.isfinite(spreads)
    squares = np.where(there, np.clip(spreads, -FURTHEST_SPREADS, FURTHEST_SPREADS) ** 2, 0.0)
    own: FloatArray = np.sqrt(
        (squares.sum(axis=0) + SPREAD_WEIGHT) / (there.sum(axis=0) + SPREAD_WEIGHT)
    )
    return own
