"""The views of alerts: what is shown, and what people do with it.

Guaranteed: an alert that the viewer may not see, or do nothing with, answers like one that does not
exist; whatever changes a row is a POST, and ends where it came from or on the alert's sheet.
"""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from anomaly.models import GateDecision
from anomaly.notice import SHOWN_NOTICE
from dashboard.alerts.sheet import sheet_of
from dashboard.start.asking import back_of
from infants.access import Viewer
from infants.errors import NotReviewableError
from notify.actions import (
    SNOOZES_MIN,
    acknowledge,
    answer_alert,
    answer_recording,
    end_snooze,
    snooze,
    take_back_acknowledgement,
    take_back_answer,
)
from notify.models import Alert
from notify.selectors import alert_of, open_alerts, past_alerts

ENDED_SHOWN = 30
TAKEN_BACK = ""
View = Callable[..., HttpResponse]
Act = Callable[..., Alert | None]


@require_safe
@never_cache
@login_required
def alerts(request: HttpRequest) -> HttpResponse:
    """Show every open alert that the viewer may see, and the newest that ended."""
    viewer, now = Viewer.of(request.user), timezone.now()
    shown = {
        "alerts": open_alerts(viewer, now),
        "ended": past_alerts(viewer)[:ENDED_SHOWN],
        "notice": SHOWN_NOTICE,
    }
    return render(request, "dashboard/alerts/list.html", shown)


@require_safe
@never_cache
@login_required
def alert(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """Show the sheet of one alert."""
    viewer = Viewer.of(request.user)
    found = alert_of(viewer, alert_id)
    if found is None:
        raise Http404
    sheet = sheet_of(viewer, found, timezone.now())
    return render(request, "dashboard/alerts/sheet.html", {"sheet": sheet, "notice": SHOWN_NOTICE})


def _acting(act: Act) -> View:
    """Make a view of an action: it gets the viewer, the alert, and what the request names."""

    @require_POST
    @never_cache
    @login_required
    @wraps(act)
    def view(request: HttpRequest, alert_id: UUID, **named: UUID) -> HttpResponse:
        try:
            done = act(request, Viewer.of(request.user), alert_id, **named)
        except (KeyError, ValueError):  # no such choice: no form of ours asks so
            return HttpResponseBadRequest()
        except NotReviewableError as error:
            raise Http404 from error
        if done is None:
            raise Http404
        return redirect(back_of(request) or f"/alerts/{alert_id}/")

    return view


@_acting
def acknowledge_alert(_request: HttpRequest, viewer: Viewer, alert_id: UUID) -> Alert | None:
    """Take an alert."""
    return acknowledge(viewer, alert_id, timezone.now())


@_acting
def give_back_alert(_request: HttpRequest, viewer: Viewer, alert_id: UUID) -> Alert | None:
    """Give an alert back."""
    return take_back_acknowledgement(viewer, alert_id, timezone.now())


@_acting
def snooze_alert(request: HttpRequest, viewer: Viewer, alert_id: UUID) -> Alert | None:
    """Put an alert off; for no minutes: let it come back."""
    minutes, now = int(request.POST["minutes"]), timezone.now()
    if minutes not in (0, *SNOOZES_MIN):
        raise ValueError(minutes)
    return snooze(viewer, alert_id, minutes, now) if minutes else end_snooze(viewer, alert_id, now)


@_acting
def answer(request: HttpRequest, viewer: Viewer, alert_id: UUID) -> Alert | None:
    """Say what the crying of an alert was."""
    said = GateDecision.Answer(request.POST["answer"])
    return answer_alert(viewer, alert_id, said.value, timezone.now())


@_acting
def answer_one(
    request: HttpRequest, viewer: Viewer, alert_id: UUID, recording_id: UUID
) -> Alert | None:
    """Say what one recording was, or take that back."""
    said = request.POST["answer"]
    if said != TAKEN_BACK:
        said = GateDecision.Answer(said).value
    return answer_recording(viewer, alert_id, recording_id, said, timezone.now())


@_acting
def undo(_request: HttpRequest, viewer: Viewer, alert_id: UUID, action_id: UUID) -> Alert | None:
    """Take back an answer."""
    return take_back_answer(viewer, alert_id, action_id, timezone.now())
