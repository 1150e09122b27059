"""Taking data away: the files there are, and the calendar's addresses.

Guaranteed: only who may take the data away sees the page; a calendar's address is shown once, opens
nothing else, and answers like one that never was as soon as it is revoked.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from anomaly.exports.calendar import calendar_of
from dashboard import words
from dashboard.start.asking import absolute, page, page_for, person_of, viewer_of
from infants.feeds import feed_at, feeds_of, offer_feed, revoke_feed
from infants.models import Infant
from infants.selectors import exported_infant


@dataclass(frozen=True)
class File:
    """One format, as the page offers it."""

    format: str
    title: str
    use: Promise


FILES = (
    File("csv", "CSV", gettext_lazy("For spreadsheets: a line for each recording.")),
    File("parquet", "Parquet", gettext_lazy("For data analysis: the same columns, with types.")),
    File("fhir", "FHIR R4", gettext_lazy("For the systems of clinics.")),
    File("open-mhealth", "Open mHealth", gettext_lazy("For programs about health.")),
    File("childproject", "ChildProject", gettext_lazy("For studies of children’s days.")),
)


@page_for("GET", "HEAD")
def take_data(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Show the files and the calendar's addresses."""
    return _shown(request, exported_infant(viewer_of(request), infant_id))


@page_for("POST")
def offer(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Make an address of the calendar; it is shown this once."""
    viewer, person = viewer_of(request), person_of(request)
    infant = exported_infant(viewer, infant_id)
    offered = offer_feed(viewer, person, infant_id, get_language() or "en")
    path = reverse("dashboard:calendar", args=[offered.secret])
    return _shown(request, infant, link=absolute(request, path))


@page_for("POST")
def revoke(request: HttpRequest, infant_id: UUID, feed_id: UUID) -> HttpResponse:
    """Let an address serve nobody any more."""
    if not revoke_feed(viewer_of(request), infant_id, feed_id):
        raise Http404
    return redirect("dashboard:take-data", infant_id)


@require_safe
@never_cache
def calendar(request: HttpRequest, secret: str) -> HttpResponse:
    """Answer a calendar program, which signs in by the address alone."""
    del request
    feed = feed_at(secret)
    if feed is None:
        raise Http404
    content = calendar_of(feed, timezone.now())
    answer = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = 'inline; filename="iclas.ics"'
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _shown(request: HttpRequest, infant: Infant, **shown: Any) -> HttpResponse:
    is_identified = bool(getattr(infant, "is_identified", False))
    known = {
        "infant": infant,
        "name": words.called(infant, is_identified=is_identified),
        "files": FILES,
        "feeds": feeds_of(viewer_of(request), infant.id),
    }
    return page(request, "taking", known | shown)
