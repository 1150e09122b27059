"""Which of the baseline's recordings the next version of a personal model may learn, and why not.

What comes in: an infant's baseline, its episodes and what reviewers said of them. What goes out:
for each recording whether it is ripe. Guaranteed: a function of the rows; nothing is written.
"""

import datetime as dt
from collections.abc import Sequence

import numpy as np
from django.conf import settings
from django.db.models import QuerySet
from numpy.typing import NDArray

from anomaly.models import BaselineEntry, Episode
from anomaly.selectors.watched import heard_sessions, reviews_of
from infants.models import Infant
from pipelines.episode import CloseReason, EpisodeSpan, Verdict, watch_of
from pipelines.lasting import find_lasting
from pipelines.learn import (
    FOREVER,
    SUSPICION,
    choose_ripe,
    device_spans,
    held_spans,
    is_held_back,
    within,
)
from pipelines.prior import bundled_priors


def learnable(
    infant: Infant, entries: QuerySet[BaselineEntry], moment: dt.datetime
) -> list[BaselineEntry]:
    """Return those of the entries that a version made at this moment may learn, oldest first."""
    ordered = entries.select_related("recording__session", "recording__gate_decision")
    heard = list(ordered.order_by("recorded_at"))
    times = [entry.recorded_at for entry in heard]
    days = np.array([infant.local_day(time).toordinal() for time in times], dtype=np.int64)
    spans = suspicions(infant, moment)
    chosen = choose_ripe(
        days,
        infant.local_day(moment).toordinal(),
        settings.ICLAS_SETTLE_DAYS,
        held=held_back(infant, times, spans),
        bridged=within(times, device_spans(spans)),
    )
    return [heard[index] for index in chosen]


def held_back(
    infant: Infant, times: Sequence[dt.datetime], spans: Sequence[EpisodeSpan]
) -> NDArray[np.bool_]:
    """Return which times are kept from the baseline.

    What became of a shift, or what a reviewer said of it, counts for more than a suspicion.
    """
    shifts = infant.episodes.filter(kind=Episode.Kind.PERSISTENT_SHIFT)
    told = within(times, [_since_until(shift) for shift in shifts if holds_back(shift)])
    free = within(times, [_since_until(shift) for shift in shifts if not holds_back(shift)])
    return (within(times, held_spans(spans)) & ~free) | told


def holds_back(shift: Episode) -> bool:
    """Tell whether the days of a shift are kept from the baseline."""
    reason = CloseReason(shift.close_reason) if shift.close_reason else None
    return is_held_back(reason, Verdict(shift.verdict) if shift.verdict else None)


def _since_until(shift: Episode) -> tuple[dt.datetime, dt.datetime]:
    return shift.began_at, shift.closed_at or FOREVER


def suspicions(infant: Infant, moment: dt.datetime) -> list[EpisodeSpan]:
    """Return what is found by this moment at the threshold of a suspicion."""
    heard = [one for one in heard_sessions(infant) if one.time < moment]
    watch = watch_of(bundled_priors("").views)
    return find_lasting(heard, moment, watch, SUSPICION, reviews_of(infant))
