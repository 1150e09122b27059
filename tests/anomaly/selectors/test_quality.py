"""How good the data are, what judged them, and what was judged: counts that can be checked."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anomaly.models import Episode
from anomaly.selectors.period import period_of
from anomaly.selectors.quality import quality_of, versions_of
from infants.access import Viewer
from infants.models import Recording
from infants.states import Reason, State
from tests.builders import (
    START,
    a_decision,
    a_member,
    a_model,
    a_recording,
    a_rollup,
    an_episode,
    an_infant,
)
from tests.dashboard.rows import a_heard_infant, a_judged, a_judged_session

pytestmark = pytest.mark.django_db
SYSTEM = Viewer.system()
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
END = START + DAY


def test_fates_clocks_and_batteries_are_counted() -> None:
    infant = a_heard_infant()
    device = infant.assignments.get().device
    a_judged(infant, START + HOUR, 0.5, accepted=False)
    silent = {"state": State.REJECTED, "reason": Reason.SILENT}
    a_recording(infant, START + 2 * HOUR, device, **silent, battery_frac=0.1)
    a_recording(infant, START + 3 * HOUR, device, **silent, battery_frac=0.8)
    a_recording(infant, START + 4 * HOUR, device, clock=Recording.Clock.FUTURE)
    a_decision(a_recording(infant, START + 5 * HOUR, device), is_cry=False, accepted=False)
    a_recording(infant, START + 6 * HOUR, device, state=State.EMBEDDED)
    a_recording(infant, END, device)  # belongs to the next stretch
    found = quality_of(SYSTEM, infant, START, END)
    assert (found.n_received, found.n_judged, found.n_on_the_way) == (6, 1, 1)
    assert (found.n_refused, found.n_not_cry) == (1, 1)
    assert found.fates == [("rejected", "silent", 2)]
    assert found.clocks == [("future", 1)]
    assert [(c.device, c.lowest_frac, c.last_frac) for c in found.charges] == [(device, 0.1, 0.8)]


def test_versions_are_told_once_each() -> None:
    infant = a_heard_infant()
    model = a_model(infant, 4)
    for hours in (1, 2):
        a_judged(infant, START + hours * HOUR, 0.5, model)
    found = versions_of(SYSTEM, infant, START, END)
    assert (found.encoders, found.gates) == (["numbers"], ["gate-1"])
    assert found.models == [(4, model.learnt_on, 9, 9)]
    assert found.builds == []


def test_a_period_holds_what_was_open_in_it() -> None:
    infant = a_heard_infant()
    a_judged_session(a_judged(infant, START + HOUR, 0.5), 0.5)
    a_rollup(infant, START.date(), 0.5)
    ended = {"closed_at": START - HOUR, "close_reason": Episode.CloseReason.SETTLED}
    an_episode(infant, START - DAY, **ended)
    still_open = an_episode(infant, START - 2 * DAY)
    found = period_of(SYSTEM, infant, START, END)
    assert found.episodes == [still_open]
    assert [session.p_value for session in found.sessions] == [0.5]
    assert list(found.rollups) == [START.date()]


def test_strangers_read_nothing() -> None:
    infant = a_heard_infant()
    a_judged_session(a_judged(infant, START + HOUR, 0.5), 0.5)
    an_episode(infant, START)
    stranger = Viewer(user=a_member(an_infant()))
    assert quality_of(stranger, infant, START, END).n_received == 0
    assert versions_of(stranger, infant, START, END).encoders == []
    found = period_of(stranger, infant, START, END)
    assert (found.sessions, found.episodes, found.models, found.rollups) == ([], [], [], {})


def test_the_price_is_fixed() -> None:
    infant = a_heard_infant()
    counts = set()
    for n in range(1, 4):
        a_judged_session(a_judged(infant, START + n * HOUR, 0.5), 0.5)
        an_episode(infant, START + n * HOUR, reviewed_by=a_member(infant))
        with CaptureQueriesContext(connection) as captured:
            quality_of(SYSTEM, infant, START, END)
            versions_of(SYSTEM, infant, START, END)
            found = period_of(SYSTEM, infant, START, END)
            assert all(episode.reviewed_by for episode in found.episodes)
        counts.add(len(captured))
    assert len(counts) == 1
