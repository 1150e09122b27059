"""Recordings that sound alike: nearest first, of other sessions, of the same infant and encoder."""

import numpy as np
import pytest
from numpy.typing import NDArray

from anomaly.selectors.similar import similar_to
from infants.access import Viewer
from infants.arrays import to_bytes
from infants.models import Cry, Infant, Recording
from tests.builders import START, a_member, a_recording, a_session, an_infant
from tests.dashboard.rows import DAY

pytestmark = pytest.mark.django_db

SYSTEM = Viewer.system()


def at_angle(degrees: float) -> NDArray[np.float64]:
    """Return a direction in the plane of the first two of 192."""
    vector = np.zeros(192)
    vector[:2] = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return vector


def sounding(infant: Infant, day: int, *angles: float, encoder: str = "e") -> Recording:
    """Return a recording, in a session of its own, whose units lie at these angles."""
    when = START + day * DAY
    recording = a_recording(infant, when, session=a_session(infant, when))
    for index, angle in enumerate(angles):
        vector = to_bytes(at_angle(angle).astype(np.float32))
        Cry.objects.create(
            recording=recording,
            index=index,
            onset_s=index,
            offset_s=index + 0.5,
            embedding=vector,
            encoder=encoder,
        )
    return recording


def test_the_mean_direction_of_the_units_decides() -> None:
    infant = an_infant()
    chosen = sounding(infant, 0, -10.0, 10.0)
    far, near = sounding(infant, 1, 60.0), sounding(infant, 2, 20.0, 40.0)
    found = similar_to(SYSTEM, chosen)
    assert [one.recording for one in found] == [near.id, far.id]
    assert [one.distance for one in found] == pytest.approx(
        [1.0 - np.cos(np.radians(30.0)), 0.5], abs=1e-6
    )
    assert found[0].time == near.recorded_at


def test_the_same_session_another_infant_and_another_encoder_are_left_out() -> None:
    infant = an_infant()
    chosen = sounding(infant, 0, 0.0)
    beside = sounding(infant, 1, 0.0)
    beside.session = chosen.session
    beside.save()
    sounding(an_infant(name="Bo"), 2, 0.0)
    sounding(infant, 3, 0.0, encoder="other")
    other = sounding(infant, 4, 90.0)
    assert [one.recording for one in similar_to(SYSTEM, chosen)] == [other.id]


def test_so_many_come_and_no_more() -> None:
    infant = an_infant()
    chosen = sounding(infant, 0, 0.0)
    for day in range(1, 13):
        sounding(infant, day, float(day))
    found = similar_to(SYSTEM, chosen)
    assert len(found) == 10
    assert [one.distance for one in found] == sorted(one.distance for one in found)


def test_without_embeddings_or_without_the_right_there_is_none() -> None:
    infant = an_infant()
    chosen = sounding(infant, 0, 0.0)
    sounding(infant, 1, 0.0)
    assert similar_to(SYSTEM, a_recording(infant)) == []
    assert similar_to(Viewer.of(a_member(an_infant(name="Bo"))), chosen) == []
