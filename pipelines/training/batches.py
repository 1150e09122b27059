"""Training: which crops stand together in a batch.

In: a :class:`~pipelines.training.corpus.Corpus` and a step's number. Out: two crops of each of many
identities, from two recordings wherever there are two, recordings more than an hour apart first.
Guaranteed: a batch is a function of seed and step alone, so a resumed run repeats nothing and
forgets nothing; all identities of a batch belong to one group.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.frontend import Frames
from pipelines.training.augment import Crops
from pipelines.training.corpus import ADULTS, Clip, Corpus

HOUR_S = 3600.0
HOUR_APART_WEIGHT = 4.0
CROP_FRAMES = (32, 48, 64, 80, 96, 128)
CROP_FRACS = (0.1, 0.2, 0.2, 0.2, 0.2, 0.1)
_MIX_NOISE_FRAC = 0.2


@dataclass(frozen=True)
class Identity:
    """One voice at one speed: its clips, and the weight of every pair of them."""

    clips: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]
    pair_weights: NDArray[np.float64]
    weight: float


@dataclass(frozen=True)
class Batch:
    """Crops of a batch, first all first crops, then all second ones, and their identities.

    Attributes
    ----------
    crops
        ``2 * identities`` crops of equal length.
    labels
        Identity of each crop within its group, shape ``(2 * identities,)``.
    group
        Group that all of them belong to.
    """

    crops: Crops
    labels: NDArray[np.int64]
    group: str


def _identity(indices: Sequence[int], clips: Sequence[Clip]) -> Identity:
    pairs, weights = [], []
    for place, first in enumerate(indices):
        for second in indices[place + 1 :]:
            pairs.append((first, second))
            weights.append(_pair_weight(clips[first], clips[second]))
    if not pairs:
        return Identity(tuple(indices), ((indices[0], indices[0]),), np.ones(1), 1.0)
    total = np.asarray(weights)
    weight = 3.0 if total.max() > 1.0 else 2.0
    return Identity(tuple(indices), tuple(pairs), total / total.sum(), weight)


def _pair_weight(first: Clip, second: Clip) -> float:
    if first.recorded_at_s is None or second.recorded_at_s is None:
        return 1.0
    apart = abs(first.recorded_at_s - second.recorded_at_s) > HOUR_S
    return HOUR_APART_WEIGHT if apart else 1.0


class Batches:
    """Draws batches from a corpus.

    Parameters
    ----------
    corpus
        Frames and clips.
    seed
        Seed of all draws.
    identities
        Identities per batch; a group with fewer gives all it has.
    """

    def __init__(self, corpus: Corpus, seed: int, identities: int = 48) -> None:
        self.corpus = corpus
        self.seed = seed
        self.identities_per_batch = identities
        members: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for index, clip in enumerate(corpus.clips):
            members[clip.group][clip.identity].append(index)
        self.groups: dict[str, list[Identity]] = {
            group: [_identity(by[name], corpus.clips) for name in sorted(by)]
            for group, by in sorted(members.items())
        }
        self._backgrounds = [
            index for index, frames in enumerate(corpus.backgrounds) if len(frames) > 1
        ]

    def rng(self, step: int) -> np.random.Generator:
        """Make the generator of one step."""
        return np.random.default_rng([self.seed, step])

    def draw(self, rng: np.random.Generator, cry_frac: float) -> Batch:
        """Draw a batch of adults or, with probability ``cry_frac``, of cries."""
        group = self._group(rng, cry_frac)
        known = self.groups[group]
        weights = np.array([identity.weight for identity in known])
        count = min(self.identities_per_batch, len(known))
        chosen = rng.choice(len(known), count, replace=False, p=weights / weights.sum())
        frames = int(rng.choice(CROP_FRAMES, p=CROP_FRACS))
        pairs = [self._pair(known[index], rng) for index in chosen]
        clips = [pair[0] for pair in pairs] + [pair[1] for pair in pairs]
        return Batch(self._crops(clips, frames, rng), np.tile(chosen, 2), group)

    def _group(self, rng: np.random.Generator, cry_frac: float) -> str:
        cries = [name for name in self.groups if name != ADULTS]
        if ADULTS in self.groups and (not cries or rng.random() >= cry_frac):
            return ADULTS
        sizes = np.array([len(self.groups[name]) for name in cries], dtype=float)
        return str(rng.choice(cries, p=sizes / sizes.sum()))

    @staticmethod
    def _pair(identity: Identity, rng: np.random.Generator) -> tuple[int, int]:
        pair = identity.pairs[rng.choice(len(identity.pairs), p=identity.pair_weights)]
        return pair if rng.random() < 0.5 else (pair[1], pair[0])

    def _crops(self, clips: Sequence[int], frames: int, rng: np.random.Generator) -> Crops:
        known = [self.corpus.clips[index] for index in clips]
        power = np.stack([self._crop(clip, frames, rng) for clip in known])
        own = self.corpus.own_background_power[[clip.source for clip in known]]
        new = np.stack([self._background(clip, frames, rng) for clip in known])
        return Crops(power, own, new)

    def _crop(self, clip: Clip, frames: int, rng: np.random.Generator) -> Frames:
        lengths = clip.units[:, 1] - clip.units[:, 0]
        first, last = clip.units[rng.choice(len(lengths), p=lengths / lengths.sum())]
        if last - first >= frames:
            start = int(rng.integers(first, last - frames + 1))
        else:
            start = int(rng.integers(last - frames, first + 1))
        size = clip.span[1] - clip.span[0]
        # A clip shorter than the crop is repeated, as a cry repeats itself.
        rows = clip.span[0] + (np.arange(frames) + max(0, min(start, size - frames))) % size
        return np.power(10.0, self.corpus.frames_db[rows].astype(np.float32) / 10.0)

    def _background(self, clip: Clip, frames: int, rng: np.random.Generator) -> Frames:
        """Background of another recording, sometimes of two: a room and a noise in it."""
        result = self._one_background(clip, frames, rng)
        if rng.random() < _MIX_NOISE_FRAC:
            gain = np.float32(10.0 ** rng.uniform(-1.0, 1.0))
            other = self._one_background(clip, frames, rng)
            result = result / (result.mean() + 1e-10) + gain * other / (other.mean() + 1e-10)
        return result

    def _one_background(self, clip: Clip, frames: int, rng: np.random.Generator) -> Frames:
        index = int(rng.choice(self._backgrounds))
        if self.corpus.background_source[index] == clip.source:
            index = self._backgrounds[self._backgrounds.index(index) - 1]
        rows = self.corpus.backgrounds[index]
        start = int(rng.integers(0, len(rows)))
        chosen = rows[(start + np.arange(frames)) % len(rows)].astype(np.float32)
        return np.power(10.0, chosen / 10.0)
