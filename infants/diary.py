"""Diary: what people write down about an infant, and how it is changed and taken back.

What comes in: a viewer, and what that person says happened. What goes out: the row as it is now.
Guaranteed: only who may write the diary does, and only its author or who manages the infant changes
an entry; the same idempotency key gives the same entry, however often it is sent; what makes no
sense is refused field by field, and nothing is written then; what was removed can be brought back
for `KEPT_AFTER_REMOVAL`.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from infants.access import Right, Viewer, diary_changeable_by, infants_for
from infants.errors import BadEntryError, UnknownEntryError, UnknownInfantError
from infants.locks import infant_locked
from infants.models import DiaryEntry, Infant
from infants.selectors import running_sleep

Kind = DiaryEntry.Kind
LOWEST_C, HIGHEST_C = 30.0, 45.0
MOST_CHARACTERS = 2000
AHEAD = dt.timedelta(hours=1)
"""How far ahead of ours the clock of a phone may be, or a planned time lie."""
KEPT_AFTER_REMOVAL = dt.timedelta(days=30)


@dataclass(frozen=True)
class Said:
    """One thing that happened, as somebody says it."""

    kind: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None = None
    temperature_c: float | None = None
    text: str = ""

    @classmethod
    def of(cls, entry: DiaryEntry) -> "Said":
        """Return what an entry says now."""
        return cls(entry.kind, entry.starts_at, entry.ends_at, entry.temperature_c, entry.text)


@dataclass(frozen=True)
class Written:
    """An entry that is in the diary, and whether it was there before."""

    entry: DiaryEntry
    replayed: bool


# --- what makes sense ----------------------------------------------------------------------------


def problems_of(said: Said, infant: Infant, now: dt.datetime) -> dict[str, str]:
    """Return what makes no sense in it, a sentence for each field."""
    found: dict[str, str] = {}
    for field, problem in _problems(said, infant, now):
        found.setdefault(field, problem)
    return found


def _problems(said: Said, infant: Infant, now: dt.datetime) -> Iterator[tuple[str, str]]:
    if said.kind not in Kind.values:
        yield "kind", _("Choose what happened.")
    yield from _problems_of_times(said, infant, now)
    yield from _problems_of_value(said)
    if len(said.text) > MOST_CHARACTERS:
        yield "text", _("At most %(most)d characters have room.") % {"most": MOST_CHARACTERS}
    if said.kind == Kind.NOTE and not said.text.strip():
        yield "text", _("Write what you want to note.")


def _problems_of_times(said: Said, infant: Infant, now: dt.datetime) -> Iterator[tuple[str, str]]:
    born = infant.birth_date
    if said.starts_at > now + AHEAD:
        yield "starts_at", _("This lies in the future.")
    if born is not None and infant.local_day(said.starts_at) < born:
        yield "starts_at", _("This lies before the birth.")
    if said.ends_at is None:
        return
    if said.ends_at <= said.starts_at:
        yield "ends_at", _("The end must come after the start.")
    if said.ends_at > now + AHEAD:
        yield "ends_at", _("This lies in the future.")


def _problems_of_value(said: Said) -> Iterator[tuple[str, str]]:
    if said.kind != Kind.TEMPERATURE:
        if said.temperature_c is not None:
            yield "temperature_c", _("Only a temperature has a value in °C.")
    elif said.temperature_c is None:
        yield "temperature_c", _("A temperature needs its value in °C.")
    elif not LOWEST_C <= said.temperature_c <= HIGHEST_C:
        words = _("The value must lie between %(lowest)g and %(highest)g °C.")
        yield "temperature_c", words % {"lowest": LOWEST_C, "highest": HIGHEST_C}


def _refuse_nonsense(
    said: Said, infant: Infant, now: dt.datetime, but: DiaryEntry | None = None
) -> None:
    """Raise `BadEntryError` for what makes no sense by itself or beside the rest of the diary."""
    problems = problems_of(said, infant, now)
    if not problems and _goes_on(said):
        running = running_sleep(infant, now)
        if running is not None and running != but:
            problems["starts_at"] = _("A sleep is going on already: end that one first.")
    if problems:
        raise BadEntryError(problems)


def _goes_on(said: Said) -> bool:
    return said.kind == Kind.SLEEP and said.ends_at is None


# --- writing -------------------------------------------------------------------------------------


def write_entry(viewer: Viewer, infant_id: UUID, said: Said, key: UUID | None = None) -> Written:
    """Write an entry; commits. The same key gives the entry that it gave before.

    Raises
    ------
    UnknownInfantError
        The viewer may not write this infant's diary.
    BadEntryError
        What is said makes no sense; nothing was written.

    """
    infant = _writable(viewer, infant_id)
    known = _known(infant, key)
    if known is not None:
        return Written(known, replayed=True)
    try:
        with infant_locked(infant.id):
            _refuse_nonsense(said, infant, timezone.now())
            return Written(_insert(viewer, infant, said, key), replayed=False)
    except (BadEntryError, IntegrityError):
        known = _known(infant, key)  # the same came twice at the same moment, and the other won
        if known is None:
            raise
        return Written(known, replayed=True)


def _writable(viewer: Viewer, infant_id: UUID) -> Infant:
    infant = infants_for(viewer, Right.WRITE_DIARY).filter(id=infant_id).first()
    if infant is None:
        raise UnknownInfantError(str(infant_id))
    return infant


def _known(infant: Infant, key: UUID | None) -> DiaryEntry | None:
    """Return what this key gave before, even where it was removed since: it is not wanted again."""
    if key is None:
        return None
    return DiaryEntry.with_removed.filter(infant=infant, idempotency_key=key).first()


def _insert(viewer: Viewer, infant: Infant, said: Said, key: UUID | None) -> DiaryEntry:
    return DiaryEntry.objects.create(
        infant=infant,
        author=viewer.user,
        idempotency_key=key,
        kind=said.kind,
        starts_at=said.starts_at,
        ends_at=said.ends_at,
        temperature_c=said.temperature_c,
        text=said.text.strip(),
    )


def wake(viewer: Viewer, infant_id: UUID, at: dt.datetime) -> DiaryEntry | None:
    """End the sleep that goes on, whoever wrote it down; None where there is none. Commits.

    A sleep that would end before it began ends with it, a minute long at least.
    """
    infant = _writable(viewer, infant_id)
    with infant_locked(infant.id):
        sleep = running_sleep(infant, at)
        if sleep is not None:
            sleep.ends_at = max(at, sleep.starts_at + dt.timedelta(minutes=1))
            sleep.save(update_fields=["ends_at", "updated_at"])
    return sleep


# --- changing ------------------------------------------------------------------------------------


def change_entry(viewer: Viewer, entry_id: UUID, said: Said) -> DiaryEntry:
    """Let an entry say this from now on; commits.

    Raises
    ------
    UnknownEntryError
        The viewer may change no such entry, or it was removed.
    BadEntryError
        What is said makes no sense; nothing was changed.

    """
    found = _changeable(viewer, entry_id)
    if found.removed_at is not None:
        raise UnknownEntryError(entry_id)
    with infant_locked(found.infant_id) as infant:
        _refuse_nonsense(said, infant, timezone.now(), but=found)
        found.kind, found.text = said.kind, said.text.strip()
        found.starts_at, found.ends_at = said.starts_at, said.ends_at
        found.temperature_c = said.temperature_c
        found.save()
    return found


def remove_entry(viewer: Viewer, entry_id: UUID) -> DiaryEntry:
    """Take an entry out of the diary; once more changes nothing. Commits."""
    return _marked(viewer, entry_id, timezone.now())


def restore_entry(viewer: Viewer, entry_id: UUID) -> DiaryEntry:
    """Bring a removed entry back; once more changes nothing. Commits."""
    return _marked(viewer, entry_id, None)


def _marked(viewer: Viewer, entry_id: UUID, removed_at: dt.datetime | None) -> DiaryEntry:
    with transaction.atomic():
        entry = _changeable(viewer, entry_id)
        if (entry.removed_at is None) != (removed_at is None):
            entry.removed_at = removed_at
            entry.save(update_fields=["removed_at", "updated_at"])
    return entry


def _changeable(viewer: Viewer, entry_id: UUID) -> DiaryEntry:
    entry = diary_changeable_by(viewer).filter(id=entry_id).select_related("infant").first()
    if entry is None:
        raise UnknownEntryError(entry_id)
    return entry


def erase_removed(now: dt.datetime) -> int:
    """Erase for good what was removed long enough ago; return how many."""
    old = DiaryEntry.with_removed.filter(removed_at__lt=now - KEPT_AFTER_REMOVAL)
    return old.delete()[0]
