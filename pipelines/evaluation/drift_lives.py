"""Lives: simulated infants who move house, change the monitor, grow fast, fall ill, or do nothing.

In: a number of infants and a seed. Out: for each way of living the recordings of each infant over
``DAYS`` days, as the product's own front end hears them. Guaranteed: everything here is simulated;
the first ``CHANGE_DAY`` days of an infant are the same whatever comes then, except where it grows
fast all along; teachers, from whom priors are learnt, are other infants than those who are judged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.change import Deviation, Growth, Parameter, grown
from pipelines.cohort import DailyPattern, SimulatedInfant, Since, draw_infants
from pipelines.encode import Encoding
from pipelines.evaluation.lived import Lived, hear_infants
from pipelines.population import draw_microphone, draw_room
from pipelines.recordings import Step

DAYS = 40
CHANGE_DAY = 25
TEACHING_DAYS = 7
PATTERN = DailyPattern(sessions_per_day=4.0, recordings_per_session=1.2)
DURATION_S = 4.0
QUIET, ROOM, DEVICE, GROWTH, ILL = "quiet", "room", "device", "growth", "ill"
SICK = "sick"
WAYS = (QUIET, ROOM, DEVICE, GROWTH, ILL)
"""In all of them an infant lives in the drift benchmark; ``SICK`` is for who asks for it."""
FAST_GROWTH = (Growth(0.02, 0.28), Growth(-0.02, 0.28))
"""Four times the default, the pitch either way."""
OTHER_ENCODINGS = (Encoding.ADPCM, Encoding.WAV, Encoding.AMR)
"""What the other device uploads, in turn; the first one uploads WAV."""
DAY_S = 86_400.0


@dataclass(frozen=True, eq=False)
class Life:
    """One infant's recordings, and which device made each: 0, or 1 after a change; ``(r,)``."""

    heard: Lived
    device: NDArray[np.int64]

    def within(self, n_days: int) -> Life:
        """Return the recordings of the first days."""
        chosen = self.heard.day < n_days
        return Life(of_recordings(self.heard, chosen), self.device[chosen])


def of_recordings(heard: Lived, chosen: NDArray[np.bool_]) -> Lived:
    """Return some of an infant's recordings."""
    units = chosen[heard.unit_recording]
    number = np.cumsum(chosen) - 1
    parts = {name: one[chosen] for name, one in vars(heard).items() if len(one) == len(chosen)}
    parts["embeddings"] = heard.embeddings[units]
    parts["unit_recording"] = number[heard.unit_recording[units]]
    return Lived(**parts)


# --- who lives how ------------------------------------------------------------------------------


def lives(
    n: int,
    seed: int,
    folder: Path,
    workers: int = 1,
    step: Step | None = None,
    ways: Sequence[str] = WAYS,
) -> dict[str, list[Life]]:
    """Let infants live in some ways, and hear them.

    Parameters
    ----------
    n, seed
        How many infants, and which.
    folder
        Where what was heard is kept.
    workers
        How many processes hear.
    step
        Called with 1 after each part of a life.
    ways
        In which.

    Returns
    -------
    dict
        By way, the lives in the order of the infants.
    """
    infants = drawn(n, seed)
    hear = _Hearing(seed, folder, workers, step)
    before = hear(infants, CHANGE_DAY)
    found = {}
    for way in ways:
        if way == GROWTH:
            continue
        later = [_later(one, number, way, seed) for number, one in enumerate(infants)]
        after = hear(later, DAYS - CHANGE_DAY)
        found[way] = [
            _joined(*parts, is_other=way == DEVICE) for parts in zip(before, after, strict=True)
        ]
    if GROWTH not in ways:
        return found
    fast = [
        replace(one, key=f"{one.key}-{GROWTH}", growth=FAST_GROWTH[number % 2])
        for number, one in enumerate(infants)
    ]
    found[GROWTH] = [Life(one, np.zeros(len(one.day), np.int64)) for one in hear(fast, DAYS)]
    return found


