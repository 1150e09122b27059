"""The infant's lock: one writer at a time recomputes what is a function of an infant's rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction

from infants.models import Infant


@contextmanager
def infant_locked(infant_id: UUID) -> Iterator[Infant]:
    """Open a transaction that no other holder of this lock overlaps.

    PostgreSQL locks the infant's row; SQLite's IMMEDIATE transactions already come one by one.
    """
    with transaction.atomic():
        yield Infant.objects.select_for_update().get(id=infant_id)
