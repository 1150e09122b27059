"""The report's first lines say what the rows say, and no more."""

import datetime as dt

import pytest

from anomaly.models import Episode
from anomaly.selectors.period import Period
from anomaly.selectors.protocol import Bout, CriedPart, Lived
from dashboard.report.days import Day, dates_between, days_of, midnight
from dashboard.report.summary import Told, sentences
from infants.models import Infant
from infants.stretches import Span
from pipelines.score import Learning
from tests.dashboard.report.busy import EVIDENCE, HOUR, NOW

INFANT = Infant(name="Ada", time_zone="Europe/Zurich")
FIRST, LAST = dt.date(2026, 11, 8), dt.date(2026, 11, 14)
ALARMING = ("diagnos", "disease", "because she", "pain", "hungry", "sick", "abnormal")


def _days(minutes: float, *, listened: bool = True) -> list[Day]:
    start, end = midnight(FIRST, INFANT.zone), midnight(LAST, INFANT.zone)
    at = start + 9 * HOUR
    bouts = [Bout([CriedPart(Span(at, at + HOUR), 3, 60 * minutes)], 0.4)] if minutes else []
    spans = [Span(start, end)] if listened else []
    lived = Lived(start, end + 24 * HOUR, bouts, [], spans)
    return days_of(lived, list(dates_between(FIRST, LAST)), INFANT.zone)


def _told(*episodes: Episode, **given: object) -> list[str]:
    period = Period(NOW, NOW, [], list(episodes), [], [], {})
    described = {
        "infant": INFANT,
        "name": "Ada",
        "standing": Learning(4, 9),
        "period": period,
        "days": _days(14.0),
        "before": _days(7.0),
    } | given
    return sentences(Told(**described))  # type: ignore[arg-type]


def _episode(kind: Episode.Kind, **given: object) -> Episode:
    return Episode(kind=kind, opened_at=NOW, last_at=NOW, **given)


def test_a_shift_is_told_with_its_beginning_its_evidence_and_its_end() -> None:
    shift = _episode(Episode.Kind.PERSISTENT_SHIFT, evidence=EVIDENCE)
    since, moved, how_sure = _told(shift)[:3]
    assert since.startswith("Ada’s crying has been different from the usual since about 10 Nov")
    assert "noticed on 14 November 2026" in since
    assert since.endswith("This is still open.")
    assert "higher in pitch (+41 % [+28, +55])" in moved
    assert how_sure.startswith("How sure: clear evidence, from 8 recordings in 6 sessions")
    over = {"closed_at": NOW, "close_reason": Episode.CloseReason.BACK_TO_USUAL}
    ended = _told(_episode(Episode.Kind.PERSISTENT_SHIFT, evidence=EVIDENCE, **over))[0]
    assert ended.endswith("This is over: the crying is back to usual.")


def test_odd_sessions_and_new_surroundings() -> None:
    odd, moved = (
        _episode(Episode.Kind.SINGLE_EXTREME),
        _episode(Episode.Kind.NEW_SURROUNDINGS, evidence={"changes": [{"label": "device"}]}),
    )
    assert _told(odd)[0].startswith("On 14 November 2026 a session was unlike Ada’s others.")
    assert _told(moved)[0].startswith("Another monitor is listening since 14 November 2026.")


def test_means_are_of_the_days_that_were_heard() -> None:
    said = " ".join(_told())
    assert "No lasting change and no odd session was found" in said
    assert "Ada’s usual is still being learnt: crying was heard on 4 of 9 days." in said
    assert "Crying was heard on 1 of the 6 days" in said
    assert "on average 2.3 minutes a day, at most 14 (Sun 8 Nov)" in said
    assert "(6 days), it was 1.2 minutes a day" in said
    assert "listened for 144.0 of 168.0 hours" in said


def test_not_hearing_is_not_quiet() -> None:
    said = " ".join(_told(days=_days(0.0, listened=False), before=_days(0.0, listened=False)))
    assert "No crying was heard in this time." in said
    assert "listened for 0.0 of 168.0 hours. Of the rest nothing is known" in said
    assert "minutes a day" not in said


@pytest.mark.parametrize("kind", list(Episode.Kind))
def test_nothing_is_worded_as_a_diagnosis_or_a_cause(kind: Episode.Kind) -> None:
    said = " ".join(_told(_episode(kind, evidence=EVIDENCE))).lower()
    assert not [word for word in ALARMING if word in said]
