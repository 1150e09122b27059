"""Evaluation of the score stage: figures, promises that cannot be made, and the command."""

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from pipelines.__main__ import main
from pipelines.evaluation import evaluate_tables
from pipelines.evaluation.controls import BackgroundScale, judge_dummies
from pipelines.evaluation.evaluate import (
    SCORERS,
    Tried,
    evaluate,
    flagged,
    left_out_share,
    promise_figures,
    scorer_figures,
)
from pipelines.evaluation.matched import everything_in
from pipelines.evaluation.protocol import Judged, Trial, make_trials
from pipelines.sound import write_wav
from pipelines.synthesis import InfantVoice, Room, synthesise_cry
from tests.pipelines.evaluation.recordings_made_up import START, a_corpus, a_recording


def judged_as(normal_p: list[float], anomalous_p: list[float], sessions: int = 9) -> Judged:
    normal, anomalous = np.array(normal_p), np.array(anomalous_p)
    return Judged(1 - normal, 1 - anomalous, normal, anomalous, normal, anomalous, sessions)


def a_trial(days: int = 20, infant: str = "inf00") -> Trial:
    infants = a_corpus(infants=5, days=6)
    infants[infant] = [a_recording(infant, n, float(n)) for n in range(days)]
    return next(t for t in make_trials(infants, {})[0] if t.infant == infant)


@pytest.fixture(scope="module")
def figures() -> dict[str, object]:
    """Voices and no rooms: infants of 10 days, and one of 24 who can be promised something."""
    infants = a_corpus(infants=4, days=8, voice=1.0)
    infants["long"] = [a_recording("long", n, float(n)) for n in range(24)]
    return evaluate(make_trials(infants, {"inf00": True})[0])


def test_the_share_of_the_left_out_is_the_p_value_without_its_correction() -> None:
    np.testing.assert_allclose(left_out_share(np.array([0.1, 0.2, 1.0]), 9), [0.0, 1 / 9, 1.0])


def test_flags_are_raised_where_at_most_a_tenth_is_as_anomalous() -> None:
    normal, anomalous = flagged(judged_as([0.1, 0.5], [0.1, 0.19, 0.2], sessions=9))
    assert normal.tolist() == [True, False]
    assert anomalous.tolist() == [True, True, False]


def test_always_fire_and_never_fire_are_flagged_always_and_never() -> None:
    trial = a_trial()
    for name, verdict in (("always_fire", True), ("never_fire", False)):
        for flags in flagged(judge_dummies(trial)[name]):
            assert set(flags) == {verdict}


def test_a_promise_that_cannot_be_made_is_named_and_in_no_average() -> None:
    trial = a_trial(days=8)
    assert not trial.reaches(0.10)
    tried = [Tried(trial, {"x": judged_as([0.2] * 2, [0.2] * 50, sessions=5)})]
    found = promise_figures(tried, "x", "10", 0.10)
    assert found["fpr_at_alpha10"] is None
    assert found["fpr_at_alpha10_reason"] == "not reachable: no infant has 9 baseline sessions"
    assert found["recall_at_alpha10"] is None
    assert found["fpr_at_alpha10_max"] is None
    assert (found["fpr_at_alpha10_infants"], found["fpr_at_alpha10_n"]) == (0, 0)


def test_only_infants_who_can_be_promised_something_count() -> None:
    able, unable = a_trial(days=20), a_trial(days=8)
    flags = [0.05] * 3 + [0.9] * (len(able.normal) - 3)
    tried = [
        Tried(able, {"x": judged_as(flags, [0.05, 0.5])}),
        Tried(unable, {"x": judged_as([0.01] * 2, [0.01])}),
    ]
    found = promise_figures(tried, "x", "10", 0.10)
    assert found["fpr_at_alpha10"] == pytest.approx(3 / len(able.normal))
    assert found["recall_at_alpha10"] == 0.5
    assert found["fpr_at_alpha10_max"] == pytest.approx(3 / len(able.normal))
    assert found["fpr_at_alpha10_max_infants"] == 1
    lo, hi = (found[f"fpr_at_alpha10{end}"] for end in ("_lo", "_hi"))
    assert lo < 3 / len(able.normal) < hi


def test_an_infant_with_few_normal_tests_is_in_no_maximum() -> None:
    trial = a_trial(days=20)
    few = replace(trial, normal=trial.normal[:7], normal_session=trial.normal_session[:7])
    found = promise_figures([Tried(few, {"x": judged_as([0.01] * 7, [0.5])})], "x", "10", 0.10)
    assert found["fpr_at_alpha10"] == 1.0
    assert found["fpr_at_alpha10_max"] is None
    assert found["fpr_at_alpha10_max_infants"] == 0


def test_the_background_is_subtracted_infant_by_infant() -> None:
    trial = a_trial()
    count = len(trial.normal)
    tried = [
        Tried(
            trial,
            {
                "x": judged_as([0.9] * count, [0.1] * 4),
                "background": judged_as([0.5] * count, [0.5] * 4),
            },
        )
    ]
    assert scorer_figures(tried, "x")["auc_minus_background"] == pytest.approx(0.5)


