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
