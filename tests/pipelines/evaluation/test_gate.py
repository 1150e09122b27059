"""Evaluation of the gate: both codecs for every clip, a cry label that counts, and the command."""

import csv
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from pipelines.__main__ import main
from pipelines.channel import Codec, coloured_noise
from pipelines.errors import ConfigError
from pipelines.evaluation.gate import (
    Scored,
    acceptance_figures,
    cry_figures,
    cry_score,
    draw,
    environment_scores,
    gate_in_order,
    read_clips,
    roc,
    with_raised_pitch,
)
from pipelines.gate import gate_cry
from pipelines.heads import bundled_heads
from pipelines.recordings import Heard
from pipelines.sound import RATE_HZ, Sound, write_wav
from pipelines.synthesis import InfantVoice, synthesise_cry
from tests.pipelines.evaluation.recordings_made_up import START, a_recording
from tests.pipelines.gating import ENCODER, USUAL_UNIT, an_input, made_up_heads

HEADS = made_up_heads()


def scored(label: str, *scores: float) -> list[Scored]:
    return [
        Scored(label, f"{label}-{number}", codec, score)
        for number, score in enumerate(scores)
        for codec in Codec
    ]


def a_cry(infant: str, day: float, *, checked: bool = True, pitch_hz: float = 400.0) -> Heard:
    one = a_recording(infant, int(day), day)
    extra = {"human_checked_cry": "1" if checked else "0"}
    return replace(
        one,
        row=replace(one.row, extra=extra, age_days=30.0),
        features=np.ones(80, dtype=np.float32),
        measures=(USUAL_UNIT | {"f0_median_hz": pitch_hz},) * 2,
        embeddings=np.eye(192, dtype=np.float32)[1:3],
    )


def test_crying_counts_as_a_cry_and_laughing_is_told_apart() -> None:
    clips = [*scored("crying_baby", 0.9, 0.8), *scored("laughing", 0.85), *scored("rain", 0.1, 0.2)]
    found = cry_figures(HEADS, clips)
    assert found["auc_cross_source"] == pytest.approx(5 / 6)
    assert found["auc_against_laughing"] == 0.5
    assert found["auc_cross_source_n"] == 10
    assert found["auc_cross_source_amr_n"] == 5
    assert found["auc_held_out_cries"] is None


def test_the_pass_rate_is_taken_where_ninety_five_in_a_hundred_cries_pass() -> None:
    known = scored("manifest", *np.linspace(0.4, 0.9, 21))
    others = scored("rain", 0.1, 0.2, 0.42, 0.43)
    found = cry_figures(HEADS, [*known, *others])
    assert found["noncry_pass_at_95_recall"] == pytest.approx(0.25)
    assert found["noncry_pass_at_95_recall_n"] == 8
    assert found["held_out_cry_pass_frac"] == 1.0


def test_sources_are_listed_with_n_and_codec() -> None:
    lines = cry_figures(HEADS, [*scored("rain", 0.9, 0.1), *scored("crying_baby", 0.9)])["sources"]
    assert [line["source"] for line in lines] == ["crying_baby", "rain"]
    assert lines[1] == {
        "source": "rain",
        "n_clips": 2,
        "pass_frac_amr": 0.5,
        "n_amr": 2,
        "pass_frac_adpcm": 0.5,
        "n_adpcm": 2,
    }


def test_hard_kinds_are_counted_apart() -> None:
    known = scored("manifest", *np.linspace(0.4, 0.9, 21))
    others = [*scored("laughing", 0.8, 0.1, 0.1), *scored("rain", 0.1)]
    lines = {line["kind"]: line for line in cry_figures(HEADS, [*known, *others])["hard"]}
    assert lines["laughter"]["n_clips"] == 3
    assert lines["laughter"]["pass_frac_at_95_recall"] == pytest.approx(1 / 3)
    assert lines["birds"]["n_clips"] == 0
    assert lines["birds"]["pass_frac"] is None


def test_the_curve_goes_from_nothing_to_all_that_pass() -> None:
    passing, recall = roc([0.9, 0.5], [0.7, 0.1])
    np.testing.assert_allclose(passing, [0.0, 0.0, 0.5, 0.5, 1.0])
    np.testing.assert_allclose(recall, [0.0, 0.5, 0.5, 1.0, 1.0])


def test_the_curves_are_drawn(tmp_path: Path) -> None:
    draw(tmp_path / "roc.png", [*scored("crying_baby", 0.9), *scored("rain", 0.1)])
    assert (tmp_path / "roc.png").read_bytes().startswith(b"\x89PNG")


def test_what_the_segment_stage_refuses_is_under_every_cry() -> None:
    silence = Sound(np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ)
    cry = synthesise_cry(InfantVoice(), seed=0, duration_s=3.0).sound
    heads = bundled_heads()
    assert cry_score(heads, silence) < cry_score(heads, cry)


