"""Studies of readings: made by their owner, read by readers, closed in the end.

What comes in: a viewer and what is planned or said. What goes out: the task, the reading.
Guaranteed: only who may review an infant puts its recordings before readers, and only who may
listen to it reads them; what the model says is frozen when the task is made; a reading is changed
only while its reader still has some to do; of a blinded task nobody is both owner and reader.
"""

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from anomaly.charts import UNUSUAL
from anomaly.errors import ReadingPlanError
from anomaly.models import Episode, Opinion, Reader, Reading, ReadingItem, ReadingTask
from anomaly.models import SessionJudgement as Judged
from anomaly.selectors.readings import (
    choosable_infants,
    is_done,
    own_order,
    owned_tasks,
    progress_in,
    progress_of,
    reader_of,
)
from infants.access import Right, Viewer, infants_for
from infants.models import Infant, Recording, User

MOST_ITEMS = 200
MOST_RECORDINGS = 8
Unit = ReadingTask.Unit
OF_CRYING = (Episode.Kind.PERSISTENT_SHIFT, Episode.Kind.SINGLE_EXTREME)


@dataclass(frozen=True)
class ReadingPlan:
    """What is to be read by whom; of each infant at most `per_infant` items.

    `is_balanced`: of what the model calls unusual and of the rest as many, as far as there are.
    """

    name: str
    unit: ReadingTask.Unit
    infants: Sequence[UUID]
    start: dt.datetime
    end: dt.datetime
    readers: Sequence[User]
    per_infant: int = 5
    is_balanced: bool = True
    is_blinded: bool = True
    seed: int = 0


@dataclass(frozen=True)
class _Candidate:
    """A stretch of one infant's time that may become an item."""

    infant: Infant
    start: dt.datetime
    end: dt.datetime
    says: str
    facts: dict[str, object] = field(default_factory=dict)
    session: UUID | None = None


# --- made ----------------------------------------------------------------------------------------


def begin_reading(viewer: Viewer, plan: ReadingPlan) -> ReadingTask:
    """Make a task and its items, drawn by the plan's seed.

    Raises
    ------
    ReadingPlanError
        Where the viewer may not choose an infant, a reader may not listen to one, the owner of a
        blinded task would read it, or there is nothing to hear.

    """
    infants = list(choosable_infants(viewer).filter(id__in=plan.infants))
    owner = _checked_owner(viewer, plan, infants)
    rng = np.random.default_rng(plan.seed)
    found = [one for infant in infants for one in _drawn(infant, plan, rng)]
    heard = [(one, rows) for one in found if (rows := _recordings(one))]
    if not heard:
        raise ReadingPlanError("infants", _("There is nothing to hear of them in these days."))
    with transaction.atomic():
        task = ReadingTask.objects.create(
            name=plan.name,
            owner=owner,
            unit=plan.unit,
            is_blinded=plan.is_blinded,
            seed=plan.seed,
        )
        mixed = [heard[at] for at in rng.permutation(len(heard))][:MOST_ITEMS]
        for number, (one, recordings) in enumerate(mixed, start=1):
            _write(task, number, one, recordings)
        for number, user in enumerate(plan.readers, start=1):
            Reader.objects.create(task=task, user=user, number=number)
    return task


def _checked_owner(viewer: Viewer, plan: ReadingPlan, infants: Sequence[Infant]) -> User:
    """Return who makes the task; ReadingPlanError where it cannot be made."""
    if viewer.user is None or len(infants) != len(set(plan.infants)) or not infants:
        raise ReadingPlanError("infants", _("Choose infants whom you may review."))
    if not plan.readers:
        raise ReadingPlanError("readers", _("Choose at least one reader."))
    if plan.is_blinded and viewer.user in plan.readers:
        said = _("Who makes a blinded study knows what is in it, and cannot read in it.")
        raise ReadingPlanError("readers", said)
    for user in plan.readers:
        heard = infants_for(Viewer(user=user), Right.LISTEN).filter(id__in=plan.infants).count()
        if heard != len(infants):
            name = user.get_full_name() or user.username
            said = _("%(name)s may not listen to all of these infants.") % {"name": name}
            raise ReadingPlanError("readers", said)
    return viewer.user


def _write(
    task: ReadingTask, number: int, one: _Candidate, recordings: Sequence[Recording]
) -> ReadingItem:
    item = ReadingItem.objects.create(
        task=task,
        number=number,
        infant=one.infant,
        starts_at=one.start,
        ends_at=one.end,
        model_says=one.says,
        model_facts=one.facts,
    )
    item.recordings.set(recordings)
    return item


def _drawn(infant: Infant, plan: ReadingPlan, rng: np.random.Generator) -> list[_Candidate]:
    """Draw some of an infant's candidates; balanced ones come turn by turn."""
    there = list(CANDIDATES[plan.unit](infant, plan))
    mixed = [there[at] for at in rng.permutation(len(there))]
    if plan.is_balanced:
        unusual = [one for one in mixed if one.says == Opinion.UNUSUAL]
        others = [one for one in mixed if one.says != Opinion.UNUSUAL]
        turns = itertools.chain.from_iterable(itertools.zip_longest(unusual, others))
        mixed = [one for one in turns if one is not None]
    return mixed[: plan.per_infant]


