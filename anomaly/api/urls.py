"""Paths of what was judged."""

from django.urls import path

from anomaly.api.timeline import TimelineView
from anomaly.api.views import EpisodesView, InfantView, RecordingView, SessionView

urlpatterns = [
    path("infants/<uuid:infant_id>/", InfantView.as_view(), name="infant"),
    path("infants/<uuid:infant_id>/timeline/", TimelineView.as_view(), name="timeline"),
    path("recordings/<uuid:recording_id>/", RecordingView.as_view(), name="recording"),
    path("sessions/<uuid:session_id>/", SessionView.as_view(), name="session"),
    path("episodes/", EpisodesView.as_view(), name="episodes"),
]
