"""Likeness: like is compared with like, and the command tells it."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.__main__ import main
from pipelines.encode import Encoding, encode
from pipelines.errors import ConfigError
from pipelines.evaluation.likeness import chosen_rows, run, simulated_corpus
from pipelines.recordings import good_rows
from pipelines.simulate import Wish, simulate
from pipelines.sound import Sound


def a_corpus(folder: Path, infants: int = 4) -> Path:
    """Write a small cohort that stands for real recordings, and return its manifest."""
    simulate(folder, Wish(infants=infants, days=1, duration_s=3.0, seed=9))
    return folder / "manifest.csv"


def test_of_no_infant_more_than_a_few_recordings_are_chosen(tmp_path: Path) -> None:
    rows = good_rows(a_corpus(tmp_path))
    chosen = chosen_rows(rows, None, seed=0)
    counts = [sum(row.infant == name for row in chosen) for name in {row.infant for row in rows}]
    assert max(counts) == 2
    assert len({row.infant for row in chosen_rows(rows, 2, seed=0)}) == 2
    assert chosen == chosen_rows(rows, None, seed=0)
    with pytest.raises(ConfigError, match="two infants or more"):
        chosen_rows(rows, 1, seed=0)


def test_simulated_recordings_are_as_many_and_of_the_same_kinds() -> None:
    wanted = [("a", Encoding.AMR, 3.0), ("a", Encoding.AMR, 2.5), ("b", Encoding.ADPCM, 3.0)]
    corpus = simulated_corpus(wanted, seed=0)
    rates = [profile.rate_hz for profile in corpus.profiles]
    assert rates == [8_000, 8_000, 16_000]
    assert [round(profile.sound.duration_s, 1) for profile in corpus.profiles] == [3.0, 2.5, 3.1]
    plain = simulated_corpus(wanted, seed=0, is_plain=True)
    spreads = [np.std(one.sample("f0_range_semitones").values) for one in (plain, corpus)]
    assert spreads[0] < 0.3 < spreads[1]


# --- the command --------------------------------------------------------------------------------


def test_a_cohort_is_like_another_and_unlike_plain_voices(tmp_path: Path) -> None:
    figures = run(a_corpus(tmp_path, infants=8))
    assert figures["infants"] == 8
    assert figures["ks_mean"] < figures["ks_plain_mean"]
    for figure in figures["measures"].values():
        assert 0.0 <= figure["ks"] <= 1.0
        assert figure["ks_lo"] <= figure["ks_hi"]
        assert list(figure["real"]) == ["p5", "p25", "p50", "p75", "p95"]


def test_the_command_prints_writes_and_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, figures, picture = a_corpus(tmp_path / "c"), tmp_path / "f.json", tmp_path / "p.png"
    arguments = ["--infants", "3", "--json", str(figures), "--png", str(picture)]
    assert main(["likeness", str(manifest), *arguments]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("f0_median_hz", "real", "simulated", "halves", "plain"))
    told = json.loads(figures.read_text())
    assert {"measures", "ks_mean", "n", "infants", "versions"} <= set(told)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_manifest_without_crying_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.wav").write_bytes(encode(Sound(np.zeros(16_000, "f4"), 16_000), Encoding.WAV))
    lines = ["file,infant,recorded_at", *(f"a.wav,{name},2026-01-01T00:00:00Z" for name in "ab")]
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")
    assert main(["likeness", str(tmp_path / "manifest.csv")]) == 1
    shown = capsys.readouterr().err
    assert "likeness: fewer than two infants" in shown
    assert "Traceback" not in shown


def test_on_real_recordings_fitted_voices_are_liker_than_plain_ones(iclas_data: Path) -> None:
    figures = run(iclas_data / "donateacry" / "manifest.csv", infants=30)
    assert figures["ks_mean"] < 0.26
    assert figures["ks_mean"] < 0.6 * figures["ks_plain_mean"]
