"""What is to be told of an alert, and each telling of it: the outbox."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from notify.models.alerts import Alert, AlertAction
from notify.models.followers import Follower
from notify.severity import Severity


class News(models.Model):
    """Something that happened to an alert; `key` says what, so that it is noted once.

    `facts` hold what a program is told of it: the alert as it was when this was noted.
    """

    class Kind(models.TextChoices):
        """What can happen to an alert."""

        OPENED = "opened"
        WORSENED = "worsened"
        BACK = "back", "it calls again: put off no longer, given back, or the episode is back"
        ACKNOWLEDGED = "acknowledged"
        SNOOZED = "snoozed"
        ENDED = "ended"

    CALLING = (Kind.OPENED, Kind.WORSENED, Kind.BACK)
    """What calls people; the rest changes what is known, and is told to programs."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="news")
    kind = models.CharField(max_length=16, choices=Kind)
    key = models.CharField(max_length=80)
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    severity = models.CharField(max_length=16, choices=Severity)
    action = models.OneToOneField(
        AlertAction, null=True, blank=True, on_delete=models.CASCADE, related_name="news"
    )
    facts = models.JSONField(default=dict)
    planned_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["alert", "number"]
        verbose_name_plural = "news"
        indexes: ClassVar = [
            models.Index(fields=["at"], condition=Q(planned_at=None), name="news_unplanned")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["alert", "key"], name="news_once"),
            models.UniqueConstraint(fields=["alert", "number"], name="news_in_order"),
        ]

    @property
    def was_over(self) -> bool:
        """Whether the alert was over already when this was noted."""
        return self.facts["data"]["closed_at"] is not None

    def __str__(self) -> str:
        """Name the kind and the time."""
        return f"{self.kind} of {self.alert_id} at {self.at:%Y-%m-%d %H:%M}"


class Delivery(models.Model):
    """One telling of one follower; its id goes along with it, so that a receiver can tell doubles.

    Told at least once: a worker that is killed between sending and writing that down leaves a row
    that is sent again, under the same id. `nth` counts reminders. Without news it is a trial.
    """

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", _("waits")
        SENT = "sent", _("sent")
        DROPPED = "dropped", _("not wanted any more")
        DEAD = "dead", _("given up")

    class HeldFor(models.TextChoices):
        """What held it back."""

        QUIET_HOURS = "quiet_hours", "the reader's quiet hours"
        SUSPENSION = "suspension", "messages about the infant were suspended"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    news = models.ForeignKey(
        News, null=True, blank=True, on_delete=models.CASCADE, related_name="deliveries"
    )
    follower = models.ForeignKey(Follower, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=16, choices=Follower.Channel)
    nth = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=32, blank=True)
    detail = models.CharField(max_length=200, blank=True)
    due_at = models.DateTimeField()
    is_held = models.BooleanField(default=False)
    held_for = models.CharField(max_length=16, choices=HeldFor, blank=True)
    is_replayed = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    first_tried_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    told_with = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="told_along"
    )
    lease_owner = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        verbose_name_plural = "deliveries"
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="delivery_due"),
            models.Index(fields=["-ended_at"], condition=Q(state="dead"), name="delivery_dead"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["news", "follower", "channel", "nth"], name="delivery_once"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", ended_at=None)
                | (~Q(state="waiting") & Q(ended_at__isnull=False)),
                name="delivery_ends_at_a_time",
            ),
        ]

    @property
    def is_trial(self) -> bool:
        """Whether somebody only wants to see that it arrives."""
        return self.news_id is None

    def __str__(self) -> str:
        """Name the channel and the state."""
        return f"{self.channel} to {self.follower_id}: {self.state}"
