"""The scheduler's rounds: what is over is erased, and a full disk puts it off."""

import datetime as dt

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from iclas import tasks
from infants.models import Erasure, Recording
from tests.builders import a_recording, an_infant

pytestmark = pytest.mark.django_db


def _stored(name: str) -> str:
    return default_storage.save(f"audio/{name}", ContentFile(b"sound"))


def test_what_is_over_is_erased_every_hour() -> None:
    infant = an_infant(audio_policy="erase_after", audio_kept_days=1)
    when = timezone.now() - dt.timedelta(days=2)
    old = a_recording(infant, when, audio=_stored("old"))
    left = _stored("left")
    Erasure.objects.create(erased_infant_id=infant.id, files_left=[left])
    tasks.erase_what_is_over()
    assert Recording.objects.get(id=old.id).audio_erased_at is not None
    assert not default_storage.exists("audio/old")
    assert not default_storage.exists(left)
    scheduled = {one["task"]: one["schedule"] for one in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled[tasks.erase_what_is_over.name] == 3600.0
