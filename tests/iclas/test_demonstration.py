"""The demonstration's household: remembered, never doubled, and planted as it is told."""

import datetime as dt
import itertools
import stat
from pathlib import Path

import pytest
from django.utils import timezone

from devices.models import Device
from iclas.demonstration import (
    DAYS,
    FEVERISH,
    HOUSEHOLD,
    REPLACED_ON,
    SHIFTED_ON,
    Demonstration,
    settle,
    sign_up,
)
from iclas.demonstration_report import report
from infants.models import DiaryEntry, Infant, User
from infants.selectors import infant_served
from tests.builders import an_episode

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def demonstration(tmp_path: Path) -> Demonstration:
    """Return a demonstration that has just begun."""
    return Demonstration.at(tmp_path)


def test_it_remembers_when_it_began_and_keeps_its_password_to_itself(tmp_path: Path) -> None:
    first = Demonstration.at(tmp_path)
    assert Demonstration.at(tmp_path) == first
    (kept,) = tmp_path.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert len(first.password) >= 12


def test_a_torn_memory_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "demonstration.new").write_text('{"started')
    Demonstration.at(tmp_path)


def test_its_history_is_thirty_days_and_what_has_passed_of_today(
    demonstration: Demonstration,
) -> None:
    history = demonstration.history()
    assert history == demonstration.history()
    assert {int(one.day) for one in history if one.infant == "demo-shift"} >= set(range(DAYS))
    assert demonstration.first_day <= history[0].recorded_at
    assert history[-1].recorded_at < timezone.now()
    per_infant = {m.simulated.key: 0 for m in HOUSEHOLD}
    for one in history:
        per_infant[one.infant] += 1
    assert per_infant["demo-quiet"] < 0.2 * per_infant["demo-shift"]


def test_what_is_planted_is_planted_from_its_day(demonstration: Demonstration) -> None:
    for one in demonstration.history():
        assert bool(one.active) == (one.infant == "demo-shift" and one.day >= SHIFTED_ON)
        if one.infant == "demo-monitor":
            assert one.device == ("new monitor" if one.day >= REPLACED_ON else "old monitor")


def test_its_monitors_go_on_with_cries_of_now(demonstration: Demonstration) -> None:
    some = list(itertools.islice(demonstration.live(demonstration.history()), 4))
    assert [one.infant for one in some] == ["demo-shift", "demo-monitor"] * 2
    assert all(timezone.now() - one.recorded_at < MINUTE for one in some)


@pytest.mark.django_db
def test_the_household_settles_once(demonstration: Demonstration) -> None:
    tokens = settle(demonstration)
    again = settle(demonstration)
    assert set(tokens) == set(again)
    assert set(tokens) == {"bedroom monitor", "old monitor", "new monitor", "travel monitor"}
    assert Infant.objects.count() == len(HOUSEHOLD)
    assert Device.objects.count() == len(tokens)
    assert DiaryEntry.objects.filter(kind="illness").count() == 1
    assert DiaryEntry.objects.filter(kind="temperature").count() == FEVERISH[1] - FEVERISH[0]


@pytest.mark.django_db
def test_each_recording_belongs_to_the_infant_it_is_simulated_for(
    demonstration: Demonstration,
) -> None:
    settle(demonstration)
    devices = {device.name: device for device in Device.objects.all()}
    for one in demonstration.history():
        infant = infant_served(devices[one.device], one.recorded_at)
        assert infant is not None
        assert infant.source_key == one.infant


@pytest.mark.django_db
def test_somebody_may_look(demonstration: Demonstration) -> None:
    sign_up(demonstration)
    sign_up(demonstration)
    assert User.objects.get().check_password(demonstration.password)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("began", "noticed", "said"),
    [
        (22.0, 23.0, "was found; its start is named +1.0 days off, within 4 days"),
        (15.5, 24.0, "was found; its start is named -5.5 days off, NOT within 4 days"),
        (5.0, 8.0, "was NOT found"),
    ],
)
def test_what_was_found_is_said_beside_what_was_planted(
    demonstration: Demonstration, began: float, noticed: float, said: str
) -> None:
    settle(demonstration)
    an_episode(
        Infant.objects.get(source_key="demo-shift"),
        demonstration.day(noticed),
        kind="persistent_shift",
        evidence={"since": demonstration.day(began).isoformat()},
    )
    told = " ".join(report(demonstration).split())
    assert said in told
    assert "not a medical device" in told
