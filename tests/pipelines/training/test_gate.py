"""Training of the gate: its sounds, its fits, and the whole command on a small made-up corpus."""

import csv
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from pipelines.__main__ import main
from pipelines.channel import Codec
from pipelines.gate import MAD_TO_SD
from pipelines.heads import TRAITS, read_heads
from pipelines.manifest import ManifestRow
from pipelines.sound import RATE_HZ, Sound, write_wav
from pipelines.synthesis import InfantVoice, synthesise_cry
from pipelines.training import gate_fit as fit
from pipelines.training.gate_negatives import KINDS, Maker
from pipelines.training.gate_sounds import (
    Raw,
    adult_speech,
    cries,
    hard_sounds,
    held_out_rows,
    is_human_checked,
    not_cry_intervals,
    on_channel,
    synthetic_sounds,
    training_rows,
)
from pipelines.training.split import HELD_OUT_FRAC, HELD_OUT_FROM_RECORDINGS, RULE, is_held_out

START = datetime(2024, 1, 1, tzinfo=UTC)


# --- the split ----------------------------------------------------------------------------------


def test_infants_with_many_recordings_are_held_out() -> None:
    names = [f"infant{number}" for number in range(200)]
    assert all(is_held_out(name, HELD_OUT_FROM_RECORDINGS) for name in names)
    share = np.mean([is_held_out(name, 1) for name in names])
    assert share == pytest.approx(HELD_OUT_FRAC, abs=0.06)


def test_the_split_is_the_same_for_ever() -> None:
    assert [is_held_out(f"{n:08x}", 2) for n in range(12)] == [
        is_held_out(f"{n:08x}", 7) for n in range(12)
    ]
    found = [n for n in range(60) if is_held_out(f"infant-{n}", 1)]
    assert found == [7, 8, 13, 16, 19, 20, 21, 22, 28, 32, 34, 37, 50, 53]
    assert "8 recordings" in RULE
    assert "15%" in RULE


def test_training_and_held_out_rows_part_the_manifest_by_infant() -> None:
    rows = [
        ManifestRow(Path(f"{i}-{k}.wav"), f"infant{i}", START, extra={"human_checked_cry": "1"})
        for i in range(40)
        for k in range(1 + i % 10)
    ]
    kept, out = training_rows(rows), held_out_rows(rows)
    assert len(kept) + len(out) == len(rows)
    assert not {row.infant for row in kept} & {row.infant for row in out}
    count = Counter(row.infant for row in rows)
    assert all(count[row.infant] < HELD_OUT_FROM_RECORDINGS for row in kept)


# --- sounds -------------------------------------------------------------------------------------


def test_synthetic_sounds_are_seeded_finite_and_of_several_kinds() -> None:
    first, again = (list(synthetic_sounds(12, np.random.default_rng(5))) for _ in range(2))
    for raw, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(raw.sound.samples, other.sound.samples)
        assert np.all(np.isfinite(raw.sound.samples))
        assert np.max(np.abs(raw.sound.samples)) == pytest.approx(0.7, abs=1e-3)
        assert not raw.is_cry
    assert len({raw.group.split("-")[0] for raw in first}) == 6


def test_hard_sounds_are_seeded_finite_and_of_every_kind() -> None:
    first, again = (list(hard_sounds(2, np.random.default_rng(5))) for _ in range(2))
    assert [raw.source for raw in first] == [kind for kind in KINDS for _ in range(2)]
    assert len({raw.group for raw in first}) == len(first)
    for raw, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(raw.sound.samples, other.sound.samples)
        assert np.all(np.isfinite(raw.sound.samples))
        assert np.max(np.abs(raw.sound.samples)) == pytest.approx(0.7, abs=1e-3)
        assert not raw.is_cry


@pytest.mark.parametrize("maker", [maker for makers in KINDS.values() for maker in makers])
def test_every_maker_makes_another_sound_each_time(maker: Maker) -> None:
    rng = np.random.default_rng(1)
    first, second = maker(rng), maker(rng)
    assert first.shape == second.shape == (5 * RATE_HZ,)
    assert np.std(first) > 0.0
    assert not np.array_equal(first, second)


