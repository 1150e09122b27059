"""Devices in the admin: named, revoked, never shown with a credential."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from typing_extensions import override

from devices.models import Device, DeviceCredential

if TYPE_CHECKING:  # generic for the type checker only
    RowsAdmin = admin.ModelAdmin[Any]
    RowsInline = admin.TabularInline[Any, Any]
else:
    RowsAdmin, RowsInline = admin.ModelAdmin, admin.TabularInline


class CredentialInline(RowsInline):
    """When credentials were made, used and revoked; not even their digests."""

    model = DeviceCredential
    fields = ("created_at", "last_used_at", "voids_older", "revoked_at")
    readonly_fields = ("created_at", "last_used_at", "voids_older", "revoked_at")
    extra = 0
    can_delete = False

    @override
    def has_add_permission(self, request: HttpRequest, obj: Device | None = None) -> bool:
        """Leave making credentials to pairing, which alone can show them."""
        return False


@admin.register(Device)
class DeviceAdmin(RowsAdmin):
    """Monitors; `manage.py create_device` registers one and prints its token once."""

    list_display = ("id", "name", "kind", "last_seen_at", "battery_frac", "firmware", "revoked_at")
    list_filter = ("kind", "is_sandbox", ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("id", "name", "hardware")
    readonly_fields = (
        *("id", "created_at", "last_seen_at", "battery_frac", "revoked_at"),
        *(
            "last_heartbeat_at",
            "left_at",
            "firmware",
            "queue_length",
            "clock_skew_s",
            "clock_bound_s",
        ),
    )
    exclude = ("clock_samples",)
    inlines = (CredentialInline,)
    actions = ("revoke",)

    @admin.action(description="Revoke: these devices must be paired again")
    def revoke(self, request: HttpRequest, devices: QuerySet[Device]) -> None:
        """Revoke devices; what they have uploaded stays."""
        n_revoked = devices.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.message_user(request, f"{n_revoked} revoked.")
