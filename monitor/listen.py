"""Listening: where in a stream of sound somebody cries, cut out as takes.

What comes in: blocks of samples, 16 kHz, mono, 16 bits, of any length. What goes out: takes, each
with the samples of one bout of crying and what came right before and after it. Guaranteed: crying
is found by the very functions that the server uses: its finder of cry units on a window that moves
by a second, and its cry head on the whole take, so that what is kept is what the server will not
reject as no cry. Takes are in order, without overlap; the same samples in blocks of other lengths
give the same takes. `HELD_S` and the longest take are all that is held: 40 s of sound, 1.3 MB; the
maths takes some 50 MB for a moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.config import CutConfig
from monitor.wishes import Hearing
from pipelines.finder import crying
from pipelines.gate import gate_features
from pipelines.heads import bundled_heads
from pipelines.segment import FRAME_S, SILENT_PEAK_DBFS, Unit, frame_levels, units_by_chance
from pipelines.sound import RATE_HZ, Sound, peak_normalise

Samples = NDArray[np.int16]

FULL_SCALE = 32_768.0
HELD_S = 10.0
"""What the finder looks at: it hears crying beside the quiet and the loud of its surroundings."""
HOP_S = 1.0
LEAST_S = 0.5
"""Of a take; the server rejects what is shorter than 0.3 s."""
STANDS_OUT_DB = 6.0
"""How far crying is above the quietest tenth of what is held; a fan alone never is."""


@dataclass(frozen=True)
class Take:
    """One bout of crying; `first` counts samples from the start of the stream."""

    first: int
    samples: Samples
    probability: float

    @property
    def duration_s(self) -> float:
        """Its length."""
        return len(self.samples) / RATE_HZ


class Listener:
    """Listens to one stream."""

    def __init__(self, cutting: CutConfig | None = None, hearing: Hearing | None = None) -> None:
        self._cutting = cutting or CutConfig()
        self.hearing = hearing or Hearing()
        """What is asked from afar; may be changed at any time."""
        self._held: Samples = np.empty(0, dtype=np.int16)
        self._held_from = 0
        self._fresh = 0
        self._free_from = 0
        self._begins: int | None = None
        self._cried_until = 0
        self.not_cries = 0
        """How many takes were not kept, since the cry head did not take them for crying."""

    def forget_not_cries(self) -> int:
        """Return how many takes were not kept since the last time that this was asked."""
        count, self.not_cries = self.not_cries, 0
        return count

    @property
    def heard_to(self) -> int:
        """How many samples have come in."""
        return self._held_from + len(self._held)

    @property
    def held_s(self) -> float:
        """How much sound it holds."""
        return len(self._held) / RATE_HZ

    def hear(self, block: Samples) -> list[Take]:
        """Take in a block and return the takes that it completes."""
        takes, hop = [], int(HOP_S * RATE_HZ)
        while len(block):
            part, block = block[: hop - self._fresh], block[hop - self._fresh :]
            self._held = np.concatenate([self._held, part])
            self._fresh += len(part)
            if self._fresh == hop:
                takes += self._look()
        return takes

    def end(self) -> list[Take]:
        """Return the takes that the end of the stream completes."""
        takes = self._look() if self._fresh else []
        if self._begins is not None:
            takes += self._taken(min(self.heard_to, self._ends()))
        return takes

    def _look(self) -> list[Take]:
        """Look for crying in what is held, and cut."""
        self._fresh = 0
        for onset, offset in self._crying():
            if self._begins is None:
                self._begins = max(onset - self._in_samples(self._cutting.pre_roll_s), 0)
                self._begins = max(self._begins, self._free_from, self._held_from)
            self._cried_until = max(self._cried_until, offset)
        takes = self._cut()
        self._forget()
        return takes

    def _crying(self) -> Iterator[tuple[int, int]]:
        """Yield where cry units lie that no take has yet."""
        size = self._in_samples(HELD_S)
        window = self._held[-size:]
        begins = self.heard_to - len(window)
        quietest_dbfs = self._cutting.quietest_dbfs + self.hearing.louder_by_db
        for unit in cry_units(window, quietest_dbfs):
            onset, offset = (begins + round(s * RATE_HZ) for s in (unit.onset_s, unit.offset_s))
            if offset > self._free_from:
                yield max(onset, self._free_from), offset

    def _cut(self) -> list[Take]:
        takes: list[Take] = []
        longest = self._in_samples(self._cutting.longest_s)
        hang_over = self._in_samples(self._cutting.hang_over_s)
        while self._begins is not None:
            if min(self.heard_to, self._ends()) - self._begins >= longest:
                goes_on = self._cried_until > self._begins + longest
                takes += self._taken(self._begins + longest)
                self._begins = self._free_from if goes_on else None
            elif self.heard_to - self._cried_until >= hang_over:
                takes += self._taken(self._ends())
            else:
                break
        return takes

    def _ends(self) -> int:
        return self._cried_until + self._in_samples(self._cutting.post_roll_s)

    def _taken(self, until: int) -> list[Take]:
        """Cut the take that is open, and keep it if it sounds like crying."""
        begins, self._begins = self._begins or 0, None
        self._free_from = until
        samples = self._held[begins - self._held_from : until - self._held_from]
        probability = cry_probability(samples)
        if len(samples) < LEAST_S * RATE_HZ or probability < self._least_probability():
            self.not_cries += 1
            return []
        return [Take(begins, samples.copy(), probability)]

    def _least_probability(self) -> float:
        if self._cutting.least_probability is not None:
            return self._cutting.least_probability
        return 0.0 if self.hearing.sends_everything else bundled_heads().cry.threshold

    def _forget(self) -> None:
        keep_from = self.heard_to - self._in_samples(HELD_S)
        if self._begins is not None:
            keep_from = min(keep_from, self._begins)
        self._held = self._held[max(0, keep_from - self._held_from) :]
        self._held_from = max(self._held_from, keep_from)

    @staticmethod
    def _in_samples(seconds: float) -> int:
        return round(seconds * RATE_HZ)


def _as_sound(samples: Samples) -> Sound:
    return Sound(samples.astype(np.float32) / np.float32(FULL_SCALE), RATE_HZ)


def cry_units(samples: Samples, quietest_dbfs: float = SILENT_PEAK_DBFS) -> tuple[Unit, ...]:
    """Find the cry units of a window, as the server finds those of a recording.

    Parameters
    ----------
    samples
        At 16 kHz.
    quietest_dbfs
        Units that nowhere reach this level are left out; not under -70, where the server calls a
        recording silent.

    Returns
    -------
    tuple of Unit
        Those that stand out by their level too: in steady noise alone, the finder, which knows no
        absolute level, takes the whole for one unit.
    """
    sound = _as_sound(samples)
    least = 10.0 ** (max(quietest_dbfs, SILENT_PEAK_DBFS) / 20.0)
    if float(np.max(np.abs(sound.samples), initial=0.0)) < least:
        return ()
    levels = frame_levels(sound.samples - sound.samples.mean(), RATE_HZ)
    background = float(np.percentile(levels, 10.0))
    return tuple(
        unit
        for unit in units_by_chance(crying(peak_normalise(sound)), sound.duration_s)
        if _level(levels, unit) >= background + STANDS_OUT_DB and _peak(sound, unit) >= least
    )


def _peak(sound: Sound, unit: Unit) -> float:
    own = sound.samples[int(unit.onset_s * RATE_HZ) : int(unit.offset_s * RATE_HZ)]
    return float(np.max(np.abs(own), initial=0.0))


def _level(levels: NDArray[np.float64], unit: Unit) -> float:
    own = levels[int(unit.onset_s / FRAME_S) : int(unit.offset_s / FRAME_S)]
    return float(np.median(own)) if len(own) else -np.inf


def cry_probability(samples: Samples) -> float:
    """Compute how much a take as a whole sounds like crying, as the server's gate does.

    Parameters
    ----------
    samples
        At 16 kHz.

    Returns
    -------
    float
        The cry head's probability; 0 where there is no cry unit.
    """
    sound = peak_normalise(_as_sound(samples))
    units = units_by_chance(crying(sound), sound.duration_s)
    if not units:
        return 0.0
    return bundled_heads().cry.probability(gate_features(sound, units))
