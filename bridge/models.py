"""Whom the home's broker may tell of, since when and by whose word; and how the bridge stands."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from uuid6 import uuid7

from infants.models import Infant, User


class Publication(models.Model):
    """A time in which an infant is published at the broker, which everybody in the home can read.

    `opaque` is all that topics say of the infant. It is drawn, not derived, and stays the infant's
    when publishing is turned off and on again, so that Home Assistant knows it again.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    infant = models.ForeignKey(Infant, on_delete=models.CASCADE, related_name="publications")
    opaque = models.CharField(max_length=16)
    turned_on_at = models.DateTimeField()
    turned_on_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    turned_off_at = models.DateTimeField(null=True, blank=True)
    turned_off_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering: ClassVar = ["turned_on_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["infant"], condition=Q(turned_off_at=None), name="publication_once"
            ),
            models.UniqueConstraint(
                fields=["opaque"], condition=Q(turned_off_at=None), name="publication_opaque_once"
            ),
        ]

    @property
    def shown_name(self) -> str:
        """How the infant is called where the broker's readers see it."""
        return f"Infant {self.opaque[:4]}"

    def __str__(self) -> str:
        """Return what the broker knows of it."""
        return self.shown_name


class Standing(models.Model):
    """How the bridge stands, by its own word: one row for the installation, written every while."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    at = models.DateTimeField()
    is_connected = models.BooleanField()
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="bridge_standing_once")
        ]

    def __str__(self) -> str:
        """Say it in a word."""
        return "connected" if self.is_connected else "not connected"