def test_every_clip_goes_through_both_codecs(tmp_path: Path) -> None:
    manifest = write_clips(tmp_path)
    found = list(environment_scores(bundled_heads(), manifest))
    assert [(one.clip, one.codec.value) for one in found] == [
        (f"{name}.wav", codec) for name in ("cry", "noise") for codec in ("amr", "adpcm")
    ]
    assert min(one.score for one in found[:2]) > max(one.score for one in found[2:])


def test_clips_need_a_label(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("file\na.wav\n")
    with pytest.raises(ConfigError, match="file and label"):
        read_clips(tmp_path / "m.csv")


def test_acceptance_is_counted_on_human_checked_cries_by_age_and_device() -> None:
    heard = [a_cry("x", 0.0), a_cry("x", 1.0), a_cry("y", 0.0, pitch_hz=900.0)]
    heard += [a_cry("z", 0.0, checked=False, pitch_hz=900.0)]
    found = acceptance_figures(HEADS, gate_in_order(HEADS, heard, ENCODER))
    assert found["accepted_frac"] == pytest.approx(2 / 3)
    assert found["accepted_frac_groups"] == 2
    assert found["accepted_by_age"]["young"]["frac"] == pytest.approx(2 / 3)
    assert found["accepted_by_device"]["ios"]["frac_n"] == 3
    assert found["accepted_frac_pitch_up_octave"] == 0.0
    assert found["refusals"]["development"] == 1
    assert found["refusals"]["cry"] == 0


def test_an_infants_history_holds_what_was_accepted_before_and_nothing_else() -> None:
    heard = [a_cry("x", float(day)) for day in range(4)] + [a_cry("x", 4.0, pitch_hz=900.0)]
    gated = gate_in_order(HEADS, reversed(heard), ENCODER)
    assert [one.heard.row.recorded_at for one in gated] == [
        START + timedelta(days=day) for day in range(5)
    ]
    said = [one.decision.parts[1].reason for one in gated]
    assert "infants of this age" in said[0]
    assert "this infant (4 recordings)" in said[4]


def test_a_raised_pitch_changes_nothing_but_the_pitch() -> None:
    given = an_input()
    raised = with_raised_pitch(given, 12.0)
    for before, after in zip(given.measures, raised.measures, strict=True):
        assert after == dict(before) | {"f0_median_hz": 2.0 * before["f0_median_hz"]}
    assert gate_cry(given, heads=HEADS).accepted
    assert not gate_cry(raised, heads=HEADS).accepted


def write_clips(folder: Path) -> Path:
    cry = synthesise_cry(InfantVoice(), seed=2, duration_s=3.0).sound
    rng = np.random.default_rng(0)
    noise = coloured_noise(3.0, RATE_HZ, 6.0, rng).samples * np.repeat(rng.random(6), 8000)
    write_wav(folder / "cry.wav", cry)
    write_wav(folder / "noise.wav", Sound(noise.astype(np.float32), RATE_HZ))
    path = folder / "clips.csv"
    path.write_text("file,label\ncry.wav,crying_baby\nnoise.wav,wind\n")
    return path


def test_the_command_writes_what_it_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = write_clips(tmp_path)
    lines = []
    for number in range(9):
        voice = InfantVoice(f0_hz=420.0)
        write_wav(tmp_path / f"{number}.wav", synthesise_cry(voice, number, 2.5).sound)
        when = (START + timedelta(days=number)).isoformat()
        lines.append((f"{number}.wav", "one", when, "ios", "2-6 months", 1))
    columns = ("file", "infant", "recorded_at", "device", "age_band", "human_checked_cry")
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *lines])
    arguments = [str(tmp_path / "manifest.csv"), "--environment", str(clips)]
    assert main(["gate", *arguments, "--json", str(tmp_path / "g.json")]) == 0
    found = json.loads((tmp_path / "g.json").read_text())
    assert found["auc_cross_source"] == 1.0
    assert found["auc_cross_source_n"] == 4
    assert 0.0 <= found["noncry_pass_at_95_recall"] <= 1.0
    assert found["held_out_cry_pass_frac_n"] == 18
    assert found["accepted_frac_n"] == 9
    assert found["gate"] == bundled_heads().version
    assert "crying_baby" in capsys.readouterr().out


def test_real_everyday_sounds_are_told_from_crying(iclas_data: Path, tmp_path: Path) -> None:
    clips = read_clips(iclas_data / "environment" / "manifest.csv")
    few = [clip for clip in clips if clip[1] in {"crying_baby", "rain", "vacuum_cleaner", "train"}]
    lines = "".join(f"{path},{label}\n" for path, label in few)
    (tmp_path / "few.csv").write_text(f"file,label\n{lines}")
    found = cry_figures(
        bundled_heads(), list(environment_scores(bundled_heads(), tmp_path / "few.csv"))
    )
    assert found["auc_cross_source"] > 0.95