def _sessions(infant: Infant, plan: ReadingPlan) -> Iterator[_Candidate]:
    """Yield the bouts of crying that the model judged."""
    rows = Judged.objects.filter(infant=infant, started_at__gte=plan.start, started_at__lt=plan.end)
    for row in rows.select_related("session", "model").order_by("started_at"):
        says = Opinion.UNUSUAL if row.p_value <= UNUSUAL else Opinion.USUAL
        facts = {"p_value": row.p_value, "model": row.model.number, "build": row.build}
        session = row.session
        yield _Candidate(infant, session.started_at, session.ended_at, says, facts, session.id)


def _episodes(infant: Infant, plan: ReadingPlan) -> Iterator[_Candidate]:
    """Yield the episodes of crying, and for comparison usual bouts that lie in none."""
    episodes = [one for one in _episodes_in(infant, plan) if one.last_at >= plan.start]
    spans = [(max(one.began_at, plan.start), min(one.last_at, plan.end)) for one in episodes]
    for one, (start, end) in zip(episodes, spans, strict=True):
        facts = {"kind": one.kind, "severity": one.evidence.get("severity", "")}
        yield _Candidate(infant, start, end, Opinion.UNUSUAL, facts)
    for bout in _sessions(infant, plan):
        is_apart = not any(start <= bout.end and bout.start <= end for start, end in spans)
        if bout.says == Opinion.USUAL and is_apart:
            yield bout


def _whole(infant: Infant, plan: ReadingPlan) -> Iterator[_Candidate]:
    """Yield the infant's whole stretch: unusual where an episode of crying lies in it."""
    episodes = [one for one in _episodes_in(infant, plan) if one.last_at >= plan.start]
    judged = Judged.objects.filter(
        infant=infant, started_at__gte=plan.start, started_at__lt=plan.end
    )
    says = Opinion.UNUSUAL if episodes else Opinion.USUAL if judged.exists() else ""
    facts: dict[str, object] = {"n_episodes": len(episodes)}
    yield _Candidate(infant, plan.start, plan.end, says, facts)


def _episodes_in(infant: Infant, plan: ReadingPlan) -> list[Episode]:
    still = Q(closed_at=None) | Q(closed_at__gte=plan.start)
    rows = Episode.objects.filter(still, infant=infant, kind__in=OF_CRYING)
    return list(rows.filter(opened_at__lt=plan.end).order_by("opened_at"))


CANDIDATES = {Unit.SESSION: _sessions, Unit.EPISODE: _episodes, Unit.INFANT: _whole}


def _recordings(one: _Candidate) -> list[Recording]:
    """Return what is heard of a candidate: cries whose audio is kept, spread over its time."""
    rows = Recording.objects.filter(infant=one.infant, gate_decision__is_cry=True)
    if one.session is not None:
        rows = rows.filter(session=one.session)
    else:
        rows = rows.filter(recorded_at__gte=one.start, recorded_at__lte=one.end)
    kept = list(rows.exclude(audio="").order_by("recorded_at", "id"))
    if len(kept) <= MOST_RECORDINGS:
        return kept
    places = np.linspace(0, len(kept) - 1, MOST_RECORDINGS).round().astype(int)
    return [kept[at] for at in places]


# --- read ----------------------------------------------------------------------------------------


def read_item(
    viewer: Viewer, task_id: UUID, place: int, opinion: str, confidence: int
) -> Reading | None:
    """Say what was heard at a place of the reader's own order; None where there is none to read.

    Said again it changes what was said, until everything is read or the task is closed.
    """
    reader = reader_of(viewer, task_id)
    if reader is None or not may_read_on(viewer, reader):
        return None
    items = own_order(viewer, reader)
    if not 1 <= place <= len(items):
        return None
    said = {"opinion": opinion, "confidence": confidence}
    now = timezone.now()
    reading, _is_new = Reading.objects.update_or_create(
        item=items[place - 1],
        reader=reader,
        defaults=said | {"changed_at": now},
        create_defaults=said | {"read_at": now},
    )
    return reading


def may_read_on(viewer: Viewer, reader: Reader) -> bool:
    """Tell whether a reader still has something to say in a task."""
    return reader.task.closed_at is None and not progress_of(viewer, reader).is_done


def close_reading(viewer: Viewer, task_id: UUID) -> ReadingTask | None:
    """End a task before everything is read; None where the viewer owns no such task.

    To close a closed one changes nothing.
    """
    task = owned_tasks(viewer).filter(id=task_id).first()
    if task is None:
        return None
    if task.closed_at is None and not is_done(task, progress_in(task)):
        task.closed_at = timezone.now()
        task.save(update_fields=["closed_at"])
    return task
