"""Fine-tuning: what learns, what stays, when it stops, and that what comes out can be loaded."""

import argparse
import importlib
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pipelines.__main__ import COMMANDS, main
from pipelines.embed import load_encoder
from pipelines.encoders.hub import frames_of_card
from pipelines.encoders.loaded import infant_digest
from pipelines.encoders.table import HUB_ENCODERS
from pipelines.errors import ConfigError, IncompatibleArtefactError
from pipelines.layouts import CorpusRow, Layout, read_corpus
from pipelines.segment import segment
from pipelines.sound import write_wav
from pipelines.training import finetune, tuning
from pipelines.training.device import chosen_device
from pipelines.training.finetune import (
    WEIGHTS_FILE,
    Whiten,
    elsewhere,
    heard_before,
    recipe_of,
    warnings_of,
    whitening_for,
)
from pipelines.training.start import Start, card_of, load_start, stored
from pipelines.training.takes import Parts, load_takes, part
from pipelines.training.tuner import Objective, Recipe, Tuner, learning_parts
from pipelines.training.tuning import STATE_FILE, Progress, Run
from pipelines.training.whitening import whitened
from tests.pipelines.training.cries import (
    TEST,
    VALIDATION,
    a_checkpoint,
    a_corpus,
    a_hub_folder,
    cry,
    names_of,
)

QUICK = ["--steps", "4", "--infants", "4", "--check-every", "2", "--learning-rate", "1e-3"]
PAGE = (Path(__file__).parents[3] / "docs/fine-tuning.md").read_text(encoding="utf-8")
SHORT = Recipe(steps=6, infants=4, check_every=2, patience=9, learning_rate=1e-3)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def parts(manifest: Path) -> Parts:
    rows = [row for row in read_corpus(manifest) if isinstance(row, CorpusRow)]
    return part(load_takes(rows))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def hub_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_hub_folder(tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="module", params=["checkpoint", "hub"])
def start(request: pytest.FixtureRequest, checkpoint: Path, hub_folder: Path) -> Start:
    return load_start(str(checkpoint if request.param == "checkpoint" else hub_folder))


def silent(line: str) -> None:
    del line


# --- what learns --------------------------------------------------------------------------------


@pytest.mark.parametrize("objective", list(Objective))
def test_the_loss_falls(start: Start, parts: Parts, tmp_path: Path, objective: Objective) -> None:
    recipe = replace(SHORT, objective=objective, steps=40, patience=0, infants=6)
    run = Run(start, parts, recipe, tmp_path)
    run.run(silent)
    losses = run.progress.losses
    assert len(losses) == 40
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])


def test_the_loss_of_fixed_crops_falls_steeply(checkpoint: Path) -> None:
    tuner = Tuner(load_start(str(checkpoint)), SHORT, torch.device("cpu"))
    frames = 10 * np.random.default_rng(0).normal(size=(8, 48, 80)).astype(np.float32)
    losses = [tuner.learn(frames, 2, step) for step in range(30)]
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.parametrize("unfrozen", [0, 1, 3])
def test_what_is_frozen_does_not_move_and_the_rest_does(
    start: Start, parts: Parts, tmp_path: Path, unfrozen: int
) -> None:
    run = Run(start, parts, replace(SHORT, unfrozen=unfrozen), tmp_path)
    for _ in range(2):
        run.step()
    weights = run.tuner.weights()
    moved = {name for name, a in weights.items() if not np.array_equal(a, start.arrays[name])}
    upper = {f"blocks.{number}" for number in range(4 - unfrozen, 4)}
    learning = {*upper, "mfa", "asp", "asp_bn", "fc"}
    for name in weights:
        place = ".".join(name.split(".")[: 2 if name.startswith("blocks") else 1])
        assert place in learning or name not in moved, name
    assert {".".join(name.split(".")[:2]) for name in moved if "blocks" in name} == upper
    assert {"mfa", "asp_bn", "fc"} <= {name.split(".")[0] for name in moved}
    assert any("running_mean" in name for name in moved)


def test_the_first_block_never_learns(checkpoint: Path) -> None:
    network = Tuner(load_start(str(checkpoint)), SHORT, torch.device("cpu")).network
    assert learning_parts(network, 3)[0] is network.blocks[1]


# --- interruption -------------------------------------------------------------------------------


@pytest.mark.parametrize("objective", list(Objective))
def test_a_resumed_run_ends_where_an_uninterrupted_one_does(
    start: Start, parts: Parts, tmp_path: Path, objective: Objective
) -> None:
    recipe = replace(SHORT, objective=objective)
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    whole = Run(start, parts, recipe, tmp_path / "whole")
    whole.run(silent)
    first = Run(start, parts, recipe, tmp_path / "parts")
    for _ in range(3):
        first.step()
    first.save()
    second = Run(start, parts, recipe, tmp_path / "parts")
    assert second.resume()
    assert second.progress.step == 3
    second.run(silent)
    assert second.progress.looks == whole.progress.looks
    assert second.progress.losses == whole.progress.losses
    for expected, found in (
        (whole.tuner.arrays(), second.tuner.arrays()),
        (whole.best, second.best),
    ):
        assert set(expected) == set(found)
        for name, array in expected.items():
            assert np.array_equal(array, found[name]), name


