"""The steps of getting started: which there are, what is done, and where one is."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from infants.consents import has_consent
from infants.models import Consent, Infant

INFANT, LISTEN, PEOPLE, AGREE = "infant", "listen", "people", "agree"
TITLES: dict[str, Promise] = {
    INFANT: _("Your infant"),
    LISTEN: _("How to listen"),
    PEOPLE: _("Who else"),
    AGREE: _("Audio and consent"),
}


@dataclass(frozen=True)
class Step:
    """One step: its address is empty while there is no infant to take it for."""

    number: int
    title: Promise
    url: str
    is_done: bool
    is_now: bool


def steps(infant: Infant | None, now: str) -> list[Step]:
    """Return the steps in their order, for an infant or before there is one."""
    done = _done(infant) if infant else set()
    return [
        Step(number, TITLES[name], url_of(name, infant), name in done, name == now)
        for number, name in enumerate(TITLES, 1)
    ]


def url_of(name: str, infant: Infant | None) -> str:
    """Return where a step is taken."""
    if infant is None:
        return ""
    if name == LISTEN:
        return reverse("dashboard:start-listen", args=[infant.id])
    names = {INFANT: "infant-particulars", PEOPLE: "people", AGREE: "audio-policy"}
    return reverse(f"dashboard:{names[name]}", args=[infant.id]) + "?start=1"


def after(name: str, infant: Infant) -> str:
    """Return where to go when a step is taken or skipped."""
    order = list(TITLES)
    place = order.index(name) + 1
    if place == len(order):
        return reverse("dashboard:start-ready", args=[infant.id])
    return url_of(order[place], infant)


def _done(infant: Infant) -> set[str]:
    """Return what there is something of already."""
    others = infant.memberships.filter(revoked_at=None).count() > 1
    found = {
        INFANT: True,
        LISTEN: infant.assignments.filter(ends_at=None).exists(),
        PEOPLE: others or infant.invitations.exists(),
        AGREE: has_consent(infant, Consent.Purpose.RECORDING),
    }
    return {name for name, is_done in found.items() if is_done}
