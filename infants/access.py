"""Who may do what: the one module that decides it.

Selectors take a `Viewer` and ask `infants_for` which infants that viewer has a right on; nothing
else in ICLAS looks at memberships. The system itself (commands, stages) is a viewer too, so that
there is no read without one.
"""

import enum
from dataclasses import dataclass
from typing import Self

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, UUIDField
from django.utils import timezone

from devices.models import Device
from infants.models import Consent, DeviceAssignment, DiaryEntry, Infant, Membership, User


class Right(enum.StrEnum):
    """What can be done with an infant's records."""

    SEE = "see"  # scores, timeline, episodes
    IDENTIFY = "identify"  # the name and the date of birth
    LISTEN = "listen"  # the audio itself
    WRITE_DIARY = "write_diary"
    ATTEND = "attend"  # go the round of patients: mark as reviewed, plan readings
    EXPORT = "export"  # take it all away in a file
    REVIEW = "review"  # take an alert; say what a shift or a cry was, and so what is learnt
    MANAGE = "manage"  # members, devices, policies, erasure


Role = Membership.Role
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    Role.CAREGIVER: frozenset(
        {Right.SEE, Right.IDENTIFY, Right.LISTEN, Right.WRITE_DIARY, Right.REVIEW}
    ),
    Role.CLINICIAN: frozenset(
        {
            *(Right.SEE, Right.IDENTIFY, Right.LISTEN, Right.WRITE_DIARY, Right.REVIEW),
            *(Right.ATTEND, Right.EXPORT),
        }
    ),
    Role.RESEARCHER: frozenset({Right.SEE}),
}


@dataclass(frozen=True)
class Viewer:
    """Somebody who reads: a person, a device, the system, or nobody."""

    user: User | None = None
    device: Device | None = None
    is_system: bool = False

    @classmethod
    def of(cls, user: User | AnonymousUser | None, auth: object = None) -> Self:
        """Return the viewer behind an authenticated request."""
        if isinstance(auth, Device):
            return cls(device=auth)
        if isinstance(user, User) and user.is_active:
            return cls(user=user)
        return cls()

    @classmethod
    def system(cls) -> Self:
        """Return the system: commands that an operator runs, and stages."""
        return cls(is_system=True)


def sees_everything(viewer: Viewer) -> bool:
    """Tell whether nothing is kept from this viewer, not even what belongs to no infant yet."""
    return viewer.is_system or (viewer.user is not None and viewer.user.is_superuser)


def infants_for(viewer: Viewer, right: Right = Right.SEE) -> QuerySet[Infant]:
    """Return the infants on which this viewer has this right; a device sees none."""
    if sees_everything(viewer):
        return Infant.objects.all()
    if viewer.user is None:
        return Infant.objects.none()
    roles = [role for role, rights in RIGHTS.items() if right in rights]
    return Infant.objects.filter(id__in=_live(viewer.user, roles).values("infant_id"))


def devices_managed_by(viewer: Viewer) -> QuerySet[Device]:
    """Return the devices that this viewer may set, revoke and give to another infant.

    They are those that serve an infant whom the viewer manages, or served none other since.
    `infant_id` says of each whom it serves or served last, `is_serving` whether it still does.
    """
    last = DeviceAssignment.objects.filter(device=OuterRef("id")).order_by("-starts_at")
    serving = DeviceAssignment.objects.filter(device=OuterRef("id"), ends_at=None)
    devices = Device.objects.annotate(
        infant_id=Subquery(last.values("infant_id")[:1], output_field=UUIDField()),
        is_serving=Exists(serving),
    )
    if sees_everything(viewer):
        return devices
    return devices.filter(infant_id__in=infants_for(viewer, Right.MANAGE).values("id"))


def exportable_infants(viewer: Viewer) -> QuerySet[Infant]:
    """Return the infants whose data this viewer may take away.

    A researcher may only while there is consent to research.
    """
    own = infants_for(viewer, Right.EXPORT)
    if viewer.user is None or sees_everything(viewer):
        return own
    studied = _live(viewer.user, [Role.RESEARCHER]).filter(
        infant__consents__purpose=Consent.Purpose.RESEARCH,
        infant__consents__withdrawn_at=None,
    )
    return Infant.objects.filter(Q(id__in=own.values("id")) | Q(id__in=studied.values("infant")))


def diary_changeable_by(viewer: Viewer) -> QuerySet[DiaryEntry]:
    """Return the diary entries that this viewer may change, removed ones included.

    Who wrote an entry may, while the diary is open to that person; who manages the infant may too.
    """
    managed = Q(infant__in=infants_for(viewer, Right.MANAGE))
    own = Q(author=viewer.user, infant__in=infants_for(viewer, Right.WRITE_DIARY))
    entries = DiaryEntry.with_removed.all()
    return entries.filter(managed if viewer.user is None else managed | own)


def cares_as_clinician(user: User) -> bool:
    """Tell whether this person is the clinician of any infant now."""
    return _live(user, [Role.CLINICIAN]).exists()


def is_only_clinician(user: User) -> bool:
    """Tell whether this person has no other part here than that of a clinician, now."""
    roles = set(_live(user, list(Role)).values_list("role", flat=True))
    return roles == {Role.CLINICIAN} and not user.is_superuser and not user.is_staff


def patients_of(viewer: Viewer) -> QuerySet[Infant]:
    """Return the infants whom this viewer cares for as a clinician."""
    if viewer.user is None:
        return Infant.objects.none()
    live = _live(viewer.user, [Role.CLINICIAN])
    return Infant.objects.filter(id__in=live.values("infant_id"))


def is_newcomer(viewer: Viewer) -> bool:
    """Tell whether this is a person who has never had to do with any infant, and runs nothing."""
    person = viewer.user
    return person is not None and not person.is_staff and not person.memberships.exists()


def _live(user: User, roles: list[Role]) -> QuerySet[Membership]:
    """Return the person's memberships in these roles that hold now."""
    memberships = Membership.objects.filter(user=user, role__in=roles, revoked_at=None)
    return memberships.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


def assignments_for(device: Device) -> QuerySet[DeviceAssignment]:
    """Return whom this device serves and has served: where its uploads may go."""
    return DeviceAssignment.objects.filter(device=device).select_related("infant")
