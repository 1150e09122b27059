"""What can be done with suspensions; this list is all of it.

What comes in: a viewer, an infant, minutes, and the moment. What goes out: what holds then, or None
where the viewer may not decide it. Guaranteed: it holds for all who care for the infant, as their
quiet hours would; whatever it holds back is told when it is over, at the latest after a day; doing
a thing twice does it once.
"""

import datetime as dt
from uuid import UUID

from infants.access import Right, Viewer, infants_for
from infants.locks import infant_locked
from infants.models import Infant
from notify.deliveries import look_again_at_held
from notify.models import Suspension

Origin = Suspension.Origin
MOST_MIN = 24 * 60
OFFERED_MIN = (30, 60, 90)


def suspend(
    viewer: Viewer,
    infant_id: UUID,
    minutes: int,
    now: dt.datetime,
    origin: Suspension.Origin = Origin.PAGE,
) -> Suspension | None:
    """Hold messages about an infant for so many minutes from now on, whatever held before."""
    if not 0 < minutes <= MOST_MIN:
        message = f"messages are held for 1 to {MOST_MIN} minutes, not for {minutes}"
        raise ValueError(message)
    if not may_suspend(viewer, infant_id):
        return None
    with infant_locked(infant_id) as infant:
        _end(viewer, infant, now)
        made = Suspension.objects.create(
            infant=infant,
            origin=origin,
            began_at=now,
            until=now + dt.timedelta(minutes=minutes),
            by=viewer.user,
        )
        look_again_at_held(infant)
    return made


def resume(viewer: Viewer, infant_id: UUID, now: dt.datetime) -> Infant | None:
    """Let messages about an infant go out again; what was held is told now."""
    if not may_suspend(viewer, infant_id):
        return None
    with infant_locked(infant_id) as infant:
        if _end(viewer, infant, now):
            look_again_at_held(infant)
    return infant


def may_suspend(viewer: Viewer, infant_id: UUID) -> bool:
    """Tell whether a viewer may decide it: whoever may put an alert off."""
    return infants_for(viewer, Right.REVIEW).filter(id=infant_id).exists()


def _end(viewer: Viewer, infant: Infant, now: dt.datetime) -> bool:
    """End what goes on; tell whether anything did. What has run out ended then, by nobody."""
    going = Suspension.objects.filter(infant=infant, ended_at=None).first()
    if going is None:
        return False
    is_early = going.until > now
    going.ended_at = now if is_early else going.until
    going.ended_by = viewer.user if is_early else None
    going.save(update_fields=["ended_at", "ended_by"])
    return is_early
