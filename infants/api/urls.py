"""Paths of uploads and of what was uploaded; `anomaly.api.urls` has those that judge."""

from django.urls import path

from infants.api.diary import DiaryEntriesView, DiaryEntryView
from infants.api.pairing import PairingView
from infants.api.uploads import BulkUploadView, RecordingsView
from infants.api.views import InfantsView, SessionsView

urlpatterns = [
    path("devices/pair/", PairingView.as_view(), name="pair-device"),
    path("infants/", InfantsView.as_view(), name="infants"),
    path("sessions/", SessionsView.as_view(), name="sessions"),
    path("recordings/", RecordingsView.as_view(), name="recordings"),
    path("recordings/bulk/", BulkUploadView.as_view(), name="recordings-bulk"),
    path("diary-entries/", DiaryEntriesView.as_view(), name="diary-entries"),
    path("diary-entries/<uuid:entry_id>/", DiaryEntryView.as_view(), name="diary-entry"),
]
