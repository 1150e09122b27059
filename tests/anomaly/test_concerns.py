"""Concerns: the most pressing first, known again by their keys, one section for each patient."""

import datetime as dt

import pytest

from anomaly.concerns import Concern, Reason, Section, concerns_of, section_of, within
from anomaly.models import Episode, Suspicion
from anomaly.selectors.crying import Crying, UsualDay
from anomaly.selectors.overview import Overview
from infants.models import Infant
from pipelines.score import Learning

NOW = dt.datetime(2026, 3, 20, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
QUIET = Crying(0, 0.0, None, None)
LOUD = Crying(90, 3600.0, NOW - DAY / 2, UsualDay(9, 600.0, 20.0, 15.0, 25.0))


def _seen(learning: Learning | None = None, recorded: dt.timedelta = DAY / 24) -> Overview:
    return Overview(
        infant=Infant(name="Ada", time_zone="Asia/Tokyo"),
        is_identified=True,
        last_cry_at=NOW - recorded,
        last_recorded_at=NOW - recorded,
        was_scored=True,
        learning=learning,
        episodes=[],
        sessions=[],
        days=[],
        waiting=0,
        failed=0,
        monitor=None,
    )


def _episode(kind: str, severity: str = "", days_ago: float = 1, **given: object) -> Episode:
    when = NOW - days_ago * DAY
    evidence = {"severity": severity, "since": (when - DAY).isoformat()} if severity else {}
    described = {"opened_at": when, "last_at": when, "evidence": evidence} | given
    return Episode(infant=Infant(name="Ada"), kind=kind, **described)


def _suspicion(days_ago: float) -> Suspicion:
    when = NOW - days_ago * DAY
    return Suspicion(opened_at=when - DAY, last_at=when, evidence={})


def _reasons(concerns: list[Concern]) -> list[Reason]:
    return [one.reason for one in concerns]


def test_all_that_there_is_the_most_pressing_first() -> None:
    episodes = [_episode(kind) for kind in reversed(Episode.Kind.values)]
    seen = _seen(Learning(4, 9), recorded=2 * DAY)
    found = concerns_of(seen, episodes, _suspicion(1), LOUD, NOW)
    assert _reasons(found) == list(Reason)
    assert section_of(found) is Section.RISING
    assert len({one.key for one in found}) == len(found)


def test_nothing_is_as_usual() -> None:
    assert concerns_of(_seen(), [], None, QUIET, NOW) == []
    assert section_of([]) is Section.USUAL


def test_a_shift_counts_while_it_is_open_and_by_its_evidence() -> None:
    kind = Episode.Kind.PERSISTENT_SHIFT
    over = _episode(kind, closed_at=NOW, close_reason="back_to_usual")
    [found] = concerns_of(_seen(), [over, _episode(kind, "strong")], None, QUIET, NOW)
    assert (found.rank, found.is_open, found.is_estimated) == (3, True, True)
    assert found.since == NOW - 2 * DAY


def test_an_odd_session_counts_for_a_while_after_it_is_over() -> None:
    over = _episode(
        Episode.Kind.SINGLE_EXTREME, days_ago=3, closed_at=NOW, close_reason="back_to_usual"
    )
    found = concerns_of(_seen(), [over], None, QUIET, NOW)
    assert _reasons(within(found, NOW - 4 * DAY)) == [Reason.EXTREME]
    assert within(found, NOW - 2 * DAY) == []


@pytest.mark.parametrize(("days_ago", "n"), [(0.1, 1), (1.9, 1), (2.1, 0)])
def test_a_suspicion_rises_no_more_when_nothing_is_heard(days_ago: float, n: int) -> None:
    found = concerns_of(_seen(), [], _suspicion(days_ago), QUIET, NOW)
    assert _reasons(found) == [Reason.SUSPICION] * n


def test_crying_for_long_is_news_on_each_of_the_infants_own_days() -> None:
    later = NOW + dt.timedelta(hours=4)  # past midnight where the infant lives
    keys = [concerns_of(_seen(), [], None, LOUD, now)[0].key for now in (NOW, later)]
    assert keys == ["sustained:2026-03-20", "sustained:2026-03-21"]


def test_to_be_learnt_still_is_no_news() -> None:
    [found] = concerns_of(_seen(Learning(4, 9)), [], None, QUIET, NOW)
    assert not found.is_news
    assert found.evidence == {"days": 4, "needed": 9}
