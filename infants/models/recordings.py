"""Recordings as devices upload them, the sessions they form, and the cries found in them."""

import datetime as dt
from typing import ClassVar

import numpy as np
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray
from uuid6 import uuid7

from devices.models import Device
from infants.arrays import from_bytes
from infants.models.people import Infant
from infants.states import Reason, State


class RecordingSession(models.Model):
    """A bout of crying: recordings of one infant with no gap of quiet longer than the rule's.

    The rule: two recordings belong to one session when no more than `ICLAS_SESSION_GAP_S`
    (30 minutes) of quiet lies between the end of one and the start of the next. A session is
    closed once that much quiet has passed after its last recording. Sessions are a function of
    the recordings: a late one may extend a session or join two into one.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="sessions")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["started_at"]
        indexes: ClassVar = [
            models.Index(fields=["infant", "-started_at"]),
            models.Index(fields=["ended_at"], condition=Q(closed_at=None), name="session_open"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ended_at__gte=F("started_at")), name="session_ends_after_start"
            )
        ]

    def __str__(self) -> str:
        """Name infant and start by id and time."""
        return f"session of {self.infant_id} from {self.started_at:%Y-%m-%d %H:%M}"


class Recording(models.Model):
    """What a device uploaded: its bytes, what was said of them, and where it stands."""

    class Clock(models.TextChoices):
        """What is known of the time the device gave."""

        OK = "ok", _("Ok")
        CORRECTED = "corrected", _("the device’s clock is off, and the time was corrected")
        RELATIVE = "relative", _("the device said how long ago it was")
        MISSING = "missing", _("no time was given")
        UNREADABLE = "unreadable", _("the given time could not be read")
        NO_ZONE = "no_zone", _("the given time has no time zone and was taken as UTC")
        FUTURE = "future", _("the given time lies in the future")
        UNSET = "unset", _("the given time is that of a clock that was never set")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="recordings")
    infant = models.ForeignKey(
        Infant, null=True, blank=True, on_delete=models.CASCADE, related_name="recordings"
    )
    session = models.ForeignKey(
        RecordingSession,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="recordings",
    )

    # What came in.
    sha256 = models.CharField(max_length=64)
    byte_size = models.PositiveBigIntegerField()
    audio = models.CharField(max_length=120, blank=True)
    audio_erased_at = models.DateTimeField(null=True, blank=True)
    source_name = models.CharField(max_length=200, blank=True)
    idempotency_key = models.CharField(max_length=200, null=True, blank=True)
    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_at_raw = models.CharField(max_length=64, blank=True)
    clock = models.CharField(max_length=16, choices=Clock, default=Clock.OK)
    clock_skew_s = models.FloatField(null=True, blank=True)  # what was taken off the raw time
    said_age_s = models.FloatField(null=True, blank=True)
    device_session = models.CharField(max_length=120, blank=True)
    battery_frac = models.FloatField(null=True, blank=True)
    reported_age_days = models.FloatField(null=True, blank=True)

    # Where it stands.
    state = models.CharField(max_length=16, choices=State, default=State.RECEIVED)
    reason = models.CharField(max_length=24, choices=Reason, default=Reason.NONE, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    state_changed_at = models.DateTimeField()
    lease_owner = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    passed = models.JSONField(default=dict, blank=True)  # by state: when, and at which try

    # What was heard in it.
    duration_s = models.FloatField(null=True, blank=True)
    source_format = models.JSONField(default=dict, blank=True)
    quality = models.JSONField(default=dict, blank=True)
    channels = models.JSONField(default=dict, blank=True)  # as `pipelines.acoustics.to_json` writes
    gate_features = models.BinaryField(null=True, blank=True)
    room = models.BinaryField(null=True, blank=True)  # statistics of the background

    class Meta:
        ordering: ClassVar = ["recorded_at"]
        indexes: ClassVar = [
            models.Index(fields=["infant", "-recorded_at"]),
            models.Index(fields=["infant", "-state_changed_at"]),
            models.Index(fields=["device", "-received_at"], name="recording_of_device"),
            models.Index(
                fields=["state", "state_changed_at"],
                condition=~Q(state__in=["done", "rejected", "failed"]),
                name="recording_on_its_way",
            ),
            models.Index(
                fields=["reason"], condition=Q(state="failed"), name="recording_set_aside"
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "sha256"], name="recording_bytes_once"),
            models.UniqueConstraint(
                fields=["device", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="recording_key_once",
            ),
            models.CheckConstraint(
                condition=Q(infant__isnull=False) | Q(state__in=["received", "held", "failed"]),
                name="recording_judged_only_with_infant",
            ),
        ]

    def __str__(self) -> str:
        """Name it by id and state."""
        return f"recording {self.id} ({self.state})"

    @property
    def subject(self) -> Infant:
        """Whose crying it is; only what is received or held may have no infant yet."""
        if self.infant is None:
            message = f"recording {self.id} has no infant"
            raise ValueError(message)
        return self.infant

    @property
    def ended_at(self) -> dt.datetime:
        """When its sound ends; its start where the length is not known yet."""
        return self.recorded_at + dt.timedelta(seconds=self.duration_s or 0.0)


class Cry(models.Model):
    """One unit of crying (an expiration) inside a recording."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="cries")
    index = models.PositiveSmallIntegerField()
    onset_s = models.FloatField()
    offset_s = models.FloatField()
    measures = models.JSONField(default=dict)
    embedding = models.BinaryField(null=True, blank=True)
    encoder = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name_plural = "cries"
        ordering: ClassVar = ["recording", "index"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["recording", "index"], name="cry_index_once"),
            models.CheckConstraint(condition=Q(offset_s__gt=F("onset_s")), name="cry_has_length"),
            models.CheckConstraint(
                condition=Q(embedding=None, encoder="")
                | (Q(embedding__isnull=False) & ~Q(encoder="")),
                name="cry_embedding_names_its_encoder",
            ),
        ]

    def __str__(self) -> str:
        """Name it by recording and place."""
        return f"cry {self.index} of {self.recording_id}"

    @property
    def vector(self) -> NDArray[np.float32]:
        """Its embedding, shape (192,); only what has been embedded has one."""
        if self.embedding is None:
            message = f"cry {self.id} is not embedded yet"
            raise ValueError(message)
        return from_bytes(self.embedding)
