"""What caregivers write down, on the same time axis as the crying."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from typing_extensions import override
from uuid6 import uuid7

from infants.models.people import Infant


class KeptEntries(models.Manager["DiaryEntry"]):
    """The entries that nobody has removed: what every reader is meant to see."""

    @override
    def get_queryset(self) -> QuerySet["DiaryEntry"]:
        """Leave out what was removed."""
        return super().get_queryset().filter(removed_at=None)


class DiaryEntry(models.Model):
    """One thing that happened to the infant, by the account of a person.

    `idempotency_key` is made by the client, so that what it sends twice is written once. A removed
    entry stays for a while, so that removing it can be undone; `objects` does not know it any more.
    """

    class Kind(models.TextChoices):
        """What can be noted."""

        FEED = "feed", _("Feed")
        SLEEP = "sleep", _("Sleep")
        NAPPY = "nappy", _("Nappy")
        TEMPERATURE = "temperature", _("Temperature")
        MEDICINE = "medicine", _("Medicine")
        VACCINATION = "vaccination", _("Vaccination")
        ILLNESS = "illness", _("Illness")
        SYMPTOM = "symptom", _("Symptom")
        NOTE = "note", _("Note")

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
    idempotency_key = models.UUIDField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = KeptEntries()
    with_removed: ClassVar[models.Manager["DiaryEntry"]] = models.Manager()

    class Meta:
        ordering: ClassVar = ["starts_at"]
        indexes: ClassVar = [models.Index(fields=["infant", "-starts_at"])]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="temperature", temperature_c__isnull=False)
                | (~Q(kind="temperature") & Q(temperature_c=None)),
                name="diary_temperature_has_a_value",
            ),
            models.UniqueConstraint(
                fields=["infant", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="diary_key_once",
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at")),
                name="diary_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        """Name the kind and the time."""
        return f"{self.kind} at {self.starts_at:%Y-%m-%d %H:%M}"
