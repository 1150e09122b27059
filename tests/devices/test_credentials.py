"""Credentials: written down as used, cheaply; a new one ends the old ones when it is first used."""

import datetime as dt

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from devices.credentials import NOTED_EVERY, note_use, revoke_device, rotate_token
from devices.errors import RevokedDeviceError
from devices.models import Device, DeviceCredential, issue_token
from devices.selectors import credential_of_token, device_of_token

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
NOW = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def device() -> Device:
    return Device.objects.create(name="A monitor")


def _use(token: str, now: dt.datetime = NOW) -> DeviceCredential:
    credential = credential_of_token(token)
    note_use(credential, now)
    return credential


def test_use_is_written_once_a_minute_at_most(
    device: Device, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    credential = _use(issue_token(device))
    assert DeviceCredential.objects.get().last_used_at == NOW
    with django_assert_num_queries(0):
        note_use(credential, NOW + NOTED_EVERY - dt.timedelta(seconds=1))
    note_use(credential, NOW + NOTED_EVERY)
    assert DeviceCredential.objects.get().last_used_at == NOW + NOTED_EVERY


def test_the_old_token_holds_until_the_new_one_is_used(device: Device) -> None:
    old = issue_token(device)
    _use(old)
    new = rotate_token(device, NOW)
    _use(old, NOW + 2 * NOTED_EVERY)
    _use(new, NOW + 3 * NOTED_EVERY)
    with pytest.raises(RevokedDeviceError):
        device_of_token(old)
    assert device_of_token(new) == device


def test_a_lost_answer_locks_nobody_out(device: Device) -> None:
    old = issue_token(device)
    lost, kept = rotate_token(device, NOW), rotate_token(device, NOW)
    with pytest.raises(RevokedDeviceError):
        device_of_token(lost)
    assert device_of_token(old) == device
    _use(kept)
    assert DeviceCredential.objects.filter(revoked_at=None).count() == 1


def test_using_an_old_token_ends_no_new_one(device: Device) -> None:
    old = issue_token(device)
    new = rotate_token(device, NOW)
    _use(old)
    assert device_of_token(new) == device


def test_a_new_token_ends_no_other_devices(device: Device) -> None:
    other = issue_token(Device.objects.create(name="Another"))
    _use(rotate_token(device, NOW))
    assert device_of_token(other).name == "Another"


def test_revoking_ends_every_token_and_keeps_when_it_was(device: Device) -> None:
    tokens = [issue_token(device), rotate_token(device, NOW)]
    revoke_device(device, NOW)
    revoke_device(device, timezone.now())
    for token in tokens:
        with pytest.raises(RevokedDeviceError):
            device_of_token(token)
    assert device.revoked_at == NOW
    assert set(device.credentials.values_list("revoked_at", flat=True)) == {NOW}
