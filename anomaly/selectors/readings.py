"""Readings as readers and owners may see them.

What comes in: a viewer and a task. What goes out: what a reader hears, in that reader's own order;
for the owner how far everybody is, and in the end how far they agree. Guaranteed: a reader is shown
no reading of anybody else's and no word of the model; an item is heard only by who may listen to
its infant now.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import QuerySet

from anomaly.models import Opinion, Reader, Reading, ReadingItem, ReadingTask
from infants.access import Right, Viewer, infants_for
from infants.models import Infant, Membership, Recording, User
from pipelines.agreement import MISSING, Agreement, agreement

CATEGORIES = list(Opinion)
JUDGED = (Opinion.USUAL, Opinion.UNUSUAL)
"""What the model can say; a reader who cannot tell says nothing that could be held against it."""
COLUMNS = (
    *("item", "infant", "n_recordings", "reader", "opinion", "confidence"),
    *("model", "model_p_value"),
)


@dataclass(frozen=True)
class Progress:
    """How far a reader is."""

    reader: Reader
    n_read: int
    n_items: int

    @property
    def is_done(self) -> bool:
        """Whether all that this reader may hear is read."""
        return self.n_read >= self.n_items


@dataclass(frozen=True)
class AgainstModel:
    """One reader beside the model; `n_untold` items had no two words that could be compared."""

    reader: Reader
    found: Agreement
    n_untold: int


@dataclass(frozen=True)
class Results:
    """What a study found."""

    readers: Agreement | None
    against_model: list[AgainstModel]
    n_items: int


# --- readers -------------------------------------------------------------------------------------


def reader_of(viewer: Viewer, task_id: UUID) -> Reader | None:
    """Return the viewer as a reader of a task, or None: of no such one."""
    if viewer.user is None:
        return None
    readers = Reader.objects.filter(user=viewer.user, task_id=task_id)
    return readers.select_related("task").first()


def own_order(viewer: Viewer, reader: Reader) -> list[ReadingItem]:
    """Return the items that a reader may hear, in the order in which this reader hears them.

    The order is drawn from all items of the task, so that it stays when one may no longer be heard.
    """
    items = list(reader.task.items.order_by("number"))
    drawn = np.random.default_rng([reader.task.seed, reader.number]).permutation(len(items))
    heard = set(infants_for(viewer, Right.LISTEN).values_list("id", flat=True))
    return [items[at] for at in drawn if items[at].infant_id in heard]


def readings_by(reader: Reader) -> dict[int, Reading]:
    """Return what a reader has said, by item."""
    return {reading.item_id: reading for reading in reader.readings.all()}


def recordings_in(viewer: Viewer, item: ReadingItem) -> list[Recording]:
    """Return the recordings of an item that the viewer may hear and that are still kept."""
    heard = item.recordings.filter(infant__in=infants_for(viewer, Right.LISTEN))
    return list(heard.exclude(audio="").order_by("recorded_at", "id"))


def tasks_to_read(viewer: Viewer) -> list[Progress]:
    """Return how far the viewer is in the tasks that wait for this reader, the newest first."""
    if viewer.user is None:
        return []
    readers = Reader.objects.filter(user=viewer.user).select_related("task")
    return [progress_of(viewer, one) for one in readers.order_by("-task__created_at")]


def progress_of(viewer: Viewer, reader: Reader) -> Progress:
    """Return how far a reader is with what this reader may hear."""
    ids = [item.id for item in own_order(viewer, reader)]
    return Progress(reader, reader.readings.filter(item__in=ids).count(), len(ids))


# --- owners --------------------------------------------------------------------------------------


def owned_tasks(viewer: Viewer) -> QuerySet[ReadingTask]:
    """Return the tasks that the viewer made, the newest first."""
    if viewer.user is None:
        return ReadingTask.objects.none()
    return ReadingTask.objects.filter(owner=viewer.user)


def progress_in(task: ReadingTask) -> list[Progress]:
    """Return how far each reader of a task is."""
    readers = list(task.readers.select_related("user", "task"))
    return [progress_of(Viewer(user=reader.user), reader) for reader in readers]


def is_done(task: ReadingTask, progress: Sequence[Progress]) -> bool:
    """Tell whether nobody reads on: all is read, or the owner closed it."""
    return task.closed_at is not None or all(one.is_done for one in progress)


def results_of(task: ReadingTask) -> Results:
    """Return how far the readers agree with each other, and each with the model."""
    items, readers = list(task.items.order_by("number")), list(task.readers.select_related("user"))
    table = _table(items, readers)
    groups = _numbered([item.infant_id for item in items])
    said = [item.model_says for item in items]
    among = agreement(table, len(CATEGORIES), groups, task.seed) if len(readers) > 1 else None
    return Results(
        readers=among,
        against_model=[
            _against(reader, table[:, at], said, groups, task.seed)
            for at, reader in enumerate(readers)
        ],
        n_items=len(items),
    )


def rows_of(task: ReadingTask) -> list[dict[str, Any]]:
    """Return every reading with numbers in the place of names, as it may leave the house."""
    items = list(task.items.order_by("number"))
    infants = dict(
        zip([i.infant_id for i in items], _numbered([i.infant_id for i in items]), strict=True)
    )
    sizes = Counter(
        ReadingItem.recordings.through.objects.filter(readingitem__task=task).values_list(
            "readingitem", flat=True
        )
    )
    readings = Reading.objects.filter(item__task=task).select_related("item", "reader")
    return [
        {
            "item": one.item.number,
            "infant": infants[one.item.infant_id] + 1,
            "n_recordings": sizes[one.item_id],
            "reader": one.reader.number,
            "opinion": one.opinion,
            "confidence": one.confidence,
            "model": one.item.model_says,
            "model_p_value": one.item.model_facts.get("p_value", ""),
        }
        for one in readings.order_by("item__number", "reader__number")
    ]


def choosable_infants(viewer: Viewer) -> QuerySet[Infant]:
    """Return whose recordings the viewer may put before readers."""
    heard = infants_for(viewer, Right.LISTEN).values("id")
    return infants_for(viewer, Right.ATTEND).filter(id__in=heard)


def possible_readers(viewer: Viewer) -> QuerySet[User]:
    """Return the people who care for any of these infants, and so may be asked to listen."""
    around = Membership.objects.filter(infant__in=choosable_infants(viewer), revoked_at=None)
    people = User.objects.filter(
        id__in=around.exclude(role=Membership.Role.RESEARCHER).values("user")
    )
    return people.filter(is_active=True).order_by("last_name", "username")


def _table(items: Sequence[ReadingItem], readers: Sequence[Reader]) -> np.ndarray[Any, Any]:
    """Return who said what, ``(items, readers)``, as numbers of categories."""
    row = {item.id: at for at, item in enumerate(items)}
    column = {reader.id: at for at, reader in enumerate(readers)}
    table = np.full((len(items), len(readers)), MISSING, dtype=np.int64)
    for reading in Reading.objects.filter(item__in=row):
        at = row[reading.item_id], column[reading.reader_id]
        table[at] = CATEGORIES.index(Opinion(reading.opinion))
    return table


def _numbered(infants: Sequence[UUID]) -> list[int]:
    """Return infants as numbers, in the order in which they come."""
    names = list(dict.fromkeys(infants))
    return [names.index(infant) for infant in infants]


def _against(
    reader: Reader, said: np.ndarray[Any, Any], model: Sequence[str], groups: list[int], seed: int
) -> AgainstModel:
    known = {JUDGED.index(word): CATEGORIES.index(word) for word in JUDGED}
    of_category = {category: code for code, category in known.items()}
    words = [JUDGED.index(Opinion(word)) if word else MISSING for word in model]
    own = [of_category.get(int(category), MISSING) for category in said]
    pairs = np.array([own, words]).T.reshape(-1, 2)
    found = agreement(pairs, len(JUDGED), groups, seed)
    return AgainstModel(reader, found, len(model) - found.n_items)
