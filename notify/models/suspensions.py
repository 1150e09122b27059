"""Suspensions: until when nobody is called for an infant, for all who care for it."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from uuid6 import uuid7

from infants.models import Infant, User


class Suspension(models.Model):
    """A while in which messages about an infant are held; recording and judging go on.

    One at most goes on. It is over at `until`, or at `ended_at` where somebody ended it before, and
    stays as the record of who asked for it.
    """

    class Origin(models.TextChoices):
        """Where it was asked for."""

        PAGE = "page", "on the pages, by a person"
        HOME_ASSISTANT = "home_assistant", "through the home's broker, by nobody in particular"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="suspensions")
    origin = models.CharField(max_length=16, choices=Origin)
    began_at = models.DateTimeField()
    until = models.DateTimeField()
    by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering: ClassVar = ["began_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["infant"], condition=Q(ended_at=None), name="suspension_once"
            ),
            models.CheckConstraint(
                condition=Q(until__gt=F("began_at")), name="suspension_has_a_length"
            ),
        ]

    def __str__(self) -> str:
        """Name the two times."""
        return f"from {self.began_at:%Y-%m-%d %H:%M} until {self.until:%Y-%m-%d %H:%M}"
