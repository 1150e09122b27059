"""A simulated infant in the place of a microphone: it cries at its times, real or accelerated.

What comes in: a seed, a number of days, a speed. What goes out: stretches of simulated sound, each
a recording of the plan with a quiet room before and after it. Guaranteed: the same arguments give
the same sound at the same times, and the same keys; nothing of it is a recording of anybody.
"""

import datetime as dt
import hashlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from monitor.intake import RATE_HZ, Samples
from monitor.sources import Stretch
from pipelines.cohort import PlannedRecording, draw_infants, plan_recordings, render
from pipelines.sound import decode, resample

ROOM_S = (4.0, 5.0)
"""How much of the room is heard before and after each recording."""


@dataclass(frozen=True)
class SimulatedInfant:
    """A plan, and how fast it passes; a speed of 0 leaves no time between recordings."""

    seed: int
    days: int
    start: dt.datetime
    speed: float = 0.0
    most: int | None = None

    def stretches(self, stop: threading.Event) -> Iterator[Stretch]:
        """Yield a stretch for each planned recording, at its time."""
        began_s = time.monotonic()
        planned = plan_recordings(draw_infants(1, self.seed), self.start, self.days, self.seed)
        after = [one for one in planned if one.recorded_at >= self.start]
        for one in after[: self.most]:
            if self.speed > 0.0:
                since_s = (one.recorded_at - self.start).total_seconds() / self.speed
                stop.wait(max(0.0, since_s - (time.monotonic() - began_s)))
            if stop.is_set():
                return
            yield self._stretch(one)

    def _stretch(self, one: PlannedRecording) -> Stretch:
        told = f"{self.seed}/{one.infant}/{one.recorded_at.isoformat()}"
        identity = hashlib.sha256(told.encode()).hexdigest()[:32]
        before = dt.timedelta(seconds=ROOM_S[0])
        blocks = iter(np.array_split(_sound(one), 4))
        return Stretch(one.file_name, blocks, one.recorded_at - before, identity)


def _sound(one: PlannedRecording) -> Samples:
    """Return a recording within its room, whose noise is that of its quietest tenth."""
    content, _ = render(one)
    cry = resample(decode(content)[0]).samples
    frames = cry[: len(cry) // 160 * 160].reshape(-1, 160)
    level = float(np.percentile(np.sqrt(np.mean(np.square(frames), axis=1)), 10.0))
    rng = np.random.default_rng([one.seed, 2])
    before, after = (level * rng.standard_normal(int(s * RATE_HZ)) for s in ROOM_S)
    whole = np.concatenate([before, cry, after])
    return np.round(np.clip(whole, -1.0, 1.0) * 32_767.0).astype(np.int16)
