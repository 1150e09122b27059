"""Secret addresses under which a calendar program may read along."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from uuid6 import uuid7

from infants.models.people import Infant, User


class CalendarFeed(models.Model):
    """Lets whoever knows its address read one infant's calendar, until it is revoked.

    It gives no more than the person who made it may take away at that moment, in that person's
    language.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="calendar_feeds")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="calendar_feeds")
    digest = models.CharField(max_length=64, unique=True)
    language = models.CharField(max_length=16)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_read_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        """Return whose calendar it is, never its address."""
        return f"calendar of {self.infant_id}"
