"""What a new build or encoder would change for an infant, tried on its history."""

from typing import ClassVar

from django.db import models
from uuid6 import uuid7

from infants.models import Infant


class VersionTrial(models.Model):
    """Old and new side by side for one infant, before the new is activated.

    `encoder` is the fingerprint of the one that was tried; empty: the stored embeddings were.
    `n_sessions` have a number in both.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="version_trials")
    encoder = models.CharField(max_length=64, blank=True)
    build = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    n_sessions = models.PositiveIntegerField()
    report = models.JSONField(default=dict)
    adopted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-made_at"]
        indexes: ClassVar = [models.Index(fields=["encoder", "build"], name="trial_of_what")]

    def __str__(self) -> str:
        """Name the infant and what was tried."""
        return f"trial of {self.encoder or 'the stored embeddings'} on {self.infant_id}"
