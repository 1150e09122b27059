"""The readings' pages: what waits for a reader, one item, and what a study found.

What comes in: requests of people who signed in. What goes out: pages, audio, a table. Guaranteed:
a task of others answers like one that does not exist; a page of a blinded task holds no name, no
time, no score, no id of infant or recording, and nobody else's opinion; audio comes under the
reading's own address, without a header that would tell whose it is.
"""

import csv
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from anomaly.errors import ReadingPlanError
from anomaly.models import Reader, ReadingTask
from anomaly.notice import SHOWN_NOTICE
from anomaly.reading_tasks import begin_reading, close_reading, may_read_on, read_item
from anomaly.selectors import readings as selectors
from dashboard.readings.forms import OpinionForm, PlanForm
from dashboard.readings.pages import ItemPage, item_page, next_place, owner_page, reader_page
from infants.access import Viewer
from infants.models import Recording

SAYS_NOTHING = ("Content-Type", "Content-Length", "Content-Range", "Accept-Ranges")
PLAYED = (200, 206, 416)


@require_safe
@never_cache
@login_required
def readings(request: HttpRequest) -> HttpResponse:
    """List what waits to be read, and the viewer's own studies."""
    viewer = Viewer.of(request.user)
    owned = selectors.owned_tasks(viewer)
    shown = {
        "to_read": selectors.tasks_to_read(viewer),
        "owned": [(one, selectors.progress_in(one)) for one in owned],
        "may_begin": selectors.choosable_infants(viewer).exists(),
        "notice": SHOWN_NOTICE,
    }
    return render(request, "dashboard/readings/list.html", shown)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def begin(request: HttpRequest) -> HttpResponse:
    """Plan a study."""
    viewer = Viewer.of(request.user)
    if not selectors.choosable_infants(viewer).exists():
        raise Http404
    form = PlanForm(viewer, request.POST) if request.method == "POST" else PlanForm(viewer)
    if form.is_bound and form.is_valid():
        try:
            made = begin_reading(viewer, form.plan())
        except ReadingPlanError as error:
            form.add_error(error.field, str(error))
        else:
            return redirect("dashboard:reading", made.id)
    status = 422 if form.is_bound else 200
    return render(request, "dashboard/readings/new.html", {"form": form}, status=status)


@require_safe
@never_cache
@login_required
def task(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Show a task to its owner, or to one of its readers."""
    viewer = Viewer.of(request.user)
    owned = selectors.owned_tasks(viewer).filter(id=task_id).first()
    reader = selectors.reader_of(viewer, task_id)
    if owned is None and reader is None:
        raise Http404
    shown: dict[str, Any] = {"task": owned or _task_of(reader), "notice": SHOWN_NOTICE}
    if owned is not None:
        shown["owner"] = owner_page(owned)
    if reader is not None:
        shown["reader"] = reader_page(viewer, reader)
    return render(request, "dashboard/readings/task.html", shown)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def item(request: HttpRequest, task_id: UUID, place: int) -> HttpResponse:
    """Let a reader hear an item and say what it is."""
    viewer = Viewer.of(request.user)
    reader, page = _item(viewer, task_id, place)
    form = OpinionForm(initial=page.said)
    if request.method == "POST":
        form = OpinionForm(request.POST)
        if form.is_valid():
            said = form.cleaned_data
            if read_item(viewer, task_id, place, said["opinion"], said["confidence"]) is None:
                raise Http404
            return _on(viewer, reader)
    shown = {"page": page, "form": form, "task": reader.task}
    status = 422 if form.is_bound else 200
    return render(request, "dashboard/readings/item.html", shown, status=status)


@require_safe
@never_cache
@login_required
def audio(request: HttpRequest, task_id: UUID, place: int, number: int) -> HttpResponseBase:
    """Play a recording of an item."""
    viewer = Viewer.of(request.user)
    _, page = _item(viewer, task_id, place)
    if not 1 <= number <= len(page.recordings):
        raise Http404
    return _played(request, page.recordings[number - 1])


@require_POST
@never_cache
@login_required
def close(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """End a task before everything is read."""
    if close_reading(Viewer.of(request.user), task_id) is None:
        raise Http404
    return redirect("dashboard:reading", task_id)


@require_safe
@never_cache
@login_required
def export(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Hand the owner of a task that is done every reading, without names."""
    owned = selectors.owned_tasks(Viewer.of(request.user)).filter(id=task_id).first()
    if owned is None or not selectors.is_done(owned, selectors.progress_in(owned)):
        raise Http404
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="readings-{str(owned.id)[:8]}.csv"'
    writer = csv.DictWriter(answer, selectors.COLUMNS)
    writer.writeheader()
    writer.writerows(selectors.rows_of(owned))
    return answer


def _task_of(reader: Reader | None) -> ReadingTask:
    if reader is None:
        raise Http404
    return reader.task


def _item(viewer: Viewer, task_id: UUID, place: int) -> tuple[Reader, ItemPage]:
    """Return an item as its reader may hear it now; nobody hears one of a task that is done."""
    reader = selectors.reader_of(viewer, task_id)
    if reader is None or not may_read_on(viewer, reader):
        raise Http404
    page = item_page(viewer, reader, place)
    if page is None:
        raise Http404
    return reader, page


def _on(viewer: Viewer, reader: Reader) -> HttpResponse:
    """Go on to the next item that is not read, or back to the task where all are."""
    place = next_place(viewer, reader)
    if place is None:
        return redirect("dashboard:reading", reader.task_id)
    return redirect("dashboard:reading-item", reader.task_id, place)


def _played(request: HttpRequest, recording: Recording) -> HttpResponseBase:
    """Return what the recording's own address answers, without what tells whose it is."""
    try:
        match = resolve(f"/recordings/{recording.id}/audio/")
    except Resolver404 as error:
        raise Http404 from error
    answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    if answer.status_code not in PLAYED:
        raise Http404
    for header in set(answer.headers) - set(SAYS_NOTHING):
        del answer.headers[header]
    return answer
