"""What clinicians go by beside the episodes: a rising suspicion, and who looked at a patient."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid6 import uuid7

from infants.models import Infant, User

UNDO_WITHIN = dt.timedelta(hours=24)


class Suspicion(models.Model):
    """A change that may be beginning: evidence that rises, and is too little to tell everybody.

    There is a row only while it rises and no shift is open, which has said it. It is a function of
    the infant's sessions, found anew with each of them.
    """

    infant = models.OneToOneField(
        Infant, primary_key=True, on_delete=models.CASCADE, related_name="suspicion"
    )
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    evidence = models.JSONField(default=dict)
    found_at = models.DateTimeField()

    def __str__(self) -> str:
        """Name the infant and the opening."""
        return f"suspicion of {self.infant_id} since {self.opened_at:%Y-%m-%d %H:%M}"


class PatientReview(models.Model):
    """A clinician has looked at a patient, and at what.

    `seen` holds, by the key of each concern that was shown, how much evidence there was: what
    comes later, or grows, is news. An undone review counts for nothing and is kept.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="patient_reviews"
    )
    reviewed_at = models.DateTimeField()
    seen = models.JSONField(default=dict)
    note = models.TextField(blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["-reviewed_at"]
        indexes: ClassVar = [
            models.Index(
                fields=["infant", "-reviewed_at"],
                condition=Q(undone_at=None),
                name="patient_review_newest",
            )
        ]

    def __str__(self) -> str:
        """Name the infant and the time."""
        return f"review of {self.infant_id} at {self.reviewed_at:%Y-%m-%d %H:%M}"

    def covers(self, key: str, rank: int) -> bool:
        """Tell whether a concern with so much evidence was seen."""
        return int(self.seen.get(key, -1)) >= rank

    def may_be_undone_by(self, user: User | None, now: dt.datetime) -> bool:
        """Tell whether this person may take it back now: only who made it, and only for a day."""
        is_own = user is not None and self.reviewer_id == user.id
        return is_own and self.undone_at is None and now - self.reviewed_at <= UNDO_WITHIN
