"""Heartbeats: the last values on the device, few rows, one for all of a presence."""

import datetime as dt

import pytest

from devices.heartbeats import (
    KEPT_FOR,
    Beat,
    Said,
    forget_old_heartbeats,
    note_heartbeat,
    note_presence,
    note_sign,
    silent_after,
)
from devices.models import Device, Heartbeat, Presence
from devices.selectors import first_presences, hearing_since, presences_of

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
NOW = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def device() -> Device:
    return Device.objects.create(name="A monitor")


def _beat(device: Device, *minutes: float, beat: Beat | None = None) -> None:
    for minute in minutes:
        note_heartbeat(device, beat or Beat(), NOW + minute * MINUTE)


def test_the_last_values_stand_on_the_device(device: Device) -> None:
    clock = (NOW + 90 * MINUTE).isoformat()
    said = Beat(0.5, clock, 0.2, firmware="3.1", queue_length=7, uptime_s=12.5)
    _beat(device, 0, beat=said)
    _beat(device, 1, beat=Beat(queue_length=0))
    device.refresh_from_db()
    assert device.last_heartbeat_at == device.last_seen_at == NOW + MINUTE
    assert (device.battery_frac, device.firmware, device.queue_length) == (0.5, "3.1", 0)
    assert device.clock_skew_s == pytest.approx(90 * 60 + 0.1)
    assert device.clock_bound_s == pytest.approx(0.1)


@pytest.mark.parametrize("clock", ["", "late", "1970-01-01T00:00:12Z", "2026-02-30T08:00:00Z"])
def test_a_clock_that_tells_nothing_is_accepted(device: Device, clock: str) -> None:
    _beat(device, 0, beat=Beat(clock=clock))
    device.refresh_from_db()
    assert (device.clock_skew_s, device.clock_samples) == (None, [])


@pytest.mark.parametrize("trip_s", [-1.0, 9999.0])
def test_a_way_that_cannot_be_is_taken_for_not_said(device: Device, trip_s: float) -> None:
    _beat(device, 0, beat=Beat(clock=NOW.isoformat(), round_trip_s=trip_s))
    assert device.clock_skew_s == 0.0


def test_rows_are_few_and_forgotten(device: Device) -> None:
    _beat(device, *(number / 4 for number in range(80)), beat=Beat(0.5))
    assert Heartbeat.objects.count() == 4
    assert Heartbeat.objects.values_list("battery_frac", flat=True).distinct().get() == 0.5
    assert forget_old_heartbeats(NOW + KEPT_FOR + 7 * MINUTE) == 2
    assert Heartbeat.objects.count() == 2


def test_presence_is_one_row_however_long_and_a_pause_parts_it(device: Device) -> None:
    _beat(device, 0, 5, 10, 39, 100, 105)
    spans = [(one.starts_at, one.ends_at) for one in device.presences.all()]
    minutes = [(0, 39), (100, 105)]
    assert spans == [(NOW + start * MINUTE, NOW + end * MINUTE) for start, end in minutes]
    assert first_presences([device.id]) == {device.id: NOW}
    found = presences_of([device.id], NOW + 50 * MINUTE, NOW + 200 * MINUTE)
    assert [one.starts_at for one in found[device.id]] == [NOW + 100 * MINUTE]


def test_an_upload_is_a_sign_only_of_what_sends_heartbeats(device: Device) -> None:
    note_sign(device, Said(), NOW)
    assert not Presence.objects.exists()
    _beat(device, 1)
    note_sign(device, Said(0.25), NOW + 4 * MINUTE)
    assert device.presences.get().ends_at == NOW + 4 * MINUTE
    device.refresh_from_db()
    assert (device.last_seen_at, device.battery_frac) == (NOW + 4 * MINUTE, 0.25)


def test_iclas_itself_was_there_since(device: Device) -> None:
    assert hearing_since(NOW, silent_after()) is None
    for minute in (0, 1, 2, 90, 91):
        note_presence(None, NOW + minute * MINUTE)
    _beat(device, 80)
    assert hearing_since(NOW + 91 * MINUTE, silent_after()) == NOW + 90 * MINUTE
    assert hearing_since(NOW + 200 * MINUTE, silent_after()) is None
