"""Verification: which recordings are paired, the controls, and the command."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from pipelines.__main__ import main
from pipelines.embed import load_encoder
from pipelines.encoders.checkpoint import read_card, save_checkpoint
from pipelines.encoders.loaded import infant_digest
from pipelines.encoders.table import BUNDLED
from pipelines.errors import ConfigError
from pipelines.evaluation.metrics import Absent, Estimate
from pipelines.evaluation.verify import (
    Heard,
    Options,
    all_figures,
    figures,
    hear,
    pair_up,
    run,
    subset_figures,
    system_scores,
)
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


def number(result: Mapping[str, object], name: str) -> float:
    value = result[name]
    assert isinstance(value, float)
    return value


def test_every_metric_of_every_system_stands_beside_the_embedding() -> None:
    recordings = heard(identity=1.0)
    recordings = replace(recordings, random=heard(identity=0.0).embedding)
    pairs = pair_up(recordings)
    result = all_figures(system_scores(recordings, pairs), pairs)
    for suffix in ("any", "hour_apart"):
        for control in ("background", "mfcc", "random", "chance"):
            assert number(result, f"eer_{control}_{suffix}") == pytest.approx(50.0, abs=12.0)
            assert number(result, f"auc_{control}_{suffix}") == pytest.approx(0.5, abs=0.12)
            assert number(result, f"min_dcf01_{control}_{suffix}") > 0.8
        assert number(result, f"auc_{suffix}") > 0.98
        assert number(result, f"min_dcf05_{suffix}") < 0.4
        for control in ("background", "random"):
            assert number(result, f"prob_better_than_{control}_{suffix}") > 0.99
            assert number(result, f"eer_minus_{control}_{suffix}_hi") < 0.0
    scores = system_scores(recordings, pairs)[""]
    alike = all_figures({"": scores, "background": scores}, pairs)
    assert number(alike, "prob_better_than_background_any") == pytest.approx(0.5)


def test_only_those_judged_are_paired_and_controls_learn_from_the_others_too() -> None:
    recordings = heard()
    judged = recordings.infant < "infant04"
    pairs = pair_up(recordings, judged)
    assert judged[pairs.first].all()
    assert judged[pairs.second].all()
    assert len(pairs.infant) == len(recordings.infant)
    assert len(pairs.first) == 2 * (8 * 7 // 2)


def test_a_subset_has_the_figures_of_its_own_pairs() -> None:
    recordings = heard()
    marked = np.arange(len(recordings.infant)) % 4 < 2
    pairs = pair_up(recordings)
    found = subset_figures(system_scores(recordings, pairs), pairs, {"few": marked})["few"]
    assert found["eer_any_n"] == 12
    assert found["eer_hour_apart"] is None
    assert found["prob_better_than_background_hour_apart"] is None


def test_recordings_of_unknown_time_lie_apart_where_their_sessions_differ() -> None:
    recordings = heard(infants=2)
    untimed = replace(
        recordings,
        recorded_at_s=np.full(8, np.nan),
        session=np.array(["B", "B", "D", "D"] * 2),
    )
    pairs = pair_up(untimed)
    assert int((pairs.same & pairs.hour_apart).sum()) == 2 * 4
    assert int((pairs.same & ~pairs.hour_apart).sum()) == 2 * 2


def test_a_list_of_pairs_is_compared_and_told_of(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "pairs.csv"
    lines = ["id1,id2,label", "0-0.wav,0-1.wav,1", "1-0.wav,1-1,1", "2-0,2-0,1", "0-0,1-0,0"]
    listed.write_text("\n".join([*lines, "0-1,2-2,0", "0-0,missing.wav,1"]) + "\n")
    written, picture = tmp_path / "figures.json", tmp_path / "det.png"
    arguments = ["verify", str(manifest), "--pairs", str(listed), "--json", str(written)]
    assert main([*arguments, "--png", str(picture)]) == 0
    result = json.loads(written.read_text())
    assert (result["n_trials"], result["n_listed"]) == (4, 6)
    assert (result["n_same_session_dropped"], result["n_listed_unheard"]) == (1, 1)
    assert result["eer_any_n"] == 2
    assert result["same_device_only"] is False
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "1 same-session pairs dropped" in " ".join(capsys.readouterr().out.split())


def test_cryceleb_is_verified_as_it_is_published(tmp_path: Path) -> None:
    lines = ["baby_id,period,split,chronological_index,file_name"]
    for infant in range(4):
        for period in "BD":
            for place in range(2):
                name = f"{infant}-{period}-{place}.wav"
                samples = _cry(infant, 2 * place + (period == "D"))[:12_000]
                write_wav(tmp_path / name, Sound(samples, 16_000))
                lines.append(f"{infant},{period},dev,{place},{name}")
    (tmp_path / "metadata.csv").write_text("\n".join(lines) + "\n")
    listed = ["baby_id_B,baby_id_D,label", "0,0,1", "1,1,1", "0,1,0", "2,3,0", "3,2,0"]
    (tmp_path / "dev_pairs.csv").write_text("\n".join(listed) + "\n")
    result = run(tmp_path, options=Options(pairs=tmp_path / "dev_pairs.csv"))
    assert (result["n_recordings"], result["n_infants"]) == (8, 4)
    assert (result["n_trials"], result["eer_any_n"], result["eer_hour_apart_n"]) == (5, 2, 2)
    assert result["n_same_session_dropped"] == 0


def test_held_out_keeps_to_infants_that_the_encoder_has_not_heard(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard_infants = [infant_digest("i0"), infant_digest("i1")]
    card = {**read_card(BUNDLED), "heard_infants": heard_infants}
    weights = tmp_path / "known.safetensors"
    save_checkpoint(weights, load_file(BUNDLED), card)
    everybody = run(manifest, str(weights))
    assert everybody["n_infants_heard_in_training"] == 2
    unheard = run(manifest, str(weights), Options(held_out=True))
    assert (unheard["n_infants"], unheard["n_recordings"]) == (2, 6)
    assert unheard["n_infants_heard_in_training"] == 0
    assert main(["verify", str(manifest), "--encoder", str(weights)]) == 0
    assert "heard 2 of these 4 infants" in " ".join(capsys.readouterr().out.split())
    save_checkpoint(weights, load_file(BUNDLED), {**card, "heard_infants": _ALL})
    with pytest.raises(ConfigError, match="every infant"):
        run(manifest, str(weights), Options(held_out=True))


_ALL = [infant_digest(f"i{number}") for number in range(4)]


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
