"""Trackers: each of them hears a plain harmonic tone rightly."""

import numpy as np
import pytest

from pipelines.evaluation.trackers import OURS, trackers

RATE_HZ = 16_000
WAYS = trackers()


@pytest.mark.parametrize("name", WAYS)
def test_a_plain_tone_is_heard_rightly(name: str) -> None:
    phase = 2.0 * np.pi * 440.0 * np.arange(RATE_HZ // 2) / RATE_HZ
    tone = sum(np.sin(order * phase) / order for order in range(1, 8))
    times_s, f0_hz = WAYS[name](np.asarray(0.2 * tone, dtype=np.float32))
    assert times_s.shape == f0_hz.shape
    inner = f0_hz[(times_s > 0.1) & (times_s < 0.4)]
    np.testing.assert_allclose(inner[inner > 0.0], 440.0, rtol=0.02)
    assert np.mean(inner > 0.0) > 0.9


def test_the_shipped_one_comes_first() -> None:
    assert next(iter(WAYS)) == OURS
