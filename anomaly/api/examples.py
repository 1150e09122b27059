"""Examples for the API's description."""

from typing import Any

from anomaly.notice import NOTICE
from infants.api import examples as known

P_VALUES = {"autoencoder": 0.4, "ocsvm": 0.5, "gmm": 0.6, "likelihood": 0.6, "acoustics": 0.3}
MODEL: dict[str, Any] = {"id": "01998f3a-6071-7263-b485-a6b7c8d9eafb", "number": 4}
LEARNING: dict[str, Any] = {"days": 4, "needed": 9, "text": "learning, 4 of 9 days"}
VERSIONS: dict[str, Any] = {
    "encoder": "3c9a1f0b7d2e4856",
    "gate_version": "gate-1",
    "gate_accepted": True,
}

INFANT = (
    {"notice": NOTICE}
    | known.INFANT
    | {
        "baseline": {
            "outcome": "learning",
            "learning": LEARNING,
            "promised": ["No session is compared before crying was heard on 9 days."],
        }
    }
)
RECORDING = (
    {"notice": NOTICE}
    | known.RECORDING
    | {
        "state": "done",
        "session": known.SESSION_ID,
        "duration_s": 7.0,
        "source_format": {"codec": "pcm_s16le", "rate_hz": 16000, "channels": 1},
        "quality": {"level_dbfs": -21.4, "clipped_frac": 0.0},
        "cries": [
            {
                "id": "01998f3a-7182-7374-8596-b7c8d9eafb0c",
                "index": 0,
                "onset_s": 0.42,
                "offset_s": 1.31,
                "measures": {"duration_s": 0.89, "f0_median_hz": 431.0},
            }
        ],
        "gate_decision": {
            "is_cry": True,
            "cry_probability": 0.98,
            "accepted": True,
            "confidence": 0.41,
            "threshold": 0.02,
            "arousal": 0.3,
            "parts": [{"name": "arousal", "confidence": 0.41, "reason": "as usual"}],
            "review": None,
            "answer": "",
            "reviewed_at": None,
            "gate_version": "gate-1",
            "decided_at": "2026-03-13T02:04:22.500000Z",
        },
        "judgement": {
            "outcome": "scored",
            "scores": {
                "autoencoder": 0.021,
                "ocsvm": -0.3,
                "gmm": 211.0,
                "likelihood": -3.2,
                "acoustics": -0.6,
            },
            "p_values": P_VALUES,
            "statistic": 0.71,
            "p_value": 0.5,
            "room_p_value": 0.4,
            "model": MODEL,
            "encoder": "3c9a1f0b7d2e4856",
            "judged_at": "2026-03-13T02:04:22.700000Z",
        },
    }
)


SESSION = (
    {"notice": NOTICE}
    | known.SESSION
    | {
        "judgement": {
            "statistic": 0.9,
            "p_value": 0.4,
            "p_values": P_VALUES,
            "room_p_value": 0.4,
            "n_recordings": 3,
            "model": MODEL,
            "judged_at": "2026-03-13T02:10:02.900000Z",
        }
    }
)
EPISODE: dict[str, Any] = {
    "id": "01998f3a-93a4-7596-a7b8-d9eafb0c1d2e",
    "infant": known.INFANT_ID,
    "kind": "persistent_shift",
    "is_open": True,
    "opened_at": "2026-03-13T02:04:11Z",
    "last_at": "2026-03-15T03:12:00Z",
    "closed_at": None,
    "close_reason": "",
    "evidence": {
        "since": "2026-03-11T23:40:02Z",
        "since_earliest": "2026-03-10T01:12:45Z",
        "since_latest": "2026-03-12T00:20:17Z",
        "n_sessions": 17,
        "n_recordings": 41,
        "n_days": 4,
        "peak_statistic": 6.2,
        "threshold": 3.34,
        "room": "unchanged",
        "views": [
            {
                "view": "f0_log2_hz",
                "share": 0.93,
                "sd": 1.4,
                "sd_low": 0.9,
                "sd_high": 1.9,
                "by": 14.0,
                "low": 9.0,
                "high": 19.0,
                "unit": "%",
            }
        ],
    },
    "verdict": "",
    "reviewed_at": None,
}


def _timeline(bucket: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "notice": NOTICE,
        "infant": known.INFANT_ID,
        "time_zone": "Europe/Zurich",
        "bucket": bucket,
        "scorer": "combined",
        "next": None,
        "previous": None,
        "results": rows,
    }


TIMELINE_RAW = _timeline(
    "raw",
    [
        {
            "outcome": "scored",
            "time": "2026-03-13T02:04:11Z",
            "recording": known.RECORDING_ID,
            "scorer": "combined",
            "score": 0.71,
            "p_value": 0.5,
            "model": MODEL,
            **VERSIONS,
        },
        {
            "outcome": "learning",
            "time": "2026-02-02T01:40:00Z",
            "recording": "01998f3a-8293-7485-96a7-c8d9eafb0c1d",
            "scorer": "combined",
            "learning": LEARNING,
            **VERSIONS,
        },
    ],
)
HEARD: dict[str, Any] = {"n_recordings": 3, "n_cries": 17, "cry_s": 14.2, "n_accepted": 3}
TIMELINE_DAYS = _timeline(
    "day",
    [
        {
            "start": "2026-03-28T00:00:00+01:00",
            "end": "2026-03-29T00:00:00+01:00",
            **HEARD,
            "outcome": "scored",
            "n_scored": 3,
            "p_value_min": 0.2,
            "p_value_median": 0.5,
        },
        {
            "start": "2026-03-29T00:00:00+01:00",
            "end": "2026-03-30T00:00:00+02:00",
            "outcome": "absent",
        },
    ],
)
