"""The views of the protocol of 24 hours and of the report: who asks, and for which days.

Guaranteed: nobody sees anything without signing in; an infant that the viewer may not see answers
like one that does not exist; nothing is kept by browsers or between them and here.
"""

import datetime as dt
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from anomaly.notice import SHOWN_NOTICE
from anomaly.reports import note_report
from dashboard.caregiver.place import place_of
from dashboard.report.fonts import FontsMissingError
from dashboard.report.forms import ReportForm
from dashboard.report.making import Wanted, report_of
from dashboard.report.protocol_page import DAYS, DEFAULT_DAYS, page_of
from infants.access import Viewer
from infants.errors import UnknownInfantError
from infants.models import Infant
from infants.selectors import infant_named

PAGE, DOCUMENT = "page", "document"


@require_safe
@never_cache
@login_required
def protocol(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Show an infant's days as strips of 24 hours."""
    viewer, now = Viewer.of(request.user), timezone.now()
    infant = _infant(viewer, infant_id)
    page = page_of(viewer, infant, now, _last(request, infant.local_day(now)), _n_days(request))
    place = place_of(request, infant_id, "protocol")
    shown = {
        "page": page,
        "infant": infant,
        "place": place,
        "choices": DAYS,
        "notice": SHOWN_NOTICE,
    }
    return render(request, "dashboard/report/protocol.html", shown)


def _infant(viewer: Viewer, infant_id: UUID) -> Infant:
    try:
        return infant_named(viewer, str(infant_id))
    except UnknownInfantError as error:
        raise Http404 from error


def _n_days(request: HttpRequest) -> int:
    """Return how many days are asked for; what is no choice is taken as none."""
    asked = request.GET.get("days", "")
    return int(asked) if asked in {str(days) for days in DAYS} else DEFAULT_DAYS


def _last(request: HttpRequest, today: dt.date) -> dt.date:
    """Return the last day that is asked for, today at the latest."""
    try:
        asked = dt.date.fromisoformat(request.GET.get("to", ""))
    except ValueError:
        return today
    return min(max(asked, dt.date(1971, 1, 1)), today)


@require_safe
@never_cache
@login_required
def report(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Show the form of a report, and the report that is asked for."""
    viewer, now = Viewer.of(request.user), timezone.now()
    infant = _infant(viewer, infant_id)
    form = ReportForm(infant.local_day(now), request.GET)
    wanted = form.wanted
    made = report_of(viewer, infant, now, wanted) if wanted else None
    if made and wanted and form.is_bound:
        note_report(viewer, infant, now, (wanted.first, wanted.last), PAGE)
    shown = {
        "form": form,
        "report": made,
        "infant": infant,
        "place": place_of(request, infant_id, "report"),
        "document_query": _query(wanted) if wanted else "",
        "notice": SHOWN_NOTICE,
    }
    return render(request, "dashboard/report/report.html", shown)


@require_safe
@never_cache
@login_required
def report_pdf(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Answer with the report as a document; a faulty question goes back to the form."""
    viewer, now = Viewer.of(request.user), timezone.now()
    infant = _infant(viewer, infant_id)
    wanted = ReportForm(infant.local_day(now), request.GET).wanted
    if wanted is None:
        form = reverse("dashboard:report", args=[infant.id])
        return HttpResponseRedirect(f"{form}?{request.GET.urlencode()}")
    # The library that writes documents is loaded by those who want one.
    from dashboard.report.pdf import write

    try:
        document = write(report_of(viewer, infant, now, wanted))
    except FontsMissingError as error:
        return HttpResponse(str(error), status=503, content_type="text/plain")
    note_report(viewer, infant, now, (wanted.first, wanted.last), DOCUMENT)
    name = f"iclas-report-{infant.id.hex[-6:]}-{wanted.first}-{wanted.last}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return HttpResponse(document, content_type="application/pdf", headers=headers)


def _query(wanted: Wanted) -> str:
    """Return what asks for the same report again."""
    days = [("from", wanted.first.isoformat()), ("to", wanted.last.isoformat())]
    return urlencode([*days, *(("include", key) for key in wanted.include)])
