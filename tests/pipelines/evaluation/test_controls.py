"""Controls: the background hears rooms and no voices, dummies never change their verdict."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.evaluation.controls import (
    BackgroundScale,
    judge_background,
    judge_dummies,
    judge_embeddings,
    judge_level,
    rows_of,
)
from pipelines.evaluation.matched import everything_in
from pipelines.evaluation.metrics import auc
from pipelines.evaluation.protocol import Judged, Trial, make_trials
from pipelines.segment import Quality
from tests.pipelines.evaluation.recordings_made_up import a_corpus


def a_trial(voice: float, room: float) -> Trial:
    trials, _ = make_trials(a_corpus(infants=5, days=8, voice=voice, room=room), {})
    return trials[0]


def auc_of(judged: Judged) -> float:
    return auc(judged.normal, judged.anomalous)


def background(trial: Trial) -> dict[str, Judged]:
    return judge_background(trial, BackgroundScale.of(everything_in([trial])))


def test_the_background_control_hears_the_room_and_not_the_voice() -> None:
    rooms = a_trial(voice=0.0, room=1.5)
    assert auc_of(background(rooms)["combined"]) > 0.9
    assert auc_of(judge_embeddings(a_trial(voice=1.5, room=0.0))["combined"]) > 0.9


def test_where_rooms_are_alike_the_background_is_chance() -> None:
    trials, _ = make_trials(a_corpus(infants=10, days=8, voice=1.5, room=0.0), {})
    found = [auc_of(background(trial)["ocsvm"]) for trial in trials]
    assert 0.3 < np.mean(found) < 0.7


def test_the_background_goes_through_the_same_detectors() -> None:
    trial = a_trial(voice=1.0, room=1.0)
    names = {"autoencoder", "ocsvm", "gmm", "combined"}
    assert set(background(trial)) == set(judge_embeddings(trial)) == names


def test_background_rows_are_standardised_and_of_unit_length() -> None:
    corpus = [one for own in a_corpus(infants=4, room=2.0).values() for one in own]
    scale = BackgroundScale.of(corpus)
    standard = (np.array([one.background for one in corpus]) - scale.centre) / scale.spread
    np.testing.assert_allclose(standard.mean(axis=0), 0.0, atol=1e-4)
    np.testing.assert_allclose(standard.std(axis=0), 1.0, atol=1e-4)
    row = scale.row(corpus[0])
    assert row.shape == (1, 80)
    assert np.linalg.norm(row) == pytest.approx(1.0)


def test_rows_know_their_recording() -> None:
    corpus = a_corpus(infants=1, days=3)["inf00"]
    rows = rows_of(corpus, lambda one: one.embeddings)
    assert rows.values.shape == (6, 192)
    assert rows.recording.tolist() == [0, 0, 1, 1, 2, 2]


def test_dummies_fire_always_and_never() -> None:
    judged = judge_dummies(a_trial(voice=1.0, room=0.0))
    assert set(judged) == {"always_fire", "never_fire", "level_meter"}
    for name, p_value in {"always_fire": 0.0, "never_fire": 1.0}.items():
        own = judged[name]
        assert auc_of(own) == 0.5
        for values in (
            own.normal_p,
            own.anomalous_p,
            own.normal_session_p,
            own.anomalous_session_p,
        ):
            assert set(values) == {p_value}


def test_the_level_meter_hears_the_level_alone() -> None:
    trial = a_trial(voice=0.0, room=0.0)
    louder = Quality(-5.0, -1.0, 0.0, 30.0, 4000.0, -50.0)
    told = replace(trial, anomalous=tuple(replace(o, quality=louder) for o in trial.anomalous))
    assert auc_of(judge_level(told)) == 1.0
