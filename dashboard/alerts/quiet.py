"""The page of quiet hours: when the person signed in wants to hear nothing of an infant.

What comes in: a start, an end and days. What goes out: the page, with errors beside their fields
and what was typed kept. Guaranteed: hours hold what is sent, and never what is recorded or judged.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from typing_extensions import override

from dashboard.alerts.words import at_words
from dashboard.words import called
from infants.access import Viewer
from infants.errors import UnknownInfantError
from infants.models import Infant
from infants.selectors import infant_named
from notify.actions import Hours, set_quiet_hours
from notify.models import QuietHours
from notify.quiet import EVERY_DAY, Quiet
from notify.selectors import quiet_hours_of, quiet_of

DAYS = {
    "1": gettext_lazy("Monday"),
    "2": gettext_lazy("Tuesday"),
    "3": gettext_lazy("Wednesday"),
    "4": gettext_lazy("Thursday"),
    "5": gettext_lazy("Friday"),
    "6": gettext_lazy("Saturday"),
    "7": gettext_lazy("Sunday"),
}
USUAL = {"starts": dt.time(22), "ends": dt.time(6), "days": list(DAYS)}
CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class QuietHoursForm(forms.Form):
    """From when to when, on nights that begin on which days."""

    starts = forms.TimeField(
        label=gettext_lazy("From"),
        widget=CLOCK,
        error_messages={
            "required": gettext_lazy("Say when they begin, such as 22:00."),
            "invalid": gettext_lazy("This is no time of day; write it as 22:00."),
        },
    )
    ends = forms.TimeField(
        label=gettext_lazy("Until"),
        widget=CLOCK,
        error_messages={
            "required": gettext_lazy("Say when they end, such as 06:00."),
            "invalid": gettext_lazy("This is no time of day; write it as 06:00."),
        },
    )
    days = forms.MultipleChoiceField(
        label=gettext_lazy("Beginning on"),
        choices=list(DAYS.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one day, or end them below.")},
    )

    @override
    def clean(self) -> dict[str, Any]:
        """Refuse hours that would last the whole day: then nobody could ever be told."""
        said = super().clean() or {}
        if "starts" in said and said["starts"] == said.get("ends"):
            self.add_error("ends", _("This is when they begin; choose another end."))
        return said

    def hours(self) -> Hours:
        """Return what was chosen."""
        days = frozenset(int(day) for day in self.cleaned_data["days"])
        return Hours(self.cleaned_data["starts"], self.cleaned_data["ends"], days)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def quiet_hours(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Show and set the own quiet hours around an infant."""
    viewer = Viewer.of(request.user)
    try:
        infant = infant_named(viewer, str(infant_id))
    except UnknownInfantError as error:
        raise Http404 from error
    if request.method == "POST":
        return _set(request, viewer, infant)
    own = quiet_hours_of(viewer, infant)
    return _page(request, viewer, infant, QuietHoursForm(initial=_given(own)))


def _set(request: HttpRequest, viewer: Viewer, infant: Infant) -> HttpResponse:
    form = QuietHoursForm(request.POST)
    if "end" in request.POST:
        set_quiet_hours(viewer, infant, None)
    elif form.is_valid():
        set_quiet_hours(viewer, infant, form.hours())
    else:
        return _page(request, viewer, infant, form, status=422)
    return redirect("dashboard:quiet-hours", infant.id)


def _given(own: QuietHours | None) -> dict[str, Any]:
    if own is None:
        return USUAL
    return {"starts": own.starts, "ends": own.ends, "days": [str(day) for day in own.days]}


def _page(
    request: HttpRequest,
    viewer: Viewer,
    infant: Infant,
    form: QuietHoursForm,
    status: int = 200,
) -> HttpResponse:
    is_identified = getattr(infant, "is_identified", False)
    shown = {
        "form": form,
        "infant": infant,
        "name": called(infant, is_identified=is_identified),
        "standing": _standing(infant, quiet_of(viewer, infant), timezone.now()),
        "has_hours": quiet_hours_of(viewer, infant) is not None,
    }
    return render(request, "dashboard/alerts/quiet_hours.html", shown, status=status)


def _standing(infant: Infant, quiet: Quiet | None, now: dt.datetime) -> str:
    """Say whether it is quiet now, and until when."""
    if quiet is None:
        return _("You have no quiet hours: you are told at any time.")
    until = quiet.until(now)
    if until is not None:
        return _("Quiet hours until %(time)s.") % {"time": at_words(infant, until, now)}
    if quiet.days == EVERY_DAY:
        return _("Quiet hours begin every day at %(time)s.") % {"time": f"{quiet.starts:%H:%M}"}
    days = ", ".join(str(DAYS[str(day)]) for day in sorted(quiet.days))
    return _("Quiet hours begin at %(time)s on: %(days)s.") % {
        "time": f"{quiet.starts:%H:%M}",
        "days": days,
    }
