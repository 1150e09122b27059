"""An infant of whom there is something of everything, for protocol and report."""

import datetime as dt

from anomaly.models import Episode
from infants.models import DiaryEntry, Infant, Recording, User
from infants.states import Reason, State
from tests.builders import a_device, a_model, a_recording, a_rollup, an_infant, some_cries
from tests.dashboard.rows import a_judged, a_judged_session, a_shift

NOW = dt.datetime(2026, 11, 14, 22, 30, tzinfo=dt.UTC)
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
NAME, MONITOR, NOTE = "Adelheid", "Adelheids Babyfon", "fever at the aunt’s"
HINDI, ARABIC = "शिशु क्षेत्र में हिन्दी", "جدة زارتنا"
EVIDENCE = {
    "n_sessions": 6,
    "n_recordings": 8,
    "n_days": 4,
    "severity": "clear",
    "since": (NOW - 4 * DAY).isoformat(),
    "peak_statistic": 5.25,
    "threshold": 3.34,
    "room": "unchanged",
    "views": [
        {
            **{"view": "f0_log2_hz", "share": 0.9, "sd": 1.2, "sd_low": 0.9, "sd_high": 1.6},
            **{"by": 40.8, "low": 28.3, "high": 54.6, "unit": "%"},
        },
        {"view": "embedding", "share": 0.1, "sd": 1.27, "sd_low": 0.76, "sd_high": 1.78},
    ],
}


def a_busy_infant(reviewer: User | None = None) -> Infant:
    """Return an infant that was born early and lives in Zurich, with a fortnight of everything."""
    born = {"birth_date": dt.date(2026, 9, 12), "gestational_age_weeks": 34.0}
    infant = an_infant(name=NAME, time_zone="Europe/Zurich", **born)
    a_device(infant, name=MONITOR, last_seen_at=NOW - HOUR)
    for n in range(1, 10):
        when = NOW - n * DAY
        scored = a_judged(infant, when, 0.01 * n, accepted=n % 2 == 0)
        some_cries(scored, n)
        a_judged_session(scored, 0.01 * n)
        a_rollup(infant, infant.local_day(when), 0.01 * n)
        _diary(infant, when)
    shift = a_shift(infant, NOW - 3 * DAY, evidence=EVIDENCE)
    if reviewer is not None:
        shift.verdict, shift.reviewed_at = Episode.Verdict.UNUSUAL, NOW - HOUR
        shift.reviewed_by = reviewer
        shift.save()
    a_model(infant, 12, in_force_after=NOW - 2 * DAY, learnt_until=NOW - 3 * DAY)
    device = infant.assignments.get().device
    silent = {"state": State.REJECTED, "reason": Reason.SILENT}
    a_recording(infant, NOW - 2 * DAY, device, **silent, battery_frac=0.12)
    a_recording(infant, NOW - 3 * DAY, device, **silent, clock=Recording.Clock.FUTURE)
    return infant


def _diary(infant: Infant, when: dt.datetime) -> None:
    rows = [
        {"kind": "feed", "starts_at": when - 3 * HOUR},
        {"kind": "sleep", "starts_at": when - 8 * HOUR, "ends_at": when - 5 * HOUR},
        {"kind": "illness", "starts_at": when - HOUR, "text": NOTE},
        {"kind": "note", "starts_at": when, "text": f"{HINDI} {ARABIC}"},
    ]
    DiaryEntry.objects.bulk_create(DiaryEntry(infant=infant, **row) for row in rows)
