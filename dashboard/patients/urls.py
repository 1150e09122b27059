"""Where the clinician's list is."""

from django.urls import path

from dashboard.patients import views

urlpatterns = [
    path("", views.patients, name="patients"),
    path("<uuid:infant_id>/", views.patient, name="patient"),
    path("<uuid:infant_id>/reviews/", views.mark, name="patient-mark"),
    path("<uuid:infant_id>/notes/", views.note, name="patient-note"),
    path("reviews/<uuid:review_id>/undo/", views.undo, name="patient-undo"),
]
