"""Where the timeline and its parts are."""

from django.urls import path

from dashboard.timeline import views

HERE = "infants/<uuid:infant_id>/timeline/"
urlpatterns = [
    path(HERE, views.timeline, name="timeline"),
    path(f"{HERE}data/", views.data, name="timeline-data"),
    path(f"{HERE}compare/", views.compare, name="timeline-compare"),
    path(f"{HERE}notes/", views.note, name="timeline-note"),
    path(f"{HERE}tables/<slug:name>/", views.table, name="timeline-table"),
    path(f"{HERE}tables/<slug:name>.csv", views.table_file, name="timeline-file"),
    path(f"{HERE}recordings/<uuid:recording_id>/", views.recording, name="timeline-recording"),
    path(f"{HERE}similar/<uuid:recording_id>/", views.similar, name="timeline-similar"),
]
