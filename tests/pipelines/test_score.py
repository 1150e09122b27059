"""Personal model: learning first, p-values that the baseline allows, the same bits for ever."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelines.acoustics import CHANNELS
from pipelines.baseline import Baseline, Cried, views_of
from pipelines.errors import ConfigError, CorruptArtefactError, IncompatibleArtefactError
from pipelines.prior import Priors, bundled_priors
from pipelines.score import (
    EARLY_SCORERS,
    MINIMUM_DAYS,
    SCORERS,
    Learning,
    PersonalModel,
    RecordingScore,
)
from tests.pipelines.detectors.baselines import units_of

N_SESSIONS = 14
ENCODER = "0123456789abcdef"


def a_baseline(n_units: int = 112, n_sessions: int = N_SESSIONS, seed: int = 0) -> Baseline:
    """Return a baseline with one session a day and two recordings a session."""
    units, session = units_of(n_units, seed, n_sessions)
    half = np.arange(n_units) * 2 * n_sessions // n_units % 2
    return Baseline(units, recording=2 * session + half, session=session, day=session + 100)


@pytest.fixture(scope="module")
def model() -> PersonalModel:
    fitted = PersonalModel.fit(a_baseline(), ENCODER, seed=5)
    assert isinstance(fitted, PersonalModel)
    return fitted


@pytest.mark.parametrize(("days", "text"), [(4, "learning, 4 of 9 days"), (8, None), (1, None)])
def test_a_young_baseline_is_still_learning(days: int, text: str | None) -> None:
    learning = PersonalModel.fit(a_baseline(40, n_sessions=days), ENCODER, seed=0)
    assert learning == Learning(days=days, needed=MINIMUM_DAYS)
    assert isinstance(learning, Learning)
    assert text is None or learning.text == text


def known_population() -> Priors:
    """Return the priors that ship, as if they had been learnt with the encoder of these tests."""
    moments = dict.fromkeys(EARLY_SCORERS, (0.0, 1.0))
    return replace(bundled_priors(ENCODER), moments=moments)


@pytest.mark.parametrize("days", [3, 8])
def test_where_the_population_is_known_few_days_give_an_early_model(
    days: int, tmp_path: Path
) -> None:
    model = PersonalModel.fit(a_baseline(40, n_sessions=days), ENCODER, 0, known_population())
    assert isinstance(model, PersonalModel)
    assert model.is_early
    assert not {"nu", "n_components"} & set(model.facts)
    score = model.score_recording(units_of(4, seed=1)[0])
    assert set(score.scores) == set(score.p_values) == set(EARLY_SCORERS)
    assert 1 > model.score_session([score]).p_value >= model.facts["smallest_p_value"]
    model.save(tmp_path / "early.safetensors")
    loaded = PersonalModel.load(tmp_path / "early.safetensors", ENCODER)
    assert loaded.is_early
    assert loaded.score_recording(units_of(4, seed=1)[0]) == score


def test_an_early_model_hears_what_no_infant_it_knows_would_cry_like() -> None:
    baseline = a_baseline(40, n_sessions=5)
    channels = np.random.default_rng(0).normal(0.0, 0.05, (10, len(CHANNELS)))
    views = views_of([Cried(np.zeros((1, 192), np.float32), row) for row in channels])
    known = replace(baseline, views=views)
    model = PersonalModel.fit(known, ENCODER, 0, known_population())
    assert isinstance(model, PersonalModel)
    units = units_of(4, seed=1)[0]
    usual, moved = (model.score_recording(Cried(units, channels[0] + by)) for by in (0.0, 8.0))
    assert moved.p_value < 0.10 < usual.p_value


def test_two_days_are_no_model_and_nine_are_a_whole_one() -> None:
    two = PersonalModel.fit(a_baseline(40, n_sessions=2), ENCODER, 0, known_population())
    nine = PersonalModel.fit(a_baseline(54, n_sessions=9), ENCODER, 0, known_population())
    assert two == Learning(2, MINIMUM_DAYS)
    assert isinstance(nine, PersonalModel)
    assert not nine.is_early
    assert set(nine.score_recording(units_of(4, seed=1)[0]).p_values) == set(SCORERS)


def test_days_count_and_not_sessions() -> None:
    baseline = a_baseline()
    assert PersonalModel.fit(replace(baseline, day=baseline.day // 2), ENCODER, 0) == Learning(7, 9)
    one_session = np.zeros_like(baseline.session)
    assert PersonalModel.fit(replace(baseline, session=one_session), ENCODER, 0) == Learning(1, 9)


def test_nine_days_are_enough_and_allow_a_tenth() -> None:
    fitted = PersonalModel.fit(a_baseline(54, n_sessions=9), ENCODER, seed=0)
    assert isinstance(fitted, PersonalModel)
    stranger, _ = units_of(6, infant=1)
    assert fitted.facts["smallest_p_value"] == pytest.approx(9 / 29 / 10)
    assert 9 / 29 / 10 <= fitted.score_recording(stranger).p_value <= 0.10


def test_the_infant_itself_is_usual_and_a_stranger_is_not(model: PersonalModel) -> None:
    own = [model.score_recording(units_of(4, seed)[0]) for seed in range(1, 21)]
    stranger = model.score_recording(units_of(4, infant=1)[0])
    assert stranger.p_value <= 0.05
    assert set(stranger.scores) == set(stranger.p_values) == set(SCORERS)
    assert np.mean([score.p_value <= 0.10 for score in own]) <= 0.3
    assert stranger.statistic >= max(score.statistic for score in own)
    for score in own:
        assert model.facts["smallest_p_value"] <= score.p_value <= 1


def test_a_recordings_score_is_the_mean_over_its_units(model: PersonalModel) -> None:
    units, _ = units_of(5, seed=3)
    score = model.score_recording(units)
    for name, detector in model.detectors.items():
        assert score.scores[name] == pytest.approx(float(detector.score(units).mean()))
    turned = model.score_recording(units[::-1])
    assert turned.p_value == pytest.approx(score.p_value)


def test_a_session_is_judged_by_its_mean_scores(model: PersonalModel) -> None:
    recordings = [model.score_recording(units_of(4, seed)[0]) for seed in (1, 2, 3)]
    session = model.score_session(recordings)
    assert session.n_recordings == 3
    assert set(session.p_values) == set(SCORERS)
    assert session.room_p_value is None
    assert model.score_session(recordings[::-1]) == session
    alone = model.score_session(recordings[:1])
    assert alone.statistic != session.statistic
    strange = [model.score_recording(units_of(4, seed, infant=1)[0]) for seed in (1, 2)]
    assert model.score_session(strange).p_value <= 0.05 < session.p_value


def test_the_same_seed_gives_the_same_bits_and_another_one_does_not(model: PersonalModel) -> None:
    units, _ = units_of(4, seed=1)
    again = PersonalModel.fit(a_baseline(), ENCODER, seed=5)
    other = PersonalModel.fit(a_baseline(), ENCODER, seed=6)
    assert isinstance(again, PersonalModel)
    assert isinstance(other, PersonalModel)
    assert again.score_recording(units) == model.score_recording(units)
    assert other.score_recording(units).scores != model.score_recording(units).scores


def test_a_saved_model_scores_the_same_bits(model: PersonalModel, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    sha256 = model.save(path)
    loaded = PersonalModel.load(path, ENCODER)
    for seed in range(1, 6):
        units, _ = units_of(4, seed)
        score = model.score_recording(units)
        assert loaded.score_recording(units) == score
        assert loaded.score_session([score]) == model.score_session([score])
    assert loaded.facts == model.facts
    assert loaded.save(tmp_path / "again.safetensors") == sha256


def test_the_facts_say_what_it_rests_on(model: PersonalModel) -> None:
    facts = model.facts
    counts = {name: facts[f"n_{name}"] for name in ("units", "recordings", "sessions", "days")}
    assert counts == {"units": 112, "recordings": 28, "sessions": 14, "days": 14}
    assert facts["nu"] in {0.05, 0.075, 0.1}
    assert facts["n_components"] in {2, 3, 4, 5}
    assert (facts["seed"], facts["encoder_fingerprint"]) == (5, ENCODER)
    assert set(facts["versions"]) == {"python", "numpy", "scikit-learn", "torch"}
    assert json.loads(json.dumps(facts)) == facts


def test_the_model_of_another_encoder_is_refused(model: PersonalModel, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    with pytest.raises(IncompatibleArtefactError) as refused:
        PersonalModel.load(tmp_path / "model", "fedcba9876543210")
    assert refused.value.fact == "encoder_fingerprint"


@pytest.mark.parametrize("position", [0, 9, 200, 5_000, -1])
def test_a_flipped_byte_is_found(model: PersonalModel, tmp_path: Path, position: int) -> None:
    path = tmp_path / "model"
    model.save(path)
    content = bytearray(path.read_bytes())
    content[position] ^= 0x40
    path.write_bytes(bytes(content))
    with pytest.raises(CorruptArtefactError):
        PersonalModel.load(path, ENCODER)


def test_a_sound_file_without_its_arrays_is_corrupt(model: PersonalModel, tmp_path: Path) -> None:
    from pipelines.artefacts import read_artefact, write_artefact

    model.save(tmp_path / "model")
    artefact = read_artefact(tmp_path / "model", "personal_model", 2)
    del artefact.arrays["ocsvm/gamma"]
    write_artefact(tmp_path / "model", artefact.arrays, artefact.metadata)
    with pytest.raises(CorruptArtefactError, match="gamma"):
        PersonalModel.load(tmp_path / "model", ENCODER)


def test_scoring_touches_neither_the_model_nor_the_embeddings(model: PersonalModel) -> None:
    units, _ = units_of(4, seed=1)
    units.setflags(write=False)
    before = {n: a.copy() for d in model.detectors.values() for n, a in d.arrays().items()}
    first, second = model.score_recording(units), model.score_recording(units)
    assert first == second
    for detector in model.detectors.values():
        for name, array in detector.arrays().items():
            np.testing.assert_array_equal(array, before[name])


def test_what_has_no_cry_has_no_score(model: PersonalModel) -> None:
    with pytest.raises(ConfigError, match="without a unit"):
        model.score_recording(np.empty((0, 192), dtype=np.float32))
    with pytest.raises(ConfigError, match="without a scored recording"):
        model.score_session([])
    with pytest.raises(ConfigError, match="no score of"):
        model.score_session([RecordingScore({"gmm": 1.0}, {"gmm": 0.5}, 0.7, 0.5)])


def test_a_baseline_whose_arrays_do_not_fit_is_a_named_error() -> None:
    baseline = a_baseline()
    for wrong in (
        replace(baseline, day=baseline.day[:-1]),
        replace(baseline, session=baseline.session.astype(np.float64)),
        replace(baseline, embeddings=baseline.embeddings[0]),
        replace(baseline, embeddings=baseline.embeddings[:0], recording=baseline.recording[:0]),
    ):
        with pytest.raises(ConfigError):
            PersonalModel.fit(wrong, ENCODER, 0)
