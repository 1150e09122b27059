"""Paths of uploads and of what was uploaded; `anomaly.api.urls` has those that judge."""

from django.urls import path

from infants.api.diary import DiaryEntriesView, DiaryEntryView
from infants.api.managed_devices import (
    DeviceCredentialView,
    DeviceRevokeView,
    DeviceSettingsView,
    DevicesView,
    DeviceView,
)
from infants.api.own_device import OwnCredentialView, OwnHeartbeatView, OwnSettingsView
from infants.api.pairing import PairingView
from infants.api.uploads import BulkUploadView, RecordingsView
from infants.api.views import InfantsView, SessionsView

DEVICE = "devices/<uuid:device_id>/"
urlpatterns = [
    path("devices/pair/", PairingView.as_view(), name="pair-device"),
    path("devices/self/credential/", OwnCredentialView.as_view(), name="own-credential"),
    path("devices/self/heartbeat/", OwnHeartbeatView.as_view(), name="own-heartbeat"),
    path("devices/self/settings/", OwnSettingsView.as_view(), name="own-settings"),
    path("devices/", DevicesView.as_view(), name="devices"),
    path(DEVICE, DeviceView.as_view(), name="device"),
    path(f"{DEVICE}credential/", DeviceCredentialView.as_view(), name="device-credential"),
    path(f"{DEVICE}revoke/", DeviceRevokeView.as_view(), name="device-revoke"),
    path(f"{DEVICE}settings/", DeviceSettingsView.as_view(), name="device-settings"),
    path("infants/", InfantsView.as_view(), name="infants"),
    path("sessions/", SessionsView.as_view(), name="sessions"),
    path("recordings/", RecordingsView.as_view(), name="recordings"),
    path("recordings/bulk/", BulkUploadView.as_view(), name="recordings-bulk"),
    path("diary-entries/", DiaryEntriesView.as_view(), name="diary-entries"),
    path("diary-entries/<uuid:entry_id>/", DiaryEntryView.as_view(), name="diary-entry"),
]
