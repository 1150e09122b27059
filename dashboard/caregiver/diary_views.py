"""The diary's pages and forms.

Guaranteed: what is written goes through `infants.diary` alone; a form that makes no sense comes
back with what was typed, each complaint beside its field; after every change one is where one was,
with the way back offered once. Everything works as plain forms.
"""

from collections.abc import Callable
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.caregiver.diary_page import diary_page
from dashboard.caregiver.forms import DiaryForm, infants_time
from dashboard.caregiver.notices import (
    ADDED,
    CHANGED,
    KNOWN,
    REMOVED,
    RESTORED,
    complain,
    remember,
)
from dashboard.caregiver.place import Place, fresh_key, place_of
from dashboard.caregiver.views import shown
from infants.access import Viewer, diary_changeable_by
from infants.diary import (
    Said,
    change_entry,
    remove_entry,
    restore_entry,
    wake,
    write_entry,
)
from infants.errors import BadEntryError, UnknownEntryError, UnknownInfantError
from infants.models import DiaryEntry, Infant

UNPROCESSABLE = 422
BACK = {"infant", "diary"}
"""Where one may go back to after a change: pages of the same infant."""


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def diary(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Show the diary by day, and write into it."""
    place = place_of(request, infant_id, "diary")
    with infants_time(place.infant):
        form = _new_form(request, place)
        if request.method == "POST":
            written = _write(request, place, form)
            if written is not None:
                return written
        page = diary_page(place, request.GET.get("cursor", ""))
        answer = shown(request, place, "diary", {"page": page, "form": form})
    answer.status_code = UNPROCESSABLE if request.method == "POST" else answer.status_code
    return answer


def _new_form(request: HttpRequest, place: Place) -> DiaryForm:
    if request.method == "POST":
        return DiaryForm(request.POST)
    asked = request.GET.get("kind", "")
    kind = asked if asked in DiaryEntry.Kind.values else DiaryEntry.Kind.TEMPERATURE
    return DiaryForm(initial={"kind": kind, "starts_at": place.now_there, "key": fresh_key()})


def _write(request: HttpRequest, place: Place, form: DiaryForm) -> HttpResponse | None:
    """Write what was typed and go back; None where it makes no sense."""
    if not form.is_valid():
        return None
    try:
        written = write_entry(place.viewer, place.infant.id, form.said(), form.cleaned_data["key"])
    except UnknownInfantError as error:
        raise Http404 from error
    except BadEntryError as error:
        form.refuse(error)
        return None
    remember(request, KNOWN if written.replayed else ADDED, written.entry)
    return _back(request, place.infant)


@require_POST
@never_cache
@login_required
def note_now(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Write down with one tap what happens now."""
    place = place_of(request, infant_id, "infant")
    form = DiaryForm({"kind": request.POST.get("kind", ""), "key": request.POST.get("key", "")})
    form.fields["starts_at"].required = False
    if not form.is_valid():
        raise Http404
    said = Said(form.cleaned_data["kind"], place.now.replace(microsecond=0))
    try:
        written = write_entry(place.viewer, infant_id, said, form.cleaned_data["key"])
    except UnknownInfantError as error:
        raise Http404 from error
    except BadEntryError as error:
        complain(request, str(error))
    else:
        remember(request, KNOWN if written.replayed else ADDED, written.entry)
    return _back(request, place.infant)


@require_POST
@never_cache
@login_required
def awake_now(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """End the sleep that goes on."""
    place = place_of(request, infant_id, "infant")
    try:
        sleep = wake(place.viewer, infant_id, place.now.replace(microsecond=0))
    except UnknownInfantError as error:
        raise Http404 from error
    if sleep is not None:
        before = Said(sleep.kind, sleep.starts_at, None, None, sleep.text)
        remember(request, CHANGED, sleep, before)
    return _back(request, place.infant)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def entry(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Show one entry to be changed, and change it."""
    viewer = Viewer.of(request.user)
    found = _changeable(viewer, entry_id)
    place = place_of(request, found.infant_id, "diary")
    before = Said.of(found)
    with infants_time(place.infant):
        form = DiaryForm(request.POST if request.method == "POST" else None, initial=vars(before))
        if request.method == "POST" and form.is_valid():
            try:
                remember(request, CHANGED, change_entry(viewer, entry_id, form.said()), before)
                return _back(request, place.infant)
            except BadEntryError as error:
                form.refuse(error)
        answer = shown(request, place, "entry", {"form": form, "entry": found})
    answer.status_code = UNPROCESSABLE if form.errors else answer.status_code
    return answer


@require_POST
@never_cache
@login_required
def remove(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Take an entry out of the diary."""
    return _marked(request, entry_id, remove_entry, REMOVED)


@require_POST
@never_cache
@login_required
def restore(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Bring a removed entry back."""
    return _marked(request, entry_id, restore_entry, RESTORED)


# --- what they share -----------------------------------------------------------------------------

Mark = Callable[[Viewer, UUID], DiaryEntry]


def _marked(request: HttpRequest, entry_id: UUID, mark: Mark, done: str) -> HttpResponse:
    try:
        marked = mark(Viewer.of(request.user), entry_id)
    except UnknownEntryError as error:
        raise Http404 from error
    remember(request, done, marked)
    return _back(request, marked.infant)


def _changeable(viewer: Viewer, entry_id: UUID) -> DiaryEntry:
    entries = diary_changeable_by(viewer).filter(removed_at=None)
    found = entries.filter(id=entry_id).select_related("infant").first()
    if found is None:
        raise Http404
    return found


def _back(request: HttpRequest, infant: Infant) -> HttpResponseRedirect:
    """Return to the page from which the form was sent."""
    asked = request.POST.get("back", "")
    answer = redirect(f"dashboard:{asked if asked in BACK else 'diary'}", infant.id)
    answer.status_code = 303
    return answer
