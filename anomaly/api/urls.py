"""Paths of what was judged."""

from django.urls import path

from anomaly.api.exports import AllExportView, InfantExportView
from anomaly.api.timeline import TimelineView
from anomaly.api.views import (
    EpisodeReviewView,
    EpisodesView,
    InfantView,
    RecordingReviewView,
    RecordingView,
    SessionView,
)

urlpatterns = [
    path("infants/<uuid:infant_id>/", InfantView.as_view(), name="infant"),
    path("infants/<uuid:infant_id>/timeline/", TimelineView.as_view(), name="timeline"),
    path(
        "infants/<uuid:infant_id>/exports/<slug:export_format>/",
        InfantExportView.as_view(),
        name="export-infant",
    ),
    path("exports/<slug:export_format>/", AllExportView.as_view(), name="export-all"),
    path("recordings/<uuid:recording_id>/", RecordingView.as_view(), name="recording"),
    path(
        "recordings/<uuid:recording_id>/review/",
        RecordingReviewView.as_view(),
        name="recording-review",
    ),
    path("sessions/<uuid:session_id>/", SessionView.as_view(), name="session"),
    path("episodes/", EpisodesView.as_view(), name="episodes"),
    path("episodes/<uuid:episode_id>/review/", EpisodeReviewView.as_view(), name="episode-review"),
]
