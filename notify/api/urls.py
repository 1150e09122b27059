"""Paths of alerts."""

from django.urls import path

from notify.api.views import AcknowledgeView, AlertsView, AlertView, SnoozeView

urlpatterns = [
    path("alerts/", AlertsView.as_view(), name="alerts"),
    path("alerts/<uuid:alert_id>/", AlertView.as_view(), name="alert"),
    path(
        "alerts/<uuid:alert_id>/acknowledge/", AcknowledgeView.as_view(), name="alert-acknowledge"
    ),
    path("alerts/<uuid:alert_id>/snooze/", SnoozeView.as_view(), name="alert-snooze"),
]
