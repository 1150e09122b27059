"""Evaluation of segmentation: the counting, the intervals and the command."""

import json
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.__main__ import main
from pipelines.errors import ConfigError, ManifestError
from pipelines.evaluation.segments import (
    ONSET_TOLERANCE_S,
    event_flags,
    matched_events,
    overlap_flags,
    read_intervals,
    run,
)
from pipelines.segment import Unit
from pipelines.sound import write_wav
from pipelines.synthesis import InfantVoice, Room, synthesise_cry


def units(*spans_s: tuple[float, float]) -> tuple[Unit, ...]:
    return tuple(Unit(*span_s) for span_s in spans_s)


def a_corpus(folder: Path, infants: int = 3) -> tuple[Path, Path]:
    """Write simulated recordings with a manifest and intervals, and return both."""
    rows, intervals = ["file,infant,recorded_at"], ["file,onset_s,offset_s,label"]
    for seed in range(2 * infants):
        cry = synthesise_cry(InfantVoice(), seed, 4.0, room=Room(seed=seed))
        write_wav(folder / f"{seed}.wav", cry.sound)
        rows.append(f"{seed}.wav,infant-{seed % infants},2026-01-01T00:00:0{seed}Z")
        intervals.append(f"{seed}.wav,0.0,{cry.units[0].onset_s},not_cry")
        intervals += [f"{seed}.wav,{unit.onset_s},{unit.offset_s},cry" for unit in cry.units]
    manifest, marks = folder / "manifest.csv", folder / "intervals.csv"
    manifest.write_text("\n".join(rows) + "\n", encoding="utf-8")
    marks.write_text("\n".join(intervals) + "\n", encoding="utf-8")
    return manifest, marks


# --- counting -----------------------------------------------------------------------------------


def test_an_onset_matches_within_a_fifth_of_a_second() -> None:
    marked = units((1.0, 2.0))
    assert matched_events(units((1.19, 3.0)), marked) == 1
    assert matched_events(units((0.81, 0.9)), marked) == 1
    assert matched_events(units((1.21, 2.0)), marked) == 0


def test_each_event_matches_once() -> None:
    assert matched_events(units((0.9, 1.0), (1.1, 1.2)), units((1.0, 2.0))) == 1
    assert matched_events(units((1.0, 2.0)), units((0.9, 1.0), (1.1, 1.2))) == 1
    assert matched_events(units((0.0, 0.1), (0.15, 0.5)), units((0.1, 0.2), (0.3, 0.5))) == 2


def test_the_mean_of_the_flags_is_f1() -> None:
    flags = event_flags(units((0.0, 1.0), (2.0, 3.0), (5.0, 6.0)), units((0.1, 1.0)))
    assert flags.shape == (4,)
    assert flags.mean() == pytest.approx(2 * 1 / (3 + 1))
    assert event_flags((), ()).shape == (0,)
    assert event_flags(units((0.0, 1.0)), ()).tolist() == [False]


def test_the_mean_of_the_overlap_flags_is_intersection_over_union() -> None:
    assert overlap_flags(units((0.0, 1.0)), units((0.5, 1.5))).mean() == pytest.approx(1 / 3)
    assert overlap_flags(units((0.0, 1.0)), units((2.0, 3.0))).mean() == 0.0
    assert overlap_flags(units((0.25, 1.0)), units((0.25, 1.0))).mean() == 1.0
    assert overlap_flags((), ()).shape == (0,)


@given(
    st.lists(st.floats(0.0, 20.0), max_size=12, unique=True),
    st.lists(st.floats(0.0, 20.0), max_size=12, unique=True),
)
def test_no_other_pairing_matches_more(found_s: list[float], marked_s: list[float]) -> None:
    found = units(*((at_s, at_s + 0.1) for at_s in sorted(found_s)))
    marked = units(*((at_s, at_s + 0.1) for at_s in sorted(marked_s)))
    best = np.zeros((len(found) + 1, len(marked) + 1), dtype=int)
    for row, one in enumerate(found, start=1):
        for column, other in enumerate(marked, start=1):
            near = abs(one.onset_s - other.onset_s) <= 0.2
            best[row, column] = max(
                best[row - 1, column], best[row, column - 1], best[row - 1, column - 1] + near
            )
    assert matched_events(found, marked) == matched_events(marked, found) == best[-1, -1]


# --- intervals ----------------------------------------------------------------------------------


