"""Protocol: past before future, no session on both sides, and judgements that keep promises."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from pipelines.detectors.ocsvm import OneClassSvm
from pipelines.evaluation.controls import layout_of
from pipelines.evaluation.protocol import Trial, judge, make_trials
from pipelines.recordings import Heard
from tests.pipelines.evaluation.recordings_made_up import a_corpus, a_recording


def trial_of(days: list[float], **more: object) -> Trial:
    infants = a_corpus(infants=4)
    infants["new"] = [a_recording("new", n, day) for n, day in enumerate(days)]
    trials, _ = make_trials(infants, {}, **more)
    (found,) = [trial for trial in trials if trial.infant == "new"]
    return found


def test_the_baseline_is_the_past_and_shares_no_session_with_the_test() -> None:
    minute = 1.0 / 1440.0
    days = [0.0, minute, 1.0, 1.0 + minute, 1.0 + 2 * minute, 2.0, 3.0]
    trial = trial_of(days)
    assert len(trial.baseline) + len(trial.normal) == len(days)
    last = max(one.row.recorded_at for one in trial.baseline)
    first = min(one.row.recorded_at for one in trial.normal)
    assert first - last > timedelta(minutes=30)
    assert not set(trial.baseline_session) & set(trial.normal_session)
    assert trial.baseline_session.tolist() == [0, 0, 1, 1, 1]
    assert trial.normal_session.tolist() == [2, 3]


def test_the_baseline_takes_nine_sessions_where_there_are_more() -> None:
    trial = trial_of([float(day) for day in range(12)])
    assert trial.n_baseline_sessions == 9
    assert trial.reaches(0.10)
    assert not trial.reaches(0.05)


def test_with_fewer_sessions_half_of_the_recordings_is_enough() -> None:
    trial = trial_of([float(day) for day in range(8)])
    assert (len(trial.baseline), len(trial.normal)) == (4, 4)


def test_half_of_many_recordings_make_the_baseline() -> None:
    trial = trial_of([float(day) for day in range(40)])
    assert len(trial.baseline) == 20
    assert trial.reaches(0.05)


def test_one_long_last_session_is_the_test() -> None:
    minute = 1.0 / 1440.0
    trial = trial_of([0.0, minute, 2 * minute, *(5.0 + k * minute for k in range(6))])
    assert (len(trial.baseline), len(trial.normal)) == (3, 6)
    assert not trial.reaches(0.5)


def test_who_is_not_tried_is_listed_with_the_reason() -> None:
    minute = 1.0 / 1440.0
    infants = a_corpus(infants=3)
    infants["few"] = [a_recording("few", n, float(n)) for n in range(3)]
    infants["once"] = [a_recording("once", n, n * minute) for n in range(9)]
    infants["late"] = [a_recording("late", n, n > 1) for n in range(7)]
    infants["single"] = [a_recording("single", 0, 0.0)]
    _, left = make_trials(infants, {})
    assert {one.infant: one.reason for one in left} == {
        "once": "one session only",
        "late": "fewer than 3 recordings before the last session",
        "few": "fewer than 6 recordings",
    }


def test_anomalies_are_strangers_on_the_same_kind_of_device() -> None:
    infants = a_corpus(infants=8)
    infants["droid"] = [a_recording("droid", n, float(n), device="android") for n in range(8)]
    trials, _ = make_trials(infants, {})
    for trial in trials:
        assert all(one.row.device == trial.device for one in trial.anomalous)
        assert all(one.row.infant != trial.infant for one in trial.anomalous)
        assert len({one.row.file for one in trial.anomalous}) == len(trial.anomalous)
    sizes = {trial.infant: len(trial.anomalous) for trial in trials}
    assert sizes["droid"] == 0
    assert sizes["inf00"] == 50


def test_anomalies_come_from_infants_the_encoder_was_not_trained_on() -> None:
    infants = a_corpus(infants=8)
    heard = {name: name in {"inf00", "inf01"} for name in infants}
    trials, _ = make_trials(infants, heard)
    assert all(not heard[one.row.infant] for trial in trials for one in trial.anomalous)
    assert {trial.infant for trial in trials if trial.heard} == {"inf00", "inf01"}


def test_the_draw_of_anomalies_is_seeded_and_differs_between_infants() -> None:
    infants = a_corpus(infants=12)
    first, again, other = (make_trials(infants, {}, seed)[0] for seed in (0, 0, 1))

    def files(trials: list[Trial]) -> list[list[str]]:
        return [[one.row.file.name for one in trial.anomalous] for trial in trials]

    assert files(first) == files(again)
    assert files(first) != files(other)


def test_sessions_of_strangers_are_apart_for_every_stranger() -> None:
    trial = trial_of([float(day) for day in range(8)])
    owner: dict[int, set[str]] = {}
    for one, session in zip(trial.anomalous, trial.anomalous_session, strict=True):
        owner.setdefault(int(session), set()).add(one.row.infant)
    assert all(len(infants) == 1 for infants in owner.values())


# --- judging ------------------------------------------------------------------------------------


def embeddings(one: Heard) -> np.ndarray:
    return one.embeddings


def test_strangers_score_higher_where_the_voice_is_in_the_embedding() -> None:
    trial = trial_of([float(day) for day in range(14)])
    judged = judge(trial, layout_of(trial, embeddings), {"ocsvm": OneClassSvm()})
    assert list(judged) == ["ocsvm"]
    own = judged["ocsvm"]
    assert own.normal.shape == (len(trial.normal),)
    assert own.anomalous.shape == (len(trial.anomalous),)
    assert own.anomalous.mean() > own.normal.mean() + 2.0 * own.normal.std()
    assert own.anomalous_p.mean() < own.normal_p.mean()
    assert own.normal_session_p.shape == (len(np.unique(trial.normal_session)),)


def test_p_values_keep_their_promise_when_test_and_baseline_are_alike() -> None:
    flags = []
    for name in range(12):
        infants = a_corpus(infants=1)
        key = f"ex{name:03d}"
        infants[key] = [a_recording(key, n, float(n), voice=0.5) for n in range(24)]
        trial = next(t for t in make_trials(infants, {})[0] if t.infant == key)
        judged = judge(trial, layout_of(trial, embeddings), {"ocsvm": OneClassSvm()})["ocsvm"]
        flags += [p <= 0.10 for p in judged.normal_p]
    assert len(flags) > 120
    assert np.mean(flags) < 0.17


def test_no_p_value_is_under_its_granularity() -> None:
    trial = trial_of([float(day) for day in range(8)])
    judged = judge(trial, layout_of(trial, embeddings), {"ocsvm": OneClassSvm()})["ocsvm"]
    assert judged.sessions == trial.n_baseline_sessions
    assert min(judged.anomalous_p.min(), judged.normal_p.min()) >= 1.0 / (judged.sessions + 1)


def test_a_baseline_of_one_session_is_left_out_recording_by_recording() -> None:
    minute = 1.0 / 1440.0
    trial = trial_of([0.0, minute, 2 * minute, 3 * minute, 9.0, 9.0 + minute, 9.0 + 2 * minute])
    judged = judge(trial, layout_of(trial, embeddings), {"ocsvm": OneClassSvm()})["ocsvm"]
    assert trial.n_baseline_sessions == 1
    assert judged.sessions == 4
    assert not trial.reaches(0.99)


@pytest.mark.parametrize("alpha", [0.10, 0.05])
def test_a_promise_needs_enough_sessions(alpha: float) -> None:
    trial = trial_of([float(day) for day in range(40)])
    few = replace(trial, baseline_session=np.arange(20) % (round(1 / alpha) - 2))
    many = replace(trial, baseline_session=np.arange(20) % (round(1 / alpha) - 1))
    assert not few.reaches(alpha)
    assert many.reaches(alpha)
