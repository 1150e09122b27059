"""The state of an infant as one document: what stands at its topic; pure.

What comes in: what is known of the infant, and the moment. What goes out: JSON's types, in English
whatever anybody's language is. Guaranteed: no name and no id of ICLAS; what may be out of date is
null, never an old value; the notice that this is research goes along. Fields are added, never
changed: `tests/contracts/home_assistant.json` freezes them.
"""

import datetime as dt
import math
from typing import Any

from anomaly.condition import Condition, condition_of
from anomaly.notice import NOTICE
from anomaly.selectors.heard import goes_on
from anomaly.selectors.overview import Overview
from anomaly.silence import SILENT_AFTER, is_stale, last_sign
from bridge.selectors import Known
from bridge.topics import opaque_id
from devices.heartbeats import silent_after
from devices.models import Device
from notify.models import Alert, Suspension

Document = dict[str, Any]
WORDS = {
    Condition.SHIFT: "different from usual",
    Condition.ODD: "one odd session",
    Condition.SURROUNDINGS: "new surroundings",
    Condition.LEARNING: "learning",
    Condition.USUAL: "as usual",
    Condition.NOTHING: "nothing yet",
}
NO_RECENT_DATA = "no recent data"
STATES = [*WORDS.values(), NO_RECENT_DATA]


def document_of(known: Known, now: dt.datetime) -> Document:
    """Return an infant's state."""
    is_current = not is_stale(known.overview, now)
    return {
        "notice": NOTICE,
        "state": WORDS[condition_of(known.overview)] if is_current else NO_RECENT_DATA,
        "is_current": is_current,
        "known_up_to": _said(last_sign(known.overview)),
        **_learning(known.overview),
        **_deviation(known, is_current=is_current),
        **_crying(known, now, is_current=is_current),
        **_alerts(known.alerts, now),
        **_suspended(known.suspension, now),
        "monitors": {opaque_id(one.id): _monitor(one, now) for one in known.monitors},
    }


def _learning(seen: Overview) -> Document:
    """Say how far the baseline is learnt; it is learnt whole when there is a model."""
    learning = seen.learning
    if learning is None:
        return {"learnt_percent": 100, "learnt_days": None, "learnt_days_needed": None}
    percent = min(99, math.floor(100 * learning.days / learning.needed))
    return {
        "learnt_percent": percent,
        "learnt_days": learning.days,
        "learnt_days_needed": learning.needed,
    }


def _deviation(known: Known, *, is_current: bool) -> Document:
    """Say how unusual the last session was: of usual ones, how many in a hundred are less so."""
    session = known.session
    if session is None or not is_current or known.overview.learning is not None:
        return {"deviation_percent": None, "p_value": None, "session_began_at": None}
    return {
        "deviation_percent": round(100 * (1 - session.p_value), 1),
        "p_value": round(session.p_value, 4),
        "session_began_at": _said(session.time),
    }


def _crying(known: Known, now: dt.datetime, *, is_current: bool) -> Document:
    last, late = known.last_cry, known.crying
    return {
        "last_cry_at": None if last is None else _said(last.recorded_at),
        "is_crying": (last is not None and goes_on(last, now)) if is_current else None,
        "crying_24h_min": round((late.cry_s if late else 0.0) / 60, 1) if is_current else None,
        "cries_24h": (late.n_cries if late else 0) if is_current else None,
    }


def _alerts(alerts: list[Alert], now: dt.datetime) -> Document:
    calling = [one for one in alerts if one.state(now) == Alert.State.CALLING]
    return {
        "is_alert_open": bool(alerts),
        "open_alerts": len(alerts),
        "calling_alerts": len(calling),
    }


def _suspended(suspension: Suspension | None, now: dt.datetime) -> Document:
    if suspension is None:
        return {"suspended_until": None, "suspended_min": 0}
    left_min = math.ceil((suspension.until - now).total_seconds() / 60)
    return {"suspended_until": _said(suspension.until), "suspended_min": left_min}


def _monitor(device: Device, now: dt.datetime) -> Document:
    battery = device.battery_frac
    return {
        "is_connected": is_connected(device, now),
        "last_heard_at": _said(device.last_seen_at),
        "battery_percent": None if battery is None else round(100 * battery),
        "waiting_uploads": device.queue_length,
    }


def is_connected(device: Device, now: dt.datetime) -> bool:
    """Tell whether a monitor was heard from so lately that it counts as there, and is not off."""
    if device.left_at is not None:
        return False
    limit = SILENT_AFTER if device.last_heartbeat_at is None else silent_after()
    return device.last_seen_at is not None and now - device.last_seen_at <= limit


def _said(moment: dt.datetime | None) -> str | None:
    """Return a moment to the second, in UTC."""
    return None if moment is None else moment.astimezone(dt.UTC).isoformat(timespec="seconds")
