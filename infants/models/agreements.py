"""What was agreed to for an infant, and what was erased at somebody's wish."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from infants.models.people import Infant, User


class Consent(models.Model):
    """Somebody with the right to decide for the infant agreed to a purpose, until withdrawn."""

    class Purpose(models.TextChoices):
        """What can be agreed to."""

        RECORDING = "recording", "the infant's crying is recorded and judged"
        RESEARCH = "research", "researchers may see the scores, without the name"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=16, choices=Purpose)
    given_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["given_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["infant", "purpose"],
                condition=Q(withdrawn_at=None),
                name="consent_given_once",
            )
        ]

    def __str__(self) -> str:
        """Name the purpose and the infant's id."""
        return f"consent to {self.purpose} for {self.infant_id}"


class Erasure(models.Model):
    """The proof that an infant's records were erased: how many of which kind, and no name.

    Files are deleted after the rows; those still to be deleted are named here until they are gone,
    so that a power cut between the two leaves nothing behind.
    """

    class Place(models.TextChoices):
        """Where the files lay."""

        FOLDER = "folder", _("A folder of this server")
        BUCKET = "bucket", _("An object store, with every version that it kept of them")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    erased_infant_id = models.UUIDField()
    erased_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="erasures"
    )
    erased_at = models.DateTimeField(db_default=Now(), editable=False)
    place = models.CharField(max_length=10, choices=Place, default=Place.FOLDER)
    rows = models.JSONField(default=dict)
    n_files = models.PositiveIntegerField(default=0)
    files_left = models.JSONField(default=list)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-erased_at"]

    def __str__(self) -> str:
        """Name it by the id that the infant had."""
        return f"erasure of {self.erased_infant_id}"