def test_every_second_adult_is_sped_up(tmp_path: Path) -> None:
    manifest = words(tmp_path, speakers=4)
    clips = list(adult_speech(manifest, 4, np.random.default_rng(0)))
    assert [clip.source for clip in clips] == ["adult", "childlike", "adult", "childlike"]
    assert len({clip.group for clip in clips}) == 4
    assert clips[1].sound.duration_s < 0.8 * clips[0].sound.duration_s


def test_what_was_marked_as_no_cry_is_joined(tmp_path: Path) -> None:
    times_s = np.arange(4 * RATE_HZ) / RATE_HZ
    write_wav(tmp_path / "a.wav", Sound((0.1 * np.floor(times_s)).astype(np.float32), RATE_HZ))
    lines = [("a.wav", 0, 1, "cry"), ("a.wav", 1, 1.5, "not_cry"), ("a.wav", 3, 4, "not_cry")]
    intervals = write_csv(tmp_path / "i.csv", ("file", "onset_s", "offset_s", "label"), lines)
    (raw,) = not_cry_intervals([ManifestRow(tmp_path / "a.wav", "x", START)], intervals)
    assert raw.sound.duration_s == pytest.approx(1.5)
    assert set(np.round(raw.sound.samples, 2)) == {np.float32(0.1), np.float32(0.3)}


