"""Adding infants, and changing what is said of them and agreed for them.

What comes in: a person and what that person says. What goes out: rows. Guaranteed: who adds an
infant owns its records; a twin joins a household only by somebody who manages an infant of it.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from infants.access import Viewer
from infants.consents import give_consent, withdraw_consent
from infants.invitations import end_research
from infants.models import Consent, Household, Infant, Membership, User
from infants.selectors import managed_infant


@dataclass(frozen=True)
class Particulars:
    """What is said of an infant."""

    name: str
    time_zone: str
    birth_date: dt.date | None = None
    gestational_age_weeks: float | None = None


@dataclass(frozen=True)
class Agreement:
    """What is to happen with the audio, and what is agreed to."""

    audio_policy: str
    audio_kept_days: int | None = None
    purposes: frozenset[str] = frozenset()


def add_infant(person: User, said: Particulars, twin_of: UUID | None = None) -> Infant:
    """Add an infant whose records this person owns: to the household of a twin, or to a new one.

    Raises
    ------
    UnknownInfantError
        When the person does not manage the twin's records.

    """
    with transaction.atomic():
        if twin_of is None:
            household = Household.objects.create(name=said.name)
        else:
            household = managed_infant(Viewer.of(person), twin_of).household
        infant = Infant(household=household)
        _write(infant, said)
        Membership.objects.create(user=person, infant=infant, role=Membership.Role.OWNER)
    return infant


def describe_infant(viewer: Viewer, infant_id: UUID, said: Particulars) -> Infant:
    """Change what is said of an infant."""
    infant = managed_infant(viewer, infant_id)
    _write(infant, said)
    return infant


def agree(viewer: Viewer, person: User, infant_id: UUID, agreed: Agreement) -> Infant:
    """Settle the audio policy and the consents; without consent to research, researchers leave."""
    infant = managed_infant(viewer, infant_id)
    with transaction.atomic():
        infant.audio_policy = agreed.audio_policy
        erases = agreed.audio_policy == Infant.AudioPolicy.ERASE_AFTER
        infant.audio_kept_days = agreed.audio_kept_days if erases else None
        infant.save(update_fields=["audio_policy", "audio_kept_days"])
        for purpose in Consent.Purpose.values:
            if purpose in agreed.purposes:
                give_consent(infant, purpose, person)
            else:
                withdraw_consent(infant, purpose)
        if Consent.Purpose.RESEARCH not in agreed.purposes:
            end_research(infant, timezone.now())
    return infant


def _write(infant: Infant, said: Particulars) -> None:
    infant.name = said.name
    infant.time_zone = said.time_zone
    infant.birth_date = said.birth_date
    infant.gestational_age_weeks = said.gestational_age_weeks
    infant.full_clean()
    infant.save()
