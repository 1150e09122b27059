"""What of a recording lies outside the infant's own usual range."""

import datetime as dt

import pytest

from anomaly.models import BaselineEntry
from anomaly.selectors.moved import FEWEST, placed_channels
from infants.access import Viewer
from infants.models import Infant, Recording
from tests.builders import START, a_device, a_member, a_recording, a_session, an_infant

DAY = dt.timedelta(days=1)
SYSTEM = Viewer.system()

pytestmark = pytest.mark.django_db


@pytest.fixture
def infant() -> Infant:
    infant = an_infant()
    a_device(infant)
    return infant


def _heard(infant: Infant, day: float, f0_log2_hz: float, louder_db: float = 20.0) -> Recording:
    when = START + day * DAY
    channels = {
        "f0_log2_hz": {"value": f0_log2_hz, "confidence": 0.9},
        "intensity_over_background_db": {"value": louder_db, "confidence": 0.9},
        "pause_s": {"missing": "no_pause"},
    }
    device = infant.assignments.get().device
    session = a_session(infant, when)
    return a_recording(infant, when, device, channels=channels, session=session)


def _known(infant: Infant, n: int = 20, **given: object) -> None:
    for day in range(n):
        recording = _heard(infant, day, 8.5 + 0.01 * (day % 5), 20.0 + day % 3)
        BaselineEntry.objects.create(
            recording=recording, infant=infant, recorded_at=recording.recorded_at, **given
        )


def test_a_pitch_above_all_usual_ones_is_said_to_be_higher(infant: Infant) -> None:
    _known(infant)
    pitch, loudness = placed_channels(SYSTEM, _heard(infant, 30, 9.52, 21.0))
    assert (pitch.is_outside, loudness.is_outside) == (True, False)
    assert pitch.direction == "higher in pitch"
    by, unit = pitch.by
    assert (round(by), unit) == (100, "%")


def test_softer_is_told_in_decibels(infant: Infant) -> None:
    _known(infant)
    [loudness, _] = placed_channels(SYSTEM, _heard(infant, 30, 8.52, 10.0))
    assert loudness.direction == "softer"
    assert loudness.by == (pytest.approx(-11.0), "dB")


def test_what_lies_as_usual_is_not_outside(infant: Infant) -> None:
    _known(infant)
    assert not any(one.is_outside for one in placed_channels(SYSTEM, _heard(infant, 30, 8.52)))


def test_too_few_recordings_are_no_range(infant: Infant) -> None:
    _known(infant, FEWEST - 1)
    assert placed_channels(SYSTEM, _heard(infant, 30, 9.5)) == []
    _heard(infant, 0, 8.5)
    _known(an_infant_with_a_device(), FEWEST)
    assert placed_channels(SYSTEM, _heard(infant, 30.5, 9.5)) == []


def an_infant_with_a_device() -> Infant:
    infant = an_infant()
    a_device(infant)
    return infant


def test_only_what_was_known_before_and_not_withdrawn_counts(infant: Infant) -> None:
    _known(infant, withdrawn_at=START)
    assert placed_channels(SYSTEM, _heard(infant, 30, 9.5)) == []
    other = an_infant_with_a_device()
    _known(other)
    assert placed_channels(SYSTEM, _heard(other, -1, 9.5)) == []
    stranger = Viewer(user=a_member(an_infant()))
    assert placed_channels(stranger, _heard(other, 40, 9.5)) == []
