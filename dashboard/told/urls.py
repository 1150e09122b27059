"""Where it is said who is told."""

from django.urls import path

from dashboard.told import suspension, views

OF = "infants/<uuid:infant_id>/told/"
ONE = f"{OF}<uuid:follower_id>/"

urlpatterns = [
    path(OF, views.told, name="told"),
    path(f"{OF}email/", views.add_email, name="told-email"),
    path(f"{OF}device/", views.add_push, name="told-device"),
    path(f"{OF}service/", views.add_service, name="told-service"),
    path(f"{OF}webhook/", views.add_webhook, name="told-webhook"),
    path(f"{OF}suspend/", suspension.suspend_messages, name="told-suspend"),
    path(f"{OF}resume/", suspension.resume_messages, name="told-resume"),
    path(ONE, views.change, name="told-change"),
    path(f"{ONE}try/", views.try_it, name="told-try"),
    path(f"{ONE}stop/", views.stop, name="told-stop"),
]
