"""Rounds: a clinician has looked at a patient, and may take that back for a day.

What comes in: a viewer, a patient or a review. What goes out: the review as it is now, and an
event. Guaranteed: only who may review does; a review covers no more than was shown and than there
is; several people may review, each in their own name; an undone review is kept, and says by whom.
"""

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

from django.utils import timezone

from anomaly.models import Event, PatientReview
from anomaly.selectors.patients import Patient, patient_named
from infants.access import Right, Viewer, infants_for
from infants.locks import infant_locked
from infants.models import Infant

SAME_WITHIN = dt.timedelta(minutes=1)
"""A button that is pressed twice says one thing."""


def mark_reviewed(
    viewer: Viewer, infant_id: UUID, seen: Mapping[str, int] | None = None, note: str = ""
) -> PatientReview | None:
    """Say that a patient was looked at; None where the viewer may review no such patient.

    `seen` is how much evidence was shown of each concern; without it, all that there is counts as
    seen.
    """
    if viewer.user is None or not infants_for(viewer, Right.ATTEND).filter(id=infant_id).exists():
        return None
    with infant_locked(infant_id) as infant:
        now = timezone.now()
        patient = patient_named(viewer, infant_id, now)
        if patient is None:
            return None
        covered = _covered(patient, seen)
        return _repeated(viewer, infant, covered, note, now) or _written(
            viewer, infant, covered, note, now
        )


def _covered(patient: Patient, seen: Mapping[str, int] | None) -> dict[str, int]:
    """Return what a review covers: no more than was shown, and no more than there is."""
    there = {one.key: one.rank for one in patient.known if one.is_news}
    if seen is None:
        return there
    return {key: min(rank, seen[key]) for key, rank in there.items() if key in seen}


def _repeated(
    viewer: Viewer, infant: Infant, covered: dict[str, int], note: str, now: dt.datetime
) -> PatientReview | None:
    own = PatientReview.objects.filter(infant=infant, reviewer=viewer.user, undone_at=None)
    last = own.filter(reviewed_at__gte=now - SAME_WITHIN).order_by("-reviewed_at").first()
    return last if last is not None and (last.seen, last.note) == (covered, note) else None


def _written(
    viewer: Viewer, infant: Infant, covered: dict[str, int], note: str, now: dt.datetime
) -> PatientReview:
    review = PatientReview.objects.create(
        infant=infant, reviewer=viewer.user, reviewed_at=now, seen=covered, note=note
    )
    _tell(review, Event.Kind.PATIENT_REVIEWED, now)
    return review


def undo_review(viewer: Viewer, review_id: UUID) -> PatientReview | None:
    """Take a review back; None where the viewer made no such review, or too long ago.

    To take back what is taken back already changes nothing.
    """
    allowed = PatientReview.objects.filter(infant__in=infants_for(viewer, Right.ATTEND))
    found = allowed.filter(id=review_id, reviewer=viewer.user).first()
    if found is None or viewer.user is None:
        return None
    with infant_locked(found.infant_id):
        now = timezone.now()
        review = PatientReview.objects.get(id=review_id)
        if review.undone_at is not None:
            return review
        if not review.may_be_undone_by(viewer.user, now):
            return None
        review.undone_at, review.undone_by = now, viewer.user
        review.save(update_fields=["undone_at", "undone_by"])
        _tell(review, Event.Kind.PATIENT_REVIEW_UNDONE, now)
    return review


def _tell(review: PatientReview, kind: Event.Kind, now: dt.datetime) -> None:
    facts = {"review": str(review.id), "by": str(review.reviewer_id), "seen": review.seen}
    Event.objects.get_or_create(
        infant_id=review.infant_id,
        kind=kind,
        key=str(review.id),
        defaults={"occurred_at": now, "facts": facts},
    )
