"""The home page: a card for each infant, those who need a look first.

What comes in: the viewer and the moment. What goes out: cards that a template only prints.
Guaranteed: the order is the same for the same rows; what may be out of date is marked as such; of
hundreds of infants no more is read than shows whose turn it is, and what is on the page.
"""

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from uuid import UUID

from django.core.paginator import Paginator
from django.utils.translation import ngettext

from anomaly.figures import clauses
from anomaly.models import DailyRollup
from anomaly.selectors.overview import SHOWN, Overview, overviews
from anomaly.silence import is_stale
from dashboard import sparkline, words
from dashboard.sparkline import Sparkline
from dashboard.standing import Look, is_unusual, look_of_infant, rank
from dashboard.timeline_chart import SessionMark
from infants.access import Viewer
from infants.models import Infant

NOON = dt.time(12)
CARDS_A_PAGE = 24


@dataclass(frozen=True)
class Card:
    """One infant in a few words; `is_stale` says that the state may be out of date.

    `picture_words` is empty where there is nothing to draw.
    """

    infant_id: UUID
    name: str
    zone: zoneinfo.ZoneInfo
    look: Look
    sentence: str
    is_stale: bool
    cry: str
    monitor: str
    today: str
    waiting: list[str]
    picture: Sparkline
    picture_words: str


@dataclass(frozen=True)
class CardPage:
    """One page of cards, counted from 1; `n_infants` are on all of them."""

    cards: list[Card]
    number: int
    n_pages: int
    n_infants: int


def cards_for(viewer: Viewer, now: dt.datetime, asked: str = "1") -> CardPage:
    """Return the cards of the infants that the viewer may see, those who need a look first.

    Of the page that is asked for; a number that there is not is taken for the nearest one.
    """
    standing = overviews(viewer, now, is_counted=False, has_history=False)
    pages = Paginator(sorted(standing, key=lambda one: _place(one, now)), CARDS_A_PAGE)
    page = pages.get_page(asked)
    chosen = [one.infant.id for one in page]
    whole = overviews(viewer, now, among=Infant.objects.filter(id__in=chosen))
    cards = [card_of(one, now) for one in sorted(whole, key=lambda one: _place(one, now))]
    return CardPage(cards, page.number, pages.num_pages, pages.count)


def _place(seen: Overview, now: dt.datetime) -> tuple[int, float, str]:
    """Return where an infant comes: by need, then the newest episode first, then by name."""
    newest = max((episode.opened_at.timestamp() for episode in seen.episodes), default=0.0)
    return rank(seen, now), -newest, words.called(seen.infant, is_identified=seen.is_identified)


def card_of(seen: Overview, now: dt.datetime) -> Card:
    """Return one infant's card."""
    look = look_of_infant(seen)
    return Card(
        infant_id=seen.infant.id,
        name=words.called(seen.infant, is_identified=seen.is_identified),
        zone=seen.infant.zone,
        look=look,
        sentence=words.state_sentence(seen, look, now),
        is_stale=is_stale(seen, now),
        cry=words.cry_freshness(seen, now),
        monitor=words.monitor_freshness(seen, now),
        today=words.today_words(seen, now),
        waiting=words.waiting_words(seen),
        picture=_picture(seen, now),
        picture_words=_picture_words(seen),
    )


def _picture(seen: Overview, now: dt.datetime) -> Sparkline:
    sessions = [SessionMark(one.time, one.p_value) for one in seen.sessions]
    zone = seen.infant.zone
    learning = [dt.datetime.combine(day.day, NOON, zone) for day in _learning_days(seen)]
    return sparkline.draw(now - SHOWN, now, sessions, learning)


def _learning_days(seen: Overview) -> list[DailyRollup]:
    return [day for day in seen.days if day.n_recordings and not day.n_scored]


def _picture_words(seen: Overview) -> str:
    n_unusual = sum(is_unusual(one.p_value) for one in seen.sessions)
    n_sessions, n_days = len(seen.sessions), len(_learning_days(seen))
    compared = ngettext(
        "%(n)d session in 30 days, %(unusual)d unusual",
        "%(n)d sessions in 30 days, %(unusual)d unusual",
        n_sessions,
    ) % {"n": n_sessions, "unusual": n_unusual}
    learnt = ngettext("%(n)d day of learning", "%(n)d days of learning", n_days) % {"n": n_days}
    return clauses([compared if n_sessions else "", learnt if n_days else ""])
