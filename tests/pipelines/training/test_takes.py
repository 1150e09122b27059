"""Recordings for fine-tuning: how they are put together, who is in which part, what is drawn."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelines.errors import ConfigError
from pipelines.layouts import CorpusRow, read_corpus
from pipelines.segment import Unit
from pipelines.sound import Sound, write_wav
from pipelines.training.takes import (
    CROP_S,
    Crops,
    HoldOut,
    Piece,
    Take,
    crop,
    lie_apart,
    load_takes,
    part,
)
from tests.pipelines.training.cries import TEST, TRAINING, VALIDATION, a_corpus, cry, part_by_rule

RATE_HZ = 16_000


def a_take(infant: str = "a", seed: int = 0, duration_s: float = 2.0, **given: object) -> Take:
    samples = np.random.default_rng(seed).uniform(-1, 1, int(duration_s * RATE_HZ))
    piece = Piece(Sound(samples.astype(np.float32), RATE_HZ), (Unit(0.2, 0.9), Unit(1.0, 1.9)))
    take = Take(infant, "ios", None, None, None, (piece,), np.zeros(0, dtype=np.float32))
    return replace(take, **given)


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> list[Take]:
    rows = read_corpus(a_corpus(tmp_path_factory.mktemp("corpus")))
    return load_takes([row for row in rows if isinstance(row, CorpusRow)])


def test_a_recording_is_one_piece_with_its_units_and_what_lies_between(takes: list[Take]) -> None:
    assert len(takes) == 2 * (TRAINING + VALIDATION + TEST)
    for take in takes:
        (piece,) = take.pieces
        crying_s = sum(unit.duration_s for unit in piece.units)
        between_s = take.background.size / RATE_HZ
        assert crying_s + between_s == pytest.approx(piece.sound.duration_s, abs=0.02)


def test_a_recording_that_is_all_crying_has_no_background(tmp_path: Path) -> None:
    tone = np.sin(np.arange(RATE_HZ) * 0.2).astype(np.float32)
    write_wav(tmp_path / "tone.wav", Sound(tone, RATE_HZ))
    (take,) = load_takes([CorpusRow(tmp_path / "tone.wav", "a")])
    assert take.background.size == 0


def test_files_that_were_cut_are_put_together_by_infant_and_session(tmp_path: Path) -> None:
    rows = []
    for session in "BD":
        for place in (1, 0):
            file = tmp_path / f"{session}{place}.wav"
            write_wav(file, cry(1, place, duration_s=1.0 + 0.2 * place))
            rows.append(CorpusRow(file, "spk1", session=session, place=place, cut=True))
    first, second = load_takes(rows)
    assert (first.session, second.session) == ("B", "D")
    assert [round(piece.sound.duration_s, 1) for piece in first.pieces] == [1.0, 1.2]
    assert [piece.units[0].offset_s for piece in first.pieces] == [
        piece.sound.duration_s for piece in first.pieces
    ]


def test_what_gives_nothing_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "none.wav").write_bytes(b"no sound")
    write_wav(tmp_path / "click.wav", Sound(np.ones(800, dtype=np.float32), RATE_HZ))
    write_wav(tmp_path / "still.wav", Sound(np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ))
    names = ("none.wav", "click.wav", "still.wav")
    for cut in (False, True):
        assert load_takes([CorpusRow(tmp_path / name, name, cut=cut) for name in names]) == []


@pytest.mark.parametrize(
    ("first", "second", "apart"),
    [
        ({"session": "B"}, {"session": "D"}, True),
        ({"session": "B"}, {"session": "B"}, False),
        ({"recorded_at_s": 0.0}, {"recorded_at_s": 3601.0}, True),
        ({"recorded_at_s": 0.0}, {"recorded_at_s": 3600.0}, False),
        ({"recorded_at_s": 0.0}, {}, False),
    ],
)
def test_recordings_lie_apart_only_where_that_is_known(
    first: dict[str, object], second: dict[str, object], apart: bool
) -> None:
    assert lie_apart(a_take(**first), a_take(**second)) is apart


# --- parts --------------------------------------------------------------------------------------


def test_infants_are_parted_by_the_rule_of_every_training(takes: list[Take]) -> None:
    parts = part(takes)
    assert parts.infants() == {"training": TRAINING, "validation": VALIDATION, "test": TEST}
    for name, members in vars(parts).items():
        assert {part_by_rule(take.infant) for take in members} == {name}


def test_an_infant_of_many_recordings_is_for_the_test_unless_asked_otherwise() -> None:
    infant = next(f"i{n}" for n in range(99) if part_by_rule(f"i{n}") == "training")
    takes = [a_take(infant, seed) for seed in range(8)]
    assert part(takes).infants()["test"] == 1
    assert part(takes, HoldOut.SHARE).infants()["training"] == 1


def test_a_published_split_is_kept() -> None:
    splits = {"a": "train", "b": "dev", "c": "test"}
    parts = part([a_take(infant, split=split) for infant, split in splits.items()])
    assert [take.infant for take in parts.training] == ["a"]
    assert [take.infant for take in parts.validation] == ["b"]
    assert [take.infant for take in parts.test] == ["c"]


@pytest.mark.parametrize(
    ("splits", "words"), [(("train", "test"), "two parts"), (("train", "eval"), "'eval' is none")]
)
def test_a_split_that_cannot_be_kept_is_refused(splits: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        part([a_take("a", split=split) for split in splits])


# --- crops --------------------------------------------------------------------------------------


def test_a_batch_holds_as_many_crops_of_each_infant_from_different_recordings(
    takes: list[Take],
) -> None:
    crops = Crops(takes, infants=5, each=2)
    for step in range(10):
        drawn = crops.draw(np.random.default_rng(step))
        infants = [takes[index].infant for index in drawn.takes]
        assert infants[::2] == infants[1::2]
        assert len(set(infants)) == 5
        assert len(set(drawn.takes)) == 10
        assert drawn.samples.shape[1] in {round(length_s * RATE_HZ) for length_s in CROP_S}
        assert drawn.new_background is not None
        assert drawn.new_background.shape == drawn.samples.shape


def test_an_infant_of_one_recording_gives_two_crops_of_it() -> None:
    drawn = Crops([a_take("a"), a_take("b", 1)], infants=2, each=3).draw(np.random.default_rng(0))
    assert Counter(drawn.takes) == {0: 3, 1: 3}
    assert not np.array_equal(drawn.samples[0], drawn.samples[1])
    assert drawn.new_background is None


def test_a_batch_follows_from_its_generator(takes: list[Take]) -> None:
    crops = Crops(takes, 4, 2)
    first, again, other = (crops.draw(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.samples, again.samples)
    assert first.takes == again.takes
    assert first.takes != other.takes


def test_infants_are_compared_on_one_kind_of_device_only() -> None:
    groups = {"a": "ios", "b": "ios", "c": "android", "d": "android", "e": "web"}
    takes = [a_take(infant, group=group) for infant, group in groups.items()]
    drawn = [Crops(takes, 4, 2).draw(np.random.default_rng(seed)) for seed in range(12)]
    seen = {frozenset(takes[index].infant for index in one.takes) for one in drawn}
    assert seen == {frozenset("ab"), frozenset("cd")}


def test_one_infant_alone_is_refused() -> None:
    with pytest.raises(ConfigError, match="two infants"):
        Crops([a_take("a"), a_take("b", group="android")], 4, 2)


def test_crops_come_from_cry_units_and_are_repeated_where_they_must_be() -> None:
    take = a_take()
    rng = np.random.default_rng(0)
    samples = take.pieces[0].sound.samples
    for _ in range(20):
        found = crop(take, 8_000, rng)
        start = int(np.flatnonzero(samples == found[0])[0])
        assert np.array_equal(samples[start : start + 8_000], found)
        assert 0.2 * RATE_HZ <= start <= 1.4 * RATE_HZ
    assert np.array_equal(crop(take, 40_000, rng)[32_000:], samples[:8_000])
