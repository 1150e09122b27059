"""Alerts in the admin, to be looked at only; quiet hours are a person's own."""

from django.contrib import admin

from infants.admin import ReadOnlyAdmin
from notify.models import Alert


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """Alerts."""

    list_display = ("id", "infant_id", "kind", "opened_at", "closed_at", "acknowledged_at")
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))
