"""Leases: each recording is one worker's, and nobody else's trouble is counted against it."""

import datetime as dt
import errno
import threading
from collections.abc import Sequence
from unittest import mock
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connections
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from infants.errors import LeaseLostError
from infants.leases import leased
from infants.models import Recording
from infants.states import Reason, State
from tests.builders import START, a_device, a_recording, an_infant

pytestmark = pytest.mark.django_db


def _waiting(n_recordings: int, state: State = State.RECEIVED) -> list[UUID]:
    infant = an_infant()
    device = a_device(infant)
    minute = dt.timedelta(minutes=1)
    rows = [
        a_recording(infant, START + n * minute, device, state=state) for n in range(n_recordings)
    ]
    return [row.id for row in rows]


def _row(recording_id: UUID) -> Recording:
    return Recording.objects.get(id=recording_id)


def _run_out(ids: Sequence[UUID]) -> None:
    past = timezone.now() - dt.timedelta(seconds=1)
    Recording.objects.filter(id__in=ids).update(lease_until=past)


class _BrokenError(Exception):
    pass


def _segment(ids: Sequence[UUID], poison: UUID) -> None:
    """Work as a stage does, and break at one recording."""
    with leased(ids, State.RECEIVED) as lease:
        for recording in lease.begun():
            if recording.id == poison:
                raise _BrokenError
            lease.advance(recording, State.SEGMENTED)


# --- taking --------------------------------------------------------------------------------------


