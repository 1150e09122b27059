"""Reviews: what a person decides changes episodes at once and the baseline from then on."""

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from anomaly.models import (
    BaselineEntry,
    Episode,
    Event,
    GateDecision,
    PersonalModel,
    RecordingJudgement,
    ScorePoint,
    SessionSummary,
)
from anomaly.reviews import answer_cry, answer_episode, review_cry, review_episode, take_back
from anomaly.selectors.baseline import usual_arousal
from anomaly.selectors.learning import learnable
from anomaly.selectors.overview import overviews
from anomaly.stages.episode import refresh_episodes
from infants.access import Viewer
from infants.errors import NotReviewableError
from infants.models import Infant, Recording
from infants.states import State
from tests import judged
from tests.builders import a_device, a_member, an_episode, an_infant, as_device, as_user

pytestmark = pytest.mark.django_db

SHIFT_FROM, DAYS = 14, 24
SYSTEM = Viewer.system()
DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def shifted() -> Infant:
    """Return an infant whose crying is another from some day on, as of the last day."""
    infant, _device = judged.a_life(days=DAYS, shift_from=SHIFT_FROM)
    refresh_episodes(infant, judged.START + (DAYS - 1) * DAY + dt.timedelta(hours=1))
    return infant


def _shift(infant: Infant) -> Episode:
    return infant.episodes.get(kind=Episode.Kind.PERSISTENT_SHIFT)


def _learnable_days(infant: Infant, day: float) -> set[int]:
    entries = BaselineEntry.objects.filter(infant=infant, withdrawn_at=None)
    moment = judged.START + day * DAY
    return {(one.recorded_at - judged.START).days for one in learnable(infant, entries, moment)}


# --- what a shift holds back ----------------------------------------------------------------------


def test_no_day_of_an_open_shift_is_learnt(shifted: Infant) -> None:
    began = (_shift(shifted).began_at - judged.START).days
    assert abs(began - SHIFT_FROM) <= 1
    assert _learnable_days(shifted, DAYS + 30) == set(range(began))


def test_no_version_made_after_the_shift_was_noticed_has_heard_it(shifted: Infant) -> None:
    noticed = _shift(shifted).opened_at
    began = _shift(shifted).began_at
    later = PersonalModel.objects.filter(infant=shifted, in_force_after__gt=noticed)
    assert later.exists()
    for model in later:
        heard = Recording.objects.filter(id__in=model.facts["recordings"])
        assert not heard.filter(recorded_at__gte=began).exists()


def test_a_shift_that_ended_by_itself_stays_out_of_the_baseline(shifted: Infant) -> None:
    shift = _shift(shifted)
    Episode.objects.filter(id=shift.id).update(
        closed_at=judged.START + (DAYS + 1) * DAY, close_reason=Episode.CloseReason.BACK_TO_USUAL
    )
    assert SHIFT_FROM + 2 not in _learnable_days(shifted, DAYS + 60)


@pytest.mark.parametrize("reason", ["lasted_too_long", "surroundings"])
def test_a_shift_that_turned_out_to_be_usual_is_learnt(shifted: Infant, reason: str) -> None:
    ended = {"closed_at": judged.START + (DAYS + 1) * DAY, "close_reason": reason}
    Episode.objects.filter(id=_shift(shifted).id).update(**ended)
    assert set(range(SHIFT_FROM, DAYS)) <= _learnable_days(shifted, DAYS + 60)


# --- reviews of shifts ----------------------------------------------------------------------------


def test_a_reviewer_calls_a_shift_usual_and_its_days_are_learnt(shifted: Infant) -> None:
    shift = _shift(shifted)
    reviewed = review_episode(SYSTEM, shift.id, "usual")
    assert reviewed is not None
    assert set(range(SHIFT_FROM, DAYS)) <= _learnable_days(shifted, DAYS + 60)
    event = Event.objects.get(kind=Event.Kind.EPISODE_REVIEWED, episode=shift)
    assert event.facts["before"]["verdict"] == ""
    assert event.facts["after"]["verdict"] == "usual"
    assert event.facts["after"]["n_learnable"] > event.facts["before"]["n_learnable"]


