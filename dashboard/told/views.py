"""Who is told: the list, adding a way, changing it, trying it, and stopping it.

Guaranteed: an infant or a follower that the viewer may not see or change answers like one that does
not exist; addresses are taken in and never shown again in full; a webhook's secret is shown once.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from dashboard.start.asking import page_for, person_of, viewer_of
from dashboard.told.forms import FollowerForm, ServiceForm, WebhookForm
from dashboard.told.suspension import SuspensionForm, suspended_line
from dashboard.told.words import rows_of, trial_words
from dashboard.words import called
from infants.access import Right, infants_for
from infants.models import Infant
from infants.selectors import infant_named
from notify.channels.letter import confirmed_address
from notify.channels.push import public_key
from notify.deliveries import send_trial
from notify.errors import BadTargetError, TooManyTrialsError, UnknownFollowerError
from notify.followers import (
    Added,
    changeable,
    follow_by_email,
    follow_by_push,
    follow_by_service,
    follow_by_webhook,
    set_follower,
    unfollow,
)
from notify.models import Follower
from notify.suspensions import OFFERED_MIN, may_suspend

SUBSCRIPTION = ("endpoint", "p256dh", "auth")
UNPROCESSABLE = 422
View = Callable[..., HttpResponse]


@page_for("GET", "HEAD")
def told(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """List who is told, in order, and offer further ways."""
    infant, person = _infant(request, infant_id), person_of(request)
    rows = rows_of(viewer_of(request), infant, timezone.now())
    own_email = infant.followers.filter(user=person, channel=Follower.Channel.EMAIL, is_on=True)
    shown = {
        "rows": rows,
        "address": confirmed_address(person),
        "has_email": own_email.exists(),
        "push_key": public_key(),
        "suspended": suspended_line(viewer_of(request), infant, _called(infant), timezone.now()),
        "may_manage": infants_for(viewer_of(request), Right.MANAGE).filter(id=infant.id).exists(),
        "may_suspend": may_suspend(viewer_of(request), infant.id),
        "suspension_form": SuspensionForm(),
        "offered_min": OFFERED_MIN,
    }
    return _page(request, "told", infant, shown)


@page_for("POST")
def add_email(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Have the person told by e-mail."""
    follow_by_email(viewer_of(request), infant_id, _language())
    messages.success(request, _("You are told by e-mail now."))
    return redirect("dashboard:told", infant_id)


@page_for("POST")
def add_push(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Have the person told on this device."""
    if not all(request.POST.get(name) for name in SUBSCRIPTION):
        return HttpResponseBadRequest()
    given = {name: request.POST[name] for name in SUBSCRIPTION}
    try:
        follow_by_push(viewer_of(request), infant_id, given, _language())
    except BadTargetError as error:
        messages.error(request, error.problem)
    else:
        messages.success(request, _("This device is told now. Try it below."))
    return redirect("dashboard:told", infant_id)


@page_for("GET", "HEAD", "POST")
def add_service(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Have the person told through a messaging service."""

    def add(address: str) -> Added:
        return follow_by_service(viewer_of(request), infant_id, address, _language())

    form = ServiceForm(request.POST or None)
    added = _added(form, add)
    if added is None:
        return _asking(request, "add_service", infant_id, form)
    messages.success(request, _("The service is kept. Try it below."))
    return redirect("dashboard:told", infant_id)


@page_for("GET", "HEAD", "POST")
def add_webhook(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Have a program told, and show its secret this once."""

    def add(address: str) -> Added:
        return follow_by_webhook(viewer_of(request), infant_id, address)

    form = WebhookForm(request.POST or None)
    added = _added(form, add)
    if added is None:
        return _asking(request, "add_webhook", infant_id, form)
    if not added.secret:
        messages.info(request, _("This address was told already; its secret stays as it was."))
        return redirect("dashboard:told", infant_id)
    return _page(request, "webhook_added", _infant(request, infant_id), {"added": added})


def _added(form: forms.Form, add: Callable[[str], Added]) -> Added | None:
    """Return what was added; None where the form has something to say first."""
    if not form.is_valid():
        return None
    try:
        return add(form.cleaned_data["address"])
    except BadTargetError as error:
        form.add_error("address", error.problem)
        return None


def _of_follower(act: View) -> View:
    """Make a view of what is done with a follower of the infant that the path names."""

    @wraps(act)
    def view(request: HttpRequest, infant_id: UUID, follower_id: UUID) -> HttpResponse:
        try:
            follower = changeable(viewer_of(request), follower_id)
        except UnknownFollowerError as error:
            raise Http404 from error
        if follower.infant_id != infant_id:
            raise Http404
        return act(request, infant_id, follower)

    return view


@page_for("GET", "HEAD", "POST")
@_of_follower
def change(request: HttpRequest, infant_id: UUID, follower: Follower) -> HttpResponse:
    """Change of what, when and how somebody is told."""
    is_own = follower.user_id == person_of(request).id
    form = FollowerForm(request.POST or None, follower=follower, is_own=is_own)
    if form.is_valid():
        set_follower(viewer_of(request), follower.id, form.cleaned_data | {"is_on": True})
        messages.success(request, _("Saved."))
        return redirect("dashboard:told", infant_id)
    shown = {"form": form, "follower": follower, "is_own": is_own}
    return _page(request, "change", _infant(request, infant_id), shown)


@page_for("POST")
@_of_follower
def try_it(request: HttpRequest, infant_id: UUID, follower: Follower) -> HttpResponse:
    """Send a trial message, now, and say how it went."""
    try:
        trial = send_trial(viewer_of(request), follower.id)
    except TooManyTrialsError:
        messages.error(request, _("There were many trials just now; try again in an hour."))
    else:
        is_sent = trial.state == trial.State.SENT
        level = messages.SUCCESS if is_sent else messages.ERROR
        messages.add_message(request, level, trial_words(trial))
    return redirect("dashboard:told", infant_id)


@page_for("POST")
@_of_follower
def stop(request: HttpRequest, infant_id: UUID, follower: Follower) -> HttpResponse:
    """Tell by this way no more."""
    unfollow(viewer_of(request), follower.id)
    messages.success(request, _("Nobody is told by this way any more."))
    return redirect("dashboard:told", infant_id)


# --- what all share -------------------------------------------------------------------------------


def _infant(request: HttpRequest, infant_id: UUID) -> Infant:
    return infant_named(viewer_of(request), str(infant_id))


def _called(infant: Infant) -> str:
    return called(infant, is_identified=bool(getattr(infant, "is_identified", False)))


def _language() -> str:
    return get_language() or "en"


def _asking(request: HttpRequest, name: str, infant_id: UUID, form: forms.Form) -> HttpResponse:
    status = UNPROCESSABLE if form.is_bound else 200
    return _page(request, name, _infant(request, infant_id), {"form": form}, status)


def _page(
    request: HttpRequest, name: str, infant: Infant, shown: dict[str, Any], status: int = 200
) -> HttpResponse:
    frame = {"infant": infant, "name": _called(infant)}
    return render(request, f"dashboard/told/{name}.html", frame | shown, status=status)
