"""The timeline's views: who asks, for which infant and which stretch; the rest is elsewhere.

Guaranteed: nobody sees anything without signing in; an infant, or a recording, that the viewer may
not see answers like one that does not exist; nothing is kept by browsers or between them and here.
What the script loads into the page (`X-Requested-With`) is a part of what the link itself shows.
"""

import datetime as dt
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from anomaly.notice import SHOWN_NOTICE
from dashboard import words
from dashboard.timeline.asked import asked_of, moment_in
from dashboard.timeline.compare import comparison_of, ends_in
from dashboard.timeline.document import document
from dashboard.timeline.page import latest_of, page_of, stretch_words
from dashboard.timeline.panel import panel_of, similar_lines, visible_recording
from dashboard.timeline.reading import Reading, read
from dashboard.timeline.tables import TABLES, TITLES, Table, as_csv, page_of_table
from infants.access import Viewer
from infants.errors import UnknownInfantError
from infants.models import Infant, Recording
from infants.notes import may_write, write_note
from infants.selectors import infant_named

PART = "fetch"


@require_safe
@never_cache
@login_required
def timeline(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Show one infant's timeline."""
    viewer, infant = _seen(request, infant_id)
    page = page_of(viewer, infant, request.GET, timezone.now())
    latest = page.script["life"]["to"] / 1000
    ends = ends_in({}, infant, dt.datetime.fromtimestamp(latest, dt.UTC))
    shown = {"page": page, "infant": infant, "notice": SHOWN_NOTICE, "ends": ends}
    shown |= {"was_noted": "noted" in request.GET}
    return render(request, "dashboard/timeline/timeline.html", shown)


@require_safe
@never_cache
@gzip_page
@login_required
def data(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Answer what there is to draw of a stretch, as fine as the width has room for."""
    return JsonResponse(document(_reading(request, infant_id)))


@require_safe
@never_cache
@login_required
def table(request: HttpRequest, infant_id: UUID, name: str) -> HttpResponse:
    """Show a page of the table behind a chart."""
    reading = _reading(request, infant_id)
    found = _table(reading, name)
    asked = request.GET.get("page", "")
    page = page_of_table(found, int(asked) if asked.isascii() and asked.isdigit() else 1)
    shown = {
        "behind": {"name": name, "title": TITLES[name], "page": page},
        "infant": reading.infant,
        "name": _name(reading.infant),
        "asked": reading.asked,
        "stretch_words": stretch_words(reading.asked, reading.infant),
        "notice": SHOWN_NOTICE,
    }
    return render(request, _template(request, "table"), shown)


@require_safe
@never_cache
@gzip_page
@login_required
def table_file(request: HttpRequest, infant_id: UUID, name: str) -> HttpResponse:
    """Send the table behind a chart as a file."""
    reading = _reading(request, infant_id)
    found = _table(reading, name)
    answer = HttpResponse(as_csv(found), content_type="text/csv; charset=utf-8")
    day = reading.infant.local_day(reading.asked.start).isoformat()
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{day}.csv"'
    return answer


@require_safe
@never_cache
@login_required
def recording(request: HttpRequest, infant_id: UUID, recording_id: UUID) -> HttpResponse:
    """Show what was said of a recording."""
    viewer, infant = _seen(request, infant_id)
    found = _recording(viewer, infant, recording_id)
    name = _name(infant)
    panel = panel_of(viewer, infant, found, name, timezone.now())
    shown = {"panel": panel, "infant": infant, "name": name, "notice": SHOWN_NOTICE}
    return render(request, _template(request, "recording"), shown)


@require_safe
@never_cache
@login_required
def similar(request: HttpRequest, infant_id: UUID, recording_id: UUID) -> HttpResponse:
    """Show the recordings that sound most like one."""
    viewer, infant = _seen(request, infant_id)
    found = _recording(viewer, infant, recording_id)
    now = timezone.now()
    shown = {
        "lines": similar_lines(viewer, infant, found, now),
        "time": words.time_words(infant, found.recorded_at, now),
        "infant": infant,
        "name": _name(infant),
        "recording_id": recording_id,
    }
    return render(request, _template(request, "similar"), shown)


@require_safe
@never_cache
@login_required
def compare(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Show what differs between two stretches of time."""
    viewer, infant = _seen(request, infant_id)
    ends = ends_in(request.GET, infant, latest_of(viewer, infant, timezone.now()))
    shown = {
        "comparison": comparison_of(viewer, infant, ends),
        "ends": ends,
        "infant": infant,
        "name": _name(infant),
        "notice": SHOWN_NOTICE,
    }
    return render(request, _template(request, "compare"), shown)


@require_POST
@never_cache
@login_required
def note(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Write a note about a moment in the diary."""
    viewer, infant = _seen(request, infant_id)
    if not may_write(viewer, infant.id):
        raise Http404
    text = request.POST.get("text", "")
    moment = moment_in(request.POST.get("at", ""), infant)
    problem = _problem(text, moment)
    is_part = request.headers.get("X-Requested-With") == PART
    if problem or moment is None:
        shown = {"infant": infant, "at": request.POST.get("at", ""), "text": text}
        shown |= {"problem": problem, "name": _name(infant)}
        return render(request, _template(request, "note"), shown, status=422)
    write_note(viewer, infant.id, text, moment)
    if is_part:
        return render(request, "dashboard/timeline/_noted.html", {"infant": infant})
    at = moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%MZ")
    back = reverse("dashboard:timeline", args=[infant.id])
    return HttpResponseRedirect(f"{back}?{urlencode({'at': at, 'span': '7d', 'noted': '1'})}")


def _problem(text: str, moment: dt.datetime | None) -> str:
    if moment is None:
        return _("This is no time that can be read.")
    return "" if text.strip() else _("Write a few words first.")


def _seen(request: HttpRequest, infant_id: UUID) -> tuple[Viewer, Infant]:
    viewer = Viewer.of(request.user)
    try:
        return viewer, infant_named(viewer, str(infant_id))
    except UnknownInfantError as error:
        raise Http404 from error


def _recording(viewer: Viewer, infant: Infant, recording_id: UUID) -> Recording:
    found = visible_recording(viewer, infant, recording_id)
    if found is None:
        raise Http404
    return found


def _reading(request: HttpRequest, infant_id: UUID) -> Reading:
    viewer, infant = _seen(request, infant_id)
    now = timezone.now()
    return read(viewer, infant, asked_of(request.GET, infant, latest_of(viewer, infant, now)), now)


def _table(reading: Reading, name: str) -> Table:
    if name not in TABLES:
        raise Http404
    return TABLES[name](reading)


def _name(infant: Any) -> str:  # noqa: ANN401  an infant as a selector annotates it
    return words.called(infant, is_identified=infant.is_identified)


def _template(request: HttpRequest, name: str) -> str:
    """Return the part alone for the script, the whole page for everybody else."""
    is_part = request.headers.get("X-Requested-With") == PART
    return f"dashboard/timeline/{'_' if is_part else ''}{name}.html"
