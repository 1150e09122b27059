"""Paths of alerts, and of who is told of them."""

from django.urls import path

from notify.api.followers import FollowersView, FollowerView, TrialView
from notify.api.views import AcknowledgeView, AlertsView, AlertView, SnoozeView

urlpatterns = [
    path("alerts/", AlertsView.as_view(), name="alerts"),
    path("alerts/<uuid:alert_id>/", AlertView.as_view(), name="alert"),
    path(
        "alerts/<uuid:alert_id>/acknowledge/", AcknowledgeView.as_view(), name="alert-acknowledge"
    ),
    path("alerts/<uuid:alert_id>/snooze/", SnoozeView.as_view(), name="alert-snooze"),
    path("followers/", FollowersView.as_view(), name="followers"),
    path("followers/<uuid:follower_id>/", FollowerView.as_view(), name="follower"),
    path("followers/<uuid:follower_id>/try/", TrialView.as_view(), name="follower-try"),
]
