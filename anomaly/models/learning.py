"""What a baseline is made of, and the personal models fitted to it."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from uuid6 import uuid7

from infants.models import Infant, Recording
from pipelines.score import MINIMUM_DAYS


class PersonalModel(models.Model):
    """One version of one infant's detectors and calibration, with its lineage.

    A version has heard admitted recordings of sessions that ended by `learnt_until`. It is learnt
    during a later session and judges the sessions that start after that one (`in_force_after`): a
    session is judged by one version only, and never by one that has heard it. An early version
    judges by what other infants teach, while the infant is still being learnt.
    """

    WHOLE: ClassVar = models.Q(n_days__gte=MINIMUM_DAYS, n_sessions__gte=MINIMUM_DAYS)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="personal_models")
    number = models.PositiveIntegerField()
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children"
    )
    encoder = models.CharField(max_length=64)
    learnt_on = models.DateField(help_text="The infant's local day on which it was learnt.")
    learnt_until = models.DateTimeField()
    in_force_after = models.DateTimeField()
    artefact = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    n_units = models.PositiveIntegerField()
    n_recordings = models.PositiveIntegerField()
    n_sessions = models.PositiveIntegerField()
    n_days = models.PositiveIntegerField()
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["infant", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["infant", "number"], name="model_number_once"),
            models.UniqueConstraint(
                fields=["infant", "encoder", "learnt_on"],
                condition=models.Q(withdrawn_at=None),
                name="model_once_a_day",
            ),
            models.CheckConstraint(
                condition=models.Q(learnt_until__lt=models.F("in_force_after")),
                name="model_heard_only_the_past",
            ),
        ]

    def __str__(self) -> str:
        """Name the infant and the version."""
        return f"model {self.number} of {self.infant_id}"

    @property
    def is_early(self) -> bool:
        """Whether it was learnt from too few days to have the infant's own detectors."""
        return min(self.n_days, self.n_sessions) < MINIMUM_DAYS


class BaselineEntry(models.Model):
    """A recording that the gate admitted to the infant's baseline (the replay buffer)."""

    recording = models.OneToOneField(
        Recording, primary_key=True, on_delete=models.CASCADE, related_name="baseline_entry"
    )
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="baseline")
    recorded_at = models.DateTimeField()
    admitted_at = models.DateTimeField(db_default=Now(), editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "baseline entries"
        indexes: ClassVar = [models.Index(fields=["infant", "recorded_at"])]

    def __str__(self) -> str:
        """Name the recording by id."""
        return f"{self.recording_id} in the baseline of {self.infant_id}"
