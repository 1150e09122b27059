"""A monitor: its credentials, what it said of itself, when it was there, what is asked of it."""

import hashlib
import secrets
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

TOKEN_PREFIX = "iclas_device_"  # noqa: S105  a public prefix that secret scanners can find


class Device(models.Model):
    """Something that records and uploads; which infant it serves is an assignment's business.

    What it said of itself stands here as it said it last. `clock_skew_s` is by how much its clock
    is ahead of ours, by the samples in `clock_samples` (`devices/skew.py`). `left_at` is when it
    said that it is switched off on purpose, which holds until its next heartbeat.
    """

    class Kind(models.TextChoices):
        """How recordings reach ICLAS from it."""

        MONITOR = "monitor", _("Monitor")
        PHONE = "phone", _("Phone")
        ARCHIVE = "archive", _("archive (imported recordings)")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.MONITOR)
    hardware = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    battery_frac = models.FloatField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    # What it said of itself.
    last_heartbeat_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    firmware = models.CharField(max_length=64, blank=True)
    queue_length = models.PositiveIntegerField(null=True, blank=True)
    clock_skew_s = models.FloatField(null=True, blank=True)
    clock_bound_s = models.FloatField(null=True, blank=True)
    clock_samples = models.JSONField(default=list, blank=True)

    is_sandbox = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        """Return the name that people gave it."""
        return self.name


class DeviceCredential(models.Model):
    """A create-only bearer token of one device, of which only the digest is kept.

    One that `voids_older` takes the place of all that were made before it, when it is first used.
    """

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="credentials")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    voids_older = models.BooleanField(default=False)

    def __str__(self) -> str:
        """Return whose credential it is, never the credential."""
        return f"credential of {self.device_id}"


class Heartbeat(models.Model):
    """What a device said of itself in a heartbeat: one row for several minutes, the last of them.

    Rows are kept for some weeks (`devices/heartbeats.py`); when it was there is kept for good.
    """

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="heartbeats")
    at = models.DateTimeField()
    battery_frac = models.FloatField(null=True, blank=True)
    firmware = models.CharField(max_length=64, blank=True)
    queue_length = models.PositiveIntegerField(null=True, blank=True)
    uptime_s = models.FloatField(null=True, blank=True)
    clock_skew_s = models.FloatField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-at"]
        indexes: ClassVar = [
            models.Index(fields=["device", "-at"], name="heartbeat_newest"),
            models.Index(fields=["at"], name="heartbeat_oldest"),
        ]

    def __str__(self) -> str:
        """Name the device's id and the time."""
        return f"heartbeat of {self.device_id} at {self.at:%Y-%m-%d %H:%M}"


class Presence(models.Model):
    """A stretch in which a device that sends heartbeats was heard from again and again.

    Without a device it is ICLAS itself that was there to hear: what nobody could hear was not
    silent.
    """

    device = models.ForeignKey(
        Device, null=True, blank=True, on_delete=models.CASCADE, related_name="presences"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["starts_at"]
        indexes: ClassVar = [models.Index(fields=["device", "-ends_at"], name="presence_newest")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_at__gte=F("starts_at")), name="presence_ends_after_start"
            )
        ]

    def __str__(self) -> str:
        """Name the device's id and the two times."""
        return f"{self.device_id} from {self.starts_at:%Y-%m-%d %H:%M} to {self.ends_at:%H:%M}"


class DeviceSettings(models.Model):
    """What is asked of a device: a version for each change, the newest holds."""

    class Sensitivity(models.TextChoices):
        """How loud a sound must be to be recorded, beside the device's own threshold."""

        LOW = "low", _("Low: only loud sounds")
        NORMAL = "normal", _("Normal")
        HIGH = "high", _("High: quiet sounds too")

    class Upload(models.TextChoices):
        """What is sent of what was recorded."""

        EVERYTHING = "everything", _("Everything that is recorded")
        CRIES = "cries", _("Only what sounds like crying")

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="settings")
    version = models.PositiveIntegerField()
    sensitivity = models.CharField(max_length=16, choices=Sensitivity, default=Sensitivity.NORMAL)
    upload = models.CharField(max_length=16, choices=Upload, default=Upload.EVERYTHING)
    is_wifi_only = models.BooleanField(default=False)
    suspended_until = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.UUIDField(null=True, blank=True)  # a person, whom this room does not know

    class Meta:
        verbose_name_plural = "device settings"
        ordering: ClassVar = ["-version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "version"], name="settings_version_once")
        ]

    def __str__(self) -> str:
        """Name the device's id and the version."""
        return f"settings {self.version} of {self.device_id}"


def token_digest(token: str) -> str:
    """Return the digest kept of a token; its 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def issue_token(device: Device, *, voids_older: bool = False) -> str:
    """Create a credential and return its token, which can never be read again."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    DeviceCredential.objects.create(
        device=device, digest=token_digest(token), voids_older=voids_older
    )
    return token
