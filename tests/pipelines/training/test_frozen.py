"""The comparison of two encoders: on the same pairs, beside the background, honest about gaps."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from pipelines.evaluation.metrics import Absent, Estimate
from pipelines.segment import Unit
from pipelines.sound import Sound
from pipelines.training.frozen import (
    compare,
    eer_of,
    embed_takes,
    embed_units,
    frames_of,
    pair_takes,
)
from pipelines.training.takes import Piece, Take

RATE_HZ = 16_000


def a_take(infant: int, take: int, group: str = "ios") -> Take:
    rng = np.random.default_rng(100 * infant + take)
    piece = Piece(Sound(rng.uniform(-1, 1, 8_000).astype(np.float32), RATE_HZ), (Unit(0.1, 0.4),))
    nothing = np.zeros(0, dtype=np.float32)
    return Take(f"i{infant}", group, 7200.0 * take, None, None, (piece,), nothing)


def takes(n_infants: int = 8, each: int = 3) -> list[Take]:
    return [a_take(infant, take) for infant in range(n_infants) for take in range(each)]


def vectors(own: Sequence[Take], spread: float, seed: int = 0) -> np.ndarray:
    """Draw embeddings around a centre of each infant."""
    rng = np.random.default_rng(seed)
    centre = {name: rng.normal(size=192) for name in sorted({take.infant for take in own})}
    drawn = [centre[take.infant] + spread * rng.normal(size=192) for take in own]
    return np.array(drawn, dtype=np.float32)


class Mean(torch.nn.Module):
    """A network that gives each band's mean, in the place of an embedding."""

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.pad(frames.mean(dim=1, keepdim=True), (0, 192 - 80))


def test_a_better_encoder_is_shown_to_be_better() -> None:
    own = takes()
    found = compare(own, vectors(own, 8.0), vectors(own, 0.5))
    for suffix in ("any", "hour_apart"):
        difference = found[f"eer_finetuned_minus_frozen_{suffix}"]
        frozen, finetuned = found[f"eer_frozen_{suffix}"], found[f"eer_finetuned_{suffix}"]
        assert isinstance(difference, Estimate)
        assert isinstance(frozen, Estimate)
        assert isinstance(finetuned, Estimate)
        assert difference.value == pytest.approx(finetuned.value - frozen.value)
        assert difference.hi is not None
        assert difference.hi < 0.0
        assert finetuned.value < 5.0


def test_the_same_encoder_twice_makes_no_difference() -> None:
    own = takes()
    same = vectors(own, 5.0)
    difference = compare(own, same, same.copy())["eer_finetuned_minus_frozen_any"]
    assert isinstance(difference, Estimate)
    assert (difference.value, difference.lo, difference.hi) == (0.0, 0.0, 0.0)


def test_one_recording_of_each_infant_gives_no_rate_but_a_reason() -> None:
    own = takes(each=1)
    found = compare(own, vectors(own, 1.0), vectors(own, 1.0))
    assert all(isinstance(figure, Absent) for figure in found.values())
    assert eer_of(vectors(own, 1.0), pair_takes(own)) is None


def test_pairs_are_of_one_kind_of_device() -> None:
    own = [a_take(0, 0), a_take(0, 1, "android"), a_take(1, 0), a_take(1, 1, "android")]
    pairs = pair_takes(own)
    assert [tuple(pair) for pair in zip(pairs.first, pairs.second, strict=True)] == [(0, 2), (1, 3)]


def test_a_single_recording_makes_no_pair() -> None:
    assert len(pair_takes([a_take(0, 0)]).first) == 0
    assert eer_of(np.ones((1, 192), dtype=np.float32), pair_takes([a_take(0, 0)])) is None


def test_units_are_embedded_in_their_order_whatever_their_lengths() -> None:
    rng = np.random.default_rng(0)
    framed = [[rng.normal(size=(length, 80)).astype(np.float32) for length in (32, 48, 32, 16)]]
    (found,) = embed_units(Mean(), framed)
    for frames, vector in zip(framed[0], found, strict=True):
        mean = frames.mean(axis=0)
        assert vector[:80] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)
    whole = embed_takes(Mean(), framed)
    assert whole[0] == pytest.approx(found.mean(axis=0) / np.linalg.norm(found.mean(axis=0)))


def test_every_unit_of_every_piece_is_framed() -> None:
    class Lengths:
        def unit_frames(self, sound: Sound, units: Sequence[Unit]) -> list[np.ndarray]:
            return [np.zeros((len(sound.samples), 1), dtype=np.float32) for _ in units]

        def description(self) -> dict[str, object]:
            return {}

    take = a_take(0, 0)
    twice = Take(**{**vars(take), "pieces": (take.pieces[0], take.pieces[0])})
    assert [len(own) for own in frames_of([take, twice], Lengths())] == [1, 2]
