"""Alerts and tellings in the admin, to be looked at only, without addresses and secrets."""

from django.contrib import admin

from infants.admin import ReadOnlyAdmin
from notify.models import Alert, Delivery, Follower


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """Alerts."""

    list_display = ("id", "infant_id", "kind", "opened_at", "closed_at", "acknowledged_at")
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))


@admin.register(Follower)
class FollowerAdmin(ReadOnlyAdmin):
    """Followers."""

    list_display = ("id", "infant_id", "user_id", "channel", "least_severity", "delay_min", "is_on")
    list_filter = ("channel", "is_on", "off_reason")
    exclude = ("target", "secret", "shown_target")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Deliveries."""

    list_display = ("id", "channel", "state", "reason", "due_at", "ended_at", "attempts")
    list_filter = ("state", "channel", "reason")
