"""What lets a device or a person join: one-time secrets of which only digests are kept."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from uuid6 import uuid7

from devices.models import Device
from infants.models.people import Infant, Membership, User


class PairingCode(models.Model):
    """Lets one device join one infant, once, within minutes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="pairing_codes")
    digest = models.CharField(max_length=64, unique=True)
    offered_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    device = models.ForeignKey(
        Device, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    def __str__(self) -> str:
        """Return whom a device would join, never the code."""
        return f"pairing code of {self.infant_id}"


class Invitation(models.Model):
    """Lets one person join the care of one or more infants, once, within days."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    infants = models.ManyToManyField(Infant, related_name="invitations")
    role = models.CharField(max_length=16, choices=Membership.Role)
    email = models.EmailField(blank=True)
    access_until = models.DateTimeField(null=True, blank=True)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        """Return the role and the id, never the link."""
        return f"invitation {self.id} as {self.role}"

    def is_open(self, now: dt.datetime) -> bool:
        """Tell whether somebody may still accept it."""
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > now
