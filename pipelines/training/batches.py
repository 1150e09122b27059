"""Training: which crops stand together in a batch.

In: a :class:`~pipelines.training.corpus.Corpus` and a step's number. Out: two crops of each of many
identities, from two recordings wherever there are two, recordings more than an hour apart first;
or one crop twice, to be heard in two rooms. Guaranteed: a batch is a function of seed and step
alone, so a resumed run repeats nothing and forgets nothing; all identities of a batch belong to one
group; of voices that are left out neither cry nor background is used.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from pipelines.frontend import Frames
from pipelines.training.augment import Crops
from pipelines.training.corpus import ADULTS, SIMULATED, Clip, Corpus
from pipelines.training.simulated import TARGETS, f0_target

HOUR_S = 3600.0
HOUR_APART_WEIGHT = 4.0
CROP_FRAMES = (32, 48, 64, 80, 96, 128)
CROP_FRACS = (0.1, 0.2, 0.2, 0.2, 0.2, 0.1)
_MIX_NOISE_FRAC = 0.2
LEAST_VOICED_FRAC = 0.2
NUISANCE_CEPSTRA = 12


@dataclass(frozen=True)
class Shares:
    """What a batch is likely to be.

    Attributes
    ----------
    cries, adults, simulated
        Odds of its group; of no account where the corpus has no such group.
    same_take
        Chance that both crops of an identity are the same one, to be heard in two rooms.
    """

    cries: float = 1.0
    adults: float = 0.0
    simulated: float = 0.0
    same_take: float = 0.0

    def of(self, group: str) -> float:
        """Odds of a group; kinds of phones are drawn by size among the cries."""
        return {ADULTS: self.adults, SIMULATED: self.simulated}.get(group, self.cries)


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
    targets
        Traits of each crop's voice in the order of :data:`~pipelines.training.simulated.TARGETS`,
        NaN where unknown, shape ``(2 * identities, 4)``.
    nuisance
        Cepstra of the background each crop was recorded with, shape ``(2 * identities, 12)``.
    same_take
        Whether an identity's two crops are the same one.
    """

    crops: Crops
    labels: NDArray[np.int64]
    group: str
    targets: Frames
    nuisance: Frames
    same_take: bool = False


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
    without
        Voices to leave out altogether.
    """

    def __init__(
        self, corpus: Corpus, seed: int, identities: int = 48, without: Collection[str] = ()
    ) -> None:
        self.corpus = corpus
        self.seed = seed
        self.identities_per_batch = identities
        members: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        left_out = set(without)
        for index, clip in enumerate(corpus.clips):
            if clip.voice not in left_out:
                members[clip.group][clip.identity].append(index)
        self.groups: dict[str, list[Identity]] = {
            group: [_identity(by[name], corpus.clips) for name in sorted(by)]
            for group, by in sorted(members.items())
        }
        silent = {clip.source for clip in corpus.clips if clip.voice in left_out}
        self.usable_backgrounds = [
            index
            for index, frames in enumerate(corpus.backgrounds)
            if len(frames) > 1 and int(corpus.background_source[index]) not in silent
        ]
        self._nuisance = _cepstra(corpus.own_background_power)

    def rng(self, step: int) -> np.random.Generator:
        """Make the generator of one step."""
        return np.random.default_rng([self.seed, step])

    def draw(self, rng: np.random.Generator, shares: Shares) -> Batch:
        """Draw a batch of one group."""
        group = self._group(rng, shares)
        known = self.groups[group]
        weights = np.array([identity.weight for identity in known])
        count = min(self.identities_per_batch, len(known))
        chosen = rng.choice(len(known), count, replace=False, p=weights / weights.sum())
        frames = int(rng.choice(CROP_FRAMES, p=CROP_FRACS))
        same_take = bool(rng.random() < shares.same_take)
        if same_take:
            clips = [int(rng.choice(known[index].clips)) for index in chosen] * 2
            rows = [self._rows(clip, frames, rng) for clip in clips[:count]] * 2
        else:
            pairs = [self._pair(known[index], rng) for index in chosen]
            clips = [pair[0] for pair in pairs] + [pair[1] for pair in pairs]
            rows = [self._rows(clip, frames, rng) for clip in clips]
        return Batch(
            crops=self._crops(clips, rows, rng),
            labels=np.tile(chosen, 2),
            group=group,
            targets=np.stack([self._targets(*both) for both in zip(clips, rows, strict=True)]),
            nuisance=self._nuisance[[self.corpus.clips[clip].source for clip in clips]],
            same_take=same_take,
        )

    def _group(self, rng: np.random.Generator, shares: Shares) -> str:
        names = list(self.groups)
        cries = sum(len(known) for name, known in self.groups.items() if name not in _OTHERS)
        odds = np.array(
            [
                shares.of(name) * (1.0 if name in _OTHERS else len(self.groups[name]) / cries)
                for name in names
            ]
        )
        return str(rng.choice(names, p=odds / odds.sum()))

    @staticmethod
    def _pair(identity: Identity, rng: np.random.Generator) -> tuple[int, int]:
        pair = identity.pairs[rng.choice(len(identity.pairs), p=identity.pair_weights)]
        return pair if rng.random() < 0.5 else (pair[1], pair[0])

    def _crops(
        self, clips: Sequence[int], rows: Sequence[NDArray[np.int64]], rng: np.random.Generator
    ) -> Crops:
        known = [self.corpus.clips[index] for index in clips]
        level_db = self.corpus.frames_db[np.stack(rows)].astype(np.float32)
        own = self.corpus.own_background_power[[clip.source for clip in known]]
        new = np.stack([self._background(clip, len(rows[0]), rng) for clip in known])
        return Crops(np.power(10.0, level_db / 10.0), own, new)

    def _rows(self, index: int, frames: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Choose rows of a crop that lies in one of a clip's units, or around a short one."""
        clip = self.corpus.clips[index]
        lengths = clip.units[:, 1] - clip.units[:, 0]
        first, last = clip.units[rng.choice(len(lengths), p=lengths / lengths.sum())]
        if last - first >= frames:
            start = int(rng.integers(first, last - frames + 1))
        else:
            start = int(rng.integers(last - frames, first + 1))
        size = clip.span[1] - clip.span[0]
        # A clip shorter than the crop is repeated, as a cry repeats itself.
        place = max(0, min(start, size - frames))
        rows: NDArray[np.int64] = clip.span[0] + (np.arange(frames) + place) % size
        return rows

    def _targets(self, index: int, rows: NDArray[np.int64]) -> Frames:
        result = np.full(len(TARGETS), np.nan, dtype=np.float32)
        traits = self.corpus.clips[index].traits
        if traits is not None:
            result[1:] = (traits.tract_length, traits.jitter, traits.breathiness)
        voiced = self.corpus.f0_hz[rows]
        voiced = voiced[np.isfinite(voiced)]
        if len(voiced) >= LEAST_VOICED_FRAC * len(rows):
            result[0] = f0_target(float(np.median(voiced)))
        return result

    def _background(self, clip: Clip, frames: int, rng: np.random.Generator) -> Frames:
        """Background of another recording, sometimes of two: a room and a noise in it."""
        result = self._one_background(clip, frames, rng)
        if rng.random() < _MIX_NOISE_FRAC:
            gain = np.float32(10.0 ** rng.uniform(-1.0, 1.0))
            other = self._one_background(clip, frames, rng)
            result = result / (result.mean() + 1e-10) + gain * other / (other.mean() + 1e-10)
        return result

    def _one_background(self, clip: Clip, frames: int, rng: np.random.Generator) -> Frames:
        index = int(rng.choice(self.usable_backgrounds))
        if self.corpus.background_source[index] == clip.source:
            index = self.usable_backgrounds[self.usable_backgrounds.index(index) - 1]
        rows = self.corpus.backgrounds[index]
        start = int(rng.integers(0, len(rows)))
        chosen = rows[(start + np.arange(frames)) % len(rows)].astype(np.float32)
        return np.power(10.0, chosen / 10.0)


_OTHERS = (ADULTS, SIMULATED)


def _cepstra(power: Frames) -> Frames:
    """Cepstra of mean background powers, standardised over all sources."""
    level_db = 10.0 * np.log10(np.maximum(power, np.float32(1e-10)))
    cepstra = scipy.fft.dct(level_db, type=2, norm="ortho", axis=1)[:, 1 : 1 + NUISANCE_CEPSTRA]
    spread = cepstra.std(axis=0) + 1e-6
    result: Frames = ((cepstra - cepstra.mean(axis=0)) / spread).astype(np.float32)
    return result