def test_a_shift_called_usual_in_time_closes_and_does_not_open_again(shifted: Infant) -> None:
    last = judged.START + (DAYS - 1) * DAY
    Episode.objects.filter(id=_shift(shifted).id).update(
        verdict="usual", reviewed_at=last + dt.timedelta(hours=2)
    )
    refresh_episodes(shifted, last + dt.timedelta(hours=3))
    shift = _shift(shifted)
    assert shift.close_reason == Episode.CloseReason.REVIEWED
    device = Recording.objects.filter(infant=shifted).latest("recorded_at").device
    for day in range(DAYS, DAYS + 4):
        vectors = judged.voice(shifted, seed=9000 + day, shift=6.0)
        when = judged.START + day * DAY
        judged.judge([judged.a_gated_recording(shifted, device, when, vectors)])
    refresh_episodes(shifted, judged.START + (DAYS + 3) * DAY + dt.timedelta(hours=1))
    assert not shifted.episodes.filter(kind=Episode.Kind.PERSISTENT_SHIFT, closed_at=None).exists()


def test_a_reviewer_calls_a_shift_unusual_and_nothing_else_learns_it(shifted: Infant) -> None:
    shift = _shift(shifted)
    Episode.objects.filter(id=shift.id).update(
        closed_at=judged.START + (DAYS + 1) * DAY, close_reason=Episode.CloseReason.LASTED_TOO_LONG
    )
    reviewed = review_episode(SYSTEM, shift.id, "unusual")
    assert reviewed is not None
    assert SHIFT_FROM + 2 not in _learnable_days(shifted, DAYS + 60)


def test_a_review_is_taken_back(shifted: Infant) -> None:
    shift = _shift(shifted)
    before = _learnable_days(shifted, DAYS + 60)
    review_episode(SYSTEM, shift.id, "usual")
    back = review_episode(SYSTEM, shift.id, "")
    assert back is not None
    assert back.reviewed_at is None
    assert _learnable_days(shifted, DAYS + 60) == before
    assert Event.objects.filter(kind=Event.Kind.EPISODE_REVIEWED, episode=shift).count() == 2


def test_a_review_alters_no_judgement(shifted: Infant) -> None:
    before = list(RecordingJudgement.objects.filter(infant=shifted).order_by("pk").values())
    review_episode(SYSTEM, _shift(shifted).id, "usual")
    after = list(RecordingJudgement.objects.filter(infant=shifted).order_by("pk").values())
    assert after == before


def test_only_a_shift_can_be_reviewed() -> None:
    infant = an_infant()
    odd = Episode.objects.create(
        infant=infant,
        kind=Episode.Kind.SINGLE_EXTREME,
        opened_at=timezone.now(),
        last_at=timezone.now(),
    )
    with pytest.raises(NotReviewableError, match="shift"):
        review_episode(SYSTEM, odd.id, "usual")


# --- reviews of cries: the gate's word and the reviewer's, all four -------------------------------


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("may_learn", [True, False])
def test_the_reviewers_word_counts_for_more_than_the_gates(
    *, accepted: bool, may_learn: bool
) -> None:
    infant, device = judged.an_infant_with_monitor()
    vectors = judged.voice(infant, seed=1)
    one = judged.a_gated_recording(infant, device, judged.START, vectors, accepted=accepted)
    judged.judge([one])
    assert _in_baseline(one) == accepted
    reviewed = review_cry(SYSTEM, one.id, may_learn)
    assert reviewed is not None
    assert _in_baseline(one) == may_learn
    facts = Event.objects.get(kind=Event.Kind.CRY_REVIEWED, recording=one).facts
    assert facts["before"]["in_baseline"] == accepted
    assert facts["after"]["in_baseline"] == may_learn
    review_cry(SYSTEM, one.id, None)
    assert _in_baseline(one) == accepted


def _in_baseline(recording: Recording) -> bool:
    return BaselineEntry.objects.filter(recording=recording, withdrawn_at=None).exists()


@pytest.mark.parametrize("may_learn", [True, False])
def test_a_review_on_the_way_counts_when_it_is_learnt(*, may_learn: bool) -> None:
    infant, device = judged.an_infant_with_monitor()
    vectors = judged.voice(infant, seed=1)
    one = judged.a_gated_recording(infant, device, judged.START, vectors, accepted=not may_learn)
    review_cry(SYSTEM, one.id, may_learn)
    assert not _in_baseline(one)
    judged.judge([one])
    assert Recording.objects.get(id=one.id).state == State.DONE
    assert _in_baseline(one) == may_learn


