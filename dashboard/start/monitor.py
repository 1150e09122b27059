"""A monitor's own page: how it is, what is asked of it, and what can be done with it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from dashboard.start.asking import page, page_for, viewer_of
from dashboard.start.monitor_forms import MonitorForm, RenameForm, ServeForm
from dashboard.start.monitor_page import monitor_page
from infants.errors import DeviceGoneError
from infants.monitors import (
    monitor_named,
    reassign_monitor,
    rename_monitor,
    renew_token,
    revoke_monitor,
    set_monitor,
    try_out_monitor,
)


@page_for("GET", "HEAD", "POST")
def monitor(request: HttpRequest, device_id: UUID) -> HttpResponse:
    """Show a monitor, and take what is asked of it."""
    viewer, now = viewer_of(request), timezone.now()
    shown = monitor_page(viewer, monitor_named(viewer, device_id), now)
    form = MonitorForm(request.POST or None, initial=MonitorForm.initial_of(shown.settings))
    if form.is_valid():
        set_monitor(viewer, device_id, form.asked(now))
        messages.success(request, _("Saved. The monitor does so when it looks the next time."))
        return redirect("dashboard:monitor", device_id)
    forms = {"serve": ServeForm(shown.others), "rename": RenameForm({"name": shown.device.name})}
    return page(request, "monitor", {"infant": shown.infant, "shown": shown, "form": form} | forms)


@page_for("POST")
def rename(request: HttpRequest, device_id: UUID) -> HttpResponse:
    """Call a monitor otherwise; without a name it keeps the one that it has."""
    viewer, form = viewer_of(request), RenameForm(request.POST)
    device = monitor_named(viewer, device_id)
    if form.is_valid():
        rename_monitor(viewer, device.id, form.cleaned_data["name"])
    return redirect("dashboard:monitor", device.id)


@page_for("POST")
def serve(request: HttpRequest, device_id: UUID) -> HttpResponse:
    """Let a monitor serve another infant from now on."""
    viewer = viewer_of(request)
    shown = monitor_page(viewer, monitor_named(viewer, device_id), timezone.now())
    form = ServeForm(shown.others, request.POST)
    if form.is_valid() and shown.device.revoked_at is None:
        infant = form.cleaned_data["infant"]
        reassign_monitor(viewer, device_id, infant.id)
        said = _("%(monitor)s listens to %(name)s from now on.")
        messages.success(request, said % {"monitor": shown.device.name, "name": infant.name})
    return redirect("dashboard:monitor", device_id)


@page_for("POST")
def try_out(request: HttpRequest, device_id: UUID) -> HttpResponse:
    """Begin or end the trying out of a monitor."""
    is_sandbox = request.POST.get("is_sandbox") == "1"
    try_out_monitor(viewer_of(request), device_id, is_sandbox=is_sandbox)
    if is_sandbox:
        messages.success(request, _("What it sends is stored and not judged, until you end this."))
    else:
        messages.success(request, _("What it sends is judged again from now on."))
    return redirect("dashboard:monitor", device_id)


@page_for("POST")
def new_token(request: HttpRequest, device_id: UUID) -> HttpResponse:
    """Show a new token, this once."""
    viewer = viewer_of(request)
    device = monitor_named(viewer, device_id)
    try:
        token = renew_token(viewer, device_id)
    except DeviceGoneError:
        return redirect("dashboard:monitor", device_id)
    shown = monitor_page(viewer, device, timezone.now())
    return page(request, "monitor_token", {"infant": shown.infant, "shown": shown, "token": token})


@page_for("POST")
def disconnect(request: HttpRequest, device_id: UUID) -> HttpResponse:
    """Let a monitor go."""
    gone = revoke_monitor(viewer_of(request), device_id)
    messages.success(request, _("%(name)s is disconnected.") % {"name": gone.name})
    return redirect("dashboard:monitor", device_id)
