"""Invitations: a person joins the care of infants by a one-time link.

What comes in: somebody who manages infants, later a person with a link. What goes out: the link's
secret, shown once; later memberships. Guaranteed: a link serves one person, once, within seven
days; only its digest is kept; a wrong, an expired, a withdrawn and a used link fail alike; nobody
loses access by accepting less than they have.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from infants.access import RIGHTS, Right, Viewer, infants_for
from infants.consents import has_consent
from infants.errors import (
    ConsentMissingError,
    InvitationError,
    LastOwnerError,
    UnknownInfantError,
)
from infants.models import Consent, Infant, Invitation, Membership, User
from infants.selectors import managed_infant

LIVES = dt.timedelta(days=7)
Role = Membership.Role
INVITED_AS = (Role.CAREGIVER, Role.CLINICIAN, Role.RESEARCHER)


@dataclass(frozen=True)
class Terms:
    """What an invitation offers, and to whom."""

    role: str
    email: str = ""
    access_until: dt.datetime | None = None


@dataclass(frozen=True)
class Invited:
    """An invitation, and the secret of its link, which can never be read again."""

    invitation: Invitation
    secret: str


@dataclass(frozen=True)
class People:
    """Those around an infant, and those who are invited and have not answered."""

    infant: Infant
    members: tuple[Membership, ...]
    invited: tuple[Invitation, ...]


def people_of(viewer: Viewer, infant_id: UUID) -> People:
    """Return who has access to an infant's records now, and who is invited."""
    infant, now = managed_infant(viewer, infant_id), timezone.now()
    members = infant.memberships.filter(revoked_at=None).select_related("user")
    living = [one for one in members.order_by("created_at") if not _is_over(one, now)]
    invited = [one for one in infant.invitations.all() if one.is_open(now)]
    return People(infant, tuple(living), tuple(invited))


def invite(viewer: Viewer, person: User, infants: Sequence[UUID], terms: Terms) -> Invited:
    """Draw a link by which somebody may join the care of these infants.

    Raises
    ------
    UnknownInfantError
        When the viewer does not manage one of them.
    ConsentMissingError
        When a researcher is invited and nobody has agreed to research.

    """
    chosen = [managed_infant(viewer, infant_id) for infant_id in infants]
    if terms.role not in INVITED_AS:
        message = f"nobody is invited as {terms.role}"
        raise ValueError(message)
    if terms.role == Role.RESEARCHER:
        for infant in chosen:
            _require_research(infant)
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        invitation = Invitation.objects.create(
            role=terms.role,
            email=terms.email,
            access_until=terms.access_until,
            digest=_digest(secret),
            invited_by=person,
            expires_at=timezone.now() + LIVES,
        )
        invitation.infants.set(chosen)
    return Invited(invitation, secret)


def open_invitation(secret: str) -> Invitation:
    """Return the invitation of a link, or raise `InvitationError`, whatever is wrong with it."""
    return _checked(Invitation.objects.filter(digest=_digest(secret)).first())


def is_open_invitation(invitation_id: str | None) -> bool:
    """Tell whether an invitation that was looked at before may still be accepted."""
    found = Invitation.objects.filter(id=invitation_id).first() if invitation_id else None
    return found is not None and found.is_open(timezone.now())


def accept_invitation(secret: str, person: User) -> list[Infant]:
    """Give the person what the link offers, once; return of whom."""
    with transaction.atomic():
        invitation = open_invitation(secret)
        still_open = Invitation.objects.filter(id=invitation.id, accepted_at=None)
        if not still_open.update(accepted_at=timezone.now(), accepted_by=person):
            raise InvitationError
        infants = _infants_of(invitation)
        for infant in infants:
            _join(infant, person, invitation)
    return infants


def withdraw_invitation(viewer: Viewer, infant_id: UUID, invitation_id: UUID) -> bool:
    """Let a link serve nobody any more; tell whether there was one."""
    infant = managed_infant(viewer, infant_id)
    waiting = Invitation.objects.filter(id=invitation_id, accepted_at=None, revoked_at=None)
    return bool(waiting.filter(infants=infant).update(revoked_at=timezone.now()))


def end_membership(viewer: Viewer, infant_id: UUID, membership_id: UUID) -> Membership:
    """End somebody's access to an infant's records.

    Raises
    ------
    UnknownInfantError
        When there is no such membership.
    LastOwnerError
        When nobody would own the records any more.

    """
    infant = managed_infant(viewer, infant_id)
    with transaction.atomic():
        living = infant.memberships.filter(revoked_at=None).select_for_update()
        ended = living.filter(id=membership_id).first()
        if ended is None:
            raise UnknownInfantError(str(membership_id))
        if ended.role == Role.OWNER and living.filter(role=Role.OWNER).count() == 1:
            raise LastOwnerError
        ended.revoked_at = timezone.now()
        ended.save(update_fields=["revoked_at"])
    return ended


def end_research(infant: Infant, now: dt.datetime) -> int:
    """End every researcher's access and open invitation to an infant; return how many ended."""
    researchers = infant.memberships.filter(role=Role.RESEARCHER, revoked_at=None)
    waiting = infant.invitations.filter(role=Role.RESEARCHER, accepted_at=None, revoked_at=None)
    return researchers.update(revoked_at=now) + waiting.update(revoked_at=now)


def infants_offered(invitation: Invitation) -> list[Infant]:
    """Return whose care an invitation offers."""
    return list(invitation.infants.order_by("created_at"))


def _checked(invitation: Invitation | None) -> Invitation:
    if invitation is None or not invitation.is_open(timezone.now()):
        raise InvitationError
    _infants_of(invitation)
    return invitation


def _infants_of(invitation: Invitation) -> list[Infant]:
    """Return whose care is offered by somebody who may still offer it."""
    may = infants_for(Viewer.of(invitation.invited_by), Right.MANAGE)
    infants = list(may.filter(invitations=invitation).order_by("created_at"))
    if not infants:
        raise InvitationError
    return infants


def _join(infant: Infant, person: User, invitation: Invitation) -> None:
    """Add or widen a membership; one that gives as much or more stays as it is."""
    now = timezone.now()
    present = Membership.objects.filter(infant=infant, user=person, revoked_at=None).first()
    if present is not None:
        if not _is_over(present, now) and _gives_as_much(present, invitation):
            return
        present.revoked_at = now
        present.save(update_fields=["revoked_at"])
    Membership.objects.create(
        infant=infant, user=person, role=invitation.role, expires_at=invitation.access_until
    )


def _gives_as_much(present: Membership, invitation: Invitation) -> bool:
    if RIGHTS[Role(present.role)] > RIGHTS[Role(invitation.role)]:
        return True
    if present.role != invitation.role:
        return False
    until, offered = present.expires_at, invitation.access_until
    return until is None or (offered is not None and offered <= until)


def _is_over(membership: Membership, now: dt.datetime) -> bool:
    return membership.expires_at is not None and membership.expires_at <= now


def _require_research(infant: Infant) -> None:
    if not has_consent(infant, Consent.Purpose.RESEARCH):
        raise ConsentMissingError(Consent.Purpose.RESEARCH)


def _digest(secret: str) -> str:
    """Return the digest kept of a link's secret; its 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
