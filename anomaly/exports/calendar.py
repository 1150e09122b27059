"""iCalendar: the diary and the episodes of an infant, for calendar programs.

What comes in: a feed, and the moment. What goes out: one calendar of the last `LOOKS_BACK`.
Guaranteed: no name and no free text; what the crying looked like stands under the notice that goes
with every judgement; an entry keeps its identity, so that asking again doubles nothing.
"""

import datetime as dt
from collections.abc import Iterator

from django.utils import translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from anomaly.models import Episode
from anomaly.notice import SHOWN_NOTICE
from anomaly.selectors.episodes import episodes_where
from infants.access import Viewer
from infants.models import CalendarFeed, DiaryEntry
from infants.selectors import diary_where

LOOKS_BACK = dt.timedelta(days=184)
ASK_AGAIN_AFTER = dt.timedelta(hours=1)


def calendar_of(feed: CalendarFeed, now: dt.datetime) -> bytes:
    """Return a feed's calendar, in its language."""
    viewer = Viewer.of(feed.person)
    with translation.override(feed.language):
        calendar = _head()
        for event in (*_diary(viewer, feed, now), *_episodes(viewer, feed, now)):
            calendar.add_component(event)
        return bytes(calendar.to_ical())


def _head() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//ICLAS//Infant Cry Longitudinal Analysis System//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "ICLAS")
    calendar.add("refresh-interval", ASK_AGAIN_AFTER, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    return calendar


def _diary(viewer: Viewer, feed: CalendarFeed, now: dt.datetime) -> Iterator[Event]:
    chosen = {"infant": feed.infant_id, "from": now - LOOKS_BACK}
    for entry in diary_where(viewer, chosen).order_by("starts_at", "id"):
        event = _event(entry.id, entry.updated_at, _entry_words(entry))
        event.add("dtstart", entry.starts_at)
        if entry.ends_at is not None and entry.ends_at > entry.starts_at:
            event.add("dtend", entry.ends_at)
        yield event


def _episodes(viewer: Viewer, feed: CalendarFeed, now: dt.datetime) -> Iterator[Event]:
    chosen = {"infant": feed.infant_id, "from": now - LOOKS_BACK}
    for episode in episodes_where(viewer, chosen).order_by("opened_at", "id"):
        kind = str(Episode.Kind(episode.kind).label)
        event = _event(episode.id, episode.created_at, _("Crying: %(what)s") % {"what": kind})
        event.add("dtstart", episode.began_at)
        ends_at = episode.closed_at or now
        if ends_at > episode.began_at:
            event.add("dtend", ends_at)
        event.add("description", str(SHOWN_NOTICE))
        yield event


def _entry_words(entry: DiaryEntry) -> str:
    kind = str(DiaryEntry.Kind(entry.kind).label)
    if entry.temperature_c is None:
        return kind
    return f"{kind}: {number_format(entry.temperature_c, 1)} °C"


def _event(known: object, changed_at: dt.datetime, words: str) -> Event:
    """Return an event that takes up nobody's time."""
    event = Event()
    event.add("uid", f"{known}@iclas")
    event.add("dtstamp", changed_at)
    event.add("summary", words)
    event.add("transp", "TRANSPARENT")
    event.add("class", "PRIVATE")
    return event
