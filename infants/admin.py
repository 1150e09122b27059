"""People, infants, assignments and recordings in the admin; recordings are read-only."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.contrib.auth.admin import UserAdmin
from django.db.models import Model
from django.http import HttpRequest
from typing_extensions import override

from devices.admin import RowsAdmin, RowsInline
from infants.assignments import assign_device, check_order
from infants.errors import AssignmentOrderError
from infants.models import DeviceAssignment, Household, Infant, Membership, Recording, User

if TYPE_CHECKING:  # generic for the type checker only
    RowForm = forms.ModelForm[Any]
else:
    RowForm = forms.ModelForm

admin.site.site_header = "ICLAS"
admin.site.site_title = "ICLAS"
admin.site.register(User, UserAdmin)


class ReadOnlyAdmin(RowsAdmin):
    """Rows that the stages write, to be looked at only."""

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        """Add nothing."""
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Change nothing."""
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Delete nothing."""
        return False


class MembershipInline(RowsInline):
    """Who may do what around an infant."""

    model = Membership
    fields = ("user", "role", "expires_at", "revoked_at")
    extra = 0


@admin.register(Household)
class HouseholdAdmin(RowsAdmin):
    """Households."""

    list_display = ("id", "name", "created_at")
    search_fields = ("id", "name")


@admin.register(Infant)
class InfantAdmin(RowsAdmin):
    """Infants and their care teams."""

    list_display = ("id", "name", "household", "time_zone", "birth_date")
    list_select_related = ("household",)
    search_fields = ("id", "name", "source_key")
    readonly_fields = ("id", "created_at")
    inlines = (MembershipInline,)


@admin.register(Membership)
class MembershipAdmin(RowsAdmin):
    """Memberships, over all infants."""

    list_display = ("id", "user_id", "infant_id", "role", "expires_at", "revoked_at")
    list_filter = ("role", ("revoked_at", admin.EmptyFieldListFilter))
    raw_id_fields = ("user", "infant")


class AssignmentForm(RowForm):
    """An assignment whose start may be left open."""

    starts_at = forms.SplitDateTimeField(
        required=False,
        widget=AdminSplitDateTime,
        help_text="Empty: from now on; for a device's first one, since ever.",
    )

    class Meta:
        model = DeviceAssignment
        fields = ("device", "infant", "starts_at")

    @override
    def clean(self) -> dict[str, Any]:
        """Refuse what assigning would refuse."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        device, starts_at = given.get("device"), given.get("starts_at")
        if device is not None and starts_at is not None:
            try:
                check_order(device, starts_at)
            except AssignmentOrderError as error:
                self.add_error("starts_at", str(error))
        return given


@admin.register(DeviceAssignment)
class DeviceAssignmentAdmin(RowsAdmin):
    """Which device serves whom; a new one ends the one before, and history is not rewritten."""

    form = AssignmentForm
    list_display = ("id", "device_id", "infant_id", "starts_at", "ends_at")
    raw_id_fields = ("device", "infant")

    @override
    def has_change_permission(
        self,
        request: HttpRequest,
        obj: DeviceAssignment | None = None,
    ) -> bool:
        """Leave history as it was."""
        return False

    @override
    def has_delete_permission(
        self,
        request: HttpRequest,
        obj: DeviceAssignment | None = None,
    ) -> bool:
        """Leave history as it was."""
        return False

    @override
    def save_model(
        self,
        request: HttpRequest,
        obj: DeviceAssignment,
        form: object,
        change: bool,
    ) -> None:
        """Assign as every other way of assigning does, so that held recordings are taken up."""
        made = assign_device(obj.device, obj.infant, obj.starts_at)
        obj.pk, obj.starts_at = made.pk, made.starts_at


@admin.register(Recording)
class RecordingAdmin(ReadOnlyAdmin):
    """Where recordings stand; ids only, and no audio."""

    list_display = (
        "id",
        "infant_id",
        "device_id",
        "state",
        "reason",
        "recorded_at",
        "clock",
        "attempts",
    )
    list_filter = ("state", "reason", "clock")
    search_fields = ("id", "infant__id", "device__id", "sha256")
    date_hierarchy = "recorded_at"
    ordering = ("-recorded_at",)
    exclude = ("audio", "source_name", "gate_features", "room")
    show_full_result_count = False
