"""The one table from what is known to how it looks: a word, a shape and a class of the stylesheet.

What comes in: an overview of an infant, or a recording. What goes out: a `Look`. Guaranteed: no two
looks share a shape or a word, so that none of them is told by its colour alone.
"""

import datetime as dt
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from anomaly.charts import UNUSUAL
from anomaly.condition import Condition, condition_of
from anomaly.models import RecordingJudgement
from anomaly.selectors.overview import Overview
from anomaly.silence import SILENT_AFTER, is_stale
from infants.models import Recording
from infants.states import ON_THE_WAY, State

STALE_AFTER = SILENT_AFTER
RING = "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Z"


@dataclass(frozen=True)
class Look:
    """How something is shown: `shape` is a path in a box of 24 by 24, `rank` 0 comes first."""

    name: str
    word: str | Promise
    shape: str
    rank: int = 0


SHIFT = Look("shift", _("Different from usual"), "M12 3 22.5 21h-21Z", 0)
ODD = Look("odd", _("One odd session"), "M12 2 22 12 12 22 2 12ZM12 6v12l-6-6Z", 1)
SILENT = Look("silent", _("Nothing new"), "M3 3h18v18H3ZM6 6v9L15 6ZM18 18V9l-9 9Z", 2)
SURROUNDINGS = Look(
    "surroundings", _("New surroundings"), "M12 3 2 12h3v9h14v-9h3ZM10 21v-6h4v6Z", 3
)
LEARNING = Look("learning", _("Learning"), "M12 2a10 10 0 1 0 10 10h-4a6 6 0 1 1-6-6Z", 4)
USUAL = Look(
    "usual", _("As usual"), f"{RING}M10.6 16.6 6.2 12.2l1.7-1.7 2.7 2.7 5.6-5.6 1.7 1.7Z", 5
)
NOTHING = Look("nothing", _("Nothing yet"), f"{RING}m0 4a6 6 0 1 1 0 12 6 6 0 0 1 0-12Z", 6)
LOOK_OF = {
    Condition.SHIFT: SHIFT,
    Condition.ODD: ODD,
    Condition.SURROUNDINGS: SURROUNDINGS,
    Condition.LEARNING: LEARNING,
    Condition.USUAL: USUAL,
    Condition.NOTHING: NOTHING,
}
INFANT_LOOKS = (SHIFT, ODD, SILENT, SURROUNDINGS, LEARNING, USUAL, NOTHING)

UNUSUAL_ONE = Look("odd", pgettext_lazy("a recording", "unusual"), SHIFT.shape)
USUAL_ONE = Look("usual", pgettext_lazy("a recording", "within the usual range"), USUAL.shape)
LEARNING_ONE = Look("learning", pgettext_lazy("a recording", "learning"), LEARNING.shape)
WAITING_ONE = Look(
    "waiting", pgettext_lazy("a recording", "on its way"), "M5 2h14v4l-5 6 5 6v4H5v-4l5-6-5-6Z"
)
REJECTED_ONE = Look("nothing", pgettext_lazy("a recording", "not judged"), NOTHING.shape)
NOT_COUNTED_ONE = Look(
    "nothing", pgettext_lazy("a recording", "not counted"), f"{RING}M6 10.5h12v3H6Z"
)
HELD_ONE = Look("held", pgettext_lazy("a recording", "held"), "M4 3h6v18H4ZM14 3h6v18h-6Z")
FAILED_ONE = Look(
    "failed",
    pgettext_lazy("a recording", "failed"),
    "M5 2 12 9l7-7 3 3-7 7 7 7-3 3-7-7-7 7-3-3 7-7-7-7Z",
)
RECORDING_LOOKS = (
    *(UNUSUAL_ONE, USUAL_ONE, LEARNING_ONE, WAITING_ONE),
    *(REJECTED_ONE, NOT_COUNTED_ONE, HELD_ONE, FAILED_ONE),
)
UNDER_WAY = dict.fromkeys(ON_THE_WAY, WAITING_ONE)
ENDED = {State.REJECTED: REJECTED_ONE, State.HELD: HELD_ONE, State.FAILED: FAILED_ONE}


def is_unusual(p_value: float) -> bool:
    """Tell whether a p-value counts as unusual for the infant."""
    return p_value <= UNUSUAL


def sounds_elsewhere(judgement: RecordingJudgement) -> bool:
    """Tell whether the background is none that is known: another room, or another monitor."""
    return judgement.room_p_value is not None and is_unusual(judgement.room_p_value)


def look_of_infant(seen: Overview) -> Look:
    """Return how the infant's own state looks, whatever its freshness."""
    return LOOK_OF[condition_of(seen)]


def look_of_recording(recording: Recording) -> Look:
    """Return how a recording's fate looks; a judgement counts as soon as there is one."""
    judgement = getattr(recording, "judgement", None)
    state = State(recording.state)
    if judgement is None or state in ENDED:
        return (UNDER_WAY | ENDED).get(state, REJECTED_ONE)
    if not recording.gate_decision.is_counted:
        return NOT_COUNTED_ONE
    if judgement.p_value is None:
        return LEARNING_ONE
    return UNUSUAL_ONE if is_unusual(judgement.p_value) else USUAL_ONE


def rank(seen: Overview, now: dt.datetime) -> int:
    """Return the place in the list: who needs a look comes first."""
    own = look_of_infant(seen).rank
    return min(own, SILENT.rank) if is_stale(seen, now) else own