def lessons(
    n: int, seed: int, folder: Path, workers: int = 1, step: Step | None = None
) -> dict[str, list[Lived]]:
    """Hear teachers for some days each: as they are, in another room, by another device.

    Parameters are those of ``lives``; the seed is to be another.
    """
    infants = drawn(n, seed)
    hear = _Hearing(seed, folder, workers, step)
    found = {QUIET: hear(infants, TEACHING_DAYS)}
    for way in (ROOM, DEVICE):
        changed = [_later(one, number, way, seed) for number, one in enumerate(infants)]
        found[way] = hear(changed, TEACHING_DAYS)
    return found


@dataclass(frozen=True)
class _Hearing:
    """How infants are heard."""

    seed: int
    folder: Path
    workers: int
    step: Step | None

    def __call__(self, infants: Sequence[SimulatedInfant], days: int) -> list[Lived]:
        return hear_infants(infants, days, self.seed, self.folder, self.workers, self.step)


def drawn(n: int, seed: int) -> list[SimulatedInfant]:
    """Draw infants of this evaluation."""
    return [replace(one, pattern=PATTERN, duration_s=DURATION_S) for one in draw_infants(n, seed)]


def _later(infant: SimulatedInfant, number: int, way: str, seed: int) -> SimulatedInfant:
    """Return an infant from the day of the change on, as one of its own, so that chance is new."""
    rng = np.random.default_rng([seed, number, (*WAYS, SICK).index(way)])
    later = replace(
        infant,
        key=f"{infant.key}-{way}",
        voice=grown(infant.voice, infant.growth, CHANGE_DAY),
        age_days=infant.age_days + CHANGE_DAY,
    )
    if way == ROOM:
        return replace(later, rooms=(Since(0.0, draw_room(rng)),))
    if way == DEVICE:
        phone = draw_microphone(OTHER_ENCODINGS[number % len(OTHER_ENCODINGS)], rng)
        return replace(later, microphones=(Since(0.0, replace(phone, name="another")),))
    if way == ILL:
        return replace(later, deviations=_illness(infant, number))
    return replace(later, deviations=_sickness(infant)) if way == SICK else later


def _sickness(infant: SimulatedInfant) -> tuple[Deviation, ...]:
    """Return what nobody could miss: a pitch up by 30 %, and a breathier, rougher voice."""
    spread = infant.variation.spread
    breath = infant.voice.breathiness_frac * math.expm1(2.0 * spread.breathiness_log)
    return (
        Deviation(Parameter.F0, 0.3, 0.0),
        Deviation(Parameter.BREATHINESS, breath, 0.0),
        Deviation(Parameter.JITTER, math.expm1(2.0 * spread.jitter_log), 0.0),
    )


def _illness(infant: SimulatedInfant, number: int) -> tuple[Deviation, ...]:
    """Return what changes in an infant's own voice, for each infant one of three in turn.

    A higher pitch; a breathier, rougher voice; a weaker and shorter cry, which is what another
    room would do to the loudness. All but the pitch by two standard deviations.
    """
    spread = infant.variation.spread
    breath = infant.voice.breathiness_frac * math.expm1(2.0 * spread.breathiness_log)
    return (
        (Deviation(Parameter.F0, 0.15, 0.0),),
        (
            Deviation(Parameter.BREATHINESS, breath, 0.0),
            Deviation(Parameter.JITTER, math.expm1(2.0 * spread.jitter_log), 0.0),
        ),
        (
            Deviation(Parameter.INTENSITY, -2.0 * spread.intensity_db, 0.0),
            Deviation(Parameter.UNIT, math.expm1(-2.0 * spread.unit_log), 0.0),
        ),
    )[number % 3]


def _joined(before: Lived, after: Lived, *, is_other: bool) -> Life:
    parts = {
        name: np.concatenate([one, _moved(after, name, before)])
        for name, one in vars(before).items()
    }
    device = np.repeat([0, int(is_other)], [len(before.day), len(after.day)])
    return Life(Lived(**parts), device.astype(np.int64))


def _moved(after: Lived, name: str, before: Lived) -> NDArray[Any]:
    """Move what came after on, so that it does come after."""
    offsets = {
        "unit_recording": len(before.day),
        "time_s": round(CHANGE_DAY * DAY_S),
        "day": CHANGE_DAY,
        "session": int(before.session.max()) + 1,
    }
    own: NDArray[Any] = getattr(after, name)
    return own + offsets[name] if name in offsets else own
