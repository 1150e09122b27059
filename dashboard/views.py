"""The pages' views: who asks, for what, and at which moment; the rest is elsewhere.

Guaranteed: nobody sees a page without signing in; an infant that the viewer may not see answers
like one that does not exist; nothing of a page is kept by browsers or between them and here.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from anomaly.notice import SHOWN_NOTICE
from dashboard.cards import cards_for
from dashboard.caregiver.place import place_of
from dashboard.infant_page import DAYS, DEFAULT_DAYS, page_of
from dashboard.status_page import status_page
from infants.access import Viewer, is_newcomer, is_only_clinician
from infants.models import User
from infants.selectors import visible_infants
from notify.deliveries import replay

REFRESH_S = 30
STILL = "still"
"""In the query string: the page stands still, for those who read slowly or have a table open."""


@require_safe
@never_cache
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Show every infant that the viewer may see.

    Who has one infant goes straight there, and who is only a clinician to the patients.
    """
    if isinstance(request.user, User) and is_only_clinician(request.user):
        return redirect("dashboard:patients")
    viewer, now = _viewer(request), timezone.now()
    seen = visible_infants(viewer).values_list("id", flat=True)[:2]
    if len(seen) == 1:
        return redirect("dashboard:infant", seen[0])
    if not seen and is_newcomer(viewer):
        return redirect("dashboard:start")
    page = cards_for(viewer, now, request.GET.get("page", "1"))
    zones = {card.zone for card in page.cards}
    local = now.astimezone(zones.pop()) if len(zones) == 1 else now
    return _page(request, "dashboard/home.html", local, {"page": page, "notice": SHOWN_NOTICE})


@require_safe
@never_cache
@login_required
def history(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Show one infant's timeline."""
    place = place_of(request, infant_id, "history")
    page = page_of(place.viewer, place.infant, place.now, _days(request))
    shown = {"page": page, "place": place, "choices": DAYS, "notice": SHOWN_NOTICE}
    return _page(request, "dashboard/infant.html", place.now_there, shown)


@require_safe
@never_cache
@login_required
def status(request: HttpRequest) -> HttpResponse:
    """Show operators how the recordings are getting on."""
    if not getattr(request.user, "is_staff", False):
        raise PermissionDenied
    now = timezone.now()
    return _page(request, "dashboard/status.html", now, {"page": status_page(now)})


@require_POST
@never_cache
@login_required
def replay_delivery(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """Send a dead letter again."""
    if not getattr(request.user, "is_staff", False):
        raise PermissionDenied
    replay([delivery_id])
    return redirect("dashboard:status")


def _viewer(request: HttpRequest) -> Viewer:
    return Viewer.of(request.user)


def _days(request: HttpRequest) -> int:
    """Return how many days are asked for; what is no choice is taken as none."""
    asked = request.GET.get("days", "")
    return int(asked) if asked in {str(days) for days in DAYS} else DEFAULT_DAYS


def _page(
    request: HttpRequest, template: str, now: dt.datetime, shown: dict[str, Any]
) -> HttpResponse:
    """Render a page with what all pages say: the time, and whether it refreshes by itself."""
    moving, still = request.GET.copy(), request.GET.copy()
    moving.pop(STILL, None)
    still[STILL] = "1"
    frame = {
        "as_of": f"{date_format(now, 'H:i:s')} {now.tzname()}",
        "as_of_iso": now.isoformat(timespec="seconds"),
        "is_still": STILL in request.GET,
        "refresh_s": REFRESH_S,
        "still_query": still.urlencode(),
        "moving_query": moving.urlencode(),
    }
    return render(request, template, frame | shown)
