"""Data gaps: a silent monitor, or nothing heard, for longer than this infant is used to."""

import datetime as dt

import pytest

from anomaly.selectors.overview import Overview, SessionValue
from anomaly.silence import GapKind, gap_of, usual_silence
from devices.models import Device
from infants.models import Infant

NOW = dt.datetime(2026, 3, 20, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def _seen(
    monitor: Device | None, recorded: dt.timedelta | None, every_h: float = 0.0, n: int = 30
) -> Overview:
    last = None if recorded is None else NOW - recorded
    times = [NOW - i * every_h * HOUR for i in range(n, 0, -1)] if every_h else []
    return Overview(
        infant=Infant(name="Ada"),
        is_identified=True,
        last_cry_at=last,
        last_recorded_at=last,
        was_scored=True,
        learning=None,
        episodes=[],
        sessions=[SessionValue(time, 0.5) for time in times],
        days=[],
        waiting=0,
        failed=0,
        monitor=monitor,
    )


def _monitor(hours: float, kind: str = Device.Kind.MONITOR) -> Device:
    return Device(name="A monitor", kind=kind, last_seen_at=NOW - hours * HOUR)


@pytest.mark.parametrize(
    ("hours", "every_h", "is_gap"),
    [(11, 0, False), (13, 0, True), (13, 4, True), (13, 8, False), (17, 8, True)],
)
def test_a_silent_monitor_against_the_usual(hours: float, every_h: float, is_gap: bool) -> None:
    gap = gap_of(_seen(_monitor(hours), hours * HOUR, every_h), NOW)
    assert (gap is not None and gap.kind is GapKind.MONITOR) == is_gap


def test_a_monitor_that_is_there_and_hears_nothing() -> None:
    gap = gap_of(_seen(_monitor(0.1), 30 * HOUR), NOW)
    assert gap is not None
    assert (gap.kind, gap.since, gap.expected_s) == (GapKind.CRYING, NOW - 30 * HOUR, 24 * 3600)
    assert gap_of(_seen(_monitor(0.1), 23 * HOUR), NOW) is None


def test_no_monitor_at_all() -> None:
    gap = gap_of(_seen(None, 30 * HOUR), NOW)
    assert gap is not None
    assert gap.kind is GapKind.CRYING


def test_what_was_imported_or_never_heard_has_no_gap() -> None:
    assert gap_of(_seen(_monitor(900, Device.Kind.ARCHIVE), 900 * HOUR), NOW) is None
    assert gap_of(_seen(None, None), NOW) is None


def test_the_usual_silence_is_unknown_of_few_sessions() -> None:
    assert usual_silence(_seen(None, HOUR, every_h=4, n=20)) is None
    assert usual_silence(_seen(None, HOUR, every_h=4, n=21)) == 4 * HOUR
