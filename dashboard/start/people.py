"""People around an infant: who has access, inviting, ending, and accepting an invitation."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dashboard.start import steps
from dashboard.start.adapter import INVITATION
from dashboard.start.asking import absolute, page, page_for, person_of, viewer_of
from dashboard.start.forms import InvitationForm
from dashboard.start.letters import send_invitation
from infants.errors import ConsentMissingError, InvitationError, LastOwnerError
from infants.invitations import (
    Invited,
    accept_invitation,
    end_membership,
    infants_offered,
    invite,
    open_invitation,
    people_of,
    withdraw_invitation,
)
from infants.models import Infant, Invitation, Membership, User
from infants.selectors import managed_infant, managed_infants

NOT_FOUND = 404


@page_for("GET", "HEAD")
def people(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """List who has access and who is invited."""
    found = people_of(viewer_of(request), infant_id)
    onward = steps.after(steps.PEOPLE, found.infant)
    shown = {"infant": found.infant, "people": found, "onward": onward}
    return page(request, "people", shown, steps.PEOPLE)


@page_for("GET", "HEAD", "POST")
def invite_somebody(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Draw an invitation; its link is shown this once, and goes by e-mail where asked."""
    infant = managed_infant(viewer_of(request), infant_id)
    form = InvitationForm(request.POST or None, initial={"infants": [infant.id]})
    family = managed_infants(viewer_of(request)).filter(household=infant.household_id)
    form.fields["infants"].queryset = family  # type: ignore[attr-defined]
    if not form.is_valid():
        return page(request, "invite", {"infant": infant, "form": form}, steps.PEOPLE)
    try:
        chosen = [one.id for one in form.cleaned_data["infants"]]
        invited = invite(viewer_of(request), person_of(request), chosen, form.terms(infant.zone))
    except ConsentMissingError:
        form.add_error("role", _("First agree to research on the page “Audio and consent”."))
        return page(request, "invite", {"infant": infant, "form": form}, steps.PEOPLE)
    return _invited(request, infant, invited)


def _invited(request: HttpRequest, infant: Infant, invited: Invited) -> HttpResponse:
    link = absolute(request, reverse("dashboard:invitation", args=[invited.secret]))
    sent = bool(invited.invitation.email) and send_invitation(
        invited.invitation, link, _called(person_of(request))
    )
    shown = {"infant": infant, "invitation": invited.invitation, "link": link, "sent": sent}
    return page(request, "invited", shown, steps.PEOPLE)


@page_for("POST")
def end(request: HttpRequest, infant_id: UUID, membership_id: UUID) -> HttpResponse:
    """End somebody's access."""
    try:
        ended = end_membership(viewer_of(request), infant_id, membership_id)
    except LastOwnerError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request, _("%(name)s has no access any more.") % {"name": _called(ended.user)}
        )
        if ended.user_id == person_of(request).id:
            return redirect("dashboard:home")
    return redirect("dashboard:people", infant_id)


@page_for("POST")
def withdraw(request: HttpRequest, infant_id: UUID, invitation_id: UUID) -> HttpResponse:
    """Let an invitation's link serve nobody any more."""
    if withdraw_invitation(viewer_of(request), infant_id, invitation_id):
        messages.success(request, _("The invitation is withdrawn."))
    return redirect("dashboard:people", infant_id)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Show what a link offers; whoever has signed in may accept it."""
    try:
        offered = open_invitation(secret)
        if request.method == "POST" and isinstance(request.user, User):
            return _accepted(request, secret)
    except InvitationError:
        return page(request, "invitation_over", {}, status=NOT_FOUND)
    request.session[INVITATION] = str(offered.id)
    return page(request, "invitation", {"invitation": offered} | _offer(offered))


def _accepted(request: HttpRequest, secret: str) -> HttpResponse:
    infants = accept_invitation(secret, person_of(request))
    request.session.pop(INVITATION, None)
    messages.success(request, _("Welcome. You have access now."))
    if len(infants) == 1:
        return redirect("dashboard:infant", infants[0].id)
    return redirect("dashboard:home")


def _offer(offered: Invitation) -> dict[str, Any]:
    """Return who invites, to whom and as what; researchers learn no names."""
    is_named = offered.role != Membership.Role.RESEARCHER
    infants = infants_offered(offered)
    return {
        "inviter": _called(offered.invited_by),
        "names": [one.name for one in infants] if is_named else [],
        "n_infants": len(infants),
        "role": offered.role,
    }


def _called(person: User) -> str:
    return person.get_full_name() or person.get_username()
