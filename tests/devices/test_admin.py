"""The admin pages of devices: no credential is ever shown, and revoking works."""

import pytest
from django.urls import reverse

from devices.models import Device, DeviceCredential, issue_token
from tests.builders import a_device, a_user, as_user

pytestmark = pytest.mark.django_db


def test_a_devices_page_shows_no_digest_and_makes_no_credential() -> None:
    client = as_user(a_user(is_staff=True, is_superuser=True))
    device = a_device()
    token = issue_token(device)
    page = client.get(reverse("admin:devices_device_change", args=[device.id])).content.decode()
    assert token not in page
    assert DeviceCredential.objects.get().digest not in page
    assert client.get(reverse("admin:devices_device_changelist")).status_code == 200


def test_the_action_revokes() -> None:
    client = as_user(a_user(is_staff=True, is_superuser=True))
    chosen, other = a_device(), a_device()
    client.post(
        reverse("admin:devices_device_changelist"),
        {"action": "revoke", "_selected_action": [str(chosen.id)]},
    )
    assert Device.objects.get(id=chosen.id).revoked_at is not None
    assert Device.objects.get(id=other.id).revoked_at is None
