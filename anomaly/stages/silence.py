"""Silence: whether a monitor that used to send heartbeats has fallen silent.

What comes in: the moment; whom devices serve, and when they were last heard from. What goes out: an
`Episode` of its own kind for each silent monitor of an infant, with its `Event`s, closed as soon as
the monitor is back or serves the infant no longer. Guaranteed: idempotent; no part of any judgement
(`Episode.objects` leaves it out); what nobody could have heard, since ICLAS itself was not there,
is no silence, and neither is a monitor that said it is switched off.
"""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from anomaly.models import Episode, Event
from anomaly.stages.episode import tell_of
from devices.heartbeats import note_presence, silent_after
from devices.models import Device
from devices.selectors import hearing_since
from infants.locks import infant_locked
from infants.models import DeviceAssignment, Infant

SILENT = Episode.Kind.MONITOR_SILENT
Reason = Episode.CloseReason


@dataclass(frozen=True)
class Silence:
    """A monitor from which nothing came: since when, and from when on that was noticed."""

    device_id: UUID
    since: dt.datetime
    noticed_at: dt.datetime


def follow_monitors(now: dt.datetime) -> int:
    """Open and close the silences of monitors; return of how many infants. Commits one by one."""
    note_presence(None, now)
    silent = _silent(now)
    told = Episode.with_silences.filter(kind=SILENT, closed_at=None)
    infants = {*silent, *told.values_list("infant_id", flat=True)}
    for infant_id in sorted(infants):
        with infant_locked(infant_id) as infant:
            _bring_in_line(infant, silent.get(infant_id, []), now)
    return len(infants)


def _silent(now: dt.datetime) -> dict[UUID, list[Silence]]:
    """Return the silences of now, by infant."""
    hearing = hearing_since(now, silent_after()) or now
    found: dict[UUID, list[Silence]] = defaultdict(list)
    unheard = _missed().filter(device__last_seen_at__lt=now - silent_after())
    for row in unheard.filter(device__left_at=None):
        since = max(row.device.last_seen_at or now, row.starts_at)
        noticed_at = max(since, hearing) + silent_after()
        if noticed_at < now:
            found[row.infant_id].append(Silence(row.device_id, since, noticed_at))
    return found


def _missed() -> QuerySet[DeviceAssignment]:
    """Return whom devices serve whose silence would tell something."""
    return DeviceAssignment.objects.filter(
        ends_at=None,
        device__revoked_at=None,
        device__is_sandbox=False,
        device__last_heartbeat_at__isnull=False,
    ).select_related("device")


def _bring_in_line(infant: Infant, silent: list[Silence], now: dt.datetime) -> None:
    rows = Episode.with_silences.filter(infant=infant, kind=SILENT, closed_at=None)
    told = {UUID(row.evidence["device"]): row for row in rows}
    for silence in silent:
        if silence.device_id not in told:
            _open(infant, silence, now)
    for device_id, episode in told.items():
        _follow(episode, device_id, now)


def _open(infant: Infant, silence: Silence, now: dt.datetime) -> None:
    opened_at = silence.noticed_at
    own = Episode.with_silences.filter(infant=infant, kind=SILENT)
    while own.filter(opened_at=opened_at).exists():  # two fell silent together
        opened_at += dt.timedelta(microseconds=1)
    episode = Episode.with_silences.create(
        infant=infant,
        kind=SILENT,
        opened_at=opened_at,
        last_at=now,
        evidence={"device": str(silence.device_id), "since": silence.since.isoformat()},
    )
    tell_of(episode, Event.Kind.EPISODE_OPENED, opened_at, now)


def _follow(episode: Episode, device_id: UUID, now: dt.datetime) -> None:
    """Close a silence that is over; one of which nothing new is known goes on."""
    serving = _missed().filter(device=device_id, infant=episode.infant_id).first()
    if serving is None:
        _close(episode, Reason.MONITOR_GONE, _gone_at(device_id) or now, now)
        return
    seen_at = serving.device.last_seen_at
    if seen_at is not None and seen_at > episode.began_at:
        _close(episode, Reason.MONITOR_BACK, seen_at, now)


def _gone_at(device_id: UUID) -> dt.datetime | None:
    return Device.objects.filter(id=device_id).values_list("revoked_at", flat=True).first()


def _close(episode: Episode, reason: Reason, at: dt.datetime, now: dt.datetime) -> None:
    episode.closed_at = episode.last_at = max(at, episode.opened_at)
    episode.close_reason = reason
    episode.save(update_fields=["closed_at", "last_at", "close_reason"])
    tell_of(episode, Event.Kind.EPISODE_CLOSED, episode.closed_at, now)
