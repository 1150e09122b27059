"""What happens with an infant's audio, what is agreed to, and erasing it all."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from anomaly.erasure import erase_infant, erasure_of
from dashboard.start import steps
from dashboard.start.asking import is_starting, page, page_for, person_of, viewer_of
from dashboard.start.forms import DAYS_KEPT, AgreementForm, EraseForm
from infants.consents import consents_of
from infants.household import agree
from infants.selectors import managed_infant


@page_for("GET", "HEAD", "POST")
def audio(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Settle how long audio is kept, and what is agreed to."""
    infant = managed_infant(viewer_of(request), infant_id)
    given = consents_of(infant)
    known = {
        "audio_policy": infant.audio_policy,
        "audio_kept_days": infant.audio_kept_days or DAYS_KEPT,
        **dict.fromkeys(given, True),
    }
    form = AgreementForm(request.POST or None, initial=known)
    if form.is_valid():
        agree(viewer_of(request), person_of(request), infant_id, form.agreement())
        if is_starting(request):
            return redirect(steps.after(steps.AGREE, infant))
        messages.success(request, _("Saved."))
        return redirect("dashboard:infant-settings", infant_id)
    shown = {"infant": infant, "form": form, "given": given}
    return page(request, "audio", shown | {"onward": steps.after(steps.AGREE, infant)}, steps.AGREE)


@page_for("GET", "HEAD", "POST")
def erase(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Erase everything of an infant, once the name is typed."""
    infant = managed_infant(viewer_of(request), infant_id)
    form = EraseForm(request.POST or None, infant_name=infant.name)
    if form.is_valid():
        proof = erase_infant(viewer_of(request), infant_id)
        return redirect("dashboard:erased", proof.id)
    shown = {"infant": infant, "form": form, "n_recordings": infant.recordings.count()}
    return page(request, "erase", shown)


@page_for("GET", "HEAD")
def erased(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    """Show the proof of an erasure to whoever erased."""
    proof = erasure_of(viewer_of(request), erasure_id)
    if proof is None:
        raise Http404
    rows = [(_in_words(kind), count) for kind, count in proof.rows.items() if count]
    return page(request, "erased", {"proof": proof, "rows": rows})


def _in_words(kind: str) -> str:
    """Return what rows of a kind are called."""
    known = {
        "infants.Infant": _("Name and dates"),
        "infants.Recording": _("Recordings"),
        "infants.Cry": _("Cries"),
        "infants.RecordingSession": _("Bouts of crying"),
        "infants.DiaryEntry": _("Diary entries"),
        "infants.Membership": _("People’s access"),
        "infants.DeviceAssignment": _("Monitors’ assignments"),
        "devices.Heartbeat": _("Monitors’ heartbeats"),
        "devices.Presence": _("When monitors were there"),
        "infants.Consent": _("Consents"),
        "infants.Invitation_infants": _("Invitations"),
        "infants.PairingCode": _("Pairing codes"),
        "bridge.Publication": _("Times at the home’s broker"),
        "notify.Suspension": _("Times in which messages were suspended"),
        "infants.CalendarFeed": _("Calendar addresses"),
        "infants.Household": _("Household"),
        "anomaly.PersonalModel": _("Personal models"),
        "anomaly.ScorePoint": _("Points of the timeline"),
        "anomaly.RecordingJudgement": _("Judgements of recordings"),
        "anomaly.SessionJudgement": _("Judgements of bouts"),
        "anomaly.GateDecision": _("Decisions of the gate"),
        "anomaly.SessionSummary": _("Summaries of bouts"),
        "anomaly.BaselineEntry": _("What was learnt from"),
        "anomaly.DailyRollup": _("Summaries of days"),
        "anomaly.Episode": _("Episodes"),
        "anomaly.Event": _("Events"),
    }
    return known.get(kind, kind)
