"""Timeline: idempotent rows with their versions, session judgements, rollups of local days."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from anomaly.models import DailyRollup, ScorePoint, SessionJudgement
from anomaly.stages.timeline import write_timeline
from infants.models import Recording
from infants.states import State
from pipelines.score import SCORERS
from tests import judged

pytestmark = pytest.mark.django_db


def test_points_name_their_versions_and_come_once() -> None:
    judged.a_life(days=11)
    last = Recording.objects.latest("recorded_at")
    points = list(ScorePoint.objects.filter(recording=last).order_by("scorer"))
    assert [p.scorer for p in points] == sorted([*SCORERS, "combined"])
    for point in points:
        assert (point.encoder, point.gate_version) == (judged.ENCODER, "numbers")
        assert point.model_id == last.judgement.model_id
    before = list(ScorePoint.objects.order_by("pk").values())
    Recording.objects.filter(id=last.id).update(state=State.LEARNT)
    write_timeline([last.id])
    assert list(ScorePoint.objects.order_by("pk").values()) == before


def test_while_learning_there_is_one_point_and_no_number() -> None:
    judged.a_life(days=2)
    points = ScorePoint.objects.all()
    assert {p.scorer for p in points} == {"combined"}
    assert {(p.outcome, p.score, p.p_value, p.model_id) for p in points} == {
        ("learning", None, None, None)
    }


def test_the_database_refuses_numbers_without_a_score() -> None:
    judged.a_life(days=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        ScorePoint.objects.update(p_value=0.5)


def test_a_session_is_judged_as_a_whole() -> None:
    judged.a_life(days=11)
    last = Recording.objects.latest("recorded_at")
    verdict = SessionJudgement.objects.get(session=last.session)
    assert verdict.n_recordings == 2
    assert verdict.model_id == last.judgement.model_id
    judgements = [r.judgement for r in last.session.recordings.all()]
    assert verdict.statistic not in {judgement.statistic for judgement in judgements}
    assert set(verdict.p_values) == set(SCORERS)


def test_the_rollup_counts_days_where_the_infant_lives() -> None:
    infant, device = judged.an_infant_with_monitor(time_zone="Pacific/Auckland")
    evening = dt.datetime(2026, 3, 1, 10, 59, tzinfo=dt.UTC)  # one minute to midnight there
    for minutes in (0, 5):
        when = evening + dt.timedelta(minutes=minutes)
        judged.judge(
            [judged.a_gated_recording(infant, device, when, judged.voice(infant, seed=minutes))]
        )
    days = {row.day: row for row in DailyRollup.objects.all()}
    assert sorted(days) == [dt.date(2026, 3, 1), dt.date(2026, 3, 2)]
    for row in days.values():
        assert (row.n_recordings, row.n_cries, row.n_accepted, row.n_scored) == (1, 3, 1, 0)
        assert row.cry_s == pytest.approx(2.4)
