"""Listening: what is cut out is the crying, whole, once, and as the server would judge it."""

import itertools
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.config import CutConfig
from monitor.listen import HELD_S, RATE_HZ, Listener, Take, cry_probability
from pipelines.channel import coloured_noise
from pipelines.gate import gate_features
from pipelines.heads import bundled_heads
from pipelines.segment import segment
from pipelines.sound import Sound, wav_bytes
from pipelines.synthesis import InfantVoice, synthesise_cry

Samples = NDArray[np.int16]


def in_16_bits(samples: NDArray[np.floating]) -> Samples:
    return np.round(np.clip(samples, -1.0, 1.0) * 32_767.0).astype(np.int16)


@cache
def a_cry(seed: int = 0, duration_s: float = 5.0) -> Samples:
    return in_16_bits(synthesise_cry(InfantVoice(), seed=seed, duration_s=duration_s).sound.samples)


def quiet(duration_s: float, seed: int = 0, level: float = 0.003) -> Samples:
    noise = coloured_noise(duration_s, RATE_HZ, 4.0, np.random.default_rng(seed)).samples
    return in_16_bits(level * noise / np.std(noise))


@cache
def a_night() -> Samples:
    """Crying from 6 to 11 s and from 26 to 31 s, in 36 s."""
    parts = [quiet(6, 1), a_cry(1), quiet(15, 2), a_cry(2), quiet(5, 3)]
    return np.concatenate(parts)


def heard(samples: Samples, block: int = 1_600, cutting: CutConfig | None = None) -> list[Take]:
    listener = Listener(cutting)
    takes = [
        take
        for start in range(0, len(samples), block)
        for take in listener.hear(samples[start : start + block])
    ]
    return takes + listener.end()


@cache
def heard_in_the_night() -> tuple[Take, ...]:
    return tuple(heard(a_night()))


def test_each_bout_is_one_take_with_what_came_before_and_after() -> None:
    first, second = heard_in_the_night()
    assert first.first / RATE_HZ == pytest.approx(5.5, abs=0.6)
    assert 4.0 < first.duration_s < 7.5
    assert second.first / RATE_HZ == pytest.approx(25.5, abs=0.6)
    for take in (first, second):
        own = a_night()[take.first : take.first + len(take.samples)]
        assert np.array_equal(take.samples, own)


@pytest.mark.parametrize("block", [317, 10**7])
def test_blocks_may_have_any_length(block: int) -> None:
    for one, other in zip(heard_in_the_night(), heard(a_night(), block), strict=True):
        assert (one.first, one.probability) == (other.first, other.probability)
        assert np.array_equal(one.samples, other.samples)


def test_what_is_kept_the_server_takes_for_a_cry_with_the_same_probability() -> None:
    for take in heard_in_the_night():
        content = wav_bytes(Sound(take.samples.astype(np.float32) / 32_768.0, RATE_HZ))
        found = segment(content)
        features = gate_features(found.sound, found.units)
        theirs = bundled_heads().cry.probability(features)
        assert theirs == pytest.approx(take.probability, abs=1e-3)
        assert theirs >= bundled_heads().cry.threshold
        assert found.unusable is None


@pytest.mark.parametrize(
    "samples",
    [
        quiet(15),
        quiet(15, level=0.1),
        np.zeros(15 * RATE_HZ, dtype=np.int16),
        np.full(15 * RATE_HZ, 9, dtype=np.int16),
        np.zeros(0, dtype=np.int16),
        np.zeros(7, dtype=np.int16),
    ],
    ids=["quiet", "fan", "digital silence", "offset", "nothing", "hardly anything"],
)
def test_where_nobody_cries_there_is_no_take(samples: Samples) -> None:
    assert heard(samples) == []


def test_another_sound_is_looked_at_and_not_kept() -> None:
    times = np.arange(4 * RATE_HZ) / RATE_HZ
    beeps = 0.3 * np.sin(2 * np.pi * 1_000 * times) * (np.sin(2 * np.pi * 2 * times) > 0)
    listener = Listener()
    samples = np.concatenate([quiet(6), in_16_bits(beeps), quiet(6)])
    assert listener.hear(samples) + listener.end() == []
    assert cry_probability(in_16_bits(beeps)) < bundled_heads().cry.threshold


def test_long_crying_is_cut_without_a_gap_and_without_overlap() -> None:
    samples = np.concatenate([quiet(3), *(a_cry(seed) for seed in range(6)), quiet(5)])
    takes = heard(samples, cutting=CutConfig(longest_s=10.0))
    assert len(takes) >= 3
    assert max(take.duration_s for take in takes) <= 10.0
    for before, after in itertools.pairwise(takes):
        assert before.first + len(before.samples) <= after.first
    gaps = [b.first - a.first - len(a.samples) for a, b in itertools.pairwise(takes)]
    assert min(gaps) == 0


def test_crying_at_the_very_start_and_end_is_heard() -> None:
    (take,) = heard(np.concatenate([a_cry(4)]))
    assert take.duration_s > 3.5


def test_what_it_holds_is_bounded() -> None:
    listener, cutting = Listener(), CutConfig()
    most_s = 0.0
    for block in np.array_split(np.concatenate([a_cry(n) for n in range(3)] * 3), 90):
        listener.hear(block)
        most_s = max(most_s, listener.held_s)
    assert HELD_S <= most_s <= HELD_S + cutting.longest_s


def test_a_lower_threshold_keeps_more() -> None:
    none = heard(a_night(), cutting=CutConfig(least_probability=0.999))
    assert none == []
    assert len(heard(a_night(), cutting=CutConfig(least_probability=0.0))) >= 2
