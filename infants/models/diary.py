"""What caregivers write down, on the same time axis as the crying."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from uuid6 import uuid7

from infants.models.people import Infant


class DiaryEntry(models.Model):
    """One thing that happened to the infant, by the account of a person."""

    class Kind(models.TextChoices):
        """What can be noted."""

        FEED = "feed"
        SLEEP = "sleep"
        NAPPY = "nappy"
        TEMPERATURE = "temperature"
        MEDICINE = "medicine"
        VACCINATION = "vaccination"
        ILLNESS = "illness"
        SYMPTOM = "symptom"
        NOTE = "note"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="diary")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    kind = models.CharField(max_length=16, choices=Kind)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    temperature_c = models.FloatField(null=True, blank=True)
    text = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["starts_at"]
        indexes: ClassVar = [models.Index(fields=["infant", "-starts_at"])]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(kind="temperature", temperature_c__isnull=False)
                | (~models.Q(kind="temperature") & models.Q(temperature_c=None)),
                name="diary_temperature_has_a_value",
            )
        ]

    def __str__(self) -> str:
        """Name the kind and the time."""
        return f"{self.kind} at {self.starts_at:%Y-%m-%d %H:%M}"
