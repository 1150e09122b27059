"""Commands: what somebody in the home asks through the broker.

What comes in: a topic and a payload, from anybody who may write there. What goes out: whom it was
about, where that is known. Guaranteed: only whole minutes from 0 to a day are obeyed; anything else
is logged, without its content, and changes nothing.
"""

import datetime as dt
import logging
import re

from bridge.link import Command
from bridge.models import Publication
from bridge.selectors import publication_at
from bridge.topics import Topics
from infants.access import Viewer
from notify.models import Suspension
from notify.suspensions import MOST_MIN, resume, suspend

log = logging.getLogger(__name__)
MINUTES = re.compile(rb"0|[1-9][0-9]{0,3}")


def obey(command: Command, topics: Topics, now: dt.datetime) -> Publication | None:
    """Suspend messages about an infant for so many minutes; 0 ends that."""
    publication = publication_at(topics.commanded(command.topic))
    if publication is None:
        return None
    minutes = minutes_of(command.payload)
    if minutes is None:
        size = len(command.payload)
        log.warning("a command of %d bytes at %s makes no sense", size, command.topic)
    elif minutes:
        origin = Suspension.Origin.HOME_ASSISTANT
        suspend(Viewer.system(), publication.infant_id, minutes, now, origin)
    else:
        resume(Viewer.system(), publication.infant_id, now)
    return publication


def minutes_of(payload: bytes) -> int | None:
    """Return the minutes that a payload says; None where it makes no sense."""
    if not MINUTES.fullmatch(payload) or int(payload) > MOST_MIN:
        return None
    return int(payload)
