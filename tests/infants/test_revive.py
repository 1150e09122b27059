"""Dead letters that are sent on again go the whole way from where their way can begin."""

from uuid import UUID, uuid4

import numpy as np
import pytest
from django.utils import timezone

from iclas import flow
from infants.arrays import to_bytes
from infants.models import Recording
from infants.revive import revive
from infants.states import Reason, State
from tests.builders import a_recording, an_infant, some_cries

pytestmark = pytest.mark.django_db
DEAD = {"state": State.FAILED, "reason": Reason.GAVE_UP, "detail": "5 tries", "attempts": 5}


def _sent(ids: list[UUID] | None = None) -> tuple[list[UUID], list[UUID]]:
    """Return what was revived, and what was sent on."""
    with flow.kept_back() as collected:
        revived = revive(ids)
    return revived, list(collected)


def test_one_that_failed_starts_again_with_fresh_tries() -> None:
    dead = a_recording(an_infant(), **DEAD)
    other = a_recording(an_infant(), **DEAD)
    assert _sent([dead.id]) == ([dead.id], [dead.id])
    dead.refresh_from_db()
    other.refresh_from_db()
    assert (dead.state, dead.reason, dead.detail, dead.attempts) == (State.RECEIVED, "", "", 0)
    assert dead.passed[State.RECEIVED]["try"] == 1
    assert other.state == State.FAILED


def test_all_are_sent_on_and_nothing_else() -> None:
    dead = [a_recording(an_infant(), **DEAD) for _ in range(3)]
    done = a_recording(an_infant())
    revived, sent = _sent()
    assert set(revived) == set(sent) == {recording.id for recording in dead}
    done.refresh_from_db()
    assert done.state == State.DONE
    assert _sent() == ([], [])


def test_what_has_no_infant_or_did_not_fail_or_is_unknown_stays() -> None:
    orphan = a_recording(None, **DEAD)
    done = a_recording(an_infant())
    assert _sent([orphan.id, done.id, uuid4()]) == ([], [])


def test_where_the_audio_is_gone_by_policy_the_embeddings_are_judged_again() -> None:
    dead = a_recording(an_infant(), audio_erased_at=timezone.now(), **DEAD)
    for cry in some_cries(dead):
        cry.embedding, cry.encoder = to_bytes(np.ones(192, dtype=np.float32)), "an-encoder"
        cry.save()
    _sent()
    assert Recording.objects.get(id=dead.id).state == State.EMBEDDED
