"""Turning publishing on and off; this list is all of it.

What comes in: somebody who manages the infant. What goes out: the publication, or nothing.
Guaranteed: nobody else turns it on or off; who did it, and when, stays in the rows; turning it on
twice does it once; what is off is taken back from the broker as soon as the bridge reaches it.
"""

import datetime as dt
import secrets
from uuid import UUID

from bridge.models import Publication
from infants.access import Viewer
from infants.locks import infant_locked
from infants.selectors import managed_infant

OPAQUE_BYTES = 6


def turn_on(viewer: Viewer, infant_id: UUID, now: dt.datetime) -> Publication:
    """Publish an infant from now on, under the id that it had, or else a new one."""
    with infant_locked(managed_infant(viewer, infant_id).id) as infant:
        going = infant.publications.filter(turned_off_at=None).first()
        if going is not None:
            return going
        before = infant.publications.order_by("turned_on_at").last()
        opaque = secrets.token_hex(OPAQUE_BYTES) if before is None else before.opaque
        return Publication.objects.create(
            infant=infant, opaque=opaque, turned_on_at=now, turned_on_by=viewer.user
        )


def turn_off(viewer: Viewer, infant_id: UUID, now: dt.datetime) -> None:
    """Publish an infant no more."""
    with infant_locked(managed_infant(viewer, infant_id).id) as infant:
        infant.publications.filter(turned_off_at=None).update(
            turned_off_at=now, turned_off_by=viewer.user
        )
