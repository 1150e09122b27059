"""Gaps: quiet, a silent monitor, none assigned; nothing is said that is not known."""

import datetime as dt

from anomaly.selectors.lanes import Serving
from dashboard.timeline.gaps import QUIET, SILENT, UNASSIGNED, gaps_of
from infants.stretches import Span

NOW = dt.datetime(2026, 5, 20, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
START = NOW - 20 * DAY


def serving(
    since: dt.datetime = START, until: dt.datetime | None = None, **given: object
) -> Serving:
    """Return a monitor that was heard from just now."""
    described = {"name": "", "kind": "monitor", "last_seen_at": NOW} | given
    return Serving(since, until, **described)  # type: ignore[arg-type]


def every_day(first: int, last: int) -> list[dt.datetime]:
    """Return a recording for each of some days before now."""
    return [NOW - day * DAY for day in range(last, first + 1)][::-1]


def test_an_infant_that_is_heard_every_day_has_no_gap() -> None:
    assert gaps_of(every_day(20, 0), [serving()], START, NOW, NOW) == []


def test_days_without_a_recording_are_quiet_where_a_monitor_was_assigned() -> None:
    [gap] = gaps_of(every_day(20, 10) + every_day(5, 0), [serving()], START, NOW, NOW)
    assert (gap.start, gap.end, gap.kind) == (NOW - 10 * DAY, NOW - 5 * DAY, QUIET)


def test_without_a_monitor_it_is_said_that_there_was_none() -> None:
    [gap] = gaps_of(every_day(20, 10), [serving(until=NOW - 10 * DAY)], START, NOW, NOW)
    assert gap.kind == UNASSIGNED


def test_a_monitor_that_is_silent_to_this_day_is_quiet_until_its_last_sign() -> None:
    last = NOW - 3 * DAY
    found = gaps_of(every_day(20, 6), [serving(last_seen_at=last)], START, NOW, NOW)
    assert [(gap.start, gap.end, gap.kind) for gap in found] == [
        (NOW - 6 * DAY, last, QUIET),
        (last, NOW, SILENT),
    ]


def test_of_the_past_it_is_not_known_whether_the_monitor_was_silent() -> None:
    end = NOW - 8 * DAY
    last = NOW - 12 * DAY
    found = gaps_of(every_day(20, 14), [serving(last_seen_at=last)], START, end, NOW)
    assert {gap.kind for gap in found} == {QUIET}


def test_an_archive_is_never_silent() -> None:
    archive = serving(kind="archive", last_seen_at=NOW - 9 * DAY)
    assert [gap.kind for gap in gaps_of(every_day(20, 10), [archive], START, NOW, NOW)] == [QUIET]


def test_the_future_is_no_gap() -> None:
    found = gaps_of(every_day(20, 0), [serving()], START, NOW + 9 * DAY, NOW)
    assert found == []
    assert gaps_of([], [serving()], NOW + DAY, NOW + 9 * DAY, NOW) == []


# --- monitors that send heartbeats ----------------------------------------------------------------


def beating(*there: tuple[float, float], **given: object) -> Serving:
    """Return a monitor that was there between some days before now, by its heartbeats."""
    spans = tuple(Span(NOW - first * DAY, NOW - last * DAY) for first, last in there)
    return serving(known_from=spans[0].start, listened=spans, **given)  # type: ignore[arg-type]


def told(*serving: Serving, last: int = 10) -> list[tuple[float, float, str]]:
    """Return the gaps after a recording so many days ago: their ends in days before now."""
    found = gaps_of(every_day(20, last), serving, START, NOW, NOW)
    return [((NOW - gap.start) / DAY, (NOW - gap.end) / DAY, gap.kind) for gap in found]


def test_of_the_past_it_is_known_from_heartbeats_when_the_monitor_was_there() -> None:
    assert told(beating((15, 7), (4, 0))) == [(10, 7, QUIET), (7, 4, SILENT), (4, 0, QUIET)]


def test_a_pause_between_two_heartbeats_is_no_silence() -> None:
    assert told(beating((15, 0.01))) == [(10, 0, QUIET)]


def test_before_the_first_heartbeat_nothing_is_said_of_silence() -> None:
    assert told(beating((6, 2))) == [(10, 2, QUIET), (2, 0, SILENT)]


def test_one_of_two_monitors_is_enough_to_have_listened() -> None:
    assert told(beating((15, 7)), beating((15, 5))) == [(10, 5, QUIET), (5, 0, SILENT)]
    assert told(beating((15, 7)), serving()) == [(10, 0, QUIET)]


def test_a_monitor_counts_while_it_serves() -> None:
    gone = beating((15, 0), until=NOW - 8 * DAY)
    after = beating((7, 7), since=NOW - 8 * DAY)
    assert told(gone, after) == [(10, 7, QUIET), (7, 0, SILENT)]
