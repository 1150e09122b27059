"""What `docs/device-guide.md` tells a device's maker to run, run as it stands."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from devices.models import Device
from infants.access import Viewer
from infants.models import Recording
from infants.pairing import offer_pairing
from tests.builders import a_member, an_infant
from tests.sounds import silence_bytes

GUIDE = Path(__file__).resolve().parents[2] / "docs/device-guide.md"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.embedded]


def _blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.M | re.S)


def test_the_walk_through_works_as_it_stands(live_server: Any, tmp_path: Path) -> None:
    infant = an_infant()
    owner = a_member(infant)
    for number, name in enumerate(("cry.wav", "first.wav", "second.wav")):
        (tmp_path / name).write_bytes(silence_bytes(0.2 + 0.1 * number))
    code = offer_pairing(Viewer.of(owner), owner, infant.id).code
    script = "set -eu\n" + "\necho; echo ---\n".join(_blocks())
    done = subprocess.run(
        ["/bin/bash", "-c", script],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "SERVER": live_server.url, "CODE": code},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    _, heartbeat, unchanged, upload, replay, bulk, rotated = (
        part.strip() for part in done.stdout.split("---\n")
    )
    device = Device.objects.get()
    assert json.loads(heartbeat)["settings_version"] == 0
    assert (device.firmware, device.queue_length, device.battery_frac) == ("3.1.4", None, 0.81)
    assert abs(device.clock_skew_s or 99) < 5
    assert unchanged == "304"
    assert json.loads((tmp_path / "settings.json").read_text())["upload"] == "everything"
    assert upload.endswith("201")
    assert replay.endswith("200")
    results = json.loads(bulk)["results"]
    assert [result["status"] for result in results] == [201, 201]
    assert [result["recording"]["clock"] for result in results] == ["relative", "relative"]
    assert [result["recording"]["said_age_s"] for result in results] == [3600.0, 1800.0]
    assert json.loads(rotated)["is_sandbox"] is False
    assert device.credentials.filter(revoked_at=None).count() == 1
    assert device.credentials.count() == 2
    assert Recording.objects.filter(infant=infant).count() == 3


def test_the_table_of_settings_is_the_document() -> None:
    from devices.models import DeviceSettings
    from devices.wishes import settings_document

    text = GUIDE.read_text(encoding="utf-8").partition("## Settings")[2].partition("## ")[0]
    told = re.findall(r"^\| `(\w+)` \|", text, re.M)
    assert told == list(settings_document(DeviceSettings(version=0)))
