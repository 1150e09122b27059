"""What was just done, said once, with the way back.

What comes in: what a person just did to the diary. What goes out: at the next page that this person
opens, a sentence and the form that undoes it. Guaranteed: it is said once; nothing is undone by
looking at it; who may not change an entry is offered no way back.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from dashboard.caregiver import sentences
from dashboard.caregiver.forms import typed
from dashboard.caregiver.place import Place
from infants.access import diary_changeable_by
from infants.diary import Said
from infants.models import DiaryEntry

SLOT = "diary_notice"
ADDED, CHANGED, REMOVED, RESTORED, KNOWN = "added", "changed", "removed", "restored", "known"


@dataclass(frozen=True)
class Notice:
    """What was done; `undo` is where the way back is posted to, with these fields."""

    words: str
    undo: str
    fields: dict[str, str]


def remember(
    request: HttpRequest, done: str, entry: DiaryEntry, before: Said | None = None
) -> None:
    """Keep in the session what was done to an entry, and what it said before."""
    kept: dict[str, Any] = {"done": done, "entry": str(entry.id)}
    if before is not None:
        kept["before"] = {
            "kind": before.kind,
            "starts_at": typed(before.starts_at, entry.infant),
            "ends_at": typed(before.ends_at, entry.infant),
            "temperature_c": "" if before.temperature_c is None else str(before.temperature_c),
            "text": before.text,
        }
    request.session[SLOT] = kept


def complain(request: HttpRequest, problem: str) -> None:
    """Keep in the session why something could not be done."""
    request.session[SLOT] = {"problem": problem}


def notice_of(request: HttpRequest, place: Place) -> Notice | None:
    """Return what is to be said, once; None where there is nothing."""
    kept = request.session.pop(SLOT, None)
    if kept is None:
        return None
    if "problem" in kept:
        return Notice(kept["problem"], "", {})
    entry = DiaryEntry.with_removed.filter(id=UUID(kept["entry"]), infant=place.infant).first()
    if entry is None:
        return None
    undo = ""
    if diary_changeable_by(place.viewer).filter(id=entry.id).exists():
        undo = _undo(kept["done"], entry)
    fields = kept.get("before", {}) | {"back": place.tab}
    return Notice(_words(kept["done"], entry, place), undo, fields)


def _undo(done: str, entry: DiaryEntry) -> str:
    ways = {
        ADDED: "dashboard:diary-remove",
        RESTORED: "dashboard:diary-remove",
        REMOVED: "dashboard:diary-restore",
        CHANGED: "dashboard:diary-entry",
    }
    return reverse(ways[done], args=[entry.id]) if done in ways else ""


def _words(done: str, entry: DiaryEntry, place: Place) -> str:
    said = {
        "what": sentences.entry(entry, is_identified=place.is_identified),
        "time": sentences.entry_time(entry, place.infant),
    }
    forms = {
        ADDED: _("Noted: %(what)s, %(time)s."),
        KNOWN: _("Noted already: %(what)s, %(time)s."),
        CHANGED: _("Changed: %(what)s, %(time)s."),
        REMOVED: _("Removed: %(what)s, %(time)s."),
        RESTORED: _("Back again: %(what)s, %(time)s."),
    }
    return forms[done] % said
