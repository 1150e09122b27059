"""Training of the finder: what it hears, that it learns, and the command on a made-up corpus."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.__main__ import main
from pipelines.errors import ConfigError
from pipelines.finder import BANDS, band_powers, frame_features, read_finder
from pipelines.segment import Unit
from pipelines.synthesis import InfantVoice, synthesise_cry
from pipelines.training import finder as training
from tests.pipelines.training.test_gate import small_corpus


def a_take(seed: int) -> training.Take:
    cry = synthesise_cry(InfantVoice(), seed, 4.0)
    return training.Take(band_powers(cry.sound), cry.units, f"infant-{seed}")


def test_targets_are_units_and_their_onsets() -> None:
    take = training.Take(np.ones((100, BANDS), np.float32), (Unit(0.2, 0.5),), "x")
    wanted = training.targets(take)
    assert np.flatnonzero(wanted[:, 0]).tolist() == list(range(20, 50))
    assert np.flatnonzero(wanted[:, 1]).tolist() == list(range(12, 29))


def test_changes_are_seeded_and_keep_the_shape() -> None:
    take = a_take(0)
    noises = [np.random.default_rng(1).random((50, BANDS)).astype(np.float32)]
    first, again, other = (
        training.changed(take.powers, noises, np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert first.shape == take.powers.shape
    assert not np.allclose(first, other)
    assert np.all(first >= 0.0)


def test_it_learns_what_crying_is_and_twice_the_same() -> None:
    takes = [a_take(seed) for seed in range(6)]
    first, again = (training.fit_finder(takes, [], seed=0, passes=60) for _ in range(2))
    np.testing.assert_array_equal(first.weights, again.weights)
    unheard = a_take(99)
    said = first.chances(frame_features(unheard.powers)) > 0.5
    assert np.mean(said == (training.targets(unheard)[:, 0] > 0.5)) > 0.85


def test_numpy_computes_what_torch_trained() -> None:
    import torch

    torch.manual_seed(0)
    net = training._network().eval()
    features = frame_features(a_take(1).powers)
    with torch.no_grad():
        logits = training._said(net, torch.from_numpy(features)[None])[0, :, 0].numpy()
    np.testing.assert_allclose(
        training._frozen(net).chances(features), 1.0 / (1.0 + np.exp(-logits)), atol=1e-5
    )


def test_too_few_infants_to_judge_by_are_named() -> None:
    with pytest.raises(ConfigError, match="2 infants are marked, 5 are needed"):
        training.cross_validated([a_take(0), a_take(1)], [], [], 0, 1)


def test_the_command_writes_a_finder_and_its_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "SIMULATED", 2)
    monkeypatch.setattr(training, "ADULTS", 2)
    (tmp_path / "corpus").mkdir()
    corpus = small_corpus(tmp_path / "corpus")
    out, figures = tmp_path / "finder.safetensors", tmp_path / "figures.json"
    arguments = ["--out", str(out), "--passes", "1", "--json", str(figures)]
    assert main(["train-finder", str(corpus), *arguments]) == 0
    card = json.loads(out.with_suffix(".json").read_text())
    assert card == json.loads(figures.read_text())
    assert 0 < card["n_marked"] < 28
    assert "event_f1_cross_validated" in card
    assert "environment" not in json.dumps(card["training_sets"])
    assert np.all(np.isfinite(read_finder(out).weights))
