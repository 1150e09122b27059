"""Training the backbone: what it may hear, how it changes rooms, and that a run can be resumed."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipelines.__main__ import main
from pipelines.embed import load_encoder
from pipelines.errors import ConfigError
from pipelines.frontend import FrontEnd
from pipelines.segment import Unit
from pipelines.training import probes
from pipelines.training.augment import (
    TELEPHONE_BAND,
    Crops,
    Strength,
    add_room,
    change_room,
    equaliser,
    mask,
    mix_background,
    normalise_crops,
    subtract_background,
)
from pipelines.training.backbone import (
    STATE_FILE,
    Run,
    RunSettings,
    keep_freed_memory,
    mel_mean,
    train_backbone,
)
from pipelines.training.batches import Batches, Shares
from pipelines.training.corpus import (
    ADULTS,
    SIMULATED,
    Corpus,
    at_speed,
    every_source,
    load_corpus,
    played_at,
    tracked_f0,
    training_sources,
)
from pipelines.training.device import chosen_device
from pipelines.training.learner import Learner, Recipe
from pipelines.training.model_card import verdict
from pipelines.training.objectives import (
    aam_softmax,
    angular_prototypical,
    known_squared_error,
    shared_variance,
)
from tests.pipelines.training.small_data import RATE_HZ, named, voice

pytestmark = pytest.mark.usefixtures("one_thread")

TINY = {
    "input_size": 80,
    "lin_neurons": 192,
    "channels": [16, 16, 16, 16, 48],
    "attention_channels": 8,
    "se_channels": 8,
}
SHORT = Recipe(crops=64, identities=4, simulated_infants=5)
EVERYBODY = Shares(cries=0.5, adults=0.3, simulated=0.2)


@pytest.fixture(scope="module")
def corpus(data_root: Path) -> Corpus:
    return load_corpus(data_root, simulated=SHORT.simulated_infants)


# --- what may be heard --------------------------------------------------------------------------


def test_no_held_out_infant_or_speaker_is_heard(corpus: Corpus, data_root: Path) -> None:
    real = [clip for clip in corpus.clips if clip.group != SIMULATED]
    assert {clip.voice[0] for clip in real} == {"i", "s"}
    out = training_sources(data_root, held_out=True)
    assert {source.voice[0] for source in out} == {"o", "t"}


def test_copies_at_other_speeds_are_identities_of_their_own(corpus: Corpus) -> None:
    cries = [clip for clip in corpus.clips if clip.group not in (ADULTS, SIMULATED)]
    assert len({clip.identity for clip in cries}) == 3 * len({clip.voice for clip in cries})
    assert {clip.group for clip in cries} == {"cries on ios", "cries on android"}


def test_a_faster_copy_is_shorter_and_higher() -> None:
    sound = voice(400.0, 0, 1.0)
    faster = played_at(sound, 1.25)
    assert faster.samples.size == pytest.approx(sound.samples.size / 1.25, abs=2)
    spectrum = np.abs(np.fft.rfft(faster.samples))
    peak_hz = spectrum.argmax() * RATE_HZ / faster.samples.size
    assert peak_hz == pytest.approx(500.0, abs=5.0)


def test_the_manifests_checksum_follows_the_recordings(data_root: Path, corpus: Corpus) -> None:
    assert load_corpus(data_root, simulated=0).manifest_sha256 == corpus.manifest_sha256
    file = training_sources(data_root)[0].file
    content = file.read_bytes()
    try:
        file.write_bytes(content[:-2] + b"\x01\x02")
        assert load_corpus(data_root, simulated=0).manifest_sha256 != corpus.manifest_sha256
    finally:
        file.write_bytes(content)


def test_units_lie_within_their_clips(corpus: Corpus) -> None:
    for clip in corpus.clips:
        length = clip.span[1] - clip.span[0]
        assert (clip.units[:, 0] < clip.units[:, 1]).all()
        assert clip.units.max() <= length


# --- batches ------------------------------------------------------------------------------------


def test_a_batch_is_a_function_of_seed_and_step(corpus: Corpus) -> None:
    batches = Batches(corpus, seed=3, identities=4)
    first, again = (batches.draw(batches.rng(7), EVERYBODY) for _ in range(2))
    other = batches.draw(batches.rng(8), EVERYBODY)
    assert np.array_equal(first.crops.power, again.crops.power)
    assert np.array_equal(first.crops.new_background, again.crops.new_background)
    assert not np.array_equal(first.crops.new_background, other.crops.new_background)


def test_a_batch_holds_two_crops_per_identity_of_one_group(corpus: Corpus) -> None:
    batches = Batches(corpus, seed=0, identities=4)
    seen = set()
    for step in range(20):
        batch = batches.draw(batches.rng(step), EVERYBODY)
        seen.add(batch.group)
        half = len(batch.labels) // 2
        assert np.array_equal(batch.labels[:half], batch.labels[half:])
        assert len(set(batch.labels[:half].tolist())) == half
        assert batch.crops.power.shape[0] == 2 * half
        assert (batch.crops.power > 0).all()
        assert batch.crops.power.shape == batch.crops.new_background.shape
    assert seen == {ADULTS, SIMULATED, "cries on ios", "cries on android"}


def test_cries_alone_when_asked(corpus: Corpus) -> None:
    batches = Batches(corpus, seed=0, identities=4)
    groups = {batches.draw(batches.rng(step), Shares()).group for step in range(20)}
    assert not groups & {ADULTS, SIMULATED}


def test_recordings_more_than_an_hour_apart_come_first(corpus: Corpus) -> None:
    clips = list(corpus.clips)
    cries = [i for i, c in enumerate(clips) if c.voice == clips[0].voice and c.speed == 1.0]
    third = dataclasses.replace(
        clips[cries[0]], recorded_at_s=(clips[cries[0]].recorded_at_s or 0.0) + 60.0
    )
    batches = Batches(dataclasses.replace(corpus, clips=(*clips, third)), seed=0)
    known = [i for group in batches.groups.values() for i in group if len(clips) in i.clips]
    weights = dict(zip(known[0].pairs, known[0].pair_weights, strict=True))
    assert weights[cries[0], cries[1]] == pytest.approx(4 * weights[cries[0], len(clips)])


def test_one_crop_in_two_rooms_is_the_same_crop(corpus: Corpus) -> None:
    batches = Batches(corpus, seed=0, identities=4)
    batch = batches.draw(batches.rng(0), dataclasses.replace(EVERYBODY, same_take=1.0))
    half = len(batch.labels) // 2
    assert np.array_equal(batch.crops.power[:half], batch.crops.power[half:])
    assert not np.array_equal(batch.crops.new_background[:half], batch.crops.new_background[half:])
    other = batches.draw(batches.rng(0), EVERYBODY)
    assert not np.array_equal(other.crops.power[:half], other.crops.power[half:])


def test_voices_that_are_left_out_give_neither_cries_nor_backgrounds(corpus: Corpus) -> None:
    out = next(clip for clip in corpus.clips if clip.group == "cries on ios")
    batches = Batches(corpus, 0, 4, without=[out.voice])
    used = {index for group in batches.groups.values() for one in group for index in one.clips}
    assert {corpus.clips[index].voice for index in used}.isdisjoint({out.voice})
    silent = {clip.source for clip in corpus.clips if clip.voice == out.voice}
    kept = {int(corpus.background_source[index]) for index in batches.usable_backgrounds}
    assert kept
    assert kept.isdisjoint(silent)


def test_a_crop_knows_what_is_known_of_its_voice(corpus: Corpus) -> None:
    batches = Batches(corpus, seed=0, identities=4)
    simulated = batches.draw(batches.rng(1), Shares(cries=0.0, simulated=1.0))
    assert np.isfinite(simulated.targets[:, 1:]).all()
    assert np.isfinite(simulated.targets[:, 0]).any()
    adults = batches.draw(batches.rng(1), Shares(cries=0.0, adults=1.0))
    assert np.isnan(adults.targets).all()
    cries = batches.draw(batches.rng(1), Shares())
    assert np.isnan(cries.targets[:, 1:]).all()
    assert simulated.nuisance.shape == (len(simulated.labels), 12)


def test_pitch_is_known_at_every_speed() -> None:
    known = tracked_f0(voice(400.0, 0, 1.0), 101)
    assert np.nanmedian(known) == pytest.approx(400.0, rel=0.01)
    faster = at_speed(known, 1.25, 80)
    assert np.nanmedian(faster) == pytest.approx(500.0, rel=0.01)


def test_everybody_can_be_asked_for_with_held_out_infants_in(data_root: Path) -> None:
    everybody = {source.voice for source in every_source(data_root)}
    assert {name[0] for name in everybody} == {"i", "o", "s"}


# --- changed rooms ------------------------------------------------------------------------------


@pytest.fixture
def power() -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    drawn: NDArray[np.float32] = rng.gamma(1.0, 1.0, (64, 40, 80)).astype(np.float32)
    return drawn


def test_background_comes_in_at_the_level_that_was_asked(power: NDArray[np.float32]) -> None:
    rng = np.random.default_rng(1)
    strength = Strength(signal_to_background_db=(10.0, 10.0))
    background = rng.gamma(1.0, 5.0, power.shape).astype(np.float32)
    added = mix_background(power, background, rng, strength) - power
    ratio_db = 10 * np.log10(power.mean(axis=(1, 2)) / added.mean(axis=(1, 2)))
    assert ratio_db == pytest.approx(np.full(64, 10.0), abs=0.01)


def test_a_room_adds_a_tail_that_decays() -> None:
    click = np.full((1, 60, 80), 1e-10, dtype=np.float32)
    click[:, 5] = 1.0
    strength = Strength(room_frac=1.0, reverberation_s=(0.3, 0.3))
    tail = add_room(click, np.random.default_rng(0), strength)[0, :, 0]
    assert (tail[:5] < 2e-10).all()
    falls = np.diff(10 * np.log10(tail[7:20]))
    assert falls == pytest.approx(np.full(12, -2.0), abs=0.05)  # 60 dB in 0.3 s


def test_subtraction_never_goes_below_its_floor(power: NDArray[np.float32]) -> None:
    background = np.full((64, 80), 100.0, dtype=np.float32)
    left = subtract_background(power, background, np.random.default_rng(0), 1.0)
    assert left == pytest.approx(0.02 * power, rel=1e-4)


def test_changes_are_seeded_and_leave_their_input_alone(power: NDArray[np.float32]) -> None:
    crops = Crops(power, power.mean(axis=1), power[::-1].copy())
    before = power.copy()
    first, again = (
        change_room(crops, np.random.default_rng(4), Strength(clean_frac=0.0)) for _ in range(2)
    )
    assert np.array_equal(first, again)
    assert np.array_equal(power, before)
    assert not np.isclose(first, power).all(axis=(1, 2)).any()


def test_clean_crops_stay_as_they_were(power: NDArray[np.float32]) -> None:
    crops = Crops(power, power.mean(axis=1), power)
    strength = Strength(clean_frac=1.0, telephone_frac=0.0)
    assert np.array_equal(change_room(crops, np.random.default_rng(0), strength), power)


def test_the_telephone_band_ends_under_four_kilohertz(power: NDArray[np.float32]) -> None:
    crops = Crops(power, power.mean(axis=1), power)
    strength = Strength(clean_frac=1.0, telephone_frac=1.0)
    changed = change_room(crops, np.random.default_rng(0), strength)
    assert (changed[:, :, TELEPHONE_BAND:] < 1e-9).all()
    assert np.array_equal(changed[:, :, :TELEPHONE_BAND], power[:, :, :TELEPHONE_BAND])


def test_the_equaliser_is_smooth() -> None:
    gain_db = 10 * np.log10(equaliser(100, 80, np.random.default_rng(0), Strength()))
    assert 2.0 < gain_db.std() < 8.0
    assert np.abs(np.diff(gain_db, axis=2)).max() < 3.0


def test_masks_blank_stretches_and_nothing_else(power: NDArray[np.float32]) -> None:
    masked = mask(power, np.random.default_rng(0))
    changed = masked != power
    assert (masked[changed] == 0.0).all()
    assert 0.01 < changed.mean() < 0.25


def test_crops_are_normalised_as_units_are_in_use(power: NDArray[np.float32]) -> None:
    from pipelines.frontend import normalise_unit, to_decibel

    mean_db = np.linspace(-3, 3, 80, dtype=np.float32)
    front_end = FrontEnd(global_mel_mean_db=tuple(mean_db.tolist()))
    ours = normalise_crops(power[:1], FrontEnd(), mean_db)[0]
    assert ours == pytest.approx(normalise_unit(to_decibel(power[0]), front_end), abs=1e-3)


# --- objectives ---------------------------------------------------------------------------------


def test_a_margin_makes_the_softmax_harder_and_right_centres_easier() -> None:
    vectors = torch.nn.functional.normalize(torch.eye(4, 16) + 0.1, dim=1)
    labels = torch.arange(4)
    right = aam_softmax(vectors, vectors, labels, 0.0)
    assert right < aam_softmax(vectors, vectors, labels, 0.2)
    assert right < aam_softmax(vectors, vectors.flip(0), labels, 0.0)


def test_prototypical_loss_wants_pairs_to_match() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(8, 16), dim=1)
    scale, bias = torch.tensor(2.3), torch.tensor(0.0)
    matched = angular_prototypical(vectors, vectors, scale, bias)
    assert matched < angular_prototypical(vectors, vectors.flip(0), scale, bias)


def test_only_what_is_known_is_asked_for() -> None:
    wanted = torch.tensor([[1.0, float("nan")], [float("nan"), 2.0]])
    assert known_squared_error(torch.tensor([[1.0, 9.0], [9.0, 4.0]]), wanted) == 2.0
    assert known_squared_error(torch.ones(2, 2), torch.full((2, 2), float("nan"))) == 0.0


def test_shared_variance_tells_followers_from_strangers() -> None:
    drawn = torch.Generator().manual_seed(0)
    nuisance = torch.randn(500, 3, generator=drawn)
    follower = nuisance[:, :1].repeat(1, 4)
    stranger = torch.randn(500, 4, generator=drawn)
    assert shared_variance(follower, nuisance) > 0.3
    assert shared_variance(stranger, nuisance) < 0.02


# --- runs ---------------------------------------------------------------------------------------


def silent(line: str) -> None:
    del line


def run_of(corpus: Corpus, folder: Path, recipe: Recipe = SHORT) -> Run:
    folder.mkdir(exist_ok=True)
    return Run(corpus, recipe, folder, silent, RunSettings(TINY))


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(corpus: Corpus, tmp_path: Path) -> None:
    whole = run_of(corpus, tmp_path / "whole")
    whole.run()
    first = run_of(corpus, tmp_path / "parts")
    for _ in range(3):
        first.step()
    first.save()
    second = run_of(corpus, tmp_path / "parts")
    second.resume()
    assert second.progress.step == 3
    second.run()
    expected, found = whole.learner.arrays(), second.learner.arrays()
    assert set(expected) == set(found)
    for name, array in expected.items():
        assert np.array_equal(array, found[name]), name


def test_the_state_of_another_run_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    run_of(corpus, tmp_path).save()
    other = run_of(corpus, tmp_path, dataclasses.replace(SHORT, seed=1))
    with pytest.raises(ConfigError, match="another recipe"):
        other.resume()


def test_the_neck_is_folded_into_the_last_layer(corpus: Corpus, tmp_path: Path) -> None:
    from pipelines.encoders.checkpoint import network_with

    run = run_of(corpus, tmp_path)
    for _ in range(4):
        run.step()
    learner = run.learner
    learner.network.eval()
    learner.neck.eval()
    crops = np.random.default_rng(0).normal(size=(3, 48, 80)).astype(np.float32)
    network = network_with(learner.finished_weights(), TINY, Path("folded"))
    with torch.inference_mode():
        folded = torch.nn.functional.normalize(network(torch.from_numpy(crops))[:, 0], dim=1)
        expected = learner.embed(crops)
    assert folded.numpy() == pytest.approx(expected.numpy(), abs=1e-4)


def test_it_learns(corpus: Corpus, tmp_path: Path) -> None:
    recipe = Recipe(crops=100_000, identities=8, adults_frac=0.0, simulated_frac=0.0, margin=0.0)
    run = run_of(corpus, tmp_path, recipe)
    losses = [run.step().prototypical for _ in range(90)]
    assert np.mean(losses[-20:]) < 0.8 * np.mean(losses[:20])


def test_schedules_begin_and_end_as_described() -> None:
    recipe = Recipe(crops=96_000, identities=48)
    assert recipe.steps == 1000
    assert recipe.learning_rate_at(0) == pytest.approx(recipe.learning_rate / 100, rel=0.01)
    assert recipe.learning_rate_at(999) < 1e-7
    assert (recipe.margin_at(0.0), recipe.margin_at(0.5), recipe.margin_at(1.0)) == (0.0, 0.2, 0.2)
    begin, end = recipe.shares_at(0.0), recipe.shares_at(0.7)
    assert (begin.cries, begin.adults, begin.simulated) == pytest.approx((0.5, 0.3, 0.2))
    assert (end.cries, end.adults, end.simulated) == pytest.approx((0.9, 0.0, 0.1))


def test_the_mel_mean_is_that_of_cries(corpus: Corpus) -> None:
    mean_db = mel_mean(Batches(corpus, 0, 4), FrontEnd())
    assert mean_db.shape == (80,)
    assert abs(float(mean_db.mean())) < 0.01
    assert mean_db[4:20].mean() > mean_db[60:].mean()


def test_every_step_of_the_learner_is_in_its_arrays(corpus: Corpus) -> None:
    batches = Batches(corpus, 0, 4)
    sizes = {group: len(known) for group, known in batches.groups.items()}
    learner = Learner(SHORT, sizes, TINY)
    before = learner.arrays()
    assert {"scale", "bias", f"centres.{ADULTS}", "network.fc.conv.weight"} <= set(before)


def test_batches_prepared_ahead_are_the_same(corpus: Corpus, tmp_path: Path) -> None:
    settings = RunSettings(TINY, ahead=True)
    before, ahead = run_of(corpus, tmp_path), Run(corpus, SHORT, tmp_path, silent, settings)
    for (one, crops), (other, same) in zip(
        before.batches_from(0), ahead.batches_from(0), strict=True
    ):
        assert np.array_equal(crops, same)
        assert np.array_equal(one.labels, other.labels)


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device("auto") == chosen_device("cpu") == "cpu"
    with pytest.raises(ConfigError, match="no GPU"):
        chosen_device("cuda")


def test_keeping_freed_memory_says_whether_it_could() -> None:
    assert keep_freed_memory() in (True, False)


@pytest.fixture(scope="module")
def trained(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    lines: list[str] = []
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(probes, "PROBE_INFANTS", 6)
    weights = train_backbone(data_root, tmp_path_factory.mktemp("out"), SHORT, lines.append)
    monkeypatch.undo()
    assert any("held-out" in line for line in lines)
    return weights


def test_a_run_gives_weights_and_a_card(trained: Path, corpus: Corpus) -> None:
    card = json.loads(trained.with_suffix(".json").read_text())
    assert card["training"]["crops"] == 64
    assert card["training"]["manifest_sha256"] == corpus.manifest_sha256
    assert card["held_out"]["infants"] == 5
    assert card["held_out"]["recordings"] == 15
    assert "medical" in " ".join(card["limits"])
    measured = card["figures_on_held_out_infants"]
    for system in ("eer", "eer_background", "eer_random", "eer_mfcc", "eer_minus_random"):
        for suffix in ("any", "hour_apart"):
            assert {f"{system}_{suffix}", f"{system}_{suffix}_n"} <= set(measured)
    assert measured["verdict"]


def test_the_weights_load_and_know_whom_they_heard(trained: Path) -> None:
    encoder = load_encoder(str(trained))
    card = json.loads(trained.with_suffix(".json").read_text())
    assert encoder.fingerprint == card["encoder_fingerprint"]
    assert encoder.heard(named("i", 1, 2, held_out=False)[0]) is True
    assert encoder.heard(named("o", 1, 3, held_out=True)[0]) is False
    vectors = encoder.embed([(voice(400.0, 0, 2.0), [Unit(0.2, 1.0)])])[0]
    assert np.isfinite(vectors).all()


def test_the_same_recipe_gives_the_same_weights(
    trained: Path,
    data_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(probes, "PROBE_INFANTS", 6)
    recipe = ["--crops", "64", "--identities", "4", "--simulated", "5"]
    assert main(["train-backbone", str(data_root), str(tmp_path), *recipe]) == 0
    assert (tmp_path / trained.name).read_bytes() == trained.read_bytes()
    assert (tmp_path / STATE_FILE).exists()
    assert "written" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("high", "words"),
    [(None, "too few"), (-1.0, "; beats the background"), (2.0, "not shown to be better")],
)
def test_the_verdict_says_what_the_figures_show(high: float | None, words: str) -> None:
    result = {
        "eer_minus_random_hour_apart_hi": high,
        "eer_hour_apart": 30.0,
        "eer_background_hour_apart": 35.0,
    }
    assert words in verdict(result)
