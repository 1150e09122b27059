"""System checks: each fault is named, in words, with what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from iclas.checks import check_settings
from iclas.home import Home

Change = Callable[[Settings, Path], None]


def _set(name: str, value: object) -> Change:
    return lambda settings, _folder: setattr(settings, name, value)


def _lost_home(settings: Settings, folder: Path) -> None:
    settings.ICLAS_HOME = Home(folder / "nowhere")


def _public_debug(settings: Settings, _folder: Path) -> None:
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = ["localhost", "cries.example.org"]


def _stored_at(**options: str) -> Change:
    default = {"BACKEND": "infants.depot.opening.depot_at", "OPTIONS": options}
    return lambda settings, _folder: setattr(settings, "STORAGES", {"default": default})


FAULTS: dict[str, tuple[Change, str]] = {
    "home": (_lost_home, "ICLAS_HOME"),
    "encoder path": (_set("ICLAS_ENCODER", "/no/such/encoder"), "ICLAS_ENCODER"),
    "encoder without revision": (_set("ICLAS_ENCODER", "owner/name"), "ICLAS_ENCODER"),
    "encoder with empty revision": (_set("ICLAS_ENCODER", "owner/name@"), "ICLAS_ENCODER"),
    "encoder path with an at": (_set("ICLAS_ENCODER", "/no/such@file"), "ICLAS_ENCODER"),
    "runtime": (_set("ICLAS_ENCODER_RUNTIME", "onnx"), "ICLAS_ENCODER_RUNTIME"),
    "threshold above 1": (_set("ICLAS_GATE_THRESHOLD", 1.5), "ICLAS_GATE_THRESHOLD"),
    "threshold no number": (_set("ICLAS_GATE_THRESHOLD", float("nan")), "ICLAS_GATE_THRESHOLD"),
    "gap": (_set("ICLAS_SESSION_GAP_S", 0.0), "ICLAS_SESSION_GAP_S"),
    "endless gap": (_set("ICLAS_SESSION_GAP_S", float("inf")), "ICLAS_SESSION_GAP_S"),
    "lease": (_set("ICLAS_LEASE_S", 290), "ICLAS_LEASE_S"),
    "attempts": (_set("ICLAS_MAX_ATTEMPTS", 0), "ICLAS_MAX_ATTEMPTS"),
    "upload limit": (_set("ICLAS_MAX_UPLOAD_BYTES", 0), "ICLAS_MAX_UPLOAD_BYTES"),
    "backlog limit": (_set("ICLAS_MAX_BACKLOG", -1), "ICLAS_MAX_BACKLOG"),
    "turns": (_set("ICLAS_REQUESTS_AT_ONCE", 0), "ICLAS_REQUESTS_AT_ONCE"),
    "bulk limit": (_set("ICLAS_MAX_BULK_ITEMS", 99), "ICLAS_MAX_BULK_ITEMS"),
    "sign-up": (_set("SIGN_UP", "perhaps"), "SIGN_UP"),
    "verification": (_set("ACCOUNT_EMAIL_VERIFICATION", "perhaps"), "ACCOUNT_EMAIL_VERIFICATION"),
    "networks": (_set("ICLAS_NOTIFY_NETWORKS", ["home"]), "ICLAS_NOTIFY_NETWORKS"),
    "address": (_set("ICLAS_ADDRESS", "localhost:8000"), "ICLAS_ADDRESS"),
    "giving up": (_set("ICLAS_NOTIFY_GIVE_UP_S", 0), "ICLAS_NOTIFY_GIVE_UP_S"),
    "broker": (_set("ICLAS_MQTT_URL", "homeassistant.local:1883"), "ICLAS_MQTT_URL"),
    "broker's path": (_set("ICLAS_MQTT_URL", "mqtt://host/topic"), "ICLAS_MQTT_URL"),
    "topic": (_set("ICLAS_MQTT_TOPIC", "cries/#"), "ICLAS_MQTT_TOPIC"),
    "discovery": (_set("ICLAS_MQTT_DISCOVERY", ""), "ICLAS_MQTT_DISCOVERY"),
    "broker's certificate": (_set("ICLAS_MQTT_CA_FILE", "/no/such.pem"), "ICLAS_MQTT_CA_FILE"),
    "storage": (_stored_at(url="ftp://host/bucket"), "ICLAS_STORAGE_URL"),
    "storage keys": (_stored_at(keys="too short"), "ICLAS_STORAGE_KEYS"),
    "debug": (_public_debug, "DEBUG"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_in_words_with_what_to_do(
    fault: str, settings: Settings, tmp_path: Path
) -> None:
    change, named = FAULTS[fault]
    change(settings, tmp_path)
    found = check_settings()
    assert found
    assert {message.id for message in found} == {found[0].id}
    assert named in found[0].msg
    assert found[0].hint


def test_an_installation_as_it_comes_has_no_fault() -> None:
    assert check_settings() == []


@pytest.mark.parametrize(
    "change",
    [
        _set("ICLAS_GATE_THRESHOLD", -1.0),
        _set("ICLAS_GATE_THRESHOLD", 0.0),
        _set("ICLAS_GATE_THRESHOLD", 1.0),
        _set("ICLAS_ENCODER", "speechbrain/spkrec-ecapa-voxceleb@5c0be38"),
        _set("ICLAS_LEASE_S", 291),
        _set("DEBUG", value=True),
        lambda settings, folder: setattr(settings, "ICLAS_ENCODER", str(folder)),
    ],
)
def test_what_is_allowed_is_no_fault(change: Change, settings: Settings, tmp_path: Path) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "iclas.localhost"]
    change(settings, tmp_path)
    assert check_settings() == []
