"""Comparing recipes: who is left out, what goes on after an interruption, and what is told."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelines.__main__ import main
from pipelines.training import probes, recipes
from pipelines.training.backbone import Run
from pipelines.training.compare import BACKGROUND, COLUMNS, MFCC, compare, judges
from pipelines.training.corpus import cry_rows
from pipelines.training.learner import Recipe
from pipelines.training.recipes import Material, cell_path, fill_cells, fold_of, read_items

pytestmark = pytest.mark.usefixtures("one_thread")

TINY = Recipe(identities=4, simulated_infants=4)
NAMES = ("untrained", "trained")


@pytest.fixture(scope="module")
def heard(data_root: Path) -> Material:
    """Return what takes long to hear, and is only read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probes, "PROBE_INFANTS", 6)
        items = read_items(cry_rows(data_root))
        return Material(data_root, data_root, items, probes.read_probes(), 32, 2, "cpu")


@pytest.fixture
def material(heard: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Material:
    monkeypatch.setattr(recipes, "RECIPES", {"untrained": None, "trained": TINY})
    monkeypatch.setattr(recipes, "PLAIN", replace(TINY, adults_frac=0.0))
    monkeypatch.setattr(probes, "PROBE_INFANTS", 6)
    return replace(heard, folder=tmp_path)


def test_every_infant_has_one_fold_and_every_fold_some() -> None:
    folds = [fold_of(f"infant {number}", 3) for number in range(300)]
    assert folds == [fold_of(f"infant {number}", 3) for number in range(300)]
    assert min(np.bincount(folds, minlength=3)) > 70


def test_a_recording_is_heard_as_it_is_and_in_two_rooms_of_others(material: Material) -> None:
    assert len(material.items) == 25
    for item in material.items:
        plain, here, there = item.versions
        assert len(plain) == len(here) == len(there)
        assert not np.array_equal(plain[0], here[0])
        assert not np.array_equal(here[0], there[0])


def test_cells_are_filled_once_and_taken_up_again(material: Material) -> None:
    fill_cells(material, 1, NAMES)
    files = sorted(material.folder.glob("cell-*"))
    assert len(files) == len(NAMES) * material.folds
    before = {file: file.stat().st_mtime_ns for file in files}
    lost = cell_path(material, "trained", 0, 1)
    content = lost.read_bytes()
    lost.unlink()
    fill_cells(material, 1, NAMES)
    changed = [file for file in files if file.stat().st_mtime_ns != before[file]]
    assert changed == [lost]
    assert lost.read_bytes() == content


def test_networks_leave_out_the_infants_that_they_judge(
    material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_out = []

    def noted(run: Run) -> dict[str, object]:
        left_out.append(set(run.settings.without))
        heard = {
            run.corpus.clips[i].voice
            for g in run.batches.groups.values()
            for o in g
            for i in o.clips
        }
        assert not heard & left_out[-1]
        return dict(recipes._untrained(run, 0))

    monkeypatch.setattr(recipes, "_trained", noted)
    fill_cells(material, 1, ["trained"])
    everybody = {item.infant for item in material.items}
    assert set.union(*left_out) == everybody
    assert not set.intersection(*left_out)


def test_figures_stand_beside_their_controls(material: Material) -> None:
    fill_cells(material, 1, NAMES)
    figures = compare(material, NAMES, 1)
    assert set(figures["recipes"]) == {*NAMES, BACKGROUND, MFCC}
    for name in NAMES:
        assert set(figures["recipes"][name]) == set(COLUMNS)
        for figure in figures["recipes"][name].values():
            assert np.isfinite(figure["value"])
    assert figures["n_recordings"] == 25
    assert figures["n_hour_apart_pairs"] == sum(
        int((j.pairs.same & j.pairs.hour_apart).sum())
        for j in (judges(material, fold) for fold in range(2))
    )


def test_a_perfect_score_has_no_error(material: Material) -> None:
    judged = judges(material, 0)
    perfect = judged.pairs.same.astype(np.float64)
    assert judged.eer(perfect, hour_apart=True)[0] == 0.0
    assert judged.eer(-perfect, hour_apart=False)[0] == 100.0


def test_the_command_prints_and_writes(
    material: Material, capsys: pytest.CaptureFixture[str]
) -> None:
    target = material.folder / "figures.json"
    arguments = [str(material.data_root), str(material.folder), "--json", str(target)]
    sizes = ["--crops", "16", "--seeds", "1", "--folds", "2", "--only", "untrained"]
    assert main(["compare-recipes", *arguments, *sizes]) == 0
    assert "untrained" in capsys.readouterr().out
    figure = json.loads(target.read_text())["recipes"]["untrained"]["EER any"]
    assert 0.0 <= figure["lo"] <= figure["hi"] <= 100.0
