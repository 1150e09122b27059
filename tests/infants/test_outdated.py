"""Audio goes when its policy says so; the rows stay."""

import datetime as dt
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from infants.models import Infant, Recording
from infants.outdated import erase_outdated_audio
from infants.states import Reason, State
from tests.builders import a_device, a_recording, an_infant

pytestmark = pytest.mark.django_db
Policy = Infant.AudioPolicy
NOW = dt.datetime(2026, 3, 20, 9, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def _stored(infant: Infant | None, age: dt.timedelta, **given: Any) -> Recording:
    recording = a_recording(infant, NOW - age, **given)
    recording.audio = default_storage.save(f"audio/test/{recording.id}", ContentFile(b"sound"))
    recording.save()
    return recording


def _is_kept(recording: Recording) -> bool:
    recording.refresh_from_db()
    is_there = default_storage.exists(recording.audio)
    assert is_there == (recording.audio_erased_at is None)
    return is_there


def test_what_is_older_than_its_days_goes_once() -> None:
    infant = an_infant(audio_policy=Policy.ERASE_AFTER, audio_kept_days=14)
    old, young = _stored(infant, 15 * DAY), _stored(infant, 13 * DAY)
    kept = _stored(an_infant(), 500 * DAY)
    assert erase_outdated_audio(NOW) == 1
    assert [_is_kept(one) for one in (old, young, kept)] == [False, True, True]
    assert old.audio_erased_at == NOW
    assert erase_outdated_audio(NOW) == 0


def test_what_was_only_tried_out_goes_after_a_week() -> None:
    device = a_device(an_infant())
    given = {"state": State.HELD, "reason": Reason.SANDBOX}
    old, young = (_stored(None, days * DAY, device=device, **given) for days in (8, 6))
    held = _stored(None, 9 * DAY, device=device, state=State.HELD, reason=Reason.NO_INFANT)
    assert erase_outdated_audio(NOW) == 1
    assert [_is_kept(one) for one in (old, young, held)] == [False, True, True]


def test_a_clock_that_ran_behind_erases_nothing_early() -> None:
    infant = an_infant(audio_policy=Policy.ERASE_AFTER, audio_kept_days=14)
    late = _stored(infant, 500 * DAY)
    Recording.objects.filter(id=late.id).update(received_at=NOW - DAY)
    assert erase_outdated_audio(NOW) == 0
    assert _is_kept(late)


@pytest.mark.parametrize("state", [State.RECEIVED, State.SEGMENTED])
def test_what_is_still_to_be_heard_stays(state: State) -> None:
    infant = an_infant(audio_policy=Policy.EMBEDDING_ONLY)
    waiting = _stored(infant, 100 * DAY, state=state)
    erase_outdated_audio(NOW)
    assert _is_kept(waiting)


@pytest.mark.parametrize("state", [State.DONE, State.REJECTED, State.FAILED])
def test_where_only_numbers_are_kept_nothing_stays_at_the_end(state: State) -> None:
    """Also what was stored before the policy was chosen, and what held nothing to judge."""
    recording = _stored(an_infant(audio_policy=Policy.EMBEDDING_ONLY), DAY, state=state)
    assert erase_outdated_audio(timezone.now()) == 1
    assert not _is_kept(recording)


def test_it_goes_on_where_it_was_broken_off() -> None:
    infant = an_infant(audio_policy=Policy.ERASE_AFTER, audio_kept_days=1)
    first, second = _stored(infant, 3 * DAY), _stored(infant, 2 * DAY)
    default_storage.delete(first.audio)  # killed between the file and its row
    assert erase_outdated_audio(NOW, at_most=1) == 1
    assert not _is_kept(first)
    assert _is_kept(second)
    assert erase_outdated_audio(NOW, at_most=1) == 1
