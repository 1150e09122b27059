"""The clinician's pages: the list, one patient, and what is said of one.

What comes in: requests of people who signed in. What goes out: pages, parts of them for htmx, or a
way back. Guaranteed: a patient whom the viewer may not review answers like one that does not exist;
all of it works without a script.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from anomaly.models import PatientReview
from anomaly.notice import SHOWN_NOTICE
from anomaly.rounds import mark_reviewed, undo_review
from anomaly.selectors import patients as selectors
from anomaly.selectors.patients import Patient, reviews_of_patient
from dashboard.patients import rows, words
from dashboard.patients.asked import DATA, PERIODS, SORTS, WHOSE, Asked
from dashboard.patients.forms import NoteForm, ReviewForm
from infants.access import Viewer, patients_of
from infants.notes import newest_notes, write_note


@require_safe
@never_cache
@login_required
def patients(request: HttpRequest) -> HttpResponse:
    """List the patients, who needs a look first."""
    viewer, now = Viewer.of(request.user), timezone.now()
    has_own = patients_of(viewer).exists()
    asked = Asked.of(request.GET, has_own=has_own)
    everybody = selectors.patients(viewer, now, asked.whose)
    found = rows.chosen(everybody, asked, now)
    shown = {
        "notice": SHOWN_NOTICE,
        "sections": rows.sections_of(viewer, found, now),
        "clock": rows.clock_words(everybody, now),
        "columns": rows.columns_of(asked),
        "n_shown": len(found),
        "n_all": len(everybody),
        "asked": asked,
        "has_own": has_own,
        "choices": {"period": PERIODS, "data": DATA, "whose": WHOSE, "sort": SORTS},
    }
    return render(request, "dashboard/patients/list.html", shown)


@require_safe
@never_cache
@login_required
def patient(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Show one patient: why, who has looked, and what the team noted."""
    return _patient_page(request, infant_id, ReviewForm(), NoteForm())


@require_POST
@never_cache
@login_required
def mark(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Say that a patient was looked at."""
    form = ReviewForm(request.POST)
    viewer = Viewer.of(request.user)
    if not form.is_valid():
        return _patient_page(request, infant_id, form, NoteForm(), status=422)
    said = form.cleaned_data
    review = mark_reviewed(viewer, infant_id, said["seen"], said["note"])
    return _answer(request, viewer, review, _("Marked as reviewed."))


@require_POST
@never_cache
@login_required
def undo(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """Take a review back."""
    viewer = Viewer.of(request.user)
    return _answer(request, viewer, undo_review(viewer, review_id), _("The review is taken back."))


@require_POST
@never_cache
@login_required
def note(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Note something in the infant's diary."""
    viewer, form = Viewer.of(request.user), NoteForm(request.POST)
    if not form.is_valid():
        return _patient_page(request, infant_id, ReviewForm(), form, status=422)
    if write_note(viewer, infant_id, form.cleaned_data["text"]) is None:
        raise Http404
    return redirect(_way_back(request, infant_id))


def _answer(
    request: HttpRequest, viewer: Viewer, review: PatientReview | None, said: str
) -> HttpResponse:
    """Answer with the part of the page that changed, or with the way back to it."""
    if review is None:
        raise Http404
    if "HX-Request" not in request.headers:
        return redirect(_way_back(request, review.infant_id))
    now = timezone.now()
    shown = rows.reviewed(viewer, _patient(viewer, review.infant_id, now), now)
    named = {"review": shown, "said": f"{shown.name}: {said}", "back": request.POST.get("back", "")}
    return render(request, "dashboard/patients/_reviewed.html", named)


def _way_back(request: HttpRequest, infant_id: UUID) -> str:
    """Return where the form was, if that is a page of ours, with the patient in sight."""
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    page = back if back and is_ours else reverse("dashboard:patient", args=[infant_id])
    return f"{page.partition('#')[0]}#patient-{infant_id}"


def _patient(viewer: Viewer, infant_id: UUID, now: dt.datetime) -> Patient:
    found = selectors.patient_named(viewer, infant_id, now)
    if found is None:
        raise Http404
    return found


def _patient_page(
    request: HttpRequest, infant_id: UUID, form: ReviewForm, note_form: NoteForm, status: int = 200
) -> HttpResponse:
    viewer, now = Viewer.of(request.user), timezone.now()
    found = _patient(viewer, infant_id, now)
    infant = found.infant
    shown: dict[str, Any] = {
        "row": rows.row_of(viewer, found, now),
        "form": form,
        "note_form": note_form,
        "history": [
            rows.review_row(viewer, found, one, now) for one in reviews_of_patient(viewer, infant)
        ],
        "notes": [
            (words.person(one.author), words.moment_words(infant, one.starts_at), one.text)
            for one in newest_notes(viewer, infant)
        ],
        "zone": infant.time_zone,
    }
    return render(
        request, "dashboard/patients/patient.html", {"notice": SHOWN_NOTICE} | shown, status=status
    )
