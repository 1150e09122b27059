"""Home Assistant: showing an infant at the home's broker, which everybody in the home can read.

What comes in: an owner's wish. What goes out: the page, which says in plain words what is shown and
how the bridge stands. Guaranteed: only who manages the infant sees the page; where the installation
has no broker nothing can be turned on, and the page says what its operator sets.
"""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from bridge.publications import turn_off, turn_on
from bridge.selectors import bridge_word, publication_of
from dashboard.start.asking import page, page_for, viewer_of
from infants.selectors import managed_infant
from notify.people import named


@page_for("GET", "HEAD", "POST")
def home_assistant(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Show whether the infant is published, and turn that on or off."""
    infant = managed_infant(viewer_of(request), infant_id)
    if request.method == "POST":
        return _turned(request, infant_id)
    publication = publication_of(infant)
    shown = {
        "infant": infant,
        "publication": publication,
        "who": named(publication.turned_on_by) if publication else None,
        "bridge": bridge_word(timezone.now()),
        "topic": settings.ICLAS_MQTT_TOPIC,
    }
    return page(request, "home_assistant", shown)


def _turned(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    viewer, now = viewer_of(request), timezone.now()
    if "off" in request.POST:
        turn_off(viewer, infant_id, now)
        messages.success(request, _("Turned off. What stood at the broker is taken away."))
    elif settings.ICLAS_MQTT_URL:
        turn_on(viewer, infant_id, now)
        messages.success(request, _("Turned on. Home Assistant shows it within a minute."))
    return redirect("dashboard:home-assistant", infant_id)
