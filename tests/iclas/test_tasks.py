"""The scheduler's rounds: what is over is erased, and a full disk puts it off."""

import datetime as dt
from unittest import mock

import pytest
from django.conf import settings
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from iclas import flow, tasks
from iclas.celery import app
from infants.models import Erasure, Recording
from tests.builders import a_recording, an_infant
from tests.notify.told import a_follower, a_new_alert, a_reachable

pytestmark = pytest.mark.django_db


def _stored(name: str) -> str:
    return default_storage.save(f"audio/{name}", ContentFile(b"sound"))


def test_what_is_due_is_told_on_a_queue_of_its_own() -> None:
    infant = an_infant()
    a_follower(infant, a_reachable(infant, "Ben"))
    a_new_alert(infant)
    tasks.tell()
    assert [letter.to for letter in mail.outbox] == [["ben@example.org"]]
    scheduled = {one["task"]: one["schedule"] for one in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled[tasks.tell.name] == settings.ICLAS_SWEEP_EVERY_S
    queue = app.amqp.router.route({}, tasks.tell.name)["queue"].name
    assert queue == flow.TELLING_QUEUE
    assert queue in flow.QUEUES


def test_who_is_to_be_told_of_a_judged_session_does_not_wait_for_a_sweep() -> None:
    infant = an_infant()
    with mock.patch.object(tasks.tell, "apply_async") as sent:
        tasks.judge_infant(str(infant.id))
        assert not sent.called
        a_new_alert(infant)
        tasks.judge_infant(str(infant.id))
    sent.assert_called_once_with(queue=flow.TELLING_QUEUE)


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
