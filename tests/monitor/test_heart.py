"""Heartbeats, what is asked from afar, and clocks that are wrong."""

import datetime as dt
import json
import random
from pathlib import Path

import pytest

from monitor import clock
from monitor.clock import Moment, corrected
from monitor.heart import NOT_KNOWN_FOR_S, Heart, battery_frac
from monitor.server import Server
from monitor.wishes import Wishes, is_mobile
from tests.monitor.stand_in import Stand, a_server

SETTINGS = {
    "version": 3,
    "sensitivity": "low",
    "upload": "cries",
    "is_wifi_only": True,
    "suspended_until": None,
    "heartbeat_every_s": 60,
    "something_new": [1],
}
NOW = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)


def a_heart(url: str, stand: Stand, wishes: Wishes | None = None) -> Heart:
    return Heart(
        lambda: Server(url, stand.token), lambda: 7, wishes or Wishes(), rng=random.Random(1)
    )


def test_a_heartbeat_says_how_the_device_is() -> None:
    stand = Stand()
    with a_server(stand) as url:
        heart = a_heart(url, stand)
        assert 270 <= heart.beat() <= 330
        heart.beat()
    first, second = stand.heartbeats
    assert first["queue_length"] == 7
    assert first["firmware"].startswith("iclas-monitor ")
    assert dt.datetime.fromisoformat(first["clock"]).tzinfo is not None
    assert first["uptime_s"] > 0
    assert "round_trip_s" not in first
    assert 0 <= second["round_trip_s"] < 10
    assert heart.last_at_s is not None


def test_who_switches_it_off_is_not_told_that_it_is_silent() -> None:
    stand = Stand()
    with a_server(stand) as url:
        heart = a_heart(url, stand)
        heart.leave()
        assert stand.heartbeats == []  # nobody has heard of it, and nobody misses it
        heart.beat()
        heart.leave()
    assert [said.get("is_leaving") for said in stand.heartbeats] == [None, True]


def test_settings_are_read_where_they_changed_and_hold_over_a_restart(tmp_path: Path) -> None:
    stand = Stand(settings=dict(SETTINGS))
    path = tmp_path / "settings.json"
    with a_server(stand) as url:
        heart = a_heart(url, stand, Wishes(path))
        assert 54 <= heart.beat() <= 66
        heart.beat()
        stand.settings = dict(SETTINGS, version=4, heartbeat_every_s=10**6)
        assert heart.beat() <= 1.1 * 3_600
    assert stand.asked_settings[0] == ""
    assert stand.asked_settings[1] != ""
    kept = Wishes(path)
    assert kept.version == 4
    assert kept.hearing().louder_by_db == 6.0
    assert kept.etag


def test_a_server_without_heartbeats_is_left_in_peace() -> None:
    stand = Stand(answers=[(404, {}, {}), (500, {}, {}), (401, {}, {})])
    with a_server(stand) as url:
        heart = a_heart(url, stand)
        assert heart.beat() == NOT_KNOWN_FOR_S
        assert heart.beat() < 400
        assert heart.beat() < 400
    assert a_heart("http://127.0.0.1:1", stand).beat() < 400
    assert Heart(lambda: None, lambda: 0, Wishes()).beat() < 400


def test_wishes_that_make_no_sense_are_left_alone(tmp_path: Path) -> None:
    wishes = Wishes()
    odd = {"suspended_until": "soon", "sensitivity": 5, "heartbeat_every_s": "x", "upload": None}
    wishes.take(odd, "")
    assert not wishes.are_suspended(NOW)
    assert wishes.hearing().louder_by_db == 0.0
    assert not wishes.hearing().sends_everything
    assert wishes.beat_every_s(300.0) == 300.0
    assert not wishes.forbid_uploading()
    for text in ("", "[]", "{}", '{"settings": 1, "etag": 2}'):
        (tmp_path / "kept").write_text(text)
        assert Wishes(tmp_path / "kept").version is None


def test_suspended_until_a_time_that_passes() -> None:
    wishes = Wishes()
    wishes.take({"suspended_until": "2026-03-01T09:30:00Z"}, "")
    assert wishes.are_suspended(NOW)
    assert not wishes.are_suspended(NOW + dt.timedelta(hours=1))


@pytest.mark.parametrize(
    ("interfaces", "mobile"),
    [
        ([("wlan0", "00000000", 600)], False),
        ([("wwan0", "00000000", 700)], True),
        ([("wlan0", "00000000", 600), ("wwan0", "00000000", 700)], False),
        ([("wwan0", "0000A8C0", 0)], False),
        ([], False),
    ],
)
def test_the_way_out_may_cost(
    tmp_path: Path, interfaces: list[tuple[str, str, int]], mobile: bool
) -> None:
    rows = [f"{name}\t{to}\t0\t0\t0\t0\t{metric}\t0" for name, to, metric in interfaces]
    (tmp_path / "route").write_text("\n".join(["Iface ...", *rows]))
    assert is_mobile(tmp_path / "route") == mobile
    wishes = Wishes()
    wishes.take({"is_wifi_only": True}, "")
    assert wishes.forbid_uploading(tmp_path / "route") == mobile
    assert not is_mobile(tmp_path / "none")


def test_the_battery_is_read_where_there_is_one(tmp_path: Path) -> None:
    assert battery_frac(tmp_path) is None
    for name, text in (("ac", "x"), ("bat", "83\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "capacity").write_text(text)
    assert battery_frac(tmp_path) == 0.83


def told(at: dt.datetime, boot: str = "b", boot_s: float | None = 100.0) -> dict[str, object]:
    return json.loads(json.dumps({"recorded_at": at.isoformat(), "boot": boot, "boot_s": boot_s}))


def test_what_was_recorded_before_the_clock_was_set_gets_its_right_time() -> None:
    present = Moment(NOW, "b", 400.0)
    wrong = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    right = NOW - dt.timedelta(seconds=300)
    assert corrected(told(wrong), present) == right.isoformat()
    nearly = right + dt.timedelta(seconds=1)
    assert corrected(told(nearly), present) == nearly.isoformat()


@pytest.mark.parametrize(("boot", "boot_s"), [("another", 100.0), ("", 100.0), ("b", None)])
def test_what_no_clock_can_tell_is_left_as_it_is(boot: str, boot_s: float | None) -> None:
    wrong = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    assert corrected(told(wrong, boot, boot_s), Moment(NOW, "b", 400.0)) == wrong.isoformat()


def test_the_present_is_now() -> None:
    present = clock.now()
    assert abs((dt.datetime.now(dt.UTC) - present.at).total_seconds()) < 5
    assert present.earlier(10.0).boot_s == pytest.approx(present.boot_s - 10.0)