def test_the_state_of_another_run_is_refused(
    checkpoint: Path, hub_folder: Path, parts: Parts, tmp_path: Path
) -> None:
    own = load_start(str(checkpoint))
    Run(own, parts, SHORT, tmp_path).save()
    with pytest.raises(ConfigError, match="another recipe"):
        Run(own, parts, replace(SHORT, seed=1), tmp_path).resume()
    with pytest.raises(ConfigError, match="other recordings"):
        Run(own, replace(parts, test=parts.test[:1]), SHORT, tmp_path).resume()
    with pytest.raises(IncompatibleArtefactError):
        Run(load_start(str(hub_folder)), parts, SHORT, tmp_path).resume()


# --- when it stops ------------------------------------------------------------------------------


def rates(monkeypatch: pytest.MonkeyPatch, *following: float) -> None:
    """Let validation give these equal error rates, look by look."""
    left = iter(following)
    monkeypatch.setattr(tuning, "eer_of", lambda *_: next(left))


def test_it_stops_when_validation_has_not_got_better_for_long_enough(
    checkpoint: Path, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates(monkeypatch, 40.0, 30.0, 35.0, 30.0, 50.0)
    recipe = replace(SHORT, steps=1000, check_every=1, patience=3)
    run = Run(load_start(str(checkpoint)), parts, recipe, tmp_path)
    run.step()
    kept = run.tuner.weights()
    run.run(silent)
    assert run.progress.looks == [(0, 40.0), (1, 30.0), (2, 35.0), (3, 30.0), (4, 50.0)]
    assert run.progress.step == 4
    assert all(np.array_equal(run.best[name], array) for name, array in kept.items())
    assert not np.array_equal(run.best["fc.conv.weight"], run.tuner.weights()["fc.conv.weight"])


def test_weights_that_only_get_worse_are_left_as_they_were(
    checkpoint: Path, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates(monkeypatch, 20.0, 21.0, 22.0)
    start = load_start(str(checkpoint))
    run = Run(start, parts, replace(SHORT, check_every=1, patience=2), tmp_path)
    run.run(silent)
    assert all(np.array_equal(run.best[name], array) for name, array in start.arrays.items())


def test_without_patience_every_step_is_taken_and_the_last_weights_kept(
    checkpoint: Path, parts: Parts, tmp_path: Path
) -> None:
    without = replace(parts, validation=())
    run = Run(load_start(str(checkpoint)), without, replace(SHORT, patience=0), tmp_path)
    run.run(silent)
    assert (run.progress.step, run.progress.looks) == (6, [])
    last = run.tuner.weights()
    assert all(np.array_equal(run.best[name], array) for name, array in last.items())


def test_stopping_needs_validation_infants_with_two_recordings(
    checkpoint: Path, parts: Parts, tmp_path: Path
) -> None:
    single = replace(parts, validation=parts.validation[::2])
    with pytest.raises(ConfigError, match="a patience of 0"):
        Run(load_start(str(checkpoint)), single, SHORT, tmp_path)


def test_the_earliest_of_equally_good_looks_is_the_best() -> None:
    progress = Progress(looks=[(0, 30.0), (50, 20.0), (100, 20.0), (150, 25.0)])
    assert progress.best() == (50, 20.0)
    assert progress.since_best() == 2


def test_learning_never_hears_a_test_infant(checkpoint: Path, parts: Parts, tmp_path: Path) -> None:
    runs = []
    for test in (parts.test, ()):
        folder = tmp_path / str(len(test))
        folder.mkdir()
        runs.append(Run(load_start(str(checkpoint)), replace(parts, test=test), SHORT, folder))
        runs[-1].run(silent)
    one, other = (run.tuner.weights() for run in runs)
    assert all(np.array_equal(other[name], array) for name, array in one.items())


# --- whitening ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [Whiten.INFANTS, Whiten.ROOMS])
def test_whitening_is_fitted_to_the_training_infants(
    checkpoint: Path, parts: Parts, how: Whiten
) -> None:
    start = load_start(str(checkpoint))
    found = whitening_for(start, start.arrays, parts, how)
    again = whitening_for(start, start.arrays, replace(parts, test=(), validation=()), how)
    assert found is not None
    assert again is not None
    assert np.array_equal(found.matrix, again.matrix)
    vectors = np.random.default_rng(0).normal(size=(3, 192))
    assert np.isfinite(whitened(vectors, found)).all()


def test_nothing_is_whitened_unless_asked_or_done_before(checkpoint: Path, parts: Parts) -> None:
    start = load_start(str(checkpoint))
    assert whitening_for(start, start.arrays, parts, Whiten.AUTO) is None
    assert whitening_for(start, start.arrays, parts, Whiten.NONE) is None
    before = whitening_for(start, start.arrays, parts, Whiten.INFANTS)
    had_one = replace(start, whitening=before)
    assert whitening_for(had_one, start.arrays, parts, Whiten.AUTO) is not None


def test_copies_in_other_rooms_are_of_the_same_infants(parts: Parts) -> None:
    copies = elsewhere(parts.training)
    assert len(copies) == finetune.ROOM_COPIES * len(parts.training)
    assert {take.infant for take in copies} == {take.infant for take in parts.training}
    assert {take.pieces[0].units for take in copies} == {
        take.pieces[0].units for take in parts.training
    }


# --- other corpora and other starts --------------------------------------------------------------


def a_cryceleb(folder: Path) -> Path:
    """Lay out seven babies with two sessions of three expirations each, as CryCeleb 2023 does."""
    lines = ["baby_id,period,duration,split,chronological_index,file_name,file_id"]
    for number, split in enumerate(["train"] * 3 + ["dev"] * 2 + ["test"] * 2):
        for period in "BD":
            for place in range(3):
                name = f"spk{number}_{period}_{place:03}"
                file = folder / "audio" / split / f"spk{number}" / period / f"{name}.wav"
                file.parent.mkdir(parents=True, exist_ok=True)
                write_wav(file, cry(number, 10 * (period == "D") + place, 1.0))
                path = file.relative_to(folder).as_posix()
                lines.append(f"spk{number},{period},1.0,{split},{place:03},{path},{name}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_a_corpus_that_was_cut_is_fine_tuned_on_as_it_was_split(
    tmp_path: Path, hub_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus, out = a_cryceleb(tmp_path / "cryceleb"), tmp_path / "out"
    command = ["finetune", str(corpus), str(out), "--from", str(hub_folder), *QUICK]
    assert main([*command, "--objective", "ge2e", "--each", "3", "--device", "cpu"]) == 0
    card = json.loads((out / WEIGHTS_FILE).with_suffix(".json").read_text())
    assert card["training"]["recordings"] == {"training": 6, "validation": 4, "test": 4}
    found = card["frozen_against_finetuned"]
    # Birth and discharge are other sessions: every pair of one infant counts as apart.
    assert found["eer_finetuned_any_n"] == found["eer_finetuned_hour_apart_n"] == 2
    assert "control: background only" in capsys.readouterr().out


def test_a_network_of_the_hub_is_known_to_have_heard_adults_alone(
    hub_folder: Path, parts: Parts, tmp_path: Path
) -> None:
    repository, (known, *_) = "speechbrain/spkrec-ecapa-voxceleb", HUB_ENCODERS.values()
    snapshot = f"models--{repository.replace('/', '--')}/snapshots/{known.revision}"
    shutil.copytree(hub_folder, tmp_path / snapshot)
    start = load_start(repository, tmp_path)
    assert (start.name, start.license) == (f"{repository}@{known.revision}", known.license)
    assert set(start.arrays) == set(load_start(str(hub_folder)).arrays)
    heard = card_of(start, {}, [parts.training[0].infant])["heard_infants"]
    assert heard == [infant_digest(parts.training[0].infant)]


# --- the command --------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["checkpoint", "hub"])
def written(
    request: pytest.FixtureRequest,
    manifest: Path,
    checkpoint: Path,
    hub_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    begin = checkpoint if request.param == "checkpoint" else hub_folder
    out = tmp_path_factory.mktemp("out")
    command = ["finetune", str(manifest), str(out), "--from", str(begin), *QUICK]
    assert main([*command, "--whiten", "infants", "--device", "cpu"]) == 0
    return out / WEIGHTS_FILE


def test_the_weights_load_with_the_front_end_of_the_start(
    written: Path, checkpoint: Path, hub_folder: Path, manifest: Path
) -> None:
    encoder = load_encoder(str(written))
    card = json.loads(written.with_suffix(".json").read_text())
    assert encoder.fingerprint == card["encoder_fingerprint"]
    found = segment(next(manifest.parent.glob("*.wav")))
    vectors = encoder.embed([(found.sound, found.units)])[0]
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(vectors)), abs=1e-4)
    names = {str(load_start(str(begin)).name) for begin in (checkpoint, hub_folder)}
    assert card["name"].removesuffix(", fine-tuned") in names


def test_a_card_that_asks_for_another_filterbank_is_refused(hub_folder: Path) -> None:
    wanted = load_start(str(hub_folder)).frame_source.description()
    assert frames_of_card(wanted).description() == wanted
    with pytest.raises(ConfigError, match="'norm': 'none'"):
        frames_of_card({**wanted, "norm": "none"})


def test_what_was_fine_tuned_can_be_fine_tuned_again(written: Path, parts: Parts) -> None:
    again = load_start(str(written))
    assert again.whitening is not None
    assert set(again.arrays) == set(Tuner(again, SHORT, torch.device("cpu")).weights())
    assert again.fingerprint == load_encoder(str(written)).fingerprint
    del parts


def test_the_card_sets_frozen_beside_fine_tuned_and_background(written: Path) -> None:
    card = json.loads(written.with_suffix(".json").read_text())
    found = card["frozen_against_finetuned"]
    systems = ("eer_frozen", "eer_finetuned", "eer_background", "eer_finetuned_minus_frozen")
    for system in systems:
        for suffix in ("any", "hour_apart"):
            assert {f"{system}_{suffix}", f"{system}_{suffix}_n"} <= set(found)
    assert (found["n_infants"], found["n_recordings"]) == (TEST, 2 * TEST)
    assert card["training"]["infants"]["validation"] == VALIDATION
    assert card["training"]["steps"] == 4
    assert [step for step, _ in card["training"]["validation_eer"]] == [0, 2, 4]
    assert "figures_on_held_out_infants" not in card


def test_the_card_tells_whom_it_heard(written: Path, checkpoint: Path) -> None:
    card = json.loads(written.with_suffix(".json").read_text())
    if card["name"].startswith("tiny"):
        encoder = load_encoder(str(written))
        assert encoder.heard(names_of("training", 1)[0]) is True
        assert encoder.heard(names_of("validation", 1)[0]) is True
        assert encoder.heard(names_of("test", 1)[0]) is False
        assert "0" * 16 in card["heard_infants"]
    else:
        assert "heard_infants" not in card
    del checkpoint


def test_the_same_command_gives_the_same_weights(
    written: Path, manifest: Path, checkpoint: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = ["finetune", str(manifest), str(out), "--from", str(checkpoint), *QUICK]
    assert main([*command, "--whiten", "infants", "--json", str(tmp_path / "card.json")]) == 0
    assert (out / STATE_FILE).exists()
    card = json.loads((tmp_path / "card.json").read_text())
    if json.loads(written.with_suffix(".json").read_text())["name"] == card["name"]:
        assert (out / WEIGHTS_FILE).read_bytes() == written.read_bytes()


def test_infants_heard_before_are_counted(checkpoint: Path, parts: Parts) -> None:
    start = load_start(str(checkpoint))
    assert heard_before(start, parts.validation) == 0
    name = parts.validation[0].infant
    known = replace(start, heard_infants=frozenset({infant_digest(name)}))
    assert heard_before(known, parts.validation) == 1
    assert [line.split()[:2] for line in warnings_of(known, parts)] == [["1", "validation"]]
    tested = replace(start, heard_infants=frozenset({infant_digest(parts.test[0].infant)}))
    assert [line.split()[:2] for line in warnings_of(tested, parts)] == [["1", "test"]]
    assert warnings_of(start, parts) == []
    assert heard_before(replace(start, heard_infants=None), parts.validation) is None


def test_stored_weights_are_those_of_the_file(written: Path) -> None:
    start = load_start(str(written))
    again = stored(start.arrays, start.whitening)
    assert all(np.array_equal(again[name], array) for name, array in start.arrays.items())


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--each", "3"], "more are for GE2E"),
        (["--unfrozen", "4"], "unfrozen is 0 to 3"),
        (["--from", "no/such@1/x"], "no/such"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    manifest: Path,
    tmp_path: Path,
    words: list[str],
    complaint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["finetune", str(manifest), str(tmp_path), *words]) == 1
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("line", re.findall(r"^ {4}python -m pipelines (.+)$", PAGE, flags=re.M))
def test_the_pages_commands_are_understood(line: str) -> None:
    name, *words = line.split()
    module = importlib.import_module(COMMANDS[name].module)
    parser = argparse.ArgumentParser(exit_on_error=False)
    module.configure(parser)
    args = parser.parse_args(words)
    if name == "finetune":
        assert recipe_of(args).steps > 0


def test_the_page_names_every_layout_that_is_published() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", PAGE, flags=re.M)
    named = set(re.findall(r"\w+", " ".join(rows)))
    assert named == set(Layout) - {Layout.MANIFEST}


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert (chosen_device("auto"), chosen_device("cpu")) == ("cpu", "cpu")
    with pytest.raises(ConfigError, match="no GPU"):
        chosen_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert (chosen_device("auto"), chosen_device("cuda"), chosen_device("cpu")) == (
        "cuda",
        "cuda",
        "cpu",
    )
