"""Examples for the API's description."""

from typing import Any

HOUSEHOLD_ID = "01998f3a-0b1c-7d2e-8f40-51627384950a"
INFANT_ID = "01998f3a-1c2d-7e3f-9041-62738495a6b7"
DEVICE_ID = "01998f3a-2d3e-7f40-8152-738495a6b7c8"
SESSION_ID = "01998f3a-3e4f-7041-9263-8495a6b7c8d9"
RECORDING_ID = "01998f3a-4f50-7152-a374-95a6b7c8d9ea"

INFANT: dict[str, Any] = {
    "id": INFANT_ID,
    "household": HOUSEHOLD_ID,
    "name": "Ada",
    "source_key": "",
    "time_zone": "Europe/Zurich",
    "birth_date": "2026-01-12",
    "gestational_age_weeks": 34.0,
    "age_days": 60,
    "corrected_age_days": 18,
    "audio_policy": "keep",
}

SESSION: dict[str, Any] = {
    "id": SESSION_ID,
    "infant": INFANT_ID,
    "started_at": "2026-03-13T02:04:11Z",
    "ended_at": "2026-03-13T02:09:40Z",
    "closed_at": "2026-03-13T02:40:02Z",
    "n_recordings": 3,
}

RECORDING: dict[str, Any] = {
    "id": RECORDING_ID,
    "device": DEVICE_ID,
    "infant": INFANT_ID,
    "session": None,
    "state": "received",
    "reason": None,
    "detail": "",
    "recorded_at": "2026-03-13T02:04:11Z",
    "recorded_at_raw": "2026-03-13T03:04:11+01:00",
    "clock": "ok",
    "clock_skew_s": None,
    "said_age_s": None,
    "received_at": "2026-03-13T02:04:20.118204Z",
    "device_session": "night-17",
    "battery_frac": 0.82,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "byte_size": 224044,
    "duration_s": None,
    "channels": {},
    "audio_erased_at": None,
}

EMPTY: dict[str, Any] = {
    "type": "urn:iclas:problem:no_audio",
    "title": "There is no audio in it",
    "status": 422,
    "detail": "The upload needs a non-empty part named 'audio'.",
    "code": "no_audio",
    "retry": "never",
}

PAIRED: dict[str, Any] = {
    "id": DEVICE_ID,
    "name": "Bedroom",
    "kind": "monitor",
    "token": "iclas_device_2l1Wq0c8T9m3v5n7x4z6b1d3f5h7j9k2p4r6t8w0",
}

HEARTBEAT: dict[str, Any] = {
    "battery_frac": 0.82,
    "firmware": "3.1.4",
    "clock": "2026-03-13T02:04:21+00:00",
    "uptime_s": 86400.5,
    "round_trip_s": 0.18,
    "queue_length": 2,
}

HEARD: dict[str, Any] = {
    "received_at": "2026-03-13T02:04:20.118204Z",
    "clock_skew_s": 0.972,
    "settings_version": 3,
    "heartbeat_every_s": 300,
    "is_sandbox": False,
}

SETTINGS: dict[str, Any] = {
    "version": 3,
    "sensitivity": "normal",
    "upload": "everything",
    "is_wifi_only": False,
    "suspended_until": None,
    "heartbeat_every_s": 300,
}

SETTINGS_CHANGE: dict[str, Any] = {"suspended_until": "2026-03-13T06:00:00Z"}

NEW_TOKEN: dict[str, Any] = {"token": "iclas_device_9k2p4r6t8w02l1Wq0c8T9m3v5n7x4z6b1d3f5h7"}

DEVICE: dict[str, Any] = {
    "id": DEVICE_ID,
    "name": "Bedroom",
    "kind": "monitor",
    "hardware": "Maker 3",
    "firmware": "3.1.4",
    "infant": INFANT_ID,
    "is_serving": True,
    "is_sandbox": False,
    "created_at": "2026-03-01T18:30:12.402117Z",
    "revoked_at": None,
    "last_seen_at": "2026-03-13T02:04:20.118204Z",
    "last_heartbeat_at": "2026-03-13T02:04:20.118204Z",
    "left_at": None,
    "battery_frac": 0.82,
    "queue_length": 2,
    "clock_skew_s": 0.972,
    "clock_bound_s": 0.09,
}

BULK: dict[str, Any] = {
    "results": [{"status": 201, "recording": RECORDING}, {"status": 422, "problem": EMPTY}]
}

DIARY_ENTRY_ID = "01998f3a-5061-7263-b485-a6b7c8d9eafb"

DIARY_ENTRY: dict[str, Any] = {
    "id": DIARY_ENTRY_ID,
    "infant": INFANT_ID,
    "kind": "temperature",
    "starts_at": "2026-03-13T02:10:00Z",
    "ends_at": None,
    "temperature_c": 38.4,
    "text": "",
    "is_changeable": True,
    "created_at": "2026-03-13T02:10:31.402117Z",
    "updated_at": "2026-03-13T02:10:31.402117Z",
}

NEW_DIARY_ENTRY: dict[str, Any] = {
    "infant": INFANT_ID,
    "kind": "feed",
    "starts_at": "2026-03-13T03:02:00+01:00",
    "ends_at": "2026-03-13T03:20:00+01:00",
    "text": "left side",
}

DIARY_CHANGE: dict[str, Any] = {"temperature_c": 38.9}
