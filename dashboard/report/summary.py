"""The report's first lines: what changed since when, how sure that is, and how much was heard.

What comes in: what was judged and lived, in the stretch and in as long a time before. What goes
out: sentences. Guaranteed: nothing is a diagnosis or a cause; where nothing was heard it is said,
and no sentence says more than the rows.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from anomaly.charts import UNUSUAL
from anomaly.evidence import change_words, movement_words, severity_words
from anomaly.models import Episode, PersonalModel
from anomaly.selectors.period import Period
from dashboard import words
from dashboard.report import phrases
from dashboard.report.days import Day
from dashboard.standing import is_unusual
from infants.models import Infant
from infants.stretches import outside
from pipelines.score import Learning

Kind = Episode.Kind


@dataclass(frozen=True)
class Told:
    """All that the first lines are made of."""

    infant: Infant
    name: str
    standing: PersonalModel | Learning
    period: Period
    days: Sequence[Day]
    before: Sequence[Day]


def sentences(told: Told) -> list[str]:
    """Return the first lines."""
    return [
        *_changes(told),
        *_learning(told),
        *_compared(told),
        *_crying(told),
        _listening(told.days),
    ]


# --- what changed, since when, how sure ----------------------------------------------------------


def _changes(told: Told) -> Iterator[str]:
    if not told.period.episodes:
        yield _("No lasting change and no odd session was found in this time.")
    for episode in told.period.episodes:
        yield from _change(told, episode)


def _change(told: Told, episode: Episode) -> Iterator[str]:
    facts = {"name": told.name, "since": _day(told.infant, episode.began_at)}
    facts |= {"noticed": _day(told.infant, episode.opened_at)}
    if episode.kind == Kind.SINGLE_EXTREME:
        yield _("On %(noticed)s a session was unlike %(name)s’s others.") % facts + _end(episode)
    elif episode.kind == Kind.NEW_SURROUNDINGS:
        what = change_words(episode.evidence) or _("the room or the monitor is another")
        facts["what"] = words.capital(what)
        yield _("%(what)s since %(since)s.") % facts + _end(episode)
    else:
        yield _(
            "%(name)s’s crying has been different from the usual since about %(since)s; it was "
            "noticed on %(noticed)s."
        ) % facts + _end(episode)
        yield from _moved(episode)


def _end(episode: Episode) -> str:
    if episode.closed_at is None:
        return " " + _("This is still open.")
    reason = str(Episode.CloseReason(episode.close_reason).label)
    return " " + _("This is over: %(reason)s.") % {"reason": reason}


def _moved(episode: Episode) -> Iterator[str]:
    """Yield what moved, and on how much data that is said."""
    found = episode.evidence
    moved = movement_words(found)
    if moved:
        yield _("What moved, with the interval of 95 %%: %(moved)s.") % {"moved": moved}
    if "n_sessions" in found and "severity" in found:
        n_days = int(found.get("n_days", 1))
        yield ngettext(
            "How sure: %(severity)s, from %(recordings)s recordings in %(sessions)s sessions on "
            "%(days)s day.",
            "How sure: %(severity)s, from %(recordings)s recordings in %(sessions)s sessions on "
            "%(days)s days.",
            n_days,
        ) % {
            "severity": severity_words(found),
            "recordings": phrases.whole(found.get("n_recordings", 0)),
            "sessions": phrases.whole(found["n_sessions"]),
            "days": phrases.whole(n_days),
        }


def _day(infant: Infant, moment: dt.datetime) -> str:
    return phrases.full_date(infant.local_day(moment))


# --- how much ------------------------------------------------------------------------------------


def _learning(told: Told) -> Iterator[str]:
    if isinstance(told.standing, Learning):
        yield _(
            "%(name)s’s usual is still being learnt: crying was heard on %(days)s of "
            "%(needed)s days."
        ) % {
            "name": told.name,
            "days": phrases.whole(told.standing.days),
            "needed": phrases.whole(told.standing.needed),
        }


def _compared(told: Told) -> Iterator[str]:
    """Say how many sessions were unusual, beside how many are where nothing changes."""
    sessions = told.period.sessions
    if not sessions:
        yield _("No session of this time was compared with the infant’s usual.")
        return
    n_unusual = sum(is_unusual(session.p_value) for session in sessions)
    yield ngettext(
        "%(n)s session was compared, %(unusual)s unusual (p at most %(limit)s).",
        "%(n)s sessions were compared; %(unusual)s of them were unusual (p at most %(limit)s). "
        "Of sessions of an infant that stays as it is, one in twenty is: here about "
        "%(expected)s.",
        len(sessions),
    ) % {
        "n": phrases.whole(len(sessions)),
        "unusual": phrases.whole(n_unusual),
        "limit": phrases.decimal(UNUSUAL, 2),
        "expected": phrases.decimal(len(sessions) * UNUSUAL, 1),
    }


def _crying(told: Told) -> Iterator[str]:
    heard = [day for day in told.days if day.heard_s or day.bouts]
    cried = [day for day in heard if day.bouts]
    if not cried:
        yield _("No crying was heard in this time.")
        return
    most = max(cried, key=lambda day: day.cry_s)
    yield ngettext(
        "Crying was heard on %(cried)s of the %(heard)s day on which a monitor listened: on "
        "average %(mean)s minutes a day, at most %(most)s (%(day)s).",
        "Crying was heard on %(cried)s of the %(heard)s days on which a monitor listened: on "
        "average %(mean)s minutes a day, at most %(most)s (%(day)s).",
        len(heard),
    ) % {
        "cried": phrases.whole(len(cried)),
        "heard": phrases.whole(len(heard)),
        "mean": phrases.minutes(_mean_s(heard)),
        "most": phrases.minutes(most.cry_s),
        "day": phrases.short_date(most.date),
    }
    before = [day for day in told.before if day.heard_s or day.bouts]
    if before:
        yield ngettext(
            "In as long a time before, as far as it was heard (%(n)s day), it was %(mean)s "
            "minutes a day.",
            "In as long a time before, as far as it was heard (%(n)s days), it was %(mean)s "
            "minutes a day.",
            len(before),
        ) % {"n": phrases.whole(len(before)), "mean": phrases.minutes(_mean_s(before))}


def _mean_s(days: Sequence[Day]) -> float:
    return sum(day.cry_s for day in days) / len(days)


def _listening(days: Sequence[Day]) -> str:
    start, end = days[0].start, max(days[0].start, days[-1].over_at)
    known = sum(day.heard_s for day in days)
    gaps = outside([span for day in days for span in day.listened], start, end)
    if not gaps:
        return _("A monitor is known to have listened for all of the %(of)s hours.") % {
            "of": phrases.hours(known)
        }
    return _(
        "A monitor is known to have listened for %(heard)s of %(of)s hours. Of the rest nothing "
        "is known: not hearing is not quiet."
    ) % {
        "heard": phrases.hours(known),
        "of": phrases.hours((end - start).total_seconds()),
    }
