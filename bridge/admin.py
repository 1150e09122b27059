"""Publications in the admin, to be looked at only."""

from django.contrib import admin

from bridge.models import Publication
from infants.admin import ReadOnlyAdmin


@admin.register(Publication)
class PublicationAdmin(ReadOnlyAdmin):
    """Publications."""

    list_display = ("id", "infant_id", "opaque", "turned_on_at", "turned_off_at")
    list_filter = (("turned_off_at", admin.EmptyFieldListFilter),)