def test_intervals_under_a_second_in_all_are_left_out(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", Sound(np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ))
    lines = [("a.wav", 0, 0.4, "not_cry"), ("a.wav", 0.5, 0.9, "not_cry")]
    intervals = write_csv(tmp_path / "i.csv", ("file", "onset_s", "offset_s", "label"), lines)
    assert not list(not_cry_intervals([ManifestRow(tmp_path / "a.wav", "x", START)], intervals))


def test_only_human_checked_recordings_count_as_cries(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", synthesise_cry(InfantVoice(), seed=0, duration_s=2.0).sound)
    checked = ManifestRow(tmp_path / "a.wav", "x", START, extra={"human_checked_cry": "1"})
    other = ManifestRow(tmp_path / "a.wav", "y", START, extra={"human_checked_cry": "0"})
    assert [raw.group for raw in cries([checked, other])] == ["x"]
    assert not is_human_checked(ManifestRow(tmp_path / "a.wav", "z", START))


@pytest.mark.parametrize("codec", list(Codec))
def test_both_kinds_go_through_both_codecs(codec: Codec) -> None:
    cry = Raw(synthesise_cry(InfantVoice(), 0, 2.0).sound, is_cry=True, source="cry", group="x")
    (noise,) = synthetic_sounds(1, np.random.default_rng(0))
    for raw in (cry, noise):
        first, again = (on_channel(raw, codec, {}, np.random.default_rng(3)) for _ in range(2))
        np.testing.assert_array_equal(first.sound.samples, again.sound.samples)
        assert first.sound.rate_hz == (8_000 if codec is Codec.AMR else 16_000)


# --- fits ---------------------------------------------------------------------------------------


def cry_set(seed: int = 0, wide_frac: float = 0.5) -> fit.CrySet:
    """Cries differ from the rest in the first feature; the second tells the codec only."""
    rng = np.random.default_rng(seed)
    count = 300
    source = rng.choice(["cry", "adult", "synthetic"], size=count, p=[0.5, 0.3, 0.2])
    is_cry = source == "cry"
    is_wide = rng.random(count) < np.where(is_cry, 1.0 - wide_frac, wide_frac)
    features = rng.normal(size=(count, 4))
    features[:, 0] += 2.0 * is_cry
    features[:, 1] += 5.0 * is_wide
    return fit.CrySet(
        features=features.astype(np.float32),
        is_cry=is_cry,
        source=source,
        group=np.array([f"g{n}" for n in rng.integers(0, 40, count)]),
        codec=np.where(is_wide, "adpcm", "amr"),
    )


def test_on_each_codec_both_kinds_and_their_sources_weigh_the_same() -> None:
    examples = cry_set(wide_frac=0.8)
    weights = fit.balanced_weights(examples)
    assert weights.sum() == pytest.approx(len(weights))
    for codec in ("amr", "adpcm"):
        on = examples.codec == codec
        cry_weight = weights[on & examples.is_cry].sum()
        assert weights[on & ~examples.is_cry].sum() == pytest.approx(cry_weight)
        adult, synthetic = (
            weights[on & (examples.source == s)].sum() for s in ("adult", "synthetic")
        )
        assert adult == pytest.approx(synthetic)


def test_the_cry_head_is_no_codec_detector() -> None:
    head = fit.fit_cry_head(cry_set(wide_frac=0.9), penalty=0.1)
    other_codec, cry = (head.probabilities(np.eye(4)[at] * [[-2.0], [2.0]]) for at in (1, 0))
    assert abs(np.diff(other_codec)[0]) < 0.1 * np.diff(cry)[0]


def test_probabilities_of_many_are_those_of_each() -> None:
    examples = cry_set()
    head = fit.fit_cry_head(examples, penalty=0.1)
    each = [head.probability(row) for row in examples.features[:20]]
    np.testing.assert_allclose(fit.probabilities(head, examples.features[:20]), each, rtol=1e-5)


def test_the_strongest_penalty_that_is_as_good_is_chosen() -> None:
    examples = cry_set()
    penalty, by_source = fit.choose_penalty(examples)
    tried = {p: list(fit.unseen_source_auc(examples, p).values()) for p in fit.PENALTIES}
    means = {p: np.mean(values) for p, values in tried.items()}
    best = max(means, key=lambda p: means[p])
    least = means[best] - np.std(tried[best], ddof=1) / np.sqrt(len(tried[best]))
    assert means[penalty] >= least
    assert all(mean < least for p, mean in means.items() if p < penalty)
    assert set(by_source) == {"adult", "synthetic"}


def test_unseen_probabilities_never_come_from_a_head_that_met_the_group() -> None:
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(20), 10)
    features = np.repeat(rng.normal(size=(20, 60)), 10, axis=0).astype(np.float32)
    examples = fit.CrySet(
        features,
        is_cry=np.repeat(rng.random(20) < 0.5, 10),
        source=np.where(np.repeat(rng.random(20) < 0.5, 10), "a", "b"),
        group=group.astype(str),
        codec=np.full(200, "amr"),
    )
    own = fit.probabilities(fit.fit_cry_head(examples, 1.0), features)
    unseen = fit.unseen_probabilities(examples, 1.0)
    assert np.mean((own > 0.5) == examples.is_cry) > 0.9
    assert np.mean((unseen > 0.5) == examples.is_cry) < 0.85


def test_ranges_are_medians_and_scaled_mads_by_age() -> None:
    rng = np.random.default_rng(0)
    ages = [14.0] * 100 + [900.0] * 100
    values = rng.normal(size=(200, len(TRAITS) + 1)) * 5.0
    values[100:, 0] += 20.0
    ranges = fit.fit_ranges(values, ages, 0.02)
    young, old = ranges.row(14.0), ranges.row(900.0)
    expected = np.median(values[:100], axis=0)
    np.testing.assert_allclose(ranges.centre[young], expected, rtol=1e-5)
    mad = MAD_TO_SD * np.median(np.abs(values[:100] - expected), axis=0)
    np.testing.assert_allclose(ranges.spread[young], mad, rtol=1e-5)
    assert ranges.centre[old, 0] - ranges.centre[young, 0] == pytest.approx(20.0, abs=3.0)
    assert np.all(ranges.spread[-1] >= ranges.spread[:-1].max(axis=0))


def test_a_small_band_borrows_its_neighbours_and_an_unknown_age_belongs_to_none() -> None:
    values = np.zeros((100, len(TRAITS) + 1))
    values[:60, 0], values[60:65, 0], values[65:, 0] = 1.0, 5.0, 50.0
    ages = [14.0] * 60 + [42.0] * 5 + [None] * 35
    ranges = fit.fit_ranges(values, ages, 0.02)
    assert ranges.centre[ranges.row(42.0), 0] == 1.0
    assert ranges.centre[ranges.row(14.0), 0] == 1.0


def test_spreads_never_fall_under_the_least() -> None:
    ranges = fit.fit_ranges(np.ones((50, len(TRAITS) + 1)), [14.0] * 50, 0.02)
    np.testing.assert_allclose(ranges.spread[0, :-1], fit.least_spreads(), rtol=1e-6)


def test_traits_that_are_absent_are_left_out_of_the_medians() -> None:
    values = fit.trait_matrix([{"f0_median_hz": 8.0}, {}, {"f0_median_hz": 9.0}])
    assert np.isnan(values[1, 0])
    centre, _ = fit.centre_and_spread(values[:, :1], np.array([0.1]))
    assert centre[0] == 8.5


def test_the_embedding_head_finds_what_is_there_and_says_how_well() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 192)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    signal = 10.0 * x[:, 0].astype(np.float64)
    groups = np.array([f"g{n}" for n in np.arange(200) // 4])
    usual = np.ones(200, dtype=bool)
    head, _ = fit.fit_embedding_head(x, signal, groups, usual, "abc")
    noise, _ = fit.fit_embedding_head(x, rng.normal(size=200), groups, usual, "abc")
    assert head.correlation > 0.8
    assert noise.correlation < 0.4
    assert head.encoder == "abc"
    said = [head.predict(row[None]) for row in x]
    assert np.corrcoef(said, signal)[0, 1] > 0.9


# --- the command --------------------------------------------------------------------------------


def write_csv(path: Path, columns: tuple[str, ...], lines: list[tuple[object, ...]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *lines])
    return path


def words(folder: Path, speakers: int) -> Path:
    """Write made-up words: low voiced syllables."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    lines: list[tuple[object, ...]] = []
    for speaker in range(speakers):
        voice = InfantVoice(f0_hz=150.0 + 10.0 * (speaker % 5), tract_length_cm=16.0)
        for take in range(3):
            sound = synthesise_cry(voice, seed=int(rng.integers(1000)), duration_s=1.0).sound
            write_wav(folder / f"{speaker}-{take}.wav", sound)
            lines.append((f"{speaker}-{take}.wav", f"s{speaker}"))
    return write_csv(folder / "manifest.csv", ("file", "speaker"), lines)


def small_corpus(root: Path) -> Path:
    """Write 14 infants with two cries each, 8 adults, and no noise."""
    cry_folder = root / "donateacry"
    cry_folder.mkdir()
    (root / "noise").mkdir()
    words(root / "speech_commands", speakers=8)
    lines: list[tuple[object, ...]] = []
    intervals: list[tuple[object, ...]] = []
    for infant in range(14):
        voice = InfantVoice(f0_hz=350.0 + 15.0 * infant)
        for take in range(2):
            name = f"{infant}-{take}.wav"
            cry = synthesise_cry(voice, seed=100 * infant + take, duration_s=2.5)
            write_wav(cry_folder / name, cry.sound)
            when = (START + timedelta(days=take)).isoformat()
            lines.append((name, f"i{infant}", when, "ios", "2-6 months", 1))
            intervals.append((name, 0.0, 1.5, "not_cry"))
    columns = ("file", "infant", "recorded_at", "device", "age_band", "human_checked_cry")
    write_csv(cry_folder / "manifest.csv", columns, lines)
    write_csv(cry_folder / "cry_intervals.csv", ("file", "onset_s", "offset_s", "label"), intervals)
    return root


def test_the_command_is_deterministic_and_its_card_says_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.training.gate.SYNTHETIC_CLIPS", 12)
    monkeypatch.setattr("pipelines.training.gate.HARD_CLIPS", 1)
    monkeypatch.setattr("pipelines.training.gate.COPIES", {})
    monkeypatch.setattr(fit, "PENALTIES", (0.001, 0.01))
    (tmp_path / "corpus").mkdir()
    corpus = small_corpus(tmp_path / "corpus")
    outs = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for out in outs:
        figures = tmp_path / "figures.json"
        assert main(["train-gate", str(corpus), "--out", str(out), "--json", str(figures)]) == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()
    card = json.loads(outs[0].with_suffix(".json").read_text())
    assert card == json.loads(figures.read_text())
    heads = read_heads(outs[0])
    assert card["version"] == heads.version
    assert card["split"] == RULE
    assert "no recording had a distress label" in card["what_it_is_not"]
    assert "environment" not in json.dumps(card["training_sets"])
    assert -1.0 <= card["embedding_correlation_held_out"] <= 1.0
    assert heads.embedding.encoder == card["encoder_fingerprint"]
