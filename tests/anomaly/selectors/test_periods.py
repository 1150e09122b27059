"""Sessions of a stretch as periods are compared."""

import numpy as np
import pytest

from anomaly.selectors.periods import MEASURES, P_VALUE, SHARE_UNUSUAL, period_of
from infants.access import Viewer
from tests.builders import START, a_member, an_infant
from tests.dashboard.rows import DAY, HOUR, a_heard_infant, a_judged, a_judged_session

pytestmark = pytest.mark.django_db

SYSTEM = Viewer.system()


def test_a_session_is_one_row_with_the_mean_of_its_recordings() -> None:
    infant = a_heard_infant()
    one, other = a_judged(infant, START, 0.04), a_judged(infant, START + HOUR, 0.5)
    other.session = one.session
    for recording, value in ((one, 8.0), (other, 9.0)):
        recording.channels = {"f0_log2_hz": {"value": value, "confidence": 0.9}}
        recording.save()
    a_judged_session(one, 0.03125)
    found = period_of(SYSTEM, infant, START - DAY, START + DAY)
    [row] = found.values
    told = dict(zip(MEASURES, row.tolist(), strict=True))
    assert (told[P_VALUE], told[SHARE_UNUSUAL]) == (-5.0, 1.0)
    assert told["f0_log2_hz"] == pytest.approx(8.5)
    assert np.isnan(told["duration_s"])
    assert found.day.tolist() == [infant.local_day(START).toordinal()]


def test_what_was_not_judged_has_no_p_value() -> None:
    infant = a_heard_infant()
    a_judged(infant, START)
    [row] = period_of(SYSTEM, infant, START - DAY, START + DAY).values
    assert np.isnan(row[:2]).all()


def test_outside_the_stretch_and_for_strangers_there_is_nothing() -> None:
    infant = a_heard_infant()
    a_judged(infant, START, 0.5)
    assert period_of(SYSTEM, infant, START + HOUR, START + DAY).values.shape == (0, len(MEASURES))
    stranger = Viewer.of(a_member(an_infant(name="Bo")))
    assert len(period_of(stranger, infant, START - DAY, START + DAY).values) == 0
