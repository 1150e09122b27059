"""Score: causal, learning before numbers, idempotent."""

import datetime as dt

import pytest

from anomaly.models import PersonalModel, RecordingJudgement
from anomaly.models.judgement import Outcome
from anomaly.stages.score import rescore, score_recordings
from infants.models import Recording
from infants.states import State
from pipelines.score import SCORERS
from tests import judged

pytestmark = pytest.mark.django_db


def test_a_young_baseline_gives_no_number_but_says_how_far_it_is() -> None:
    judged.a_life(days=5)
    last = RecordingJudgement.objects.order_by("recording__recorded_at").last()
    assert last is not None
    assert (last.outcome, last.baseline_days, last.baseline_days_needed) == (Outcome.LEARNING, 4, 9)
    assert (last.p_value, last.statistic, last.scores) == (None, None, {})


def test_after_nine_days_recordings_are_scored_with_p_values_that_the_baseline_allows() -> None:
    judged.a_life(days=12)
    scored = RecordingJudgement.objects.filter(outcome=Outcome.SCORED)
    assert scored.count() == 2 * (12 - 10)  # learnt in the tenth session, in force after it
    for row in scored.select_related("model"):
        assert set(row.scores) == set(row.p_values) == set(SCORERS)
        assert row.model.facts["smallest_p_value"] <= row.p_value <= 1.0
        assert (row.room_score, row.room_p_value) == (None, None)  # no background was kept


def test_no_recording_is_judged_by_a_model_that_has_heard_its_session() -> None:
    judged.a_life(days=13)
    for row in RecordingJudgement.objects.filter(outcome=Outcome.SCORED):
        assert row.model.learnt_until < row.model.in_force_after < row.recording.session.started_at
        assert str(row.recording_id) not in row.model.facts["recordings"]


def test_scoring_again_gives_the_same_bits() -> None:
    judged.a_life(days=11)
    row = RecordingJudgement.objects.filter(outcome=Outcome.SCORED).first()
    assert row is not None
    before = (row.scores, row.p_values, row.statistic, row.p_value)
    Recording.objects.filter(id=row.recording_id).update(state=State.GATED)
    score_recordings([row.recording_id])
    row.refresh_from_db()
    assert (row.scores, row.p_values, row.statistic, row.p_value) == before


def test_a_shifted_voice_is_as_unusual_as_the_baseline_can_say() -> None:
    infant, device = judged.a_life(days=11)
    model = PersonalModel.objects.latest("number")
    when = judged.START + dt.timedelta(days=12)
    vectors = judged.voice(infant, seed=7, shift=6.0)
    strange = rescore(model, judged.a_gated_recording(infant, device, when, vectors))
    assert model.facts["smallest_p_value"] <= strange.p_value <= 0.10


def test_the_past_is_judged_by_the_version_of_its_time() -> None:
    infant, device = judged.a_life(days=12)
    early = judged.START + dt.timedelta(days=3, hours=6)
    late_upload = judged.a_gated_recording(infant, device, early, judged.voice(infant, seed=5))
    judged.judge([late_upload])
    assert late_upload.judgement.outcome == Outcome.LEARNING
    assert late_upload.judgement.baseline_days == 4
