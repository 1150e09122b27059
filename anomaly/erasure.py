"""Erasing an infant: rows, audio and models, with a proof of what was erased.

What comes in: somebody who manages the infant. What goes out: an `Erasure` with counts by kind and
no name. Guaranteed: all rows go in one transaction, which also writes down which files are to go;
files go after it, and whatever a power cut leaves is deleted by the next round; bytes that another
infant's recording needs too stay for that one; monitors that served nobody else are revoked, and
what they uploaded before anybody was assigned, or told of themselves, goes too.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.utils import timezone

from anomaly.models import PersonalModel
from devices.models import Device, Heartbeat, Presence
from infants.access import Viewer
from infants.locks import infant_locked
from infants.models import Erasure, Household, Infant, Recording
from infants.selectors import managed_infant
from infants.shortages import shortage
from infants.storage import depot

Counts = Counter[str]


def erase_infant(viewer: Viewer, infant_id: UUID) -> Erasure:
    """Erase everything of an infant; commits. Nothing brings it back.

    Raises
    ------
    UnknownInfantError
        When there is no such infant that this viewer manages.

    """
    managed_infant(viewer, infant_id)
    with infant_locked(infant_id) as infant:
        devices = _devices_of_nobody_else(infant)
        recordings = Recording.objects.filter(infant=infant) | _held(devices)
        files = _audio_of(recordings) | _fitted_for(infant_id)
        counts = _delete(recordings) + _delete(Infant.objects.filter(id=infant_id))
        counts += _delete(Heartbeat.objects.filter(device__in=devices.values("id")))
        counts += _delete(Presence.objects.filter(device__in=devices.values("id")))
        devices.filter(revoked_at=None).update(revoked_at=timezone.now())
        counts += _delete(Household.objects.filter(id=infant.household_id, infants=None))
        erasure = Erasure.objects.create(
            erased_infant_id=infant_id,
            erased_by=viewer.user,
            place=Erasure.Place(depot().kind),
            rows=dict(sorted(counts.items())),
            n_files=len(files),
            files_left=sorted(files),
        )
    try:
        return finish_erasure(erasure)
    except OSError as error:
        if shortage(error) is None:
            raise
        return erasure  # the files go with the next round


def finish_erasure(erasure: Erasure) -> Erasure:
    """Delete the files that are still to go; begun again it goes on."""
    late = _artefacts_of(erasure.erased_infant_id) - set(erasure.files_left)
    if late:  # of versions that were pruned, or of a worker that was at it
        erasure.files_left = sorted({*erasure.files_left, *late})
        erasure.n_files += len(late)
        erasure.save(update_fields=["files_left", "n_files"])
    needed = set(_names(Recording.objects.filter(audio_erased_at=None), erasure.files_left))
    for name in set(erasure.files_left) - needed:
        default_storage.delete(name)
    erasure.files_left, erasure.completed_at = [], timezone.now()
    erasure.save(update_fields=["files_left", "completed_at"])
    return erasure


def finish_erasures() -> int:
    """Finish every erasure that was broken off; return how many."""
    broken_off = list(Erasure.objects.filter(completed_at=None))
    return len([finish_erasure(erasure) for erasure in broken_off])


def erasure_of(viewer: Viewer, erasure_id: UUID) -> Erasure | None:
    """Return the proof of an erasure, for whoever erased."""
    return Erasure.objects.filter(id=erasure_id, erased_by=viewer.user).first()


def _devices_of_nobody_else(infant: Infant) -> QuerySet[Device]:
    """Return the monitors that have served this infant and no other."""
    served = set(infant.assignments.values_list("device_id", flat=True))
    shared = Device.objects.filter(id__in=served).exclude(assignments=None)
    shared = shared.filter(assignments__infant__in=Infant.objects.exclude(id=infant.id))
    alone = served - set(shared.values_list("id", flat=True))
    return Device.objects.filter(id__in=alone)


def _held(devices: QuerySet[Device]) -> QuerySet[Recording]:
    """Return what these monitors uploaded for nobody yet."""
    return Recording.objects.filter(infant=None, device__in=devices.values("id"))


def _audio_of(recordings: QuerySet[Recording]) -> set[str]:
    """Return the files that hold only these recordings' audio."""
    stored = recordings.filter(audio_erased_at=None).exclude(audio="")
    names = set(stored.values_list("audio", flat=True))
    others = Recording.objects.filter(audio_erased_at=None).exclude(id__in=recordings.values("id"))
    return names - set(_names(others, names))


def _names(recordings: QuerySet[Recording], among: Iterable[str]) -> Iterable[str]:
    """Return which of these files some recordings need, asked for in bounded questions."""
    names = sorted(among)
    for start in range(0, len(names), 500):
        some = names[start : start + 500]
        yield from recordings.filter(audio__in=some).values_list("audio", flat=True)


def _fitted_for(infant_id: UUID) -> set[str]:
    """Return the files of the versions that there are."""
    fitted = PersonalModel.objects.filter(infant=infant_id).exclude(artefact="")
    return set(fitted.values_list("artefact", flat=True))


def _artefacts_of(infant_id: UUID) -> set[str]:
    """Return the files of the infant's personal models, those of pruned versions too."""
    folder = f"models/{infant_id}"
    try:
        names = default_storage.listdir(folder)[1]
    except FileNotFoundError:
        return set()
    return {f"{folder}/{name}" for name in names}


def _delete(rows: QuerySet[Any]) -> Counts:
    """Delete rows and what hangs on them; return how many of each kind."""
    _, by_kind = rows.delete()
    return Counter(by_kind)
