"""Where the pages are."""

from django.urls import include, path

from dashboard import views
from dashboard.installable.views import manifest, offline, worker
from dashboard.live.views import live

app_name = "dashboard"
urlpatterns = [
    path("", views.home, name="home"),
    path("live/", live, name="live"),
    path("manifest.webmanifest", manifest, name="manifest"),
    path("worker.js", worker, name="worker"),
    path("offline/", offline, name="offline"),
    path("", include("dashboard.alerts.urls")),
    path("", include("dashboard.caregiver.urls")),
    path("infants/<uuid:infant_id>/history/", views.history, name="history"),
    path("patients/", include("dashboard.patients.urls")),
    path("readings/", include("dashboard.readings.urls")),
    path("", include("dashboard.report.urls")),
    path("", include("dashboard.timeline.urls")),
    path("status/", views.status, name="status"),
    path(
        "status/deliveries/<uuid:delivery_id>/replay/",
        views.replay_delivery,
        name="delivery-replay",
    ),
    path("", include("dashboard.start.urls")),
    path("", include("dashboard.told.urls")),
]