def test_touching_cries_are_one_and_other_labels_none(tmp_path: Path) -> None:
    path = tmp_path / "intervals.csv"
    path.write_text(
        "file,onset_s,offset_s,label\n"
        "a.wav,2.0,3.0,cry\na.wav,1.0,2.0,cry\na.wav,3.0,4.0,not_cry\na.wav,4.5,5.0,cry\n"
        "b.wav,0.0,7.0,not_cry\n",
        encoding="utf-8",
    )
    marked = read_intervals(path)
    assert marked == {
        (tmp_path / "a.wav").resolve(): units((1.0, 3.0), (4.5, 5.0)),
        (tmp_path / "b.wav").resolve(): (),
    }


def test_missing_columns_and_times_that_are_none_are_named(tmp_path: Path) -> None:
    path = tmp_path / "intervals.csv"
    path.write_text("file,start,end\na.wav,0,1\n", encoding="utf-8")
    with pytest.raises(ManifestError) as caught:
        read_intervals(path)
    assert caught.value.missing == ("onset_s", "offset_s", "label")
    for onset in ("soon", ""):
        path.write_text(f"file,onset_s,offset_s,label\na.wav,{onset},1,cry\n", encoding="utf-8")
        with pytest.raises(ConfigError, match="line 2"):
            read_intervals(path)


# --- as a whole ---------------------------------------------------------------------------------


def test_planted_units_are_nearly_all_found(tmp_path: Path) -> None:
    figures = run(*a_corpus(tmp_path))
    assert figures["n"] == 6
    for name in ("event_f1", "iou", "event_f1_energy"):
        value, low, high = (figures[f"{name}{end}"] for end in ("", "_lo", "_hi"))
        assert isinstance(value, float)
        assert isinstance(low, float)
        assert isinstance(high, float)
        assert 0.0 <= low <= value <= high <= 1.0
        assert figures[f"{name}_groups"] == 3
    assert figures["event_f1"] == pytest.approx(1.0, abs=0.1)
    assert figures["iou"] == pytest.approx(0.95, abs=0.05)


def test_one_installation_has_no_interval(tmp_path: Path) -> None:
    figures = run(*a_corpus(tmp_path, infants=1))
    assert figures["event_f1_lo"] is None
    assert figures["event_f1_hi"] is None


def test_a_wider_tolerance_never_matches_less(tmp_path: Path) -> None:
    lines = cast(list[dict[str, float]], run(*a_corpus(tmp_path))["event_f1_by_tolerance"])
    for name in ("shipped", "level", "energy"):
        values = [line[name] for line in lines]
        assert values == sorted(values)
    assert ONSET_TOLERANCE_S in {line["tolerance_s"] for line in lines}


def test_installations_that_training_leaves_out_are_judged_apart(tmp_path: Path) -> None:
    manifest, marks = a_corpus(tmp_path)
    figures = run(manifest, marks)
    assert figures["n_held_out"] == 0
    assert figures["event_f1_held_out"] is None
    text = manifest.read_text(encoding="utf-8").replace("infant-0", "infant-7")
    manifest.write_text(text, encoding="utf-8")
    figures = run(manifest, marks)
    assert figures["n_held_out"] == 2
    assert figures["event_f1_held_out_groups"] == 1


def test_the_curve_is_drawn(tmp_path: Path) -> None:
    manifest, marks = a_corpus(tmp_path, infants=2)
    file = tmp_path / "curve.png"
    assert main(["segments", str(manifest), str(marks), "--png", str(file)]) == 0
    assert file.read_bytes().startswith(b"\x89PNG")


def test_intervals_of_other_recordings_are_a_config_error(tmp_path: Path) -> None:
    manifest, marks = a_corpus(tmp_path, infants=1)
    marks.write_text("file,onset_s,offset_s,label\nnone.wav,0.0,1.0,cry\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="no recording"):
        run(manifest, marks)


def test_the_command_prints_a_table_and_writes_the_same_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, marks = a_corpus(tmp_path, infants=2)
    file = tmp_path / "figures.json"
    assert main(["segments", str(manifest), str(marks), "--json", str(file)]) == 0
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert figures == run(manifest, marks)
    assert f"{figures['event_f1']:.3f}" in capsys.readouterr().out


def test_on_real_recordings_the_finder_beats_the_plain_threshold(iclas_data: Path) -> None:
    folder = iclas_data / "donateacry"
    figures = run(folder / "manifest.csv", folder / "cry_intervals.csv")
    assert figures["n"] == 273
    event_f1, iou, plain = (figures[name] for name in ("event_f1", "iou", "event_f1_energy"))
    assert isinstance(event_f1, float)
    assert isinstance(iou, float)
    assert isinstance(plain, float)
    assert event_f1 >= plain + 0.05
    assert event_f1 > 0.8
    assert iou > 0.8
    unseen, level = (figures[f"{name}_held_out"] for name in ("event_f1", "event_f1_level"))
    assert isinstance(unseen, float)
    assert isinstance(level, float)
    assert unseen > max(0.8, level)
