"""Where alerts and quiet hours are."""

from django.urls import path

from dashboard.alerts import quiet, views

ALERT = "alerts/<uuid:alert_id>/"

urlpatterns = [
    path("alerts/", views.alerts, name="alerts"),
    path(ALERT, views.alert, name="alert"),
    path(f"{ALERT}acknowledge/", views.acknowledge_alert, name="alert-acknowledge"),
    path(f"{ALERT}give-back/", views.give_back_alert, name="alert-give-back"),
    path(f"{ALERT}snooze/", views.snooze_alert, name="alert-snooze"),
    path(f"{ALERT}answer/", views.answer, name="alert-answer"),
    path(
        f"{ALERT}recordings/<uuid:recording_id>/answer/",
        views.answer_one,
        name="alert-answer-recording",
    ),
    path(f"{ALERT}actions/<uuid:action_id>/undo/", views.undo, name="alert-undo"),
    path("infants/<uuid:infant_id>/quiet-hours/", quiet.quiet_hours, name="quiet-hours"),
]
