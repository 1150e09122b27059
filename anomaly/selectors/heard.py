"""An infant's recordings as people leaf through them, and what lies around one of them.

What comes in: the viewer and a visible infant, or a visible recording. What goes out: recordings
with what was decided on each. Guaranteed: nothing that the viewer may not see; each function costs
a fixed number of queries; recordings of the same moment keep one order, by id.
"""

import datetime as dt
import enum
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from anomaly.charts import UNUSUAL
from anomaly.models import PersonalModel
from infants.access import Viewer, infants_for
from infants.models import Infant, Recording, RecordingSession
from infants.selectors import visible_recordings, visible_sessions

STILL_CRYING = dt.timedelta(minutes=5)
"""A bout whose last cry is older may be over: nothing says that it goes on."""


class Fate(enum.StrEnum):
    """Which recordings are wanted, by what became of them."""

    ALL = "all"
    UNUSUAL = "unusual"
    LEARNT = "learnt"
    REFUSED = "refused"


REFUSED = Q(gate_decision__review=False) | Q(
    gate_decision__review=None, gate_decision__accepted=False
)
CONDITIONS = {
    Fate.ALL: Q(),
    Fate.UNUSUAL: Q(judgement__p_value__lte=UNUSUAL),
    Fate.REFUSED: REFUSED & Q(gate_decision__is_cry=True),
}


def learnt_recordings(viewer: Viewer, infant: Infant) -> frozenset[UUID]:
    """Return the recordings that the present version of the personal model rests on.

    What the gate admitted waits until it has settled, and is held back under a suspicion: admitted
    is not learnt.
    """
    models = PersonalModel.objects.filter(
        infant=infant, infant__in=infants_for(viewer), withdrawn_at=None
    )
    newest: list[str] | None = (
        models.order_by("-number").values_list("facts__recordings", flat=True).first()
    )
    return frozenset(UUID(name) for name in newest or ())


def heard_recordings(viewer: Viewer, infant: Infant, fate: Fate = Fate.ALL) -> QuerySet[Recording]:
    """Return the infant's recordings of this fate with what was decided on them, newest first."""
    if fate is Fate.LEARNT:
        condition = Q(id__in=learnt_recordings(viewer, infant))
    else:
        condition = CONDITIONS[fate]
    return (
        visible_recordings(viewer)
        .filter(condition, infant=infant)
        .defer("gate_features", "room")
        .select_related("session", "judgement", "gate_decision", "baseline_entry")
        .order_by("-recorded_at", "-id")
    )


def heard_cries(viewer: Viewer, infant: Infant) -> QuerySet[Recording]:
    """Return the infant's recordings in which the gate heard crying, newest first."""
    return heard_recordings(viewer, infant).filter(gate_decision__is_cry=True)


def goes_on(last: Recording, now: dt.datetime) -> bool:
    """Tell whether the bout of an infant's last cry goes on."""
    return now - last.ended_at <= STILL_CRYING


def crying_sessions(
    viewer: Viewer, infant: Infant, start: dt.datetime, end: dt.datetime
) -> QuerySet[RecordingSession]:
    """Return the bouts of crying that lie in a stretch of time, with their judgements, in order."""
    cries = Recording.objects.filter(session=OuterRef("id"), gate_decision__is_cry=True)
    sessions = visible_sessions(viewer).filter(
        Exists(cries), infant=infant, started_at__lte=end, ended_at__gte=start
    )
    return sessions.select_related("judgement").order_by("started_at", "id")


def session_mates(viewer: Viewer, recording: Recording) -> list[Recording]:
    """Return the recordings of the same bout of crying, this one among them, in order."""
    if recording.session_id is None:
        return [recording]
    mates = visible_recordings(viewer).filter(session=recording.session_id)
    judged = mates.defer("gate_features", "room").select_related("judgement", "gate_decision")
    return list(judged.order_by("recorded_at", "id"))


def neighbours(viewer: Viewer, recording: Recording) -> tuple[Recording | None, Recording | None]:
    """Return the infant's recordings before and after this one, where there are any."""
    others = visible_recordings(viewer).filter(infant=recording.infant_id)
    others = others.only("id", "recorded_at")
    at, here = recording.recorded_at, recording.id
    before = others.filter(Q(recorded_at__lt=at) | Q(recorded_at=at, id__lt=here))
    after = others.filter(Q(recorded_at__gt=at) | Q(recorded_at=at, id__gt=here))
    return (
        before.order_by("-recorded_at", "-id").first(),
        after.order_by("recorded_at", "id").first(),
    )