def test_every_scorer_has_its_figures_with_n_and_interval(figures: dict[str, object]) -> None:
    for name in SCORERS:
        own = figures[name]
        assert isinstance(own, dict)
        for key in ("auc", "recall_at_fpr10"):
            assert own[f"{key}_lo"] <= own[key] <= own[f"{key}_hi"]
            assert own[f"{key}_n"] == figures["n_infants_counted"]
        assert {"fpr_at_alpha10", "fpr_at_alpha05", "n"} <= set(own)
    assert figures["always_fire"]["auc"] == figures["never_fire"]["auc"] == 0.5  # type: ignore[index]
    assert figures["always_fire"]["recall"] == figures["always_fire"]["fpr"] == 1.0  # type: ignore[index]


def test_infants_that_the_encoder_was_trained_on_are_listed_but_not_averaged(
    figures: dict[str, object],
) -> None:
    lines = figures["infants"]
    assert isinstance(lines, list)
    assert len(lines) == figures["n_infants"] == 5
    assert figures["n_infants_counted"] == 4
    counted = [line for line in lines if line["encoder_heard_it"] is not True]
    mean = np.mean([line["scorers"]["gmm"]["auc"] for line in counted])
    assert figures["gmm"]["auc"] == pytest.approx(mean)  # type: ignore[index]
    assert figures["n_test_normals"] == sum(line["n"] for line in counted)


def test_voices_are_found_and_rooms_are_not_where_there_are_only_voices(
    figures: dict[str, object],
) -> None:
    assert figures["gmm"]["auc"] > 0.9  # type: ignore[index]
    assert figures["gmm"]["auc_minus_background_lo"] > 0.1  # type: ignore[index]


def test_where_only_the_room_differs_no_scorer_beats_the_background() -> None:
    trials, _ = make_trials(a_corpus(infants=5, days=8, voice=0.0, room=1.5), {})
    assert BackgroundScale.of(everything_in(trials)).spread.min() > 0.0
    found = evaluate(trials)
    assert found["background"]["auc"] > 0.9
    for name in ("autoencoder", "ocsvm", "gmm", "combined"):
        assert found[name]["auc_minus_background_hi"] < 0.0


def test_tables_are_readable_and_say_what_cannot_be_promised(figures: dict[str, object]) -> None:
    console = Console(width=140, record=True, file=io.StringIO())
    whole = {**figures, "n": 56, "n_unheard": 0, "not_tried": []}
    rung = {
        "noise_level_dbfs": -10.0,
        "background_auc": 0.71,
        "auc_by_scorer": dict.fromkeys(SCORERS, 0.7),
        "combined_minus_background": -0.01,
    }
    low = {"noise_level_dbfs": -10.0, "background_auc": 0.71, "is_matched": False, "sweep": [rung]}
    evaluate_tables.show(console, {**whole, "matched": {**figures, **low}})
    text = console.export_text()
    assert "THIS TABLE SAYS NOTHING ABOUT INFANTS" in text
    assert "not reachable" in text
    assert "always_fire" in text
    assert "recall at" in text


def write_corpus(folder: Path, infants: int = 3, days: int = 6) -> Path:
    """Write a small synthetic corpus of infants in rooms of their own."""
    lines = []
    for infant in range(infants):
        voice = InfantVoice(f0_hz=360.0 + 60.0 * infant, tract_length_cm=7.5 + 0.5 * infant)
        for day in range(days):
            name = f"{infant}-{day}.wav"
            cry = synthesise_cry(voice, 50 * infant + day, 2.5, room=Room(seed=infant)).sound
            write_wav(folder / name, cry)
            when = (START + timedelta(days=day)).isoformat()
            lines.append((name, f"infant{infant}", when, "ios"))
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "infant", "recorded_at", "device"), *lines])
    return folder / "manifest.csv"


def test_the_command_writes_what_it_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.evaluation.matched.LEVELS_DBFS", (-20.0,))
    manifest = write_corpus(tmp_path)
    assert main(["evaluate", str(manifest), "--json", str(tmp_path / "e.json")]) == 0
    found = json.loads((tmp_path / "e.json").read_text())
    assert found["n"] == 18
    assert [line["infant"] for line in found["infants"]] == ["infant0", "infant1", "infant2"]
    assert set(SCORERS) <= set(found)
    assert set(SCORERS) <= set(found["matched"])
    assert found["matched"]["is_matched"] == (found["matched"]["background_auc"] <= 0.60)
    assert [line["noise_level_dbfs"] for line in found["matched"]["sweep"]] == [-20.0]
    assert found["versions"]["torch"]
    assert found["encoder"]["fingerprint"]
    shown = capsys.readouterr().out
    assert "Per infant, combined" in shown
    assert "Channel-matched" in shown
    assert "NaN" not in (tmp_path / "e.json").read_text()


def test_a_corpus_without_a_single_trial_is_said_to_be_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_corpus(tmp_path, infants=1, days=2)
    assert main(["evaluate", str(manifest), "--no-matched"]) == 1
    assert "no infant has enough recordings" in capsys.readouterr().out
