"""Suspending messages about an infant for a while, and letting them go out again.

What comes in: an infant and minutes. What goes out: a line that says what holds, wherever a page
shows it, and the way back to the page on which it was asked. Guaranteed: who may do nothing about
alerts may not suspend messages either; it holds for everybody, and says who asked for it.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.start.asking import back_of, page_for, viewer_of
from infants.access import Viewer
from infants.models import Infant
from infants.selectors import infant_named
from notify.models import Suspension
from notify.people import named
from notify.selectors import suspension_of
from notify.suspensions import MOST_MIN, may_suspend, resume, suspend
from notify.words import at_words


class SuspensionForm(forms.Form):
    """For how long."""

    minutes = forms.IntegerField(
        label=gettext_lazy("Minutes"),
        min_value=1,
        max_value=MOST_MIN,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "placeholder": "120"}),
    )


@dataclass(frozen=True)
class Suspended:
    """What holds, in a sentence, and whether the reader may end it."""

    infant: Infant
    sentence: str
    may_end: bool


def suspended_line(viewer: Viewer, infant: Infant, name: str, now: dt.datetime) -> Suspended | None:
    """Return the line of a suspension that goes on; None where there is none."""
    going = suspension_of(viewer, infant, now)
    if going is None:
        return None
    is_identified = bool(getattr(infant, "is_identified", False))
    said = {"name": name, "time": at_words(infant, going.until, now), "who": ""}
    who = named(going.by) if is_identified else None
    if going.origin == Suspension.Origin.HOME_ASSISTANT:
        form = _("Messages about %(name)s are suspended until %(time)s, through Home Assistant.")
    elif who:
        said["who"] = who
        form = _("Messages about %(name)s are suspended until %(time)s, by %(who)s.")
    else:
        form = _("Messages about %(name)s are suspended until %(time)s.")
    return Suspended(infant, form % said, may_suspend(viewer, infant.id))


@page_for("POST")
def suspend_messages(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Hold messages for so many minutes."""
    viewer = viewer_of(request)
    infant = infant_named(viewer, str(infant_id))
    form = SuspensionForm(request.POST)
    if not form.is_valid():
        said = {"most": MOST_MIN}
        messages.error(request, _("Choose from 1 to %(most)d minutes.") % said)
    elif suspend(viewer, infant.id, form.cleaned_data["minutes"], timezone.now()) is None:
        raise Http404
    else:
        messages.success(request, _("Messages are suspended. What is held comes afterwards."))
    return redirect(back_of(request) or f"/infants/{infant_id}/told/")


@page_for("POST")
def resume_messages(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Let messages go out again."""
    viewer = viewer_of(request)
    infant = infant_named(viewer, str(infant_id))
    if resume(viewer, infant.id, timezone.now()) is None:
        raise Http404
    messages.success(request, _("Messages go out again."))
    return redirect(back_of(request) or f"/infants/{infant_id}/told/")