def test_what_is_no_cry_can_not_be_learnt() -> None:
    infant, device = judged.an_infant_with_monitor()
    one = judged.a_gated_recording(infant, device, judged.START, judged.voice(infant, seed=1))
    one.gate_decision.is_cry = one.gate_decision.accepted = False
    one.gate_decision.save()
    with pytest.raises(NotReviewableError, match="no cry"):
        review_cry(SYSTEM, one.id, may_learn=True)


# --- what it was: the gate's word and each answer -------------------------------------------------


def _a_session_of_two(*, accepted: bool) -> tuple[Recording, Recording]:
    """Return two judged recordings of one session; the gate accepted the second one or not."""
    infant, device = judged.an_infant_with_monitor()
    made = [
        judged.a_gated_recording(
            infant,
            device,
            judged.START + minutes * MINUTE,
            judged.voice(infant, minutes),
            accepted=accepted or not minutes,
        )
        for minutes in (0, 5)
    ]
    judged.judge(made)
    first, second = (Recording.objects.get(id=one.id) for one in made)
    return first, second


def _counted_with(recording: Recording) -> tuple[int, int, int]:
    """Return how many recordings its session and its day count, and how many points it has."""
    infant, session = recording.subject, recording.session
    summary = SessionSummary.objects.filter(session=session).first()
    day = infant.rollups.filter(day=infant.local_day(recording.recorded_at)).first()
    n_points = ScorePoint.objects.filter(recording=recording).count()
    return summary.n_recordings if summary else 0, day.n_recordings if day else 0, n_points


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("answer", GateDecision.Answer.values)
def test_an_answer_decides_what_is_learnt_and_what_counts(*, accepted: bool, answer: str) -> None:
    _, one = _a_session_of_two(accepted=accepted)
    usual = _counted_with(one)
    assert usual == (2, 2, 1)
    said = answer_cry(SYSTEM, one.id, answer)
    assert said is not None
    assert said.recordings == (one.id,)
    is_own = answer == "expected"
    assert _in_baseline(one) == is_own
    assert _counted_with(one) == (usual if is_own else (1, 1, 0))
    decision = GateDecision.objects.get(recording=one)
    assert (decision.answer, decision.review, decision.accepted) == (answer, is_own, accepted)
    assert RecordingJudgement.objects.filter(recording=one).exists()
    answer_cry(SYSTEM, one.id, "")
    assert _counted_with(one) == usual
    assert _in_baseline(one) == accepted


def test_what_is_left_of_nothing_is_nothing() -> None:
    first, second = _a_session_of_two(accepted=True)
    for one in (first, second):
        answer_cry(SYSTEM, one.id, "not_my_baby")
    assert _counted_with(one) == (0, 0, 0)
    assert not usual_arousal(
        judged.a_gated_recording(
            first.subject, first.device, judged.START + DAY, judged.voice(first.subject, 9)
        )
    )
    seen = overviews(SYSTEM, judged.START + DAY, only=first.infant_id)[0]
    assert seen.last_cry_at == judged.START + DAY
    answer_cry(SYSTEM, first.id, "")
    assert _counted_with(first) == (1, 1, 1)


@pytest.mark.parametrize("accepted", [True, False])
def test_an_answer_on_the_way_counts_when_it_gets_there(*, accepted: bool) -> None:
    infant, device = judged.an_infant_with_monitor()
    vectors = judged.voice(infant, seed=1)
    one = judged.a_gated_recording(infant, device, judged.START, vectors, accepted=accepted)
    answer_cry(SYSTEM, one.id, "not_a_cry")
    judged.judge([one])
    assert Recording.objects.get(id=one.id).state == State.DONE
    assert _counted_with(one) == (0, 0, 0)
    assert not _in_baseline(one)


def test_a_word_on_learning_alone_takes_an_answer_back() -> None:
    _, one = _a_session_of_two(accepted=True)
    answer_cry(SYSTEM, one.id, "not_my_baby")
    review_cry(SYSTEM, one.id, may_learn=False)
    assert GateDecision.objects.get(recording=one).answer == ""
    assert _counted_with(one) == (2, 2, 1)
    assert not _in_baseline(one)