def test_what_waits_is_taken_oldest_first_with_its_infant(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    ids = _waiting(3)
    with leased(list(reversed(ids)), State.RECEIVED) as lease:
        assert [recording.id for recording in lease.recordings] == ids
        with django_assert_num_queries(0):
            assert all(recording.infant is not None for recording in lease.recordings)


def test_what_is_taken_is_nobody_elses() -> None:
    ids = _waiting(2)
    with leased(ids[:1], State.RECEIVED), leased(ids, State.RECEIVED) as other:
        assert [recording.id for recording in other.recordings] == ids[1:]


def test_what_stands_elsewhere_is_not_taken() -> None:
    ids = _waiting(1, State.SEGMENTED)
    with leased(ids, State.RECEIVED) as lease:
        assert lease.recordings == ()
    with leased([], State.RECEIVED) as lease:
        assert lease.recordings == ()


def test_a_lease_that_ran_out_is_free_again() -> None:
    ids = _waiting(1)
    with leased(ids, State.RECEIVED):
        _run_out(ids)
        with leased(ids, State.RECEIVED) as second:
            assert len(second.recordings) == 1


def test_a_lease_lasts_as_long_as_is_set(settings: Settings) -> None:
    settings.ICLAS_LEASE_S = 1000
    ids = _waiting(1)
    with leased(ids, State.RECEIVED):
        until = _row(ids[0]).lease_until
        assert until is not None
        assert 990 < (until - timezone.now()).total_seconds() <= 1000


@pytest.mark.django_db(transaction=True)
def test_workers_that_come_at_once_share_without_overlap() -> None:
    ids = _waiting(30)
    taken: list[list[UUID]] = []
    start, end = threading.Barrier(4), threading.Barrier(4)

    def work() -> None:
        start.wait()
        with leased(ids, State.RECEIVED) as lease:
            taken.append([recording.id for recording in lease.recordings])
            end.wait()
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(recording for each in taken for recording in each) == sorted(ids)


# --- moving on -----------------------------------------------------------------------------------


def test_moving_on_frees_forgets_the_tries_and_writes_what_is_given() -> None:
    ids = _waiting(1)
    with leased(ids, State.RECEIVED) as lease:
        for recording in lease.begun():
            lease.advance(recording, State.SEGMENTED, duration_s=3.0)
            assert recording.state == State.SEGMENTED
    row = _row(ids[0])
    assert (row.state, row.duration_s) == (State.SEGMENTED, 3.0)
    assert (row.lease_owner, row.lease_until, row.attempts) == ("", None, 0)
    assert timezone.now() - row.state_changed_at < dt.timedelta(minutes=1)


def test_a_step_that_is_none_is_refused() -> None:
    ids = _waiting(1)
    with leased(ids, State.RECEIVED) as lease, pytest.raises(ValueError, match="does not lead"):
        lease.advance(lease.recordings[0], State.DONE)
    assert _row(ids[0]).state == State.RECEIVED


def test_one_that_comes_too_late_is_told_so_and_changes_nothing() -> None:
    ids = _waiting(1)
    with leased(ids, State.RECEIVED) as slow:
        _run_out(ids)
        with leased(ids, State.RECEIVED) as quick:
            quick.advance(quick.recordings[0], State.SEGMENTED)
        with pytest.raises(LeaseLostError) as lost:
            slow.advance(slow.recordings[0], State.SEGMENTED, duration_s=99.0)
    assert lost.value.recording_id == ids[0]
    row = _row(ids[0])
    assert (row.state, row.duration_s) == (State.SEGMENTED, 7.0)


def test_one_that_lost_its_lease_does_not_free_the_others() -> None:
    ids = _waiting(1)
    with leased(ids, State.RECEIVED):
        _run_out(ids)
        other = leased(ids, State.RECEIVED)
        held = other.__enter__()
    assert _row(ids[0]).lease_owner == held.owner
    other.__exit__(None, None, None)


def test_rejecting_and_failing_name_the_reason() -> None:
    ids = _waiting(2)
    with leased(ids, State.RECEIVED) as lease:
        lease.reject(lease.recordings[0], Reason.SILENT, "x" * 400)
        lease.fail(lease.recordings[1], Reason.AUDIO_MISSING)
    rejected, failed = _row(ids[0]), _row(ids[1])
    assert (rejected.state, rejected.reason) == (State.REJECTED, Reason.SILENT)
    assert rejected.detail == "x" * 300
    assert (failed.state, failed.reason) == (State.FAILED, Reason.AUDIO_MISSING)


# --- tries ---------------------------------------------------------------------------------------


def test_an_error_frees_what_did_not_move_on_and_counts_only_what_was_begun() -> None:
    ids = _waiting(3)
    with pytest.raises(_BrokenError):
        _segment(ids, poison=ids[1])
    rows = [_row(recording_id) for recording_id in ids]
    assert [row.state for row in rows] == [State.SEGMENTED, State.RECEIVED, State.RECEIVED]
    assert [row.attempts for row in rows] == [0, 1, 0]
    assert {row.lease_owner for row in rows} == {""}


def test_a_try_is_counted_before_it_is_made() -> None:
    ids = _waiting(1)
    with leased(ids, State.RECEIVED) as lease:
        next(lease.begun())
        assert _row(ids[0]).attempts == 1  # as it would stand if the worker died now


def test_a_poisonous_recording_is_given_up_and_takes_no_other_with_it(settings: Settings) -> None:
    settings.ICLAS_MAX_ATTEMPTS = 3
    ids = _waiting(5)
    poison = ids[0]
    for _ in range(3):
        with pytest.raises(_BrokenError):
            _segment(ids, poison)
    _segment(ids, poison)
    assert (_row(poison).state, _row(poison).reason) == (State.FAILED, Reason.GAVE_UP)
    assert "3 tries" in _row(poison).detail
    assert {_row(other).state for other in ids[1:]} == {State.SEGMENTED}


def test_a_backlog_that_no_worker_can_finish_at_once_loses_nothing(settings: Settings) -> None:
    settings.ICLAS_MAX_ATTEMPTS = 2
    ids = _waiting(10)
    for _ in range(10):  # each worker is stopped by its time limit after one recording
        with leased(ids, State.RECEIVED) as lease:
            lease.advance(next(lease.begun()), State.SEGMENTED)
    assert {_row(recording_id).state for recording_id in ids} == {State.SEGMENTED}


# --- what no recording is to blame for -----------------------------------------------------------


def _break_with(error: Exception, ids: Sequence[UUID]) -> None:
    with leased(ids, State.RECEIVED) as lease:
        for _ in lease.begun():
            raise error


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 0),
        (OSError(errno.EROFS, "Read-only file system"), 0),
        (OperationalError("database is locked"), 0),
        (OSError(errno.EINVAL, "Invalid argument"), 1),
        (OperationalError("too many SQL variables"), 1),
        (_BrokenError(), 1),
    ],
    ids=str,
)
def test_what_the_machine_is_short_of_is_not_counted_as_a_try(
    error: Exception, attempts: int
) -> None:
    ids = _waiting(1)
    with pytest.raises(type(error)):
        _break_with(error, ids)
    row = _row(ids[0])
    assert (row.attempts, row.lease_owner, row.state) == (attempts, "", State.RECEIVED)


def test_on_a_full_disk_nothing_is_taken_in_hand() -> None:
    ids = _waiting(1)
    full = mock.patch("infants.storage.RESERVE_BYTES", 2**63)
    with full, pytest.raises(OSError, match="No space"), leased(ids, State.RECEIVED):
        pytest.fail("it was taken")
    assert (_row(ids[0]).attempts, _row(ids[0]).lease_owner) == (0, "")


def test_what_was_tried_before_comes_last() -> None:
    ids = _waiting(3)
    Recording.objects.filter(id=ids[0]).update(attempts=1)
    with leased(ids, State.RECEIVED) as lease:
        assert [recording.id for recording in lease.recordings] == [ids[1], ids[2], ids[0]]


def test_when_and_at_which_try_a_state_was_reached_is_kept() -> None:
    ids = _waiting(1)
    with pytest.raises(_BrokenError):
        _segment(ids, poison=ids[0])
    _segment(ids, poison=uuid4())
    passed = _row(ids[0]).passed[State.SEGMENTED]
    assert passed["try"] == 2
    assert timezone.now() - dt.datetime.fromisoformat(passed["at"]) < dt.timedelta(minutes=1)
