"""The command that learns the population's prior: only what may be heard, the same every time."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.__main__ import main
from pipelines.cohort import draw_infants, plan_recordings, render
from pipelines.errors import ConfigError
from pipelines.evaluation.lived import START
from pipelines.prior import read_priors
from pipelines.training import prior
from pipelines.training.split import is_held_out


def a_corpus(folder: Path, infants: int) -> Path:
    """Write a corpus of simulated infants, two days each, as the real one lies."""
    audio = folder / "donateacry"
    audio.mkdir(parents=True)
    lines = []
    for one in draw_infants(infants, 3):
        for planned in plan_recordings([one], START, 2, 3)[::4]:
            (audio / planned.file_name).write_bytes(render(planned)[0])
            when = planned.recorded_at.isoformat()
            lines.append((planned.file_name, planned.infant, when, "android"))
    with (audio / "manifest.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([("file", "infant", "recorded_at", "device"), *lines])
    return folder


def test_it_learns_from_those_who_may_be_heard_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prior, "LEAST_INFANTS", 4)
    corpus = a_corpus(tmp_path / "data", 8)
    outs = [tmp_path / "one.safetensors", tmp_path / "two.safetensors"]
    for out in outs:
        assert main(["train-prior", str(corpus), "--out", str(out)]) == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()
    card = json.loads(outs[0].with_suffix(".json").read_text())
    kept = {f"sim-{n:04}" for n in range(8) if not is_held_out(f"sim-{n:04}", 3)}
    assert 4 <= card["n_infants"] <= len(kept) < 8
    found = read_priors(outs[0], card["encoder_fingerprint"])
    assert set(found.views) == {"embedding", "acoustics", "room"}
    assert all(np.isfinite(pair).all() for pair in found.moments.values())
    assert card["sha256"][:12] in found.version


def test_too_few_infants_are_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="0 infants were heard"):
        prior.learn([], "encoder", tmp_path / "prior.safetensors")
