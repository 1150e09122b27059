"""Everything that lies in the depot and that a row still needs: seal it anew, copy it elsewhere.

What comes in: the rows. What goes out: each file's name, the digest that it must have, and what
became of it. Guaranteed: nothing is written that was not held against its digest; a file is whole
under one key or the other at every moment; begun again it goes on; what was erased in the meantime
is not brought back.
"""

import enum
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import Storage, default_storage
from django.db.models import QuerySet

from anomaly.models import PersonalModel
from infants.depot.errors import BrokenSealError, KeyGoneError
from infants.models import Recording
from infants.storage import CHUNK_BYTES, depot

PAGE_ROWS = 500


class Outcome(enum.Enum):
    """What became of one file."""

    DONE = "done"
    ALREADY = "already as it should be"
    ERASED = "erased in the meantime"
    MISSING = "missing"
    CHANGED = "not what was stored"
    KEY_GONE = "sealed with a key that is not given"


FAULTS = (Outcome.MISSING, Outcome.CHANGED, Outcome.KEY_GONE)


@dataclass(frozen=True)
class Holding:
    """One file, with the digest that it must have and the row that needs it."""

    name: str
    sha256: str
    row: str
    is_needed: Callable[[], bool]


def holdings() -> Iterator[Holding]:
    """Yield every file that a row needs; read in pages, so that no cursor stays open."""
    for recording in _paged(_audible()):
        same = _audible().filter(audio=recording.audio)
        yield Holding(recording.audio, recording.sha256, f"recording {recording.id}", same.exists)
    for model in _paged(PersonalModel.objects.all()):
        own = PersonalModel.objects.filter(id=model.id)
        row = f"personal model {model.id}"
        yield Holding(model.artefact, model.sha256, row, own.exists)


def _audible() -> QuerySet[Recording]:
    return Recording.objects.filter(audio_erased_at=None).exclude(audio="")


def _paged(rows: QuerySet[Any]) -> Iterator[Any]:
    after = UUID(int=0)
    while page := list(rows.filter(id__gt=after).order_by("id")[:PAGE_ROWS]):
        yield from page
        after = page[-1].id


def seal_anew(holding: Holding) -> Outcome:
    """Seal a file with the newest key, unless it is; one that was never sealed is sealed."""
    newest = depot().keyring.newest

    def is_done() -> bool:
        return newest is not None and depot().key_of(holding.name) == newest.id

    return _written(holding, default_storage, is_done)


def copy_to(target: Storage, holding: Holding) -> Outcome:
    """Copy a file to another depot, and read it back there; what is there already is let be."""

    def is_there() -> bool:
        try:
            with target.open(holding.name) as stored:
                return _digest(stored) == holding.sha256
        except (FileNotFoundError, BrokenSealError):
            return False

    outcome = _written(holding, target, is_there)
    if outcome is Outcome.DONE and not is_there():
        return Outcome.CHANGED
    return outcome


def _written(holding: Holding, target: Storage, is_done: Callable[[], bool]) -> Outcome:
    """Save a file to a depot as that one keeps files, if it is what it was."""
    try:
        if is_done():
            return Outcome.ALREADY
        with default_storage.open(holding.name) as stored:
            if _digest(stored) != holding.sha256:
                return Outcome.CHANGED
            target.save(holding.name, stored)
    except (FileNotFoundError, IsADirectoryError):
        return Outcome.MISSING
    except BrokenSealError:
        return Outcome.CHANGED
    except KeyGoneError:
        return Outcome.KEY_GONE
    if not holding.is_needed():
        target.delete(holding.name)
        return Outcome.ERASED
    return Outcome.DONE


def _digest(stored: File) -> str:
    found = hashlib.sha256()
    for chunk in stored.chunks(CHUNK_BYTES):
        found.update(chunk)
    return found.hexdigest()
