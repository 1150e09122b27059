"""Consent by purpose: given and withdrawn by those who manage an infant; history is kept."""

from django.db import transaction
from django.utils import timezone

from infants.models import Consent, Infant, User


def has_consent(infant: Infant, purpose: str) -> bool:
    """Tell whether somebody has agreed to this purpose, and has not withdrawn it."""
    return infant.consents.filter(purpose=purpose, withdrawn_at=None).exists()


def consents_of(infant: Infant) -> dict[str, Consent]:
    """Return what is agreed to now, by purpose."""
    given = infant.consents.filter(withdrawn_at=None).select_related("given_by")
    return {one.purpose: one for one in given}


def give_consent(infant: Infant, purpose: str, person: User) -> None:
    """Write down that a person agrees; agreed to before, nothing changes."""
    with transaction.atomic():
        given = {"given_by": person, "given_at": timezone.now()}
        Consent.objects.get_or_create(
            infant=infant, purpose=purpose, withdrawn_at=None, defaults=given
        )


def withdraw_consent(infant: Infant, purpose: str) -> bool:
    """Write down that it is withdrawn; tell whether there was any."""
    given = infant.consents.filter(purpose=purpose, withdrawn_at=None)
    return bool(given.update(withdrawn_at=timezone.now()))
