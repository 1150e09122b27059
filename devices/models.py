"""A monitor and its credentials."""

import hashlib
import secrets
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

TOKEN_PREFIX = "iclas_device_"  # noqa: S105  a public prefix that secret scanners can find


class Device(models.Model):
    """Something that records and uploads; which infant it serves is an assignment's business."""

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

    class Meta:
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        """Return the name that people gave it."""
        return self.name


class DeviceCredential(models.Model):
    """A create-only bearer token of one device, of which only the digest is kept."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="credentials")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        """Return whose credential it is, never the credential."""
        return f"credential of {self.device_id}"


def token_digest(token: str) -> str:
    """Return the digest kept of a token; its 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def issue_token(device: Device) -> str:
    """Create a credential and return its token, which can never be read again."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    DeviceCredential.objects.create(device=device, digest=token_digest(token))
    return token
