"""The admin pages of people, infants, assignments and recordings."""

import pytest
from django.test import Client
from django.urls import reverse

from infants.models import DeviceAssignment, Recording
from infants.states import State
from tests.builders import a_device, a_member, a_recording, a_user, an_infant, as_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return as_user(a_user(is_staff=True, is_superuser=True))


def _assign(client: Client, **said: object) -> object:
    path = reverse("admin:infants_deviceassignment_add")
    blank = {"starts_at_0": "", "starts_at_1": ""}
    return client.post(path, blank | {name: str(value) for name, value in said.items()})


def test_every_page_opens(client: Client) -> None:
    infant = an_infant()
    a_recording(infant)
    a_member(infant)
    for name in ("user", "household", "infant", "membership", "deviceassignment", "recording"):
        assert client.get(reverse(f"admin:infants_{name}_changelist")).status_code == 200
    assert client.get(reverse("admin:infants_infant_change", args=[infant.id])).status_code == 200


def test_recordings_show_ids_only_and_cannot_be_changed(client: Client) -> None:
    infant = an_infant(name="Wilhelmina")
    recording = a_recording(infant, audio="audio/ab/cd/abcd", source_name="wilhelmina.wav")
    listed = client.get(reverse("admin:infants_recording_changelist")).content.decode()
    assert str(infant.id) in listed
    assert "Wilhelmina" not in listed
    page = reverse("admin:infants_recording_change", args=[recording.id])
    shown = client.get(page).content.decode()
    assert "audio/ab" not in shown
    assert "wilhelmina.wav" not in shown
    assert client.post(page, {"state": "failed"}).status_code == 403
    assert client.get(reverse("admin:infants_recording_add")).status_code == 403


def test_assigning_takes_up_what_was_held(client: Client) -> None:
    device, infant = a_device(), an_infant()
    held = a_recording(None, device=device, state=State.HELD, reason="no_infant")
    assert _assign(client, device=device.id, infant=infant.id).status_code == 302  # type: ignore[attr-defined]
    assert DeviceAssignment.objects.get().infant == infant
    assert Recording.objects.get(id=held.id).state == State.RECEIVED


def test_assigning_ends_what_was_before_and_refuses_to_rewrite_it(client: Client) -> None:
    device, other = a_device(an_infant()), an_infant()
    early = {"starts_at_0": "1969-01-01", "starts_at_1": "00:00:00"}
    refused = _assign(client, device=device.id, infant=other.id, **early)
    assert refused.status_code == 200  # type: ignore[attr-defined]
    assert b"it can serve another" in refused.content  # type: ignore[attr-defined]
    assert DeviceAssignment.objects.count() == 1
    _assign(client, device=device.id, infant=other.id)
    first, second = DeviceAssignment.objects.order_by("starts_at")
    assert first.ends_at == second.starts_at
    assert second.infant == other
