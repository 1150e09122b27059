"""One reading of the rows for everything that a view of the timeline shows of a stretch.

What comes in: the viewer, a visible infant, what is asked, and the moment. What goes out: a
`Reading`, of which the document for the script, the drawn chart and the tables are made, so that
all of them say the same. Guaranteed: a fixed number of queries.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from anomaly.selectors.channels import Usual, usual_of
from anomaly.selectors.focus import Focus, Single, focus_of
from anomaly.selectors.lanes import Lanes, lanes_of
from anomaly.selectors.timeline import AbsentBucket, Stretch
from dashboard.infant_page import DRAWN_KINDS
from dashboard.scales import SILENCE
from dashboard.timeline.asked import NUMBER, Asked
from dashboard.timeline.gaps import Gap, gaps_of
from infants.access import Viewer
from infants.models import DiaryEntry, Infant
from pipelines.shift import THRESHOLD

EVERYTHING_WITHIN = dt.timedelta(days=10)
"""In a longer stretch feeds, sleep and nappies would fill the lane."""
CARE = frozenset(str(kind) for kind in frozenset(DiaryEntry.Kind) - DRAWN_KINDS)
ACCEPTED, REFUSED, NOT_A_CRY, UNDECIDED = "accepted", "refused", "not_a_cry", "undecided"


@dataclass(frozen=True)
class Reading:
    """Everything about a stretch."""

    infant: Infant
    asked: Asked
    now: dt.datetime
    focus: Focus
    lanes: Lanes
    usual: Usual
    gaps: list[Gap]
    threshold: float = THRESHOLD


def read(viewer: Viewer, infant: Infant, asked: Asked, now: dt.datetime) -> Reading:
    """Read what there is of a stretch."""
    start, end = asked.start, asked.end
    left_out = CARE if end - start > EVERYTHING_WITHIN else frozenset()
    focus = focus_of(viewer, infant, asked.wanted)
    lanes = lanes_of(viewer, infant, start, end, left_out=left_out)
    gaps = [] if asked.by == NUMBER else _gaps(focus, lanes, now)
    return Reading(infant, asked, now, focus, lanes, usual_of(viewer, infant), gaps)


def _gaps(focus: Focus, lanes: Lanes, now: dt.datetime) -> list[Gap]:
    """Return the gaps; where buckets are shown, what lies between those with a recording.

    A bucket with a recording has no gap, however long it is.
    """
    start, end = focus.wanted.start, focus.wanted.end
    times = [one.time for one in focus.singles]
    if focus.bucket is not None:
        heard = [one.row.stretch for one in focus.buckets if not _is_empty(one)]
        times = [moment for stretch in heard for moment in _all_through(stretch)]
    return gaps_of(times, lanes.serving, start, end, now)


def _all_through(stretch: Stretch) -> Iterator[dt.datetime]:
    """Yield moments of a stretch that leave no room for a gap in it."""
    moment = stretch.start
    while moment < stretch.end:
        yield moment
        moment += SILENCE
    yield stretch.end


def _is_empty(bucket: object) -> bool:
    row, n_not_cries = getattr(bucket, "row", None), getattr(bucket, "n_not_cries", 0)
    return isinstance(row, AbsentBucket) and not n_not_cries


def gate_of(single: Single) -> str:
    """Return what the gate decided on a recording."""
    if single.is_cry is None:
        return UNDECIDED
    if not single.is_cry:
        return NOT_A_CRY
    return ACCEPTED if single.accepted else REFUSED


def reason_of(single: Single) -> str:
    """Return the reason that weighed most in the gate's decision, as it was written down."""
    parts = [part for part in single.parts if part.get("reason")]
    least = min(parts, key=lambda part: float(part.get("confidence", 1.0)), default=None)
    return str(least["reason"]) if least else ""
