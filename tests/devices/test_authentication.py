"""A device's token: create-only, revocable, and never kept."""

import pytest
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from devices.authentication import DeviceTokenAuthentication
from devices.errors import DeviceError, RevokedDeviceError, UnknownTokenError
from devices.models import TOKEN_PREFIX, Device, DeviceCredential, issue_token
from devices.selectors import device_of_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def device() -> Device:
    return Device.objects.create(name="A monitor")


def _authenticate(header: str | None) -> tuple[object, object] | None:
    headers = {} if header is None else {"Authorization": header}
    request = Request(APIRequestFactory().get("/", headers=headers))
    return DeviceTokenAuthentication().authenticate(request)


def test_a_token_is_its_devices_and_only_its_digest_is_kept(device: Device) -> None:
    token = issue_token(device)
    assert token.startswith(TOKEN_PREFIX)
    assert device_of_token(token) == device
    credential = DeviceCredential.objects.get()
    assert token not in str(credential.__dict__)
    assert token not in str(credential)
    assert len(credential.digest) == 64


def test_two_tokens_differ_and_both_hold(device: Device) -> None:
    first, second = issue_token(device), issue_token(device)
    assert first != second
    assert device_of_token(first) == device_of_token(second) == device


def test_revoking_one_credential_leaves_the_other(device: Device) -> None:
    first, second = issue_token(device), issue_token(device)
    DeviceCredential.objects.filter(id=device.credentials.earliest("id").id).update(
        revoked_at=timezone.now()
    )
    with pytest.raises(RevokedDeviceError):
        device_of_token(first)
    assert device_of_token(second) == device


def test_a_revoked_device_is_told_so_rather_than_that_it_is_unknown(device: Device) -> None:
    token = issue_token(device)
    Device.objects.update(revoked_at=timezone.now())
    with pytest.raises(RevokedDeviceError):
        device_of_token(token)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(device: Device, scheme: str) -> None:
    found = _authenticate(f"{scheme} {issue_token(device)}")
    assert found is not None
    assert found[1] == device


@pytest.mark.parametrize("header", [None, "", "Basic eDp5", "Token iclas_device_x"])
def test_other_schemes_are_left_to_others(header: str | None) -> None:
    assert _authenticate(header) is None


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer x", "Bearer iclas_device_", "Bearer iclas_device_\xff"]
)
def test_a_token_of_nobody_is_unknown(header: str) -> None:
    with pytest.raises(UnknownTokenError):
        _authenticate(header)


def test_every_error_has_a_code_of_its_own_and_words() -> None:
    kinds = [UnknownTokenError, RevokedDeviceError]
    assert len({kind.code for kind in [DeviceError, *kinds]}) == 3
    assert all(str(kind()) for kind in kinds)
