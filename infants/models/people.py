"""Households, infants, the people around them, and which monitor serves whom and when."""

import datetime as dt
import zoneinfo
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from devices.models import Device

TERM_WEEKS = 40
MATURE_AFTER_DAYS = 2 * 365
"""Age is corrected for prematurity until the second birthday, as paediatric practice does."""


def validate_time_zone(name: str) -> None:
    """Refuse a name that is not in the IANA time zone database."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError("%(name)s is not an IANA time zone.", params={"name": name})


class User(AbstractUser):
    """A person who signs in."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)


class Household(models.Model):
    """Where infants live together: twins are two infants of one household."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        """Return its name."""
        return self.name


class Infant(models.Model):
    """The one whose crying is learnt."""

    class AudioPolicy(models.TextChoices):
        """What happens to the audio once it has been judged."""

        KEEP = "keep", _("Keep")
        ERASE_AFTER = "erase_after", _("erase the audio some days after it came in")
        EMBEDDING_ONLY = "embedding_only", _("erase the audio once it is embedded")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="infants")
    name = models.CharField(max_length=120)
    source_key = models.CharField(
        max_length=200,
        blank=True,
        help_text="How an imported data set calls this infant.",
    )
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    birth_date = models.DateField(null=True, blank=True)
    gestational_age_weeks = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(20), MaxValueValidator(45)]
    )
    audio_policy = models.CharField(max_length=16, choices=AudioPolicy, default=AudioPolicy.KEEP)
    audio_kept_days = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(3650)]
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source_key"],
                condition=~Q(source_key=""),
                name="infant_source_key_unique",
            ),
            models.CheckConstraint(
                condition=~Q(audio_policy="erase_after") | Q(audio_kept_days__gte=1),
                name="infant_audio_is_erased_after_days",
            ),
        ]

    def __str__(self) -> str:
        """Return the name given by the family."""
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The infant's own time zone."""
        return zoneinfo.ZoneInfo(self.time_zone)

    def local_day(self, moment: dt.datetime) -> dt.date:
        """Return the calendar day that this moment has where the infant lives."""
        return moment.astimezone(self.zone).date()

    def age_days(self, moment: dt.datetime) -> int | None:
        """Return the chronological age in days, where the birth date is known."""
        if self.birth_date is None:
            return None
        return (self.local_day(moment) - self.birth_date).days

    def corrected_age_days(self, moment: dt.datetime) -> int | None:
        """Return the age in days counted from the date of a term birth, until age two.

        Without a gestational age the infant is taken as born at term.
        """
        age_days = self.age_days(moment)
        if age_days is None or self.gestational_age_weeks is None or age_days > MATURE_AFTER_DAYS:
            return age_days
        return age_days - round(7 * max(0.0, TERM_WEEKS - self.gestational_age_weeks))


class Membership(models.Model):
    """What a person may do around one infant, until when."""

    class Role(models.TextChoices):
        """The four roles that people have around an infant."""

        OWNER = "owner", _("Owner")
        CAREGIVER = "caregiver", _("Caregiver")
        CLINICIAN = "clinician", _("Clinician")
        RESEARCHER = "researcher", _("Researcher")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "infant"],
                condition=Q(revoked_at=None),
                name="membership_one_live_role",
            )
        ]

    def __str__(self) -> str:
        """Name the role and the two ids."""
        return f"{self.role} {self.user_id} of {self.infant_id}"


class DeviceAssignment(models.Model):
    """Which infant a device serves from when to when; history is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="assignments")
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="assignments")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["device"],
                condition=Q(ends_at=None),
                name="assignment_one_open_per_device",
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="assignment_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        """Name the two ids and the start."""
        return f"{self.device_id} serves {self.infant_id} from {self.starts_at:%Y-%m-%d}"
