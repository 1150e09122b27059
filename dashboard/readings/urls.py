"""Where the readings are."""

from django.urls import path

from dashboard.readings import views

urlpatterns = [
    path("", views.readings, name="readings"),
    path("new/", views.begin, name="reading-new"),
    path("<uuid:task_id>/", views.task, name="reading"),
    path("<uuid:task_id>/close/", views.close, name="reading-close"),
    path("<uuid:task_id>/readings.csv", views.export, name="reading-export"),
    path("<uuid:task_id>/items/<int:place>/", views.item, name="reading-item"),
    path("<uuid:task_id>/items/<int:place>/<int:number>/audio/", views.audio, name="reading-audio"),
]
