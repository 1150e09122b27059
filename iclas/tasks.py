"""What workers and the scheduler do: ids in, call the stage, return."""

import datetime as dt
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from anomaly.erasure import finish_erasures
from anomaly.stages.episode import close_ended_episodes
from anomaly.stages.silence import follow_monitors
from devices.heartbeats import forget_old_heartbeats
from iclas import flow
from infants.diary import erase_removed
from infants.errors import LeaseLostError
from infants.leases import free_orphans
from infants.models import Recording
from infants.outdated import erase_outdated_audio
from infants.sessions import close_quiet_sessions
from infants.shortages import shortage
from infants.states import ON_THE_WAY
from notify.stages.alert import raise_alerts
from notify.stages.news import is_news_of
from notify.stages.send import tell_due

log = logging.getLogger(__name__)
SWEPT_AT_ONCE = 500
JUDGED_AT_ONCE_S = 60.0
TOLD_AT_ONCE_S = 60.0
retried = shared_task(
    autoretry_for=(OperationalError, LeaseLostError), retry_backoff=True, max_retries=3
)


@contextmanager
def waiting_out_shortages() -> Iterator[None]:
    """Let be what a full or read-only disk stops: the sweeper brings it again."""
    try:
        yield
    except OSError as error:
        lack = shortage(error)
        if lack is None:
            raise
        log.warning("put off for want of %s", lack.value)


@retried
def run_step(step_name: str, ids: list[str]) -> None:
    """Run one step of hearing on these recordings and send on what moved."""
    recordings = [UUID(recording_id) for recording_id in ids]
    step = flow.STEP[step_name]
    try:
        with waiting_out_shortages():
            step.take(recordings)
    finally:  # what moved before an error has moved
        moved = Recording.objects.filter(id__in=recordings).exclude(state=step.takes)
        flow.send_on(moved.values_list("id", flat=True))


@retried
def judge_infant(infant_id: str) -> None:
    """Judge what an infant has ready, for a while; others shall have their turn."""
    unfinished = False
    with waiting_out_shortages():
        unfinished = flow.judge(UUID(infant_id), until=time.monotonic() + JUDGED_AT_ONCE_S)
    if unfinished:
        judge_infant.apply_async((infant_id,), queue=flow.JUDGING_QUEUE)
    if is_news_of(UUID(infant_id), timezone.now()):
        tell.apply_async(queue=flow.TELLING_QUEUE)


@shared_task
def sweep() -> None:
    """Send on whatever stands still: its message was lost, or its worker died.

    The alerts of what that worker had found are raised here too, and monitors that fell silent
    are found.
    """
    now = timezone.now()
    orphans = free_orphans()
    still = Recording.objects.filter(
        state__in=ON_THE_WAY,
        state_changed_at__lt=now - dt.timedelta(seconds=settings.ICLAS_STANDS_STILL_S),
    ).exclude(lease_until__gt=now)
    oldest = still.order_by("state_changed_at").values_list("id", flat=True)
    flow.send_on([*orphans, *oldest[:SWEPT_AT_ONCE]])
    raise_alerts(now)
    if follow_monitors(now):
        raise_alerts(now)


@shared_task
def tell() -> None:
    """Tell people and programs what is due; what does not arrive is tried again, later."""
    if tell_due(timezone.now(), until=time.monotonic() + TOLD_AT_ONCE_S):
        tell.apply_async(queue=flow.TELLING_QUEUE)


@shared_task
def close_what_ended() -> None:
    """Close the sessions and episodes that time has ended."""
    now = timezone.now()
    close_quiet_sessions(now)
    close_ended_episodes(now)
    raise_alerts(now)


@shared_task
def erase_what_is_over() -> None:
    """Erase what policies keep no longer and what was removed long ago; finish broken erasures."""
    with waiting_out_shortages():
        finish_erasures()
        erase_outdated_audio(timezone.now())
        erase_removed(timezone.now())
        forget_old_heartbeats(timezone.now())
