"""What Home Assistant is told of the things it can show: one description for each entity; pure.

What comes in: what is known of an infant, and the topics. What goes out: for each topic of
discovery what stands there. Guaranteed: names are constants of English, of which Home Assistant
makes the ids of its entities; no name of a person and no id of ICLAS is in them; all are
unavailable while the bridge is not there, and what may be out of date, or is not known yet, is
unavailable too. `tests/contracts/home_assistant.json` freezes them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from bridge.document import STATES
from bridge.models import Publication
from bridge.selectors import Known
from bridge.topics import Topics, opaque_id
from devices.models import Device
from notify.suspensions import MOST_MIN, OFFERED_MIN

Description = dict[str, Any]
DIAGNOSTIC = {"entity_category": "diagnostic"}
TIMESTAMP = {"device_class": "timestamp"}
MEASUREMENT = {"state_class": "measurement"}
MINUTES = {"device_class": "duration", "unit_of_measurement": "min"}
PERCENT = {"unit_of_measurement": "%"}


@dataclass(frozen=True)
class Entity:
    """One thing that Home Assistant shows: what it reads from the document, and how it looks.

    It is available while `needs` is a field of the document that is neither null nor false.
    """

    component: str
    key: str
    name: str
    reads: str
    looks: Description = field(default_factory=dict)
    needs: str = ""
    says: tuple[str, ...] = ()


OF_INFANT = (
    Entity(
        "sensor",
        "state",
        "State",
        "state",
        {"device_class": "enum", "options": STATES, "icon": "mdi:baby-face-outline"},
        says=("notice", "known_up_to", "learnt_days", "learnt_days_needed"),
    ),
    Entity(
        "sensor",
        "deviation",
        "Deviation",
        "deviation_percent",
        PERCENT | MEASUREMENT | {"icon": "mdi:chart-bell-curve", "suggested_display_precision": 1},
        needs="deviation_percent",
        says=("notice", "p_value", "session_began_at"),
    ),
    Entity("sensor", "last_cry", "Last cry", "last_cry_at", TIMESTAMP, needs="last_cry_at"),
    Entity(
        "binary_sensor",
        "crying",
        "Crying now",
        "is_crying",
        {"device_class": "sound"},
        needs="is_current",
    ),
    Entity(
        "sensor",
        "crying_24h",
        "Crying in the last 24 hours",
        "crying_24h_min",
        MINUTES | MEASUREMENT | {"suggested_display_precision": 0},
        needs="is_current",
        says=("cries_24h",),
    ),
    Entity(
        "binary_sensor",
        "alert",
        "Open alert",
        "is_alert_open",
        {"icon": "mdi:bell-alert-outline"},
        says=("notice", "open_alerts", "calling_alerts"),
    ),
    Entity(
        "sensor",
        "learnt",
        "Baseline learnt",
        "learnt_percent",
        PERCENT | DIAGNOSTIC | {"icon": "mdi:school-outline"},
    ),
    Entity(
        "sensor",
        "suspended_until",
        "Messages suspended until",
        "suspended_until",
        TIMESTAMP,
        needs="suspended_until",
    ),
)
OF_MONITOR = (
    Entity(
        "binary_sensor",
        "connected",
        "Connected",
        "is_connected",
        DIAGNOSTIC | {"device_class": "connectivity"},
    ),
    Entity(
        "sensor",
        "last_heard",
        "Last heard",
        "last_heard_at",
        TIMESTAMP | DIAGNOSTIC,
        needs="last_heard_at",
    ),
    Entity(
        "sensor",
        "battery",
        "Battery",
        "battery_percent",
        PERCENT | MEASUREMENT | DIAGNOSTIC | {"device_class": "battery"},
        needs="battery_percent",
    ),
    Entity(
        "sensor",
        "waiting",
        "Waiting uploads",
        "waiting_uploads",
        MEASUREMENT | DIAGNOSTIC | {"icon": "mdi:tray-arrow-up"},
        needs="waiting_uploads",
    ),
)


def descriptions_of_bridge(topics: Topics) -> dict[str, Description]:
    """Return the description of the bridge itself, through which all others come."""
    described = {
        "name": "Bridge",
        "unique_id": f"{topics.node}_bridge",
        "state_topic": topics.status,
        "payload_on": "online",
        "payload_off": "offline",
        "device_class": "connectivity",
        "qos": 1,
        **DIAGNOSTIC,
        "device": {
            "identifiers": [topics.node],
            "name": "ICLAS",
            "manufacturer": "ICLAS",
            "model": "Bridge",
            "sw_version": settings.ICLAS_VERSION,
        },
        "origin": _origin(),
    }
    return {topics.config("binary_sensor", "bridge"): described}


def descriptions_of(known: Known, topics: Topics) -> dict[str, Description]:
    """Return the descriptions of an infant and of its monitors, the infant first."""
    found = dict(_of_infant(known.publication, topics))
    for device in known.monitors:
        found |= dict(_of_monitor(known.publication, device, topics))
    return found


def _of_infant(publication: Publication, topics: Topics) -> Iterator[tuple[str, Description]]:
    opaque = publication.opaque
    device = {
        "identifiers": [f"iclas_{opaque}"],
        "name": publication.shown_name,
        "manufacturer": "ICLAS",
        "model": "ICLAS",
        "via_device": topics.node,
    }
    for entity in OF_INFANT:
        topic = topics.config(entity.component, f"{opaque}_{entity.key}")
        frame = _frame(entity.name, f"iclas_{opaque}_{entity.key}", device)
        yield topic, frame | _read(entity, opaque, "value_json", topics)
    for component, key, looks in _controls(publication, topics):
        topic = topics.config(component, f"{opaque}_{key}")
        name = looks.pop("name")
        frame = _frame(name, f"iclas_{opaque}_{key}", device)
        asked = {"command_topic": topics.command(opaque), "qos": 1}
        yield topic, frame | looks | asked | _availability("", opaque, "value_json", topics)


def _of_monitor(
    publication: Publication, monitor: Device, topics: Topics
) -> Iterator[tuple[str, Description]]:
    own = opaque_id(monitor.id)
    device = {
        "identifiers": [f"iclas_{own}"],
        "name": f"Monitor {own[:4]}",
        "manufacturer": "ICLAS",
        "model": "Monitor",
        "via_device": f"iclas_{publication.opaque}",
    }
    for entity in OF_MONITOR:
        object_id = f"{publication.opaque}_{own}_{entity.key}"
        frame = _frame(entity.name, f"iclas_{own}_{entity.key}", device)
        read = _read(entity, publication.opaque, f"value_json.monitors['{own}']", topics)
        yield topics.config(entity.component, object_id), frame | read


def _controls(publication: Publication, topics: Topics) -> Iterator[tuple[str, str, Description]]:
    """Yield by what messages are suspended: any number of minutes, or one tap."""
    yield (
        "number",
        "suspend",
        {
            "name": "Suspend messages",
            "min": 0,
            "max": MOST_MIN,
            "step": 1,
            "mode": "box",
            **MINUTES,
            "icon": "mdi:bell-sleep-outline",
            "state_topic": topics.state(publication.opaque),
            "value_template": "{{ value_json.suspended_min }}",
        },
    )
    for minutes in OFFERED_MIN:
        name = f"Suspend messages for {minutes} minutes"
        looks = {"name": name, "payload_press": str(minutes), "icon": "mdi:bell-sleep-outline"}
        yield "button", f"suspend_{minutes}", looks
    looks = {"name": "Resume messages", "payload_press": "0", "icon": "mdi:bell-ring-outline"}
    yield "button", "resume", looks


def _frame(name: str, unique_id: str, device: Description) -> Description:
    """Return what every description has."""
    return {
        "name": name,
        "unique_id": unique_id,
        "device": device,
        "origin": _origin(),
    }


def _read(entity: Entity, opaque: str, at: str, topics: Topics) -> Description:
    """Say how an entity reads its state, and when it has one."""
    value = f"{at}.{entity.reads}"
    is_switch = entity.component == "binary_sensor"
    template = f"{{{{ 'ON' if {value} else 'OFF' }}}}" if is_switch else f"{{{{ {value} }}}}"
    found = {"state_topic": topics.state(opaque), "value_template": template, "qos": 1}
    if entity.says:
        said = ", ".join(f"'{name}': value_json.{name}" for name in entity.says)
        found["json_attributes_topic"] = topics.state(opaque)
        found["json_attributes_template"] = f"{{{{ {{{said}}} | tojson }}}}"
    return found | entity.looks | _availability(entity.needs, opaque, at, topics)


def _availability(needs: str, opaque: str, at: str, topics: Topics) -> Description:
    """Say when there is something to show: while the bridge is there, and the value is known."""
    conditions: list[Description] = [{"topic": topics.status}]
    if needs:
        value = f"{at}.{needs}"
        missing = f"{value} is none or {value} is false"
        template = f"{{{{ 'offline' if {missing} else 'online' }}}}"
        conditions.append({"topic": topics.state(opaque), "value_template": template})
    return {"availability": conditions, "availability_mode": "all"}


def _origin() -> Description:
    return {"name": "ICLAS", "sw_version": settings.ICLAS_VERSION}
