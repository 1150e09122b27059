"""Episodes (an odd session, a lasting shift, new surroundings) and events that tell of them."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from infants.models import Infant, Recording, User

MOSTLY_FRAC = 0.5


class EpisodesOfSound(models.Manager["Episode"]):
    """Episodes of what was heard: a monitor's silence says nothing of the infant."""

    def get_queryset(self) -> models.QuerySet["Episode"]:
        """Return the rows that judgement is made of."""
        return super().get_queryset().exclude(kind=Episode.Kind.MONITOR_SILENT)


class Episode(models.Model):
    """A stretch of time in which an infant, or the surroundings, sounded unlike the baseline.

    Or one in which nothing at all came from a monitor: such rows are left out of `objects`, so that
    no judgement can meet them, and are read by `with_silences`.
    """

    class Kind(models.TextChoices):
        """How it shows."""

        SINGLE_EXTREME = "single_extreme", _("one session unlike the others")
        PERSISTENT_SHIFT = "persistent_shift", _("a persistent shift")
        NEW_SURROUNDINGS = "new_surroundings", _("another room or monitor")
        MONITOR_SILENT = "monitor_silent", _("nothing comes from the monitor")

    class CloseReason(models.TextChoices):
        """Why it ended."""

        BACK_TO_USUAL = "back_to_usual", _("the crying is back to usual")
        NO_RECENT_SESSIONS = "no_recent_sessions", _("nothing was heard for a week")
        LASTED_TOO_LONG = "lasted_too_long", _("it lasted a month and is taken for the new usual")
        SURROUNDINGS = "surroundings", _("the room or the monitor changed on the same day")
        SETTLED = "settled", _("the new room or monitor is known by now")
        REVIEWED = "reviewed", _("a reviewer called it the new usual")
        MONITOR_BACK = "monitor_back", _("the monitor is back")
        MONITOR_GONE = "monitor_gone", _("the monitor no longer serves the infant")

    class Verdict(models.TextChoices):
        """What a reviewer says of a shift."""

        USUAL = "usual", _("the new usual")
        UNUSUAL = "unusual", _("not usual, and never to be learnt")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="episodes")
    kind = models.CharField(max_length=24, choices=Kind)
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = models.CharField(max_length=32, choices=CloseReason, blank=True)
    evidence = models.JSONField(default=dict)
    verdict = models.CharField(max_length=16, choices=Verdict, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = EpisodesOfSound()
    with_silences: ClassVar[models.Manager["Episode"]] = models.Manager()

    class Meta:
        ordering: ClassVar = ["-opened_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["infant", "kind", "opened_at"], name="episode_opens_once"
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at=None, close_reason="")
                | (models.Q(closed_at__isnull=False) & ~models.Q(close_reason="")),
                name="episode_closes_with_a_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(verdict="", reviewed_at=None)
                | (~models.Q(verdict="") & models.Q(reviewed_at__isnull=False)),
                name="episode_verdict_has_a_time",
            ),
        ]

    @property
    def began_at(self) -> dt.datetime:
        """When it began, by estimate; when it was noticed, where there is none."""
        since: str | None = self.evidence.get("since")
        return dt.datetime.fromisoformat(since) if since else self.opened_at

    @property
    def sounds_elsewhere(self) -> bool:
        """Whether the background changed with it, or most of its sessions have an unknown one."""
        changed: float | None = self.evidence.get("room_changed_frac")
        mostly = changed is not None and changed >= MOSTLY_FRAC
        return mostly or self.evidence.get("room") == "changed"

    def __str__(self) -> str:
        """Name kind and opening."""
        return f"{self.kind} of {self.infant_id} from {self.opened_at:%Y-%m-%d %H:%M}"


class Event(models.Model):
    """Something that happened in the judgement of an infant, written with its cause."""

    class Kind(models.TextChoices):
        """What can happen."""

        CRY_NOT_LEARNT = "cry_not_learnt", "a cry was logged as an anomaly and not learnt"
        MODEL_LEARNT = "model_learnt"
        MODEL_WITHDRAWN = "model_withdrawn"
        EPISODE_OPENED = "episode_opened"
        EPISODE_CLOSED = "episode_closed"
        EPISODE_REVIEWED = "episode_reviewed"
        CRY_REVIEWED = "cry_reviewed"
        PATIENT_REVIEWED = "patient_reviewed"
        PATIENT_REVIEW_UNDONE = "patient_review_undone"
        REPORT_MADE = "report_made", "a report on these days was made"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=24, choices=Kind)
    key = models.CharField(max_length=120)
    occurred_at = models.DateTimeField()
    recording = models.ForeignKey(
        Recording, null=True, blank=True, on_delete=models.CASCADE, related_name="events"
    )
    episode = models.ForeignKey(
        Episode, null=True, blank=True, on_delete=models.CASCADE, related_name="events"
    )
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["-occurred_at"]
        indexes: ClassVar = [models.Index(fields=["infant", "-occurred_at"])]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["infant", "kind", "key"], name="event_happens_once")
        ]

    def __str__(self) -> str:
        """Name kind and time."""
        return f"{self.kind} of {self.infant_id} at {self.occurred_at:%Y-%m-%d %H:%M}"
