"""Erasing the audio that an infant's policy no longer keeps; the scores stay.

What comes in: the time. What goes out: recordings with `audio_erased_at`, and their files gone.
Guaranteed: what still has to be heard is let be; a file goes before its row says so, so that no
row ever claims an erasure that did not happen; begun again it goes on.
"""

import datetime as dt

from django.db.models import Q, QuerySet

from infants.models import Infant, Recording
from infants.states import State
from infants.storage import erase_audio

STILL_NEEDED = (State.RECEIVED, State.SEGMENTED, State.HELD)
Policy = Infant.AudioPolicy


def erase_outdated_audio(now: dt.datetime, at_most: int = 1000) -> int:
    """Erase the audio of recordings whose time is over, oldest first; return of how many."""
    n_erased = 0
    for infant in Infant.objects.exclude(audio_policy=Policy.KEEP):
        for recording in _outdated(infant, now)[: at_most - n_erased]:
            erase_audio(recording)
            Recording.objects.filter(id=recording.id).update(audio_erased_at=now)
            n_erased += 1
    return n_erased


def _outdated(infant: Infant, now: dt.datetime) -> QuerySet[Recording]:
    """Return what is still stored, and is no longer to be."""
    stored = Recording.objects.filter(infant=infant, audio_erased_at=None)
    over = Q()
    if infant.audio_policy == Policy.ERASE_AFTER and infant.audio_kept_days is not None:
        over = Q(received_at__lt=now - dt.timedelta(days=infant.audio_kept_days))
    return stored.filter(over).exclude(state__in=STILL_NEEDED).order_by("received_at")
