"""The signals of `infants`: a recording is safely ours, and a recording has moved on.

`recording_received` is sent inside the transaction that stores the row; `iclas.flow` receives it
and enqueues the stages on commit, so that `infants` need not know who judges.

`recording_moved` is sent when a move is committed, once, to whoever watches: what listens changes
nothing, and what goes wrong there is logged and stops nobody.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.dispatch import Signal

from infants.states import Reason, State

recording_received = Signal()
recording_moved = Signal()


@dataclass(frozen=True)
class Move:
    """A recording's way from one state to the next: since when it stood there, and was tried.

    `reason` says why it ended, where it did and there is one.
    """

    recording_id: UUID
    left: State
    to: State
    entered_at: dt.datetime
    began_at: dt.datetime
    moved_at: dt.datetime
    reason: Reason
