"""A monitor's own page in words: how it is, what it told, and what nobody could read of it.

What comes in: a device that the viewer manages, and the moment. What goes out: a `MonitorPage` that
a template only prints. Guaranteed: a fixed number of queries; times are by the clock of the infant
whom it serves.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.utils.formats import date_format, number_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from devices.heartbeats import silent_after
from devices.models import Device, DeviceSettings
from devices.selectors import settings_of
from infants.access import Viewer
from infants.clock import LEAST_CORRECTED_S
from infants.errors import UnknownDeviceError
from infants.models import Infant, Recording
from infants.monitors import sent_by, undecoded_of
from infants.selectors import managed_infants
from infants.states import Reason

MOST_SHOWN = 10
DAY_S, HOUR_S, MINUTE_S = 86400, 3600, 60


@dataclass(frozen=True)
class Sent:
    """Something that a monitor sent: when it came, what it is, and why nothing was made of it."""

    time: str
    what: str
    why: str


@dataclass(frozen=True)
class MonitorPage:
    """Everything to print; `others` are whom it may serve instead."""

    device: Device
    infant: Infant
    state: str
    is_well: bool
    facts: list[tuple[str, str]]
    settings: DeviceSettings
    others: list[Infant]
    undecoded: list[Sent]
    n_undecoded: int
    tried_out: list[Sent]


def monitor_page(viewer: Viewer, device: Device, now: dt.datetime) -> MonitorPage:
    """Return the page of a device that the viewer manages."""
    own: UUID | None = getattr(device, "infant_id", None)
    infants = {infant.id: infant for infant in managed_infants(viewer)}
    if own not in infants:  # it never served anybody
        raise UnknownDeviceError(device.id)
    infant = infants.pop(own)
    held, undecoded = settings_of(device), undecoded_of(device)
    return MonitorPage(
        device=device,
        infant=infant,
        state=state_words(device, held, now),
        is_well=not is_silent(device, now) and device.revoked_at is None,
        facts=_facts(device, now),
        settings=held,
        others=list(infants.values()),
        undecoded=[_sent(infant, one) for one in undecoded[:MOST_SHOWN]],
        n_undecoded=undecoded.count(),
        tried_out=[
            _sent(infant, one) for one in sent_by(device, reason=Reason.SANDBOX)[:MOST_SHOWN]
        ],
    )


def is_silent(device: Device, now: dt.datetime) -> bool:
    """Tell whether a monitor that sends heartbeats has fallen silent."""
    seen_at = device.last_seen_at
    if device.last_heartbeat_at is None or seen_at is None:
        return False
    return device.left_at is None and now - seen_at > silent_after()


def state_words(device: Device, held: DeviceSettings, now: dt.datetime) -> str:
    """Say in one sentence how a monitor is."""
    if device.revoked_at is not None:
        return _("It is disconnected and can send nothing more.")
    if device.last_seen_at is None:
        return _("Nothing has come from it yet.")
    if device.left_at is not None:
        return _("It was switched off %(time)s ago.") % {
            "time": timesince(device.left_at, now, depth=1)
        }
    if is_silent(device, now):
        return _("Nothing has come from it for %(time)s.") % {
            "time": timesince(device.last_seen_at, now, depth=1)
        }
    if device.is_sandbox:
        return _("It is being tried out: what it sends is stored and not judged.")
    if held.suspended_until is not None and held.suspended_until > now:
        return _("It is asked to record nothing for %(time)s.") % {
            "time": timesince(now, held.suspended_until, depth=1)
        }
    return _("It is there.")


def clock_words(device: Device) -> str:
    """Say how far a monitor's clock is off."""
    skew_s = device.clock_skew_s
    if skew_s is None:
        return _("It has not told its time.")
    if abs(skew_s) < LEAST_CORRECTED_S:
        return _("It goes right.")
    by = {"by": span_words(abs(skew_s))}
    if skew_s > 0:
        return _("It is %(by)s ahead; the times of what it sends are corrected.") % by
    return _("It is %(by)s behind; the times of what it sends are corrected.") % by


def span_words(seconds: float) -> str:
    """Return a span of time in its largest unit."""
    if seconds < 2 * MINUTE_S:
        n = round(seconds)
        return ngettext("%(n)d second", "%(n)d seconds", n) % {"n": n}
    if seconds < 2 * HOUR_S:
        n = round(seconds / MINUTE_S)
        return ngettext("%(n)d minute", "%(n)d minutes", n) % {"n": n}
    if seconds < 2 * DAY_S:
        n = round(seconds / HOUR_S)
        return ngettext("%(n)d hour", "%(n)d hours", n) % {"n": n}
    n = round(seconds / DAY_S)
    return ngettext("%(n)d day", "%(n)d days", n) % {"n": n}


def _facts(device: Device, now: dt.datetime) -> list[tuple[str, str]]:
    unknown = _("not told")
    battery = unknown
    if device.battery_frac is not None:
        battery = _("%(n)d %%") % {"n": round(100 * device.battery_frac)}
    queue = unknown if device.queue_length is None else str(number_format(device.queue_length))
    return [
        (_("Last heard from"), _ago(device.last_seen_at, now)),
        (_("Last heartbeat"), _ago(device.last_heartbeat_at, now)),
        (_("Battery"), battery),
        (_("Clock"), clock_words(device)),
        (_("Waiting on it to be sent"), queue),
        (_("Version of its software"), device.firmware or unknown),
        (_("What it is"), device.hardware or str(Device.Kind(device.kind).label)),
    ]


def _ago(moment: dt.datetime | None, now: dt.datetime) -> str:
    if moment is None:
        return _("not yet")
    if (now - moment).total_seconds() < MINUTE_S:
        return _("just now")
    return _("%(time)s ago") % {"time": timesince(moment, now, depth=1)}


def _sent(infant: Infant, recording: Recording) -> Sent:
    at = recording.received_at.astimezone(infant.zone)
    name, size = recording.source_name, number_format(recording.byte_size, force_grouping=True)
    what = _("%(n)s bytes") % {"n": size}
    why = str(Reason(recording.reason).label)
    return Sent(
        time=date_format(at, "DATETIME_FORMAT"),
        what=f"{name}, {what}" if name else what,
        why=f"{why} ({recording.detail})" if recording.detail else why,
    )
