"""Pairing: a device joins an infant by a one-time code that a person reads to it.

What comes in: somebody who manages an infant, later a device with a code. What goes out: the code,
shown once; later the device, assigned to the infant, with a credential of its own. Guaranteed: a
code serves once and for ten minutes, and only its keyed digest is kept; a wrong, an expired and a
used code fail alike.
"""

import datetime as dt
import secrets
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from devices.models import Device, issue_token
from infants.access import Right, Viewer, infants_for
from infants.assignments import assign_device
from infants.errors import PairingCodeError
from infants.models import Infant, PairingCode, User
from infants.selectors import managed_infant

ALPHABET = "ACDEFGHJKMNPQRTUVWXY34679"
"""No two of these are taken for each other: without 0 O, 1 I L, 2 Z, 5 S and 8 B."""
LENGTH = 8
LIVES = dt.timedelta(minutes=10)
SALT = "infants.pairing"


@dataclass(frozen=True)
class Offer:
    """A code as it is shown, this once, and what is kept of it."""

    code: str
    kept: PairingCode


@dataclass(frozen=True)
class Newcomer:
    """What a device says of itself when it joins."""

    name: str
    hardware: str = ""
    kind: str = Device.Kind.MONITOR


@dataclass(frozen=True)
class Paired:
    """A device that has joined, and its token, which can never be read again."""

    device: Device
    token: str


def offer_pairing(viewer: Viewer, person: User, infant_id: UUID) -> Offer:
    """Draw a code with which one device may join; the person's earlier ones no longer serve."""
    infant = managed_infant(viewer, infant_id)
    now = timezone.now()
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    with transaction.atomic():
        mine = PairingCode.objects.filter(infant=infant, offered_by=person, used_at=None)
        mine.filter(expires_at__gt=now).update(expires_at=now)
        kept = PairingCode.objects.create(
            infant=infant, offered_by=person, digest=_digest(code), expires_at=now + LIVES
        )
    return Offer(f"{code[:4]}-{code[4:]}", kept)


def pair_device(code: str, newcomer: Newcomer) -> Paired:
    """Let the device that knows this code join, once.

    Raises
    ------
    PairingCodeError
        Whatever is wrong with the code.

    """
    with transaction.atomic():
        offered = _take(code)
        device = Device.objects.create(
            name=newcomer.name, hardware=newcomer.hardware, kind=newcomer.kind
        )
        assign_device(device, offered.infant)
        PairingCode.objects.filter(id=offered.id).update(device=device)
        return Paired(device, issue_token(device))


def offered_pairing(viewer: Viewer, infant: Infant, offer_id: UUID) -> PairingCode | None:
    """Return an offer that this viewer made, to see whether a device has joined."""
    mine = PairingCode.objects.filter(infant=infant, offered_by=viewer.user, id=offer_id)
    return mine.select_related("device").first()


def _take(code: str) -> PairingCode:
    """Return the live offer with this code, used from now on."""
    now = timezone.now()
    live = PairingCode.objects.filter(digest=_digest(code), used_at=None, expires_at__gt=now)
    offered = live.select_related("infant", "offered_by").first()
    if offered is None or not live.update(used_at=now):  # another device was faster
        raise PairingCodeError
    may = infants_for(Viewer.of(offered.offered_by), Right.MANAGE)
    if not may.filter(id=offered.infant_id).exists():
        raise PairingCodeError
    return offered


def _digest(code: str) -> str:
    """Return the digest kept of a code, however it was typed; keyed, for a code is short."""
    plain = "".join(code.split()).replace("-", "").upper()
    return salted_hmac(SALT, plain, algorithm="sha256").hexdigest()
