"""Where the caregiver's pages are."""

from django.urls import path

from dashboard.caregiver import diary_views, sound_views, views

urlpatterns = [
    path("infants/<uuid:infant_id>/", views.infant, name="infant"),
    path("infants/<uuid:infant_id>/recordings/", views.recordings, name="recordings"),
    path("recordings/<uuid:recording_id>/", views.recording, name="recording"),
    path("recordings/<uuid:recording_id>/audio/", sound_views.audio, name="recording-audio"),
    path("recordings/<uuid:recording_id>/audio.wav", sound_views.wav, name="recording-wav"),
    path(
        "recordings/<uuid:recording_id>/waveform.json",
        sound_views.waveform,
        name="recording-waveform",
    ),
    path(
        "recordings/<uuid:recording_id>/spectrogram.png",
        sound_views.picture,
        name="recording-spectrogram",
    ),
    path("infants/<uuid:infant_id>/diary/", diary_views.diary, name="diary"),
    path("infants/<uuid:infant_id>/diary/now/", diary_views.note_now, name="diary-now"),
    path("infants/<uuid:infant_id>/diary/awake/", diary_views.awake_now, name="diary-awake"),
    path("diary/<uuid:entry_id>/", diary_views.entry, name="diary-entry"),
    path("diary/<uuid:entry_id>/remove/", diary_views.remove, name="diary-remove"),
    path("diary/<uuid:entry_id>/restore/", diary_views.restore, name="diary-restore"),
]
