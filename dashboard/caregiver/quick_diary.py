"""Writing down with one tap: a feed, a sleep that begins or ends, a nappy.

What comes in: what the diary says of late. What goes out: the buttons with when each was last.
Guaranteed: each button carries a key of its own, so that a double tap writes once; a sleep that
goes on can only be ended.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from dashboard.caregiver import sentences
from dashboard.caregiver.place import fresh_key
from infants.models import DiaryEntry, Infant
from infants.selectors import LONGEST_SLEEP

ONE_TAP = (DiaryEntry.Kind.FEED, DiaryEntry.Kind.SLEEP, DiaryEntry.Kind.NAPPY)


@dataclass(frozen=True)
class Button:
    """One thing to write down as of now."""

    kind: str
    words: str
    last: str
    key: str


@dataclass(frozen=True)
class Quick:
    """The buttons, and the sleep that goes on."""

    buttons: list[Button]
    asleep: str


def quick_of(diary: Sequence[DiaryEntry], infant: Infant, now: dt.datetime) -> Quick:
    """Return the buttons; the diary comes in order of time."""
    sleep = _running(diary, now)
    said = {
        DiaryEntry.Kind.FEED: _("Feed now"),
        DiaryEntry.Kind.SLEEP: _("Asleep now"),
        DiaryEntry.Kind.NAPPY: _("Nappy now"),
    }
    kinds = [kind for kind in ONE_TAP if kind != DiaryEntry.Kind.SLEEP or sleep is None]
    asleep = ""
    if sleep is not None:
        asleep = _asleep(sleep, infant, now)
    return Quick(
        [Button(kind, said[kind], _last(diary, kind, now), fresh_key()) for kind in kinds], asleep
    )


def _asleep(sleep: DiaryEntry, infant: Infant, now: dt.datetime) -> str:
    for_s = (now - sleep.starts_at).total_seconds()
    since = {"time": sentences.when(infant, sleep.starts_at, now)}
    if for_s < sentences.MINUTE_S:
        return _("asleep since %(time)s") % since
    since["length"] = sentences.lasting(for_s)
    return _("asleep since %(time)s, %(length)s") % since


def _running(diary: Sequence[DiaryEntry], now: dt.datetime) -> DiaryEntry | None:
    open_ones = (
        entry
        for entry in reversed(diary)
        if entry.kind == DiaryEntry.Kind.SLEEP
        and entry.ends_at is None
        and now - entry.starts_at < LONGEST_SLEEP
    )
    return next(open_ones, None)


def _last(diary: Sequence[DiaryEntry], kind: str, now: dt.datetime) -> str:
    """Say when this was last; of a sleep, when it ended."""
    of_kind = [entry for entry in diary if entry.kind == kind]
    if not of_kind:
        return ""
    last = of_kind[-1].ends_at or of_kind[-1].starts_at
    said = {"ago": sentences.ago(last, now)}
    if kind == DiaryEntry.Kind.SLEEP:
        return _("woke %(ago)s") % said
    return _("last %(ago)s") % said