def test_an_odd_session_is_answered_recording_by_recording() -> None:
    first, second = _a_session_of_two(accepted=False)
    answer_cry(SYSTEM, first.id, "not_a_cry")
    odd = an_episode(first.subject, first.recorded_at)
    said = answer_episode(SYSTEM, odd.id, "expected")
    assert said is not None
    assert (said.recordings, said.is_verdict) == ((second.id,), False)
    assert _in_baseline(second)
    assert GateDecision.objects.get(recording=first).answer == "not_a_cry"
    assert take_back(SYSTEM, first.subject.id, said.at) is not None
    assert GateDecision.objects.get(recording=second).answer == ""


def test_answers_are_for_those_who_may_review() -> None:
    _, one = _a_session_of_two(accepted=True)
    odd = an_episode(one.subject, one.recorded_at)
    for viewer in (Viewer(), Viewer(user=a_member(one.subject, "researcher"))):
        assert answer_cry(viewer, one.id, "not_a_cry") is None
        assert answer_episode(viewer, odd.id, "not_a_cry") is None
        assert take_back(viewer, one.subject.id, timezone.now()) is None
    assert not Event.objects.filter(kind__in=["cry_reviewed", "episode_reviewed"]).exists()


def test_a_cry_is_answered_by_the_api() -> None:
    _, one = _a_session_of_two(accepted=True)
    user = a_member(one.subject, "caregiver")
    path = f"/api/v1/recordings/{one.id}/review/"
    answer = as_user(user).post(path, {"answer": "not_my_baby"}, "json")
    assert answer.status_code == 200
    said = answer.json()["gate_decision"]
    assert (said["answer"], said["review"]) == ("not_my_baby", False)
    event = Event.objects.get(kind=Event.Kind.CRY_REVIEWED, recording=one)
    assert event.facts["by"] == str(user.id)
    for wrong in ({}, {"answer": "hungry"}, {"answer": "expected", "may_learn": True}):
        assert as_user(user).post(path, wrong, "json").status_code == 400


# --- who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"),
    [("owner", 200), ("clinician", 200), ("caregiver", 200), ("researcher", 404)],
)
def test_owners_caregivers_and_clinicians_review(role: str, status: int) -> None:
    infant, device = judged.an_infant_with_monitor()
    one = judged.a_gated_recording(infant, device, judged.START, judged.voice(infant, seed=1))
    judged.judge([one])
    client = as_user(a_member(infant, role))
    answer = client.post(f"/api/v1/recordings/{one.id}/review/", {"may_learn": False}, "json")
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["gate_decision"]["review"] is False
    assert _in_baseline(one) == (status != 200)


def test_a_shift_is_reviewed_by_the_api(shifted: Infant) -> None:
    user = a_member(shifted, "clinician")
    path = f"/api/v1/episodes/{_shift(shifted).id}/review/"
    answer = as_user(user).post(path, {"verdict": "unusual"}, "json")
    assert answer.status_code == 200
    assert answer.json()["verdict"] == "unusual"
    assert _shift(shifted).reviewed_by == user
    assert as_user(user).post(path, {"verdict": "ill"}, "json").status_code == 400
    assert as_device(a_device()).post(path, {"verdict": ""}, "json").status_code == 403


def test_what_is_not_there_can_not_be_reviewed() -> None:
    user = a_member(an_infant())
    for path, said in (("episodes", {"verdict": "usual"}), ("recordings", {"may_learn": True})):
        answer = as_user(user).post(f"/api/v1/{path}/{uuid.uuid4()}/review/", said, "json")
        assert answer.status_code == 404


def test_what_can_not_be_reviewed_says_why() -> None:
    infant = an_infant()
    now = timezone.now()
    odd = Episode.objects.create(
        infant=infant, kind=Episode.Kind.SINGLE_EXTREME, opened_at=now, last_at=now
    )
    client = as_user(a_member(infant))
    answer = client.post(f"/api/v1/episodes/{odd.id}/review/", {"verdict": "usual"}, "json")
    assert answer.status_code == 422
    assert answer.json()["code"] == "not_reviewable"
