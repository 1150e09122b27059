"""Verification: which recordings are paired, the controls, and the command."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.__main__ import main
from pipelines.embed import load_encoder
from pipelines.errors import ConfigError
from pipelines.evaluation.metrics import Absent, Estimate
from pipelines.evaluation.verify import Heard, figures, hear, pair_up, run
from pipelines.manifest import ManifestRow, read_manifest
from pipelines.sound import Sound, write_wav

HOUR_S = 3600.0


def heard(infants: int = 12, each: int = 4, identity: float = 1.0, seed: int = 0) -> Heard:
    """Make recordings whose embeddings, and backgrounds, hold so much of the infant."""
    rng = np.random.default_rng(seed)
    count = infants * each
    owner = np.repeat(np.arange(infants), each)

    def vectors(dim: int, strength: float) -> NDArray[np.float32]:
        centres = strength * rng.normal(size=(infants, dim))
        return (centres[owner] + rng.normal(size=(count, dim))).astype(np.float32)

    return Heard(
        infant=np.array([f"infant{number:02d}" for number in owner]),
        device=np.array(["ios", "android"])[owner % 2],
        recorded_at_s=np.tile([0.0, 60.0, 2 * HOUR_S, 9 * HOUR_S], infants)[:count],
        embedding=vectors(192, identity),
        background=vectors(80, 0.0),
        mfcc=vectors(80, 0.0),
        unheard=0,
    )


def test_only_recordings_of_the_same_kind_of_device_are_paired() -> None:
    recordings = heard()
    pairs = pair_up(recordings)
    assert (recordings.device[pairs.first] == recordings.device[pairs.second]).all()
    assert len(pairs.first) == 2 * (24 * 23 // 2)
    assert int(pairs.same.sum()) == 12 * 6
    assert int((pairs.same & pairs.hour_apart).sum()) == 12 * 5


def test_embeddings_that_hold_the_infant_verify_and_others_do_not() -> None:
    good = figures(heard(identity=1.0))
    none = figures(heard(identity=0.0))
    for name in ("eer_any", "eer_hour_apart"):
        known, unknown = good[name], none[name]
        assert isinstance(known, Estimate)
        assert isinstance(unknown, Estimate)
        assert known.value < 5.0
        assert unknown.value == pytest.approx(50.0, abs=10.0)
        assert unknown.lo is not None
        assert unknown.hi is not None
        assert unknown.lo < unknown.value < unknown.hi
    hour_apart = good["eer_hour_apart"]
    assert isinstance(hour_apart, Estimate)
    assert (hour_apart.n, hour_apart.groups) == (60, 12)


@pytest.mark.parametrize("infants", [1, 2])
def test_without_pairs_of_both_kinds_there_is_a_reason(infants: int) -> None:
    recordings = heard(infants=infants, each=4 if infants == 1 else 1)
    found = figures(recordings)
    assert all(isinstance(figure, Absent) for figure in found.values())


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Write four infants with three recordings each, one row without a file and one silence."""
    lines = ["file,infant,recorded_at,device"]
    for infant in range(4):
        for take in range(3):
            name = f"{infant}-{take}.wav"
            write_wav(tmp_path / name, Sound(_cry(infant, take), 16_000))
            lines.append(f"{name},i{infant},2024-01-0{take + 1}T10:00:00+00:00,ios")
    write_wav(tmp_path / "silent.wav", Sound(np.zeros(16_000, dtype=np.float32), 16_000))
    lines += ["missing.wav,i0,2024-01-09T10:00:00+00:00,ios"]
    lines += ["silent.wav,i0,2024-01-09T10:00:00+00:00,ios"]
    path = tmp_path / "manifest.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def _cry(infant: int, take: int) -> NDArray[np.float32]:
    rng = np.random.default_rng([infant, take])
    times_s = np.arange(3 * 16_000) / 16_000
    phase = 2 * np.pi * (350 + 90 * infant + 5 * take) * times_s
    voice = sum(np.sin(k * phase) / k ** (1 + 0.3 * infant) for k in range(1, 8))
    gated = voice * (np.sin(2 * np.pi * 0.8 * times_s) > 0)
    samples = 0.3 * gated / np.abs(gated).max() + 0.003 * rng.normal(size=times_s.size)
    return samples.astype(np.float32)


def test_the_command_prints_a_table_and_writes_its_keys(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "figures.json"
    assert main(["verify", str(manifest), "--json", str(written)]) == 0
    result = json.loads(written.read_text())
    names = ["eer_any", "eer_hour_apart", "eer_background_any", "eer_background_hour_apart"]
    for name in names:
        assert 0.0 <= result[name] <= 100.0
        assert {f"{name}_lo", f"{name}_hi", f"{name}_n", f"{name}_groups"} <= set(result)
    assert result["same_device_only"] is True
    assert (result["n_recordings"], result["n_infants"], result["n_unheard"]) == (12, 4, 2)
    assert result["encoder_fingerprint"] == load_encoder("bundled").fingerprint
    shown = capsys.readouterr().out
    assert "background" in shown
    assert f"{result['eer_any']:.1f}" in shown


def test_running_it_twice_gives_the_same_figures(manifest: Path) -> None:
    assert run(manifest) == run(manifest)


def test_a_manifest_without_a_single_cry_is_named(manifest: Path) -> None:
    rows = [row for row in read_manifest(manifest) if isinstance(row, ManifestRow)]
    silent = [row for row in rows if row.file.name == "silent.wav"]
    with pytest.raises(ConfigError, match="no recording"):
        hear(silent, load_encoder("bundled"))


def test_figures_on_real_recordings(iclas_data: Path) -> None:
    rows = read_manifest(iclas_data / "donateacry" / "manifest.csv")
    good = [row for row in rows if isinstance(row, ManifestRow)][:120]
    found = figures(hear(good, load_encoder("bundled")))
    for name in ("eer_any", "eer_background_any"):
        figure = found[name]
        assert isinstance(figure, Estimate)
        assert 5.0 < figure.value < 50.0
