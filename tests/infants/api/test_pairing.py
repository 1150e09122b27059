"""Pairing over HTTP: a code gives a device its own token, once; everything else fails alike."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from devices.models import Device, DeviceCredential
from infants.access import Viewer
from infants.api.pairing import PairingThrottle
from infants.models import Infant, PairingCode
from infants.pairing import ALPHABET, LENGTH, offer_pairing
from tests.builders import a_member, an_infant
from tests.uploads import UPLOAD, assert_problem, audio

pytestmark = pytest.mark.django_db
PAIR = "/api/v1/devices/pair/"


def _offered(infant: Infant) -> str:
    owner = a_member(infant)
    return offer_pairing(Viewer.of(owner), owner, infant.id).code


def _pair(offered: str, **said: object) -> HttpResponse:
    given = {"code": offered, "name": "Bedroom", "hardware": "Maker 3"} | said
    return Client().post(PAIR, given, content_type="application/json")


def test_a_code_gives_a_device_its_own_token() -> None:
    infant = an_infant()
    answer = _pair(_offered(infant))
    said = answer.json()
    assert answer.status_code == 201
    device = Device.objects.get(id=UUID(said["id"]))
    assert (device.name, device.hardware, device.kind) == ("Bedroom", "Maker 3", "monitor")
    assert device.assignments.get().infant == infant
    assert said["token"] not in str(list(DeviceCredential.objects.values()))
    sent = Client().post(
        UPLOAD, {"audio": audio()}, headers={"Authorization": f"Bearer {said['token']}"}
    )
    assert sent.status_code == 201
    assert sent.json()["infant"] == str(infant.id)
    seen = Client().get("/api/v1/infants/", headers={"Authorization": f"Bearer {said['token']}"})
    assert seen.status_code == 403


@pytest.mark.parametrize("typed", [str.lower, lambda code: code.replace("-", " ")])
def test_a_code_may_be_typed_as_one_likes(typed: Callable[[str], str]) -> None:
    assert _pair(typed(_offered(an_infant()))).status_code == 201


def test_a_code_has_no_look_alikes_and_is_not_kept() -> None:
    code = _offered(an_infant()).replace("-", "")
    assert len(code) == LENGTH
    assert not set("0O1IL2Z5S8B") & set(ALPHABET)
    assert code not in str(list(PairingCode.objects.values()))


def test_used_expired_unknown_and_orphaned_codes_fail_alike() -> None:
    used, expired, orphaned = (_offered(an_infant()) for _ in range(3))
    assert _pair(used).status_code == 201
    live = PairingCode.objects.filter(used_at=None).order_by("created_at", "id")
    PairingCode.objects.filter(id=live[0].id).update(expires_at=timezone.now())
    live.get(expires_at__gt=timezone.now()).infant.memberships.update(revoked_at=timezone.now())
    said = [_pair(code) for code in (used, expired, orphaned, "AAAA-AAAA")]
    for answer in said:
        assert_problem(answer, 403, "pairing_code", "after_pairing")
    assert len({answer.content for answer in said}) == 1
    assert Device.objects.count() == 1


def test_a_new_code_ends_the_one_before() -> None:
    infant = an_infant()
    owner = a_member(infant)
    first, second = (offer_pairing(Viewer.of(owner), owner, infant.id).code for _ in range(2))
    assert _pair(first).status_code == 403
    assert _pair(second).status_code == 201


@pytest.mark.parametrize("said", [{"code": ""}, {"name": ""}, {"kind": "archive"}])
def test_what_is_missing_is_named(said: dict[str, str]) -> None:
    answer = _pair(_offered(an_infant()), **said)
    assert_problem(answer, 400, "bad_value", "later")
    assert answer.json()["errors"][0]["field"] == next(iter(said))
    assert PairingCode.objects.get().used_at is None


def test_who_tries_too_often_has_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PairingThrottle, "rate", "3/min")
    code = _offered(an_infant())
    for _ in range(3):
        _pair("AAAA-AAAA")
    answer = _pair(code)
    assert_problem(answer, 429, "throttled", "later")
    assert 0 < answer.json()["retry_after_s"] <= 60
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    given = {"code": code, "name": "Bedroom"}
    assert elsewhere.post(PAIR, given, content_type="application/json").status_code == 201


def test_a_forged_address_counts_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PairingThrottle, "rate", "1/min")
    _pair("AAAA-AAAA")
    answer = Client().post(
        PAIR,
        {"code": "AAAA-AAAA", "name": "x"},
        content_type="application/json",
        headers={"X-Forwarded-For": "192.0.2.9"},
    )
    assert answer.status_code == 429
