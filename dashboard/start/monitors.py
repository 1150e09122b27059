"""Monitors of an infant: pairing one, this phone as one, the list, and letting one go."""

from uuid import UUID

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from dashboard.start import steps
from dashboard.start.asking import absolute, page, page_for, person_of, viewer_of
from infants.access import Right, infants_for
from infants.errors import UnknownInfantError
from infants.models import Infant
from infants.monitors import monitors_of, revoke_monitor
from infants.pairing import offer_pairing, offered_pairing
from infants.selectors import infant_named, managed_infant


@page_for("GET", "HEAD")
def monitors(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """List the monitors that serve the infant, and those that did."""
    found = monitors_of(viewer_of(request), infant_id)
    return page(request, "monitors", {"infant": found.infant, "monitors": found})


@page_for("GET", "HEAD", "POST")
def pair(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Show a code by which one device may join; each asking draws a new one."""
    infant = managed_infant(viewer_of(request), infant_id)
    shown = {"infant": infant, "onward": steps.after(steps.LISTEN, infant)}
    if request.method == "POST":
        offer = offer_pairing(viewer_of(request), person_of(request), infant_id)
        where = absolute(request, reverse("pair-device"))
        shown |= {"offer": offer, "where": where, "picture": drawn(f"{where}#{offer.code}")}
        shown |= {"offered": offer.kept, "lives_s": _lives_s(offer.kept.expires_at)}
    return page(request, "pair", shown, steps.LISTEN)


@page_for("GET", "HEAD")
def pair_state(request: HttpRequest, infant_id: UUID, offer_id: UUID) -> HttpResponse:
    """Say whether a device has joined by a code; a part of the page that shows the code."""
    infant = managed_infant(viewer_of(request), infant_id)
    offered = offered_pairing(viewer_of(request), infant, offer_id)
    if offered is None:
        raise UnknownInfantError(str(offer_id))
    shown = {"infant": infant, "offered": offered, "lives_s": _lives_s(offered.expires_at)}
    shown["onward"] = steps.after(steps.LISTEN, infant)
    return page(request, "_joined", shown)


@page_for("POST")
def revoke(request: HttpRequest, infant_id: UUID, device_id: UUID) -> HttpResponse:
    """Let a monitor go."""
    serving = {one.id for one in monitors_of(viewer_of(request), infant_id).serving}
    if device_id not in serving:
        raise UnknownInfantError(str(device_id))
    gone = revoke_monitor(viewer_of(request), device_id)
    messages.success(request, _("%(name)s is disconnected.") % {"name": gone.name})
    return redirect("dashboard:monitors", infant_id)


@page_for("GET", "HEAD")
def phone(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Let this phone listen; what it records takes the way of any monitor's recordings."""
    infant = infant_named(viewer_of(request), str(infant_id))
    if not getattr(infant, "is_identified", False):  # a researcher has no business by the bed
        raise UnknownInfantError(str(infant_id))
    shown = {
        "infant": infant,
        "manages": _manages(request, infant),
        "words": words_of_the_recorder(),
        "onward": steps.after(steps.LISTEN, infant),
    }
    return page(request, "phone", shown, steps.LISTEN)


@page_for("POST")
def phone_code(request: HttpRequest, infant_id: UUID) -> HttpResponse:
    """Give the page a code with which the phone pairs itself, as any device does."""
    offer = offer_pairing(viewer_of(request), person_of(request), infant_id)
    return JsonResponse({"code": offer.code}, status=201)


def drawn(text: str) -> SafeString:
    """Return a QR code as a drawing, whose colours the style sheet gives."""
    code = segno.make(text, error="m", micro=False)
    drawing = code.svg_inline(
        border=4, omitsize=True, svgclass="qr", lineclass="qr-line", title=_("QR code")
    )
    return SafeString(drawing)  # drawn here, of digits alone


def words_of_the_recorder() -> dict[str, str]:
    """Return what the recorder says, in the reader's language."""
    return {
        "device": _("Phone"),
        "idle": _("Not listening."),
        "asking": _("Asking for the microphone…"),
        "listening": _("Listening. A clip begins by itself when it gets loud."),
        "recording": _("Recording a clip…"),
        "interrupted": _("The microphone was taken away. Press “Start listening” again."),
        "refused": _(
            "The microphone was refused. Allow it for this page in the browser’s settings, "
            "then press “Start listening” again."
        ),
        "no_microphone": _("There is no microphone on this device."),
        "unable": _(
            "This browser cannot record here. The microphone needs an address that begins "
            "with https, and a current browser."
        ),
        "unpaired": _("This phone may not send. Ask who manages the infant’s records."),
        "ended": _(
            "This phone was disconnected and has stopped listening. Press “Start listening” to "
            "connect it again."
        ),
        "offline": _("No network: the clips are kept on this phone until there is one."),
        "full": _("There is no room left on this phone for another clip."),
        "awake": _("The screen stays on while this page listens."),
        "asleep": _("This browser may turn the screen off; listening then ends."),
    }


def _manages(request: HttpRequest, infant: Infant) -> bool:
    return infants_for(viewer_of(request), Right.MANAGE).filter(id=infant.id).exists()


def _lives_s(expires_at: object) -> int:
    left = expires_at - timezone.now()  # type: ignore[operator]
    return max(0, round(left.total_seconds()))
