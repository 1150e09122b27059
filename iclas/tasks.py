"""What workers and the scheduler do: ids in, call the stage, return."""

import datetime as dt
from uuid import UUID

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from anomaly.stages.episode import close_ended_episodes
from iclas import flow
from infants.errors import LeaseLostError
from infants.models import Recording
from infants.sessions import close_quiet_sessions
from infants.states import ON_THE_WAY

STANDS_STILL_AFTER = dt.timedelta(seconds=60)
SWEPT_AT_ONCE = 500


@shared_task(autoretry_for=(OperationalError, LeaseLostError), retry_backoff=True, max_retries=3)
def run_step(step_name: str, ids: list[str]) -> None:
    """Run one step on these recordings and send on what is ready for the next."""
    recordings = [UUID(recording_id) for recording_id in ids]
    flow.STEP[step_name].run(recordings)
    moved = Recording.objects.filter(id__in=recordings).exclude(state=flow.STEP[step_name].takes)
    flow.send_on(moved.values_list("id", flat=True))


@shared_task
def sweep() -> None:
    """Send on whatever stands still: its message was lost, or its worker died."""
    now = timezone.now()
    still = Recording.objects.filter(
        state__in=ON_THE_WAY, state_changed_at__lt=now - STANDS_STILL_AFTER
    ).exclude(lease_until__gt=now)
    oldest = still.order_by("state_changed_at").values_list("id", flat=True)
    flow.send_on(list(oldest[:SWEPT_AT_ONCE]))


@shared_task
def close_what_ended() -> None:
    """Close the sessions and episodes that time has ended."""
    now = timezone.now()
    close_quiet_sessions(now)
    close_ended_episodes(now)
