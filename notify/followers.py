"""What can be done with followers; this list is all of it.

What comes in: a viewer, an infant or a follower, and what was chosen. What goes out: the follower
as it is now. Guaranteed: people add addresses for themselves alone; who manages the infant may set
when the others are told, and stop it; an owner with a confirmed address is told by e-mail from the
beginning, and once that is switched off it stays off.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings

from infants.access import Viewer
from infants.models import Infant, Membership, User
from infants.selectors import infant_named
from notify.channels.push import checked_subscription
from notify.channels.service import checked_service
from notify.channels.webhook import checked_address, new_secret
from notify.errors import UnknownFollowerError
from notify.models import Follower
from notify.selectors import changeable_followers

Channel = Follower.Channel
OffReason = Follower.OffReason
CHOSEN = (
    "label",
    "least_severity",
    "delay_min",
    "repeat_min",
    "breaks_quiet",
    "says_name",
    "language",
)
OF_THE_PERSON = ("label", "breaks_quiet", "says_name", "language")
"""What nobody else may choose."""


@dataclass(frozen=True)
class Added:
    """A new follower; the secret of a webhook is told this once."""

    follower: Follower
    secret: str = ""


def follow_by_default(infant: Infant, user: User, language: str) -> None:
    """Have an owner with a confirmed address told by e-mail; idempotent, and no second time."""
    is_owner = infant.memberships.filter(user=user, role=Membership.Role.OWNER, revoked_at=None)
    is_confirmed = EmailAddress.objects.filter(user=user, verified=True)
    if is_owner.exists() and is_confirmed.exists():
        _email_of(infant, user, language)


def follow_owners_by_default(infant: Infant) -> None:
    """Do so for all owners: one may have confirmed the address since."""
    owners = infant.memberships.filter(role=Membership.Role.OWNER, revoked_at=None)
    told = infant.followers.filter(channel=Channel.EMAIL).values("user")
    for membership in owners.exclude(user__in=told).select_related("user"):
        follow_by_default(infant, membership.user, settings.LANGUAGE_CODE)


def follow_by_email(viewer: Viewer, infant_id: UUID, language: str) -> Added:
    """Have the viewer told at the confirmed address."""
    infant, user = _own(viewer, infant_id)
    follower = _email_of(infant, user, language)
    _switch_on(follower)
    return Added(follower)


def follow_by_service(viewer: Viewer, infant_id: UUID, address: str, language: str) -> Added:
    """Have the viewer told through a messaging service."""
    target, shown = checked_service(address)
    return _added(viewer, infant_id, Channel.SERVICE, (target, shown), {"language": language})


def follow_by_push(
    viewer: Viewer, infant_id: UUID, subscription: Mapping[str, str], language: str
) -> Added:
    """Have the viewer told on a device whose browser gave this subscription."""
    target, shown = checked_subscription(
        subscription["endpoint"], subscription["p256dh"], subscription["auth"]
    )
    chosen = {"language": language, "says_name": True, "label": subscription.get("label", "")}
    known = fingerprint_of(subscription["endpoint"])
    return _added(viewer, infant_id, Channel.PUSH, (target, shown), chosen, known)


def follow_by_webhook(viewer: Viewer, infant_id: UUID, address: str) -> Added:
    """Have a program of the viewer's told; its secret is drawn once, and told once."""
    target, shown = checked_address(address)
    return _added(viewer, infant_id, Channel.WEBHOOK, (target, shown), {"secret": new_secret()})


def set_follower(viewer: Viewer, follower_id: UUID, chosen: Mapping[str, Any]) -> Follower:
    """Change of what, when and how somebody is told, as far as the viewer may."""
    follower = changeable(viewer, follower_id)
    is_own = viewer.user is not None and follower.user_id == viewer.user.id
    allowed = [name for name in CHOSEN if is_own or name not in OF_THE_PERSON]
    changed = {name: chosen[name] for name in allowed if name in chosen}
    for name, value in changed.items():
        setattr(follower, name, value)
    if changed:
        follower.save(update_fields=list(changed))
    if "is_on" in chosen and chosen["is_on"] != follower.is_on:
        _switch(follower, is_own=is_own, is_on=chosen["is_on"])
    return follower


def unfollow(viewer: Viewer, follower_id: UUID) -> Follower:
    """Tell somebody by this way no more; e-mail stays as switched off, so that it stays so."""
    follower = changeable(viewer, follower_id)
    if follower.channel == Channel.EMAIL:
        _switch(follower, is_own=False, is_on=False)
    else:
        Follower.objects.filter(id=follower.id).delete()
    return follower


def switch_off(follower: Follower, reason: Follower.OffReason) -> None:
    """Tell by this way no more, for a reason."""
    follower.is_on, follower.off_reason = False, reason
    follower.save(update_fields=["is_on", "off_reason"])


def changeable(viewer: Viewer, follower_id: UUID) -> Follower:
    """Return a follower that the viewer may change."""
    found = changeable_followers(viewer).filter(id=follower_id).first()
    if found is None:
        raise UnknownFollowerError
    return found


def fingerprint_of(target: str) -> str:
    """Return what tells one address from another without telling it."""
    return hashlib.sha256(target.encode()).hexdigest()


def _own(viewer: Viewer, infant_id: UUID) -> tuple[Infant, User]:
    infant = infant_named(viewer, str(infant_id))
    if viewer.user is None:
        raise UnknownFollowerError
    return infant, viewer.user


def _email_of(infant: Infant, user: User, language: str) -> Follower:
    chosen = {"language": language, "says_name": True}
    given = {"infant": infant, "user": user, "channel": Channel.EMAIL, "fingerprint": ""}
    return Follower.objects.get_or_create(**given, defaults=chosen)[0]


def _added(
    viewer: Viewer,
    infant_id: UUID,
    channel: Follower.Channel,
    target: tuple[str, str],
    chosen: dict[str, Any],
    fingerprint: str = "",
) -> Added:
    """Keep an address; one that is known already is switched on again, as it was."""
    infant, user = _own(viewer, infant_id)
    kept, shown = target
    follower, is_new = Follower.objects.get_or_create(
        infant=infant,
        user=user,
        channel=channel,
        fingerprint=fingerprint or fingerprint_of(kept),
        defaults=chosen | {"target": kept, "shown_target": shown[:200]},
    )
    if follower.target != kept:
        follower.target = kept
        follower.save(update_fields=["target"])
    _switch_on(follower)
    return Added(follower, follower.secret if is_new else "")


def _switch(follower: Follower, *, is_own: bool, is_on: bool) -> None:
    """Switch a follower; on again by its own person alone."""
    if not is_on:
        switch_off(follower, OffReason.OWN_CHOICE)
    elif is_own:
        _switch_on(follower)


def _switch_on(follower: Follower) -> None:
    follower.is_on, follower.off_reason = True, ""
    follower.save(update_fields=["is_on", "off_reason"])
