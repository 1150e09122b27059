"""The sessions of a stretch of one infant's time, in the form in which periods are compared.

What comes in: the viewer, a visible infant and a stretch. What goes out: a `Period` with a column
for each acoustic channel, the logarithm of the p-value, and whether it is unusual. Guaranteed: two
queries; a session counts once, however many recordings it has; what was not judged has no p-value.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from anomaly.charts import UNUSUAL
from anomaly.models import RecordingJudgement, SessionJudgement
from infants.access import Viewer, infants_for
from infants.models import Infant
from pipelines.acoustics import CHANNELS, from_json
from pipelines.familiar import channel_values
from pipelines.periods import Period

P_VALUE, SHARE_UNUSUAL = "p_value", "unusual_frac"
MEASURES = (P_VALUE, SHARE_UNUSUAL, *(channel.name for channel in CHANNELS))
"""The columns of a period, in order; the p-value is a logarithm to the base of two."""


def period_of(viewer: Viewer, infant: Infant, start: dt.datetime, end: dt.datetime) -> Period:
    """Return the sessions of which a recording lies in the stretch."""
    judged = RecordingJudgement.objects.filter(
        infant=infant,
        infant__in=infants_for(viewer),
        recording__recorded_at__gte=start,
        recording__recorded_at__lt=end,
        recording__session__isnull=False,
    )
    told: dict[UUID, list[NDArray[np.float64]]] = defaultdict(list)
    day: dict[UUID, int] = {}
    columns = ("recording__session_id", "recording__recorded_at", "recording__channels")
    for session, time, channels in judged.order_by("recording__recorded_at").values_list(*columns):
        told[session].append(channel_values(from_json(channels)))
        day.setdefault(session, infant.local_day(time).toordinal())
    p_values = dict(
        SessionJudgement.objects.filter(infant=infant, session__in=list(told)).values_list(
            "session_id", "p_value"
        )
    )
    rows = [[*_judged(p_values.get(session)), *_means(own)] for session, own in told.items()]
    values = np.array(rows, dtype=np.float64).reshape(len(rows), len(MEASURES))
    return Period(values, np.array([day[session] for session in told], dtype=np.int64))


def _judged(p_value: float | None) -> tuple[float, float]:
    if p_value is None:
        return float("nan"), float("nan")
    return float(np.log2(p_value)), float(p_value <= UNUSUAL)


def _means(recordings: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the mean of each channel over the recordings that have it, on its own scale."""
    table = np.array(list(recordings))
    there = np.isfinite(table)
    sums = np.where(there, table, 0.0).sum(axis=0)
    counts = there.sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
