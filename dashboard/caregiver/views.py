"""The caregiver's pages to look at: home, recordings, one recording.

Guaranteed: nobody sees a page without signing in; an infant that the viewer may not see answers
like one that does not exist; nothing of a page is kept by browsers or between them and here. The
home renews itself where scripts run, and as a whole where they do not, until it is told to stand
still.
"""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from anomaly.notice import SHOWN_NOTICE
from dashboard.caregiver.forms import infants_time
from dashboard.caregiver.home_page import home_page
from dashboard.caregiver.notices import notice_of
from dashboard.caregiver.place import Place, place_of
from dashboard.caregiver.recording_page import recording_page
from dashboard.caregiver.recordings_page import fate_asked, recordings_page
from dashboard.told.suspension import suspended_line
from notify.selectors import open_alerts

STILL = "still"
RENEWED_EVERY_S = 30
RENEWED_WITHOUT_SCRIPTS_S = 60


def shown(request: HttpRequest, place: Place, template: str, page: dict[str, Any]) -> HttpResponse:
    """Render a page of an infant, times as the infant's own."""
    with infants_time(place.infant):
        frame = {
            "place": place,
            "notice": SHOWN_NOTICE,
            "done": notice_of(request, place),
            "suspended": suspended_line(place.viewer, place.infant, place.name, place.now),
            "alerts": open_alerts(place.viewer, place.now, place.infant),
        }
        return render(request, f"dashboard/caregiver/{template}.html", frame | page)


@require_safe
@never_cache
@login_required
def infant(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Show how it is now."""
    place = place_of(request, infant_id, "infant")
    page = {
        "page": home_page(place),
        "is_still": STILL in request.GET,
        "renewed_every_s": RENEWED_EVERY_S,
        "renewed_without_scripts_s": RENEWED_WITHOUT_SCRIPTS_S,
    }
    return shown(request, place, "home", page)


@require_safe
@never_cache
@login_required
def recordings(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Show what was heard, by day."""
    place = place_of(request, infant_id, "recordings")
    fate = fate_asked(request.GET.get("fate", ""))
    page = recordings_page(place, fate, request.GET.get("cursor", ""))
    return shown(request, place, "recordings", {"page": page})


@require_safe
@never_cache
@login_required
def recording(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Show one recording: its sound, and what was found in it."""
    place, page = recording_page(request, recording_id)
    return shown(request, place, "recording", {"page": page})
