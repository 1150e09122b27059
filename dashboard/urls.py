"""Where the pages are."""

from django.urls import include, path

from dashboard import views

app_name = "dashboard"
urlpatterns = [
    path("", views.home, name="home"),
    path("infants/<uuid:infant_id>/", views.infant, name="infant"),
    path("status/", views.status, name="status"),
    path("", include("dashboard.start.urls")),
]
