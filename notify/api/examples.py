"""Examples for the API's description."""

from typing import Any

from anomaly.api import examples as judged
from anomaly.notice import NOTICE
from infants.api import examples as known

ALERT: dict[str, Any] = {
    "id": "01998f3a-a4b5-76a7-b8c9-eafb0c1d2e3f",
    "infant": known.INFANT_ID,
    "kind": "persistent_shift",
    "state": "acknowledged",
    "opened_at": "2026-03-13T02:04:11Z",
    "closed_at": None,
    "acknowledged_at": "2026-03-13T02:14:03Z",
    "acknowledged_by": "Ben",
    "snoozed_until": None,
    "snoozed_by": None,
}
DETAIL: dict[str, Any] = (
    {"notice": NOTICE}
    | ALERT
    | {
        "episode": judged.EPISODE,
        "actions": [
            {"kind": "acknowledged", "at": "2026-03-13T02:14:03Z", "by": "Ben", "facts": {}},
            {
                "kind": "snoozed",
                "at": "2026-03-13T02:05:40Z",
                "by": "Ada’s mother",
                "facts": {"minutes": 30},
            },
        ],
    }
)
FOLLOWER: dict[str, Any] = {
    "id": "01998f3a-b5c6-7788-9900-a1b2c3d4e5f6",
    "infant": known.INFANT_ID,
    "channel": "webhook",
    "person": "Ben",
    "is_own": True,
    "label": "Lamp in the hall",
    "shown_target": "https://lamp.example.org/…",
    "secret": None,
    "least_severity": "clear",
    "delay_min": 0,
    "repeat_min": 0,
    "breaks_quiet": False,
    "says_name": False,
    "language": "en",
    "is_on": True,
    "off_reason": "",
    "created_at": "2026-03-13T02:04:11Z",
}
NEW_FOLLOWER: dict[str, Any] = {
    "infant": known.INFANT_ID,
    "channel": "webhook",
    "address": "https://lamp.example.org/hooks/cradle",
    "label": "Lamp in the hall",
    "least_severity": "clear",
}
TRIAL: dict[str, Any] = {
    "id": "01998f3a-b5c6-7788-9900-a1b2c3d4e5f7",
    "state": "sent",
    "reason": "",
    "detail": "",
}
