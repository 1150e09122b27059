"""Where one starts, an infant's particulars, and the page from which everything is set."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from bridge.selectors import publication_of
from dashboard.start import steps
from dashboard.start.asking import is_starting, page, page_for, person_of, viewer_of
from dashboard.start.forms import InfantForm
from infants.consents import has_consent
from infants.household import add_infant, describe_infant
from infants.models import Consent, Infant
from infants.selectors import managed_infant, managed_infants
from notify.followers import follow_by_default

ANOTHER = "another"


@page_for("GET", "HEAD")
def start(request: HttpRequest) -> HttpResponse:
    """Welcome who has no infant yet; show others how far they have come with each."""
    infants = managed_infants(viewer_of(request))
    ways = [(infant, steps.steps(infant, "")) for infant in infants]
    return page(request, "start", {"ways": ways, "titles": steps.TITLES.values()})


@page_for("GET", "HEAD", "POST")
def add(request: HttpRequest) -> HttpResponse:
    """Add an infant, and a twin after that where asked."""
    twin = _twin(request)
    form = InfantForm(request.POST or None, initial=_as_twin(twin))
    if form.is_valid():
        infant = add_infant(person_of(request), form.particulars(), twin.id if twin else None)
        follow_by_default(infant, person_of(request), get_language() or "en")
        messages.success(request, _("%(name)s is added.") % {"name": infant.name})
        if ANOTHER in request.POST:
            return redirect(f"{reverse('dashboard:start-infant')}?twin={infant.id}")
        return redirect(steps.after(steps.INFANT, infant))
    return page(request, "infant", {"form": form, "twin": twin, "adding": True}, steps.INFANT)


@page_for("GET", "HEAD", "POST")
def particulars(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Change name, place and dates."""
    infant = managed_infant(viewer_of(request), infant_id)
    form = InfantForm(request.POST or None, initial=InfantForm.initial_of(infant))
    if form.is_valid():
        described = describe_infant(viewer_of(request), infant_id, form.particulars())
        if is_starting(request):
            return redirect(steps.after(steps.INFANT, described))
        messages.success(request, _("Saved."))
        return redirect("dashboard:infant-settings", infant_id)
    return page(request, "infant", {"form": form, "infant": infant}, steps.INFANT)


@page_for("GET", "HEAD")
def listen(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Let the person choose what shall listen."""
    infant = managed_infant(viewer_of(request), infant_id)
    onward = steps.after(steps.LISTEN, infant)
    return page(request, "listening", {"infant": infant, "onward": onward}, steps.LISTEN)


@page_for("GET", "HEAD")
def ready(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Say what happens next, and what was left out."""
    infant = managed_infant(viewer_of(request), infant_id)
    left = [step for step in steps.steps(infant, "") if not step.is_done]
    return page(request, "ready", {"infant": infant, "left": left})


@page_for("GET", "HEAD")
def settings(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Show everything that can be set for an infant, and how it stands."""
    infant = managed_infant(viewer_of(request), infant_id)
    return page(request, "settings", {"infant": infant} | _standing(infant))


def _standing(infant: Infant) -> dict[str, Any]:
    return {
        "n_monitors": infant.assignments.filter(ends_at=None).count(),
        "n_people": infant.memberships.filter(revoked_at=None).count(),
        "n_told": infant.followers.filter(is_on=True).count(),
        "is_published": publication_of(infant) is not None,
        "is_agreed": has_consent(infant, Consent.Purpose.RECORDING),
    }


def _twin(request: HttpRequest) -> Infant | None:
    """Return the infant whose household the next one joins, where the link names one."""
    try:
        asked = UUID(request.GET.get("twin", ""))
    except ValueError:
        return None
    return managed_infant(viewer_of(request), asked)


def _as_twin(twin: Infant | None) -> dict[str, Any]:
    if twin is None:
        return {}
    return InfantForm.initial_of(twin) | {"name": ""}
