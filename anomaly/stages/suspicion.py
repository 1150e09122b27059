"""Suspicion: whether the evidence of a change rises that is still too little to tell everybody.

Part of the stage episode. What comes in: an infant whose episodes are up to date. What goes out:
its `Suspicion`, or none. Guaranteed: a function of the sessions and of now; no event tells of it.
"""

import datetime as dt
from collections.abc import Sequence

from anomaly.models import Episode, Suspicion
from anomaly.selectors.learning import suspicions
from infants.models import Infant
from pipelines.spans import EpisodeKind, EpisodeSpan

RISING_OVER = dt.timedelta(hours=48)
RISEN_BY = 0.3
"""By so much the statistic, a logarithm, must be higher than it was `RISING_OVER` ago."""


def note_suspicion(infant: Infant, now: dt.datetime) -> None:
    """Write down the suspicion that rises now, or that there is none; under the infant's lock."""
    found = None if _has_open_shift(infant) else open_suspicion(suspicions(infant, now))
    if found is None or not _rises(infant, found, now):
        Suspicion.objects.filter(infant=infant).delete()
        return
    Suspicion.objects.update_or_create(
        infant=infant,
        defaults={
            "opened_at": found.opened_at,
            "last_at": found.last_at,
            "evidence": found.evidence,
            "found_at": now,
        },
    )


def open_suspicion(spans: Sequence[EpisodeSpan]) -> EpisodeSpan | None:
    """Return the change that is suspected and not over."""
    shifts = [span for span in spans if span.kind is EpisodeKind.PERSISTENT_SHIFT]
    return next((span for span in shifts if span.closed_at is None), None)


def _has_open_shift(infant: Infant) -> bool:
    kind = Episode.Kind.PERSISTENT_SHIFT
    return infant.episodes.filter(kind=kind, closed_at=None).exists()


def _rises(infant: Infant, found: EpisodeSpan, now: dt.datetime) -> bool:
    before = open_suspicion(suspicions(infant, now - RISING_OVER))
    if before is None:
        return True
    risen = float(found.evidence["peak_statistic"]) - float(before.evidence["peak_statistic"])
    return risen >= RISEN_BY
