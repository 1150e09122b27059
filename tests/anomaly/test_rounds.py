"""Rounds: who looked at what; what is new since; and taking it back for a day."""

import datetime as dt

import pytest
from django.utils import timezone

from anomaly.models import Episode, Event, PatientReview
from anomaly.rounds import mark_reviewed, undo_review
from anomaly.selectors.patients import Patient, patient_named
from infants.access import Viewer
from infants.models import Infant, Membership
from tests.builders import a_device, a_member, an_episode, an_infant

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def viewer(infant: Infant) -> Viewer:
    return Viewer(user=a_member(infant, Membership.Role.CLINICIAN))


def _patient(viewer: Viewer, infant: Infant) -> Patient:
    found = patient_named(viewer, infant.id, timezone.now())
    assert found is not None
    return found


def _a_shift(infant: Infant, severity: str) -> Episode:
    kind = Episode.Kind.PERSISTENT_SHIFT
    when = timezone.now() - 5 * DAY
    return an_episode(infant, when, kind=kind, evidence={"severity": severity})


def test_reviewed_until_something_new_happens(viewer: Viewer, infant: Infant) -> None:
    assert _patient(viewer, infant).is_unreviewed
    assert mark_reviewed(viewer, infant.id) is not None
    assert not _patient(viewer, infant).is_unreviewed
    an_episode(infant, timezone.now())
    assert _patient(viewer, infant).is_unreviewed


def test_a_shift_is_news_again_when_its_evidence_rises(viewer: Viewer, infant: Infant) -> None:
    shift = _a_shift(infant, "slight")
    mark_reviewed(viewer, infant.id)
    assert not _patient(viewer, infant).is_unreviewed
    Episode.objects.filter(id=shift.id).update(evidence={"severity": "clear"})
    assert [one.rank for one in _patient(viewer, infant).news] == [2]
    mark_reviewed(viewer, infant.id)
    Episode.objects.filter(id=shift.id).update(evidence={"severity": "slight"})
    assert not _patient(viewer, infant).is_unreviewed


def test_a_review_covers_no_more_than_was_shown(viewer: Viewer, infant: Infant) -> None:
    shift = _a_shift(infant, "strong")
    review = mark_reviewed(viewer, infant.id, {f"episode:{shift.id}": 1, "nothing": 3})
    assert review is not None
    assert review.seen == {f"episode:{shift.id}": 1}
    assert _patient(viewer, infant).is_unreviewed


def test_pressed_twice_says_one_thing(viewer: Viewer, infant: Infant) -> None:
    assert mark_reviewed(viewer, infant.id) == mark_reviewed(viewer, infant.id)
    assert PatientReview.objects.count() == 1
    mark_reviewed(viewer, infant.id, note="and a word")
    assert PatientReview.objects.count() == 2


def test_undone_by_oneself_and_kept(viewer: Viewer, infant: Infant) -> None:
    review = mark_reviewed(viewer, infant.id)
    assert review is not None
    undone = undo_review(viewer, review.id)
    assert undone is not None
    assert undone.undone_by == viewer.user
    assert _patient(viewer, infant).is_unreviewed
    assert undo_review(viewer, review.id) == undone
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert kinds == {Event.Kind.PATIENT_REVIEWED, Event.Kind.PATIENT_REVIEW_UNDONE}


def test_an_undone_review_leaves_the_earlier_one_in_force(viewer: Viewer, infant: Infant) -> None:
    other = Viewer(user=a_member(infant, Membership.Role.CLINICIAN))
    mark_reviewed(other, infant.id)
    review = mark_reviewed(viewer, infant.id)
    assert review is not None
    undo_review(viewer, review.id)
    assert not _patient(viewer, infant).is_unreviewed


def test_not_undone_by_others_nor_after_a_day(viewer: Viewer, infant: Infant) -> None:
    review = mark_reviewed(viewer, infant.id)
    assert review is not None
    other = Viewer(user=a_member(infant, Membership.Role.CLINICIAN))
    assert undo_review(other, review.id) is None
    PatientReview.objects.update(reviewed_at=timezone.now() - DAY - HOUR)
    assert undo_review(viewer, review.id) is None
    assert PatientReview.objects.get().undone_at is None


@pytest.mark.parametrize("role", [Membership.Role.CAREGIVER, Membership.Role.RESEARCHER])
def test_only_who_may_review_does(infant: Infant, role: str) -> None:
    assert mark_reviewed(Viewer(user=a_member(infant, role)), infant.id) is None
    assert mark_reviewed(Viewer(device=a_device()), infant.id) is None
    assert mark_reviewed(Viewer(), infant.id) is None
    assert not PatientReview.objects.exists()


def test_who_lost_the_right_cannot_undo(viewer: Viewer, infant: Infant) -> None:
    review = mark_reviewed(viewer, infant.id)
    assert review is not None
    infant.memberships.update(revoked_at=timezone.now())
    assert undo_review(viewer, review.id) is None
