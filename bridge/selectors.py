"""What is known of the infants that are published, and how the bridge stands.

What comes in: the moment. What goes out: one `Known` for each, with all that is told of it.
Guaranteed: a number of queries that grows with the published infants alone, each of them over the
last days at most; nothing is judged here.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from anomaly.models import SessionJudgement
from anomaly.selectors.crying import Crying, crying_of_late
from anomaly.selectors.heard import heard_cries
from anomaly.selectors.overview import RECENT, Overview, SessionValue, overviews
from bridge.models import Publication, Standing
from devices.models import Device
from infants.access import Viewer
from infants.models import DeviceAssignment, Infant, Recording
from notify.models import Alert, Suspension
from notify.selectors import suspensions_of

SILENT_AFTER = dt.timedelta(seconds=120)
"""A bridge writes down four times in this time that it is there."""


@dataclass(frozen=True)
class Known:
    """What is known of one published infant; `session` is the newest judged one of a day."""

    publication: Publication
    overview: Overview
    last_cry: Recording | None
    crying: Crying | None
    session: SessionValue | None
    alerts: list[Alert]
    suspension: Suspension | None
    monitors: list[Device]


def published_infants(now: dt.datetime) -> list[Known]:
    """Return what is known of every published infant, in the order of their publications."""
    going = {one.infant_id: one for one in Publication.objects.filter(turned_off_at=None)}
    system, among = Viewer.system(), Infant.objects.filter(id__in=list(going))
    seen = overviews(system, now, among=among, is_counted=False, has_history=False)
    crying, sessions = crying_of_late(list(going), now), _sessions(going, now)
    alerts, held, monitors = _alerts(going), suspensions_of(going, now), _monitors(going)
    return [
        Known(
            publication=going[one.infant.id],
            overview=one,
            last_cry=heard_cries(system, one.infant).first(),
            crying=crying.get(one.infant.id),
            session=sessions.get(one.infant.id),
            alerts=alerts[one.infant.id],
            suspension=held.get(one.infant.id),
            monitors=monitors[one.infant.id],
        )
        for one in sorted(seen, key=lambda one: going[one.infant.id].opaque)
    ]


def publication_at(opaque: str) -> Publication | None:
    """Return the publication that a topic names."""
    return Publication.objects.filter(opaque=opaque, turned_off_at=None).first()


def publication_of(infant: Infant) -> Publication | None:
    """Return the publication of an infant that goes on."""
    going = Publication.objects.filter(infant=infant, turned_off_at=None)
    return going.select_related("turned_on_by").first()


def bridge_word(now: dt.datetime) -> str:
    """Return how the bridge stands: off, connected, cut_off (from the broker), or silent."""
    if not settings.ICLAS_MQTT_URL:
        return "off"
    standing = Standing.objects.filter(at__gt=now - SILENT_AFTER).first()
    if standing is None:
        return "silent"
    return "connected" if standing.is_connected else "cut_off"


def _sessions(infants: Collection[UUID], now: dt.datetime) -> dict[UUID, SessionValue]:
    """Return the newest judged session of the last day of each."""
    rows = SessionJudgement.objects.filter(infant__in=infants, started_at__gte=now - RECENT)
    values = rows.order_by("started_at").values_list("infant", "started_at", "p_value")
    return {infant: SessionValue(at, p_value) for infant, at, p_value in values}


def _alerts(infants: Collection[UUID]) -> dict[UUID, list[Alert]]:
    found: dict[UUID, list[Alert]] = defaultdict(list)
    rows = Alert.objects.filter(infant__in=infants, closed_at=None)
    for alert in rows.order_by("opened_at", "id"):
        found[alert.infant_id].append(alert)
    return found


def _monitors(infants: Collection[UUID]) -> dict[UUID, list[Device]]:
    """Return what listens to each now; what was imported is no monitor."""
    found: dict[UUID, list[Device]] = defaultdict(list)
    serving = DeviceAssignment.objects.filter(
        infant__in=infants, ends_at=None, device__revoked_at=None, device__is_sandbox=False
    ).exclude(device__kind=Device.Kind.ARCHIVE)
    for row in serving.select_related("device").order_by("starts_at", "id"):
        found[row.infant_id].append(row.device)
    return found
