"""Erasing the audio that an infant's policy no longer keeps, and what was only tried out.

What comes in: the time. What goes out: recordings with `audio_erased_at`, and their files gone.
Guaranteed: what still has to be heard is let be; a file goes before its row says so, so that no
row ever claims an erasure that did not happen; begun again it goes on.
"""

import datetime as dt

from django.db.models import Q, QuerySet

from infants.models import Infant, Recording
from infants.states import Reason, State
from infants.storage import erase_audio

STILL_NEEDED = (State.RECEIVED, State.SEGMENTED, State.HELD)
TRIED_OUT_KEPT = dt.timedelta(days=7)
"""What a monitor sends while it is tried out is under no infant's policy, and nobody's for long."""
Policy = Infant.AudioPolicy


def erase_outdated_audio(now: dt.datetime, at_most: int = 1000) -> int:
    """Erase the audio of recordings whose time is over, oldest first; return of how many."""
    n_erased = _erase(_tried_out(now)[:at_most], now)
    for infant in Infant.objects.exclude(audio_policy=Policy.KEEP):
        n_erased += _erase(_outdated(infant, now)[: at_most - n_erased], now)
    return n_erased


def _erase(recordings: QuerySet[Recording], now: dt.datetime) -> int:
    erased = list(recordings)
    for recording in erased:
        erase_audio(recording, now)
    return len(erased)


def _tried_out(now: dt.datetime) -> QuerySet[Recording]:
    """Return what was sent while a monitor was tried out, long enough ago."""
    sent = Recording.objects.filter(reason=Reason.SANDBOX, audio_erased_at=None)
    return sent.filter(received_at__lt=now - TRIED_OUT_KEPT).order_by("received_at")


def _outdated(infant: Infant, now: dt.datetime) -> QuerySet[Recording]:
    """Return what is still stored, and is no longer to be."""
    stored = Recording.objects.filter(infant=infant, audio_erased_at=None)
    over = Q()
    if infant.audio_policy == Policy.ERASE_AFTER and infant.audio_kept_days is not None:
        over = Q(received_at__lt=now - dt.timedelta(days=infant.audio_kept_days))
    return stored.filter(over).exclude(state__in=STILL_NEEDED).order_by("received_at")
