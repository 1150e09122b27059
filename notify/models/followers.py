"""Who is told of an infant's alerts, by which channel, from which severity on, and when."""

from typing import ClassVar

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from infants.models import Infant, User
from notify.severity import Severity

MOST_DELAY_MIN = MOST_REPEAT_MIN = 24 * 60


class Follower(models.Model):
    """One way in which one person, or a machine of that person's, is told of one infant's alerts.

    It lives as long as the person's access does: whoever may not see the infant any more is told
    nothing more. `target` and `secret` never leave the installation again: pages, the API and the
    admin show `shown_target` only. An address of one person follows an infant once.
    """

    class Channel(models.TextChoices):
        """How somebody can be told."""

        EMAIL = "email", _("E-mail")
        PUSH = "push", _("Notification on a device")
        SERVICE = "service", _("Messaging service")
        WEBHOOK = "webhook", _("Webhook")

    class OffReason(models.TextChoices):
        """Why one is told no more."""

        OWN_CHOICE = "own_choice", _("switched off")
        GONE = "gone", _("the address is gone")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="followers")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="followers")
    channel = models.CharField(max_length=16, choices=Channel)
    label = models.CharField(max_length=80, blank=True)
    target = models.TextField(blank=True)
    shown_target = models.CharField(max_length=200, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    secret = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=16, default="en")
    least_severity = models.CharField(max_length=16, choices=Severity, default=Severity.SLIGHT)
    delay_min = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(MOST_DELAY_MIN)]
    )
    repeat_min = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(MOST_REPEAT_MIN)]
    )
    breaks_quiet = models.BooleanField(default=False)
    says_name = models.BooleanField(default=False)
    is_on = models.BooleanField(default=True)
    off_reason = models.CharField(max_length=16, choices=OffReason, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["delay_min", "created_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["infant", "user", "channel", "fingerprint"], name="follower_once"
            ),
            models.CheckConstraint(
                condition=Q(is_on=True, off_reason="") | (Q(is_on=False) & ~Q(off_reason="")),
                name="follower_is_off_for_a_reason",
            ),
        ]

    @property
    def is_machine(self) -> bool:
        """Whether a program is told, which keeps no hours and wants to hear of every change."""
        return self.channel == self.Channel.WEBHOOK

    def __str__(self) -> str:
        """Name the channel and the ids."""
        return f"{self.channel} of {self.user_id} for {self.infant_id}"
