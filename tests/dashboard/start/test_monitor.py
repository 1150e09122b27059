"""A monitor's own page: how it is in words, what is asked of it, and what can be done with it."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.utils import timezone, translation

from anomaly.models import Episode
from dashboard.start.monitor_page import clock_words, span_words, state_words
from devices.errors import RevokedDeviceError
from devices.models import Device, DeviceSettings, issue_token
from devices.selectors import device_of_token, settings_of
from infants.models import Infant, Membership
from infants.selectors import infant_served
from infants.states import Reason, State
from notify.stages.alert import raise_alerts
from tests.builders import a_device, a_member, a_recording, a_user, an_infant, as_device
from tests.dashboard.reading import Page
from tests.notify.rows import a_told_episode
from tests.uploads import UPLOAD, audio

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
HOUR = dt.timedelta(hours=1)
ASKED = {"sensitivity": "high", "upload": "cries", "is_wifi_only": "on", "suspend": "as-it-is"}


@pytest.fixture
def infant() -> Infant:
    return an_infant(name="Ada", time_zone="Europe/Zurich")


@pytest.fixture
def device(infant: Infant) -> Device:
    now = timezone.now()
    return a_device(
        infant, name="Bedroom", last_seen_at=now, last_heartbeat_at=now, battery_frac=0.5,
        firmware="3.1.4", clock_skew_s=190.0, queue_length=3,
    )  # fmt: skip


@pytest.fixture
def client(infant: Infant) -> Client:
    return _as(infant)


def _as(infant: Infant, role: str = Membership.Role.OWNER) -> Client:
    client = Client()
    client.force_login(a_member(infant, role))
    return client


def _read(client: Client, device: Device) -> Page:
    answer = client.get(f"/monitors/{device.id}/")
    assert answer.status_code == 200
    return Page(answer.content.decode())


def test_the_page_is_well_made_and_says_how_it_is(client: Client, device: Device) -> None:
    page = _read(client, device)
    assert page.faults == []
    assert len(page.all("h1")) == 1
    assert all("style" not in given for _, given in page.elements)
    for words in ("It is there.", "50 %", "3.1.4", "3 minutes ahead", "could be read"):
        assert words in page.text
    listed = client.get(f"/infants/{device.assignments.get().infant_id}/monitors/")
    assert f'href="/monitors/{device.id}/"' in listed.content.decode()


@pytest.mark.parametrize("path", ["", "name/", "serve/", "try-out/", "token/", "disconnect/"])
def test_nobody_but_the_owner_finds_it(infant: Infant, device: Device, path: str) -> None:
    where = f"/monitors/{device.id}/{path}"
    for other in (_as(infant, "caregiver"), _as(infant, "researcher"), _as(an_infant())):
        assert other.post(where, ASKED).status_code == 404
    assert Client().post(where).status_code == 302
    device.refresh_from_db()
    assert (device.is_sandbox, device.revoked_at) == (False, None)
    assert settings_of(device).version == 0


def test_one_that_never_served_anybody_has_no_page() -> None:
    client = Client()
    client.force_login(a_user(is_superuser=True, is_staff=True))
    assert client.get(f"/monitors/{a_device().id}/").status_code == 404


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Nothing has come from it yet."),
        ({"last_seen_at": 0}, "It is there."),
        ({"last_seen_at": 3}, "It is there."),
        ({"last_seen_at": 3, "last_heartbeat_at": 3}, "Nothing has come from it for 3\xa0hours."),
        (
            {"last_seen_at": 2, "last_heartbeat_at": 2, "left_at": 2},
            "It was switched off 2\xa0hours ago.",
        ),
        ({"last_seen_at": 0, "is_sandbox": True}, "It is being tried out"),
        ({"last_seen_at": 0, "revoked_at": 1}, "It is disconnected"),
    ],
)
def test_how_it_is_in_one_sentence(given: dict[str, float], words: str) -> None:
    now = timezone.now()
    ago = {name: now - hours * HOUR for name, hours in given.items() if name != "is_sandbox"}
    device = Device(**ago, is_sandbox=bool(given.get("is_sandbox")))  # type: ignore[misc]
    assert words in state_words(device, DeviceSettings(), now)


def test_it_says_for_how_long_it_records_nothing() -> None:
    now = timezone.now()
    device, held = Device(last_seen_at=now), DeviceSettings(suspended_until=now + 2 * HOUR)
    assert "nothing for 2\xa0hours" in state_words(device, held, now)
    assert state_words(device, held, now + 3 * HOUR) == "It is there."


@pytest.mark.parametrize(
    ("skew_s", "words"),
    [
        (None, "It has not told its time."),
        (-1.9, "It goes right."),
        (45.0, "It is 45 seconds ahead; the times of what it sends are corrected."),
        (-7200.0, "It is 2 hours behind; the times of what it sends are corrected."),
    ],
)
def test_the_clock_in_words(skew_s: float | None, words: str) -> None:
    assert clock_words(Device(clock_skew_s=skew_s)) == words


def test_spans_in_words() -> None:
    said = [span_words(seconds) for seconds in (1, 119, 120, 7199, 7200, 172_800)]
    assert said == ["1 second", "119 seconds", "2 minutes", "120 minutes", "2 hours", "2 days"]
    with translation.override("de"):
        assert span_words(120) == "2 Minuten"


def test_what_nobody_could_read_is_listed(client: Client, infant: Infant, device: Device) -> None:
    given = {"state": State.REJECTED, "reason": Reason.UNDECODABLE, "source_name": "noise.bin"}
    a_recording(infant, device=device, detail="no header", **given)
    a_recording(infant, device=device, state=State.REJECTED, reason=Reason.SILENT)
    text = _read(client, device).text
    assert "1 recording is kept" in text
    assert "noise.bin, 1 bytes, no decoder could read it (no header)" in text


def test_settings_are_asked_and_kept(client: Client, device: Device) -> None:
    where = f"/monitors/{device.id}/"
    client.post(where, ASKED | {"suspend": "60"})
    held = settings_of(device)
    assert (held.version, held.sensitivity, held.upload, held.is_wifi_only) == (
        *(1, "high", "cries"),
        True,
    )
    assert held.suspended_until is not None
    assert dt.timedelta(minutes=58) < held.suspended_until - timezone.now() < HOUR
    [high] = _read(client, device).all("input", value="high")
    assert "checked" in high
    client.post(where, ASKED | {"is_wifi_only": ""})
    assert settings_of(device).suspended_until == held.suspended_until
    client.post(where, ASKED | {"suspend": "0"})
    assert settings_of(device).suspended_until is None
    assert client.post(where, ASKED | {"upload": "some"}).status_code == 200
    assert settings_of(device).version == 3


def test_it_listens_to_a_twin_from_now_on(client: Client, infant: Infant, device: Device) -> None:
    twin, foreign, before = an_infant(name="Bo"), an_infant(), timezone.now()
    a_member(twin, user=infant.memberships.get().user)
    assert "Let it listen to another infant" in _read(client, device).text
    client.post(f"/monitors/{device.id}/serve/", {"infant": foreign.id})
    assert infant_served(device, timezone.now()) == infant
    client.post(f"/monitors/{device.id}/serve/", {"infant": twin.id})
    assert infant_served(device, timezone.now()) == twin
    assert infant_served(device, before) == infant
    assert "Bedroom listens to Bo from now on." in _read(client, device).text


def test_what_is_tried_out_is_listed(client: Client, device: Device) -> None:
    where = f"/monitors/{device.id}/try-out/"
    client.post(where, {"is_sandbox": "1"})
    as_device(device).post(UPLOAD, {"audio": audio(name="trial.wav")}, format="multipart")
    text = _read(client, device).text
    assert "It is being tried out" in text
    assert "trial.wav, 5 bytes" in text
    client.post(where, {"is_sandbox": "0"})
    assert "It is there." in _read(client, device).text


def test_it_is_called_otherwise_but_never_nothing(client: Client, device: Device) -> None:
    for name in ("By the window", "   "):
        client.post(f"/monitors/{device.id}/name/", {"name": name})
        device.refresh_from_db()
        assert device.name == "By the window"


def test_a_new_token_is_shown_once_and_serves(client: Client, device: Device) -> None:
    old = issue_token(device)
    page = client.post(f"/monitors/{device.id}/token/").content.decode()
    assert Page(page).faults == []
    found = re.search(r"iclas_device_[\w-]+", page)
    assert found is not None
    assert device_of_token(old) == device_of_token(found[0]) == device
    assert found[0] not in _read(client, device).text


def test_a_disconnected_one_stays_in_sight(client: Client, device: Device) -> None:
    token = issue_token(device)
    client.post(f"/monitors/{device.id}/disconnect/")
    with pytest.raises(RevokedDeviceError):
        device_of_token(token)
    page = _read(client, device)
    assert "It is disconnected" in page.text
    assert not page.all("input", name="sensitivity")
    assert client.post(f"/monitors/{device.id}/token/").status_code == 302
    client.post(f"/monitors/{device.id}/serve/", {"infant": an_infant().id})
    assert not device.assignments.filter(ends_at=None).exists()


def test_the_alert_of_a_silence_leads_to_the_monitor(
    client: Client, infant: Infant, device: Device
) -> None:
    now = timezone.now()
    evidence = {"device": str(device.id), "since": (now - HOUR).isoformat()}
    a_told_episode(infant, kind=Episode.Kind.MONITOR_SILENT, evidence=evidence)
    raise_alerts(now)
    alert = infant.alerts.get()
    page = Page(client.get(f"/alerts/{alert.id}/").content.decode())
    assert page.faults == []
    assert "Nothing comes from Ada’s monitor" in page.text
    assert page.all("a", href=f"/monitors/{device.id}/")
    assert "What was it?" not in page.text
    caregiver = Page(_as(infant, "caregiver").get(f"/alerts/{alert.id}/").content.decode())
    assert not caregiver.all("a", href=f"/monitors/{device.id}/")
    assert "Nothing comes from" in client.get("/", follow=True).content.decode()
