"""Where a recording stands, and how it may go on.

    received -> segmented -> embedded -> gated -> scored -> learnt -> on_timeline -> done
        |           |            |         |
        +-----------+------------+---------+--> rejected (a reason: nothing to judge in it)
        +--> held (no infant yet; goes back to received when its device is assigned, unless the
             device was being tried out: then it stays)
    any step, after bounded tries --> failed (a reason: somebody must look, and may send it back to
        received, or to embedded where its audio is gone by policy)

`Recording.state` is the truth; queues are only nudges. `REASONS` are the named ends.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """The states of a recording, in the order of its way."""

    RECEIVED = "received"
    SEGMENTED = "segmented"
    EMBEDDED = "embedded"
    GATED = "gated"
    SCORED = "scored"
    LEARNT = "learnt"
    ON_TIMELINE = "on_timeline"
    DONE = "done"
    HELD = "held"
    REJECTED = "rejected"
    FAILED = "failed"


class Reason(models.TextChoices):
    """Why a recording is held, rejected or failed, for programs."""

    NONE = "", "-"
    NO_INFANT = "no_infant", _("its device serves no infant at that time")
    SANDBOX = "sandbox", _("its device was being tried out")
    EMPTY = "empty", _("the file holds no bytes of audio")
    UNDECODABLE = "undecodable", _("no decoder could read it")
    SILENT = "silent", _("nothing but silence")
    TOO_SHORT = "too_short", _("shorter than a cry")
    TOO_LONG = "too_long", _("longer than a recording may be")
    NO_CRY_UNITS = "no_cry_units", _("no cry-like sound was found in it")
    NOT_A_CRY = "not_a_cry", _("what was heard is not crying")
    AUDIO_MISSING = "audio_missing", _("the stored audio cannot be found")
    AUDIO_CORRUPT = "audio_corrupt", _("the stored audio differs from what was uploaded")
    GAVE_UP = "gave_up", _("it failed as often as is allowed")


ON_THE_WAY = (
    State.RECEIVED,
    State.SEGMENTED,
    State.EMBEDDED,
    State.GATED,
    State.SCORED,
    State.LEARNT,
    State.ON_TIMELINE,
)
ENDS = (State.DONE, State.REJECTED, State.FAILED)

NEXT: dict[State, tuple[State, ...]] = {
    State.RECEIVED: (State.SEGMENTED, State.HELD, State.REJECTED, State.FAILED),
    State.SEGMENTED: (State.EMBEDDED, State.REJECTED, State.FAILED),
    State.EMBEDDED: (State.GATED, State.REJECTED, State.FAILED),
    State.GATED: (State.SCORED, State.FAILED),
    State.SCORED: (State.LEARNT, State.FAILED),
    State.LEARNT: (State.ON_TIMELINE, State.FAILED),
    State.ON_TIMELINE: (State.DONE, State.FAILED),
    State.HELD: (State.RECEIVED,),
    State.DONE: (),
    State.REJECTED: (),
    State.FAILED: (State.RECEIVED, State.EMBEDDED),
}
"""Every step a recording may take; `tests/infants/test_states.py` holds it against the stages."""
