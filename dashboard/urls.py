"""Where the pages are."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from dashboard import views

app_name = "dashboard"
urlpatterns = [
    path("", views.home, name="home"),
    path("infants/<uuid:infant_id>/", views.infant, name="infant"),
    path("", include("dashboard.timeline.urls")),
    path("status/", views.status, name="status"),
    path(
        "sign-in/",
        LoginView.as_view(template_name="dashboard/sign_in.html", redirect_authenticated_user=True),
        name="sign-in",
    ),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
]
