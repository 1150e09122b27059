"""Planted shifts: each moves its own channel, and the deviations are what they say."""

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.__main__ import main
from pipelines.encode import Encoding, encode
from pipelines.errors import ConfigError
from pipelines.evaluation import planted
from pipelines.evaluation.planted import (
    SHIFTS,
    Series,
    Shifted,
    alter,
    chosen_rows,
    embedding_movement,
    movement,
    robust_sd,
    run,
    weighted_median,
)
from pipelines.evaluation.vocoder import shipped_f0, take_apart
from pipelines.manifest import ManifestRow
from pipelines.population import typical_voice
from pipelines.synthesis import synthesise_cry

WHEN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def test_the_robust_deviation_is_that_of_normal_values() -> None:
    rng = np.random.default_rng(0)
    infants = np.repeat(np.arange(200), 5)
    values = 10.0 * rng.normal(size=200)[infants] + 0.5 * rng.normal(size=1_000)
    series = Series(values, infants)
    assert robust_sd(series.pairs(), np.ones(200)) == pytest.approx(0.5, rel=0.1)
    assert series.plain_sd() == pytest.approx(0.5, rel=0.1)
    assert series.across_sd() == pytest.approx(10.0, rel=0.2)


def test_one_mistracked_recording_widens_the_plain_deviation_only() -> None:
    rng = np.random.default_rng(1)
    values, infants = 0.1 * rng.normal(size=100), np.repeat(np.arange(25), 4)
    values[7] += 10.0
    series = Series(values, infants)
    assert robust_sd(series.pairs(), np.ones(25)) < 0.15
    assert series.plain_sd() > 0.9


def test_an_infant_that_is_not_drawn_has_no_say() -> None:
    series = Series(np.array([0.0, 1.0, 0.0, 9.0]), np.array([0, 0, 1, 1]))
    only_first = robust_sd(series.pairs(), np.array([1.0, 0.0]))
    assert only_first == pytest.approx(1.4826 / np.sqrt(2.0))


def test_a_median_of_no_weight_is_nothing() -> None:
    assert weighted_median(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 9.0])) == 3.0
    assert weighted_median(np.empty(0), np.empty(0)) == 0.0


def shifted(infant: str, value: float, by: float) -> Shifted:
    """Return a recording whose channel every shift moves by so much."""
    channels = {name: {"pitch": value + (by if name else 0.0)} for name in ("", *SHIFTS)}
    angle = {name: value + (by if name else 0.0) for name in ("", *SHIFTS)}
    embedding = {name: np.array([np.cos(at), np.sin(at)]) for name, at in angle.items()}
    return Shifted(infant, channels, embedding)


def test_movement_is_in_deviations() -> None:
    rng = np.random.default_rng(2)
    cohort = [
        shifted(str(infant), 0.01 * rng.normal(), 0.02) for infant in range(60) for _ in range(4)
    ]
    found = movement(cohort, "f0_plus10", "pitch")
    assert not isinstance(found.robust, planted.Absent)
    assert found.robust.value == pytest.approx(2.0, rel=0.2)
    assert found.robust.lo is not None
    assert found.robust.hi is not None
    assert found.robust.lo < found.robust.value < found.robust.hi
    assert found.plain == pytest.approx(2.0, rel=0.2)
    of_embedding = embedding_movement(cohort, "f0_plus10")
    assert not isinstance(of_embedding, planted.Absent)
    assert of_embedding.value == pytest.approx(2.0 / 0.6745, rel=0.5)


def test_a_channel_that_never_differs_is_absent_with_its_reason() -> None:
    found = movement([shifted("a", 1.0, 0.1)] * 4, "jitter", "pitch")
    assert isinstance(found.robust, planted.Absent)
    assert found.plain is None


@pytest.fixture(scope="module")
def channels() -> dict[str, dict[str, float]]:
    """Return the channels of a simulated recording under each shift."""
    cry = synthesise_cry(typical_voice(subharmonic_frac=0.0, dysphonation_frac=0.0), 5, 4.0)
    parts = take_apart(cry.sound, shipped_f0(cry.sound))
    return {
        name: planted._channels(alter(parts, cry.units, name), cry.units) for name in ("", *SHIFTS)
    }


@pytest.mark.parametrize("percent", [5, 10, 20])
def test_raised_pitch_is_found_to_the_percent(
    percent: int, channels: dict[str, dict[str, float]]
) -> None:
    risen = channels[f"f0_plus{percent}"]["f0_log2_hz"] - channels[""]["f0_log2_hz"]
    assert risen == pytest.approx(np.log2(1.0 + percent / 100.0), abs=0.02)


def test_every_other_shift_moves_its_own_channel(channels: dict[str, dict[str, float]]) -> None:
    for name, least in (("breathiness", 3.0), ("jitter", 0.3), ("intensity", 4.0)):
        channel = SHIFTS[name].channel
        assert channels[name][channel] - channels[""][channel] > least, name
    for name in ("breathiness", "intensity", "formants_plus10"):
        kept = channels[name]["f0_log2_hz"] - channels[""]["f0_log2_hz"]
        assert kept == pytest.approx(0.0, abs=0.03), name


def row(infant: str, tags: str | None = None) -> ManifestRow:
    """Return a row."""
    extra = {} if tags is None else {"tags_consistent": tags}
    return ManifestRow(Path("x.wav"), infant, WHEN, extra=extra)


def test_rows_are_of_installations_with_two_recordings() -> None:
    many = [row("many")] * 9
    few, single = [row("few"), row("few")], [row("single")]
    kept = chosen_rows([*many, *few, *single], "all")
    assert {one.infant for one in kept} == {"many", "few"}
    assert {one.infant for one in chosen_rows([*many, *single])} == {"many"}
    assert "many" not in {one.infant for one in chosen_rows([*many, *few], "training")}
    assert not chosen_rows([row("few", "0"), row("few", "1")], "all")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Write a manifest of two simulated infants with two recordings each."""
    lines = ["file,infant,recorded_at"]
    for infant, f0_hz in (("one", 380.0), ("two", 470.0)):
        for number in range(2):
            cry = synthesise_cry(typical_voice(f0_hz=f0_hz), number, 3.0)
            name = f"{infant}{number}.wav"
            (tmp_path / name).write_bytes(encode(cry.sound, Encoding.WAV))
            lines.append(f"{name},{infant},2026-01-0{number + 1}T00:00:00Z")
    path = tmp_path / "manifest.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_command_prints_and_writes_the_same(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "planted.json"
    options = ["--installations", "all", "--json", str(file)]
    assert main(["planted", str(manifest), *options]) == 0
    written, printed = json.loads(file.read_text()), capsys.readouterr().out
    assert written["n"] == 4
    assert written["infants"] == 2
    assert written["shift_sd_f0_plus10"] == written["shift_sd_f0_plus10_f0_log2_hz"] > 0.0
    assert f"{written['shift_sd_f0_plus10']:+.2f}" in printed
    assert written["shift_sd_f0_plus10_embedding"] is None


def test_too_few_recordings_are_refused(manifest: Path) -> None:
    with pytest.raises(ConfigError, match="two installations"):
        run(manifest, which="all", most=2)
