"""Room: the quiet frames tell rooms apart and hear nothing of the cry."""

import numpy as np

from pipelines.channel import coloured_noise
from pipelines.room import ROOM_WIDTH, background_views
from pipelines.sound import RATE_HZ, Sound
from pipelines.synthesis import InfantVoice, synthesise_cry


def crying(f0_hz: float, slope: float, seed: int) -> Sound:
    """Return a cry over noise of a slope."""
    cry = synthesise_cry(InfantVoice(f0_hz=f0_hz), seed, duration_s=5.0).sound
    noise = coloured_noise(5.0, RATE_HZ, slope, np.random.default_rng(seed))
    length = min(len(cry.samples), len(noise.samples))
    return Sound(0.8 * cry.samples[:length] + 0.02 * noise.samples[:length], RATE_HZ)


def test_another_room_is_further_than_another_cry() -> None:
    here, other_cry = (
        background_views(crying(f0_hz, 6.0, seed)) for f0_hz, seed in ((380.0, 1), (560.0, 2))
    )
    other_room = background_views(crying(380.0, -3.0, 1))
    assert here.shape == (ROOM_WIDTH,)
    assert np.linalg.norm(here - other_room) > 2.0 * np.linalg.norm(here - other_cry)
