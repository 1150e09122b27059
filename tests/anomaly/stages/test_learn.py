"""Learn: accepted cries only, at most one version a day, bounded, and back again."""

import datetime as dt

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from anomaly.models import BaselineEntry, Event, PersonalModel
from anomaly.stages.learn import learn_baselines
from infants.models import Recording
from infants.states import State
from tests import judged

pytestmark = pytest.mark.django_db


def test_a_refused_cry_leaves_model_and_baseline_untouched_bit_for_bit() -> None:
    infant, device = judged.a_life(days=11)
    model = PersonalModel.objects.latest("number")
    with default_storage.open(model.artefact) as stored:
        bits = stored.read()
    baseline = list(BaselineEntry.objects.values_list("pk", flat=True))
    when = judged.START + dt.timedelta(days=20)
    refused = judged.a_gated_recording(
        infant, device, when, judged.voice(infant, seed=3), accepted=False
    )
    judged.judge([refused])
    refused.refresh_from_db()
    assert refused.state == State.DONE
    assert refused.judgement.p_value is not None  # scored, on the timeline, but not learnt
    assert list(BaselineEntry.objects.values_list("pk", flat=True)) == baseline
    assert PersonalModel.objects.latest("number") == model
    with default_storage.open(model.artefact) as stored:
        assert stored.read() == bits


def test_at_most_one_version_a_day_however_many_cries() -> None:
    infant, device = judged.a_life(days=15)
    day = judged.START + dt.timedelta(days=17)
    for hour in range(0, 10, 2):
        when = day + dt.timedelta(hours=hour)
        recording = judged.a_gated_recording(infant, device, when, judged.voice(infant, seed=hour))
        judged.judge([recording])
    assert PersonalModel.objects.filter(learnt_on=day.date()).count() == 1


def test_versions_form_a_line_and_name_what_they_heard() -> None:
    judged.a_life(days=18)
    first, second, third = PersonalModel.objects.order_by("number")
    assert [first.number, second.number, third.number] == [1, 2, 3]
    assert (first.parent, second.parent, third.parent) == (None, first, second)
    assert (first.n_days, first.n_sessions, first.n_recordings) == (9, 9, 18)
    assert (second.n_days, third.n_days) == (10, 11)
    assert Event.objects.filter(kind=Event.Kind.MODEL_LEARNT).count() == 3


def test_what_has_not_settled_is_not_learnt_yet() -> None:
    judged.a_life(days=18)
    for model in PersonalModel.objects.filter(number__gt=1):
        assert model.in_force_after - model.learnt_until >= dt.timedelta(days=6, hours=23)


def test_learning_twice_adds_nothing() -> None:
    judged.a_life(days=10)
    last = Recording.objects.latest("recorded_at")
    counts = (PersonalModel.objects.count(), BaselineEntry.objects.count())
    Recording.objects.filter(id=last.id).update(state=State.SCORED)
    learn_baselines([last.id])
    assert (PersonalModel.objects.count(), BaselineEntry.objects.count()) == counts


@override_settings(ICLAS_BUFFER_RECORDINGS=10)
def test_the_buffer_is_bounded_and_spread_over_time() -> None:
    judged.live_through(*judged.an_infant_with_monitor(), days=14)
    kept = BaselineEntry.objects.order_by("recorded_at").values_list("recorded_at", flat=True)
    days = {time.date() for time in kept}
    assert len(kept) == 10
    assert len(days) >= 8
    assert Recording.objects.latest("recorded_at").recorded_at in kept


def test_rolling_back_puts_the_earlier_version_in_force_and_forgets_what_came_later() -> None:
    infant, device = judged.a_life(days=19)
    earlier = PersonalModel.objects.get(number=2)
    call_command("rollback_model", str(infant.id), "2")
    assert list(
        PersonalModel.objects.filter(withdrawn_at=None).values_list("number", flat=True)
    ) == [
        1,
        2,
    ]
    in_force = BaselineEntry.objects.filter(withdrawn_at=None)
    assert in_force.latest("recorded_at").recorded_at <= earlier.learnt_until
    when = judged.START + dt.timedelta(days=30)
    after = judged.a_gated_recording(infant, device, when, judged.voice(infant, seed=1))
    judged.judge([after])
    assert after.judgement.model == earlier
    with pytest.raises(CommandError, match="no personal model 4"):
        call_command("rollback_model", str(infant.id), "4")


def test_a_version_says_what_is_usual_for_the_infant() -> None:
    infant, device = judged.a_life(days=3)
    for number, recording in enumerate(Recording.objects.order_by("recorded_at")):
        recording.channels = {"duration_s": {"value": 1.0 + number / 10, "confidence": 0.9}}
        recording.save()
    for day in range(3, 11):
        when = judged.START + dt.timedelta(days=day)
        late = judged.a_gated_recording(infant, device, when, judged.voice(infant, seed=day))
        late.channels = {"duration_s": {"value": 2.0, "confidence": 0.9}}
        late.save()
        judged.judge([late])
    usual = PersonalModel.objects.latest("number").facts["usual"]
    low, high = usual["duration_s"]
    assert 1.0 < low < high == 2.0
