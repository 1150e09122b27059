"""Suspicion: noted while the evidence rises, gone once a shift says it or it rises no more."""

import datetime as dt
from typing import Any

import pytest

from anomaly.models import Episode, Suspicion
from anomaly.stages import suspicion
from anomaly.stages.suspicion import note_suspicion
from infants.models import Infant
from pipelines.spans import CloseReason, EpisodeKind, EpisodeSpan
from tests.builders import START, an_episode, an_infant

pytestmark = pytest.mark.django_db

NOW = START + dt.timedelta(days=20)
DAY = dt.timedelta(days=1)
SHIFT = EpisodeKind.PERSISTENT_SHIFT


def _span(peak: float, *, is_over: bool = False, kind: EpisodeKind = SHIFT) -> EpisodeSpan:
    end = (NOW, CloseReason.BACK_TO_USUAL) if is_over else (None, None)
    return EpisodeSpan(kind, NOW - 3 * DAY, NOW, *end, {"peak_statistic": peak})


@pytest.fixture
def infant() -> Infant:
    return an_infant()


def _found(monkeypatch: pytest.MonkeyPatch, now: Any, before: Any) -> None:
    """Let these spans be found now and two days ago."""

    def suspicions(_: Infant, moment: dt.datetime) -> list[EpisodeSpan]:
        return [one for one in ((now if moment == NOW else before),) if one is not None]

    monkeypatch.setattr(suspicion, "suspicions", suspicions)


@pytest.mark.parametrize(
    ("now", "before", "is_noted"),
    [
        (_span(2.9), None, True),
        (_span(3.2), _span(2.9), True),
        (_span(3.0), _span(2.9), False),
        (_span(3.2), _span(2.9, is_over=True), True),
        (_span(3.2, is_over=True), None, False),
        (_span(3.2, kind=EpisodeKind.NEW_SURROUNDINGS), None, False),
        (None, None, False),
    ],
)
def test_noted_while_it_rises(
    monkeypatch: pytest.MonkeyPatch, infant: Infant, now: Any, before: Any, is_noted: bool
) -> None:
    Suspicion.objects.create(infant=infant, opened_at=START, last_at=START, found_at=START)
    _found(monkeypatch, now, before)
    note_suspicion(infant, NOW)
    assert [row.opened_at for row in Suspicion.objects.all()] == [NOW - 3 * DAY] * is_noted


def test_none_beside_an_open_shift(monkeypatch: pytest.MonkeyPatch, infant: Infant) -> None:
    _found(monkeypatch, _span(3.2), None)
    an_episode(infant, NOW - DAY, kind=Episode.Kind.PERSISTENT_SHIFT)
    note_suspicion(infant, NOW)
    assert not Suspicion.objects.exists()
