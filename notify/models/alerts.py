"""Alerts, what people did with them, and the hours in which a person wants to hear of none."""

import datetime as dt
import zoneinfo
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid6 import uuid7

from anomaly.models import Episode
from infants.models import Infant, User
from notify.quiet import EVERY_DAY, Quiet


class Alert(models.Model):
    """An episode that somebody must hear of: one row for all who care for the infant.

    It ends with its episode. Where the episode itself is gone, because recordings were corrected
    or are said not to be the infant's, the alert is withdrawn: it stays, and belongs to none.
    """

    class State(models.TextChoices):
        """Where it stands at a moment."""

        CALLING = "calling", "nobody has taken it"
        SNOOZED = "snoozed", "it comes back later"
        ACKNOWLEDGED = "acknowledged", "somebody has taken it"
        ENDED = "ended", "the episode is over"
        WITHDRAWN = "withdrawn", "there is no such episode any more"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="alerts")
    episode = models.OneToOneField(
        Episode, null=True, blank=True, on_delete=models.SET_NULL, related_name="alert"
    )
    kind = models.CharField(max_length=24, choices=Episode.Kind)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    raised_at = models.DateTimeField(db_default=Now(), editable=False)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    snoozed_until = models.DateTimeField(null=True, blank=True)
    snoozed_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering: ClassVar = ["-opened_at"]
        indexes: ClassVar = [
            models.Index(fields=["infant", "-opened_at"]),
            models.Index(fields=["infant"], condition=Q(closed_at=None), name="alert_open"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(acknowledged_at=None) | Q(snoozed_until=None),
                name="alert_is_taken_or_put_off",
            )
        ]

    def state(self, now: dt.datetime) -> "Alert.State":
        """Return where it stands: what is snoozed comes back by itself, and what ended does not."""
        if self.closed_at is not None:
            return self.State.WITHDRAWN if self.episode_id is None else self.State.ENDED
        if self.acknowledged_at is not None:
            return self.State.ACKNOWLEDGED
        if self.snoozed_until is not None and self.snoozed_until > now:
            return self.State.SNOOZED
        return self.State.CALLING

    def __str__(self) -> str:
        """Name kind and time."""
        return f"alert of {self.infant_id}: {self.kind} from {self.opened_at:%Y-%m-%d %H:%M}"


class AlertAction(models.Model):
    """What somebody did with an alert, when; `facts` say with which numbers."""

    class Kind(models.TextChoices):
        """What can be done with an alert."""

        ACKNOWLEDGED = "acknowledged"
        ACKNOWLEDGEMENT_TAKEN_BACK = "acknowledgement_taken_back"
        SNOOZED = "snoozed"
        SNOOZE_ENDED = "snooze_ended"
        ANSWERED = "answered"
        ANSWER_TAKEN_BACK = "answer_taken_back"
        WORSENED = "worsened", "nobody did: it became more severe, and calls again"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="actions")
    kind = models.CharField(max_length=32, choices=Kind)
    at = models.DateTimeField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    facts = models.JSONField(default=dict)
    taken_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["at", "id"]

    def __str__(self) -> str:
        """Name the kind and the time."""
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M}"


class QuietHours(models.Model):
    """When a person wants to hear nothing of an infant, by the infant's own clock.

    They hold what is sent back until they end; recording and judging go on. `days` are those on
    which they begin, Monday 1 to Sunday 7.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="quiet_hours")
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="quiet_hours")
    starts = models.TimeField()
    ends = models.TimeField()
    days = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "quiet hours"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "infant"], name="quiet_hours_once"),
            models.CheckConstraint(
                condition=~Q(starts=models.F("ends")), name="quiet_hours_have_an_end"
            ),
        ]

    def quiet(self, zone: zoneinfo.ZoneInfo) -> Quiet:
        """Return them as the pure functions take them."""
        return Quiet(self.starts, self.ends, EVERY_DAY & set(self.days), zone)

    def __str__(self) -> str:
        """Name the two times."""
        return f"{self.starts:%H:%M} to {self.ends:%H:%M}"
