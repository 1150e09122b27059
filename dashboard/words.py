"""What is known, in plain sentences that name no gender and no cause.

What comes in: rows and overviews as the selectors give them. What goes out: text in the reader's
language, with times in the infant's own zone. Guaranteed: nothing here is a diagnosis, and no
sentence says more than the rows.
"""

import datetime as dt
import statistics
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import (
    gettext_lazy,
    gettext_noop,
    ngettext,
    ngettext_lazy,
    pgettext,
    pgettext_lazy,
)

from anomaly.evidence import change_words, movement_words, severity_words
from anomaly.figures import clauses, decimal, percent
from anomaly.figures import sentence as whole_sentence
from anomaly.models import Episode, GateDecision
from anomaly.selectors.overview import Overview
from anomaly.silence import is_stale
from dashboard.gate_reasons import reason_words
from dashboard.standing import (
    LEARNING,
    NOT_COUNTED_ONE,
    NOTHING,
    ODD,
    SHIFT,
    SURROUNDINGS,
    UNUSUAL_ONE,
    Look,
    is_unusual,
    sounds_elsewhere,
)
from infants.models import DiaryEntry, Infant, Recording
from infants.states import ON_THE_WAY, Reason, State

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
LONG_AGO_S = 2 * DAY_S
LOW_BATTERY_FRAC = 0.2
DAYS_FOR_A_HABIT = 5
LEAST_P = 0.001
STEP_WORDS = {
    State.RECEIVED: gettext_lazy("waiting to be cut into cries"),
    State.SEGMENTED: gettext_lazy("waiting for the encoder"),
    State.EMBEDDED: gettext_lazy("waiting for the gate"),
    State.GATED: gettext_lazy("waiting to be scored"),
    State.SCORED: gettext_lazy("waiting to be learnt from"),
    State.LEARNT: gettext_lazy("waiting to join the timeline"),
    State.ON_TIMELINE: gettext_lazy("waiting for the episodes"),
}
END_WORDS = {
    State.HELD: gettext_lazy("held back"),
    State.REJECTED: gettext_lazy("nothing to judge"),
    State.FAILED: gettext_lazy("could not be judged"),
}
COUNTED_WORDS = {
    State.HELD: ngettext_lazy("%(n)d recording held back", "%(n)d recordings held back", "n"),
    State.REJECTED: ngettext_lazy(
        "%(n)d recording with nothing to judge", "%(n)d recordings with nothing to judge", "n"
    ),
    State.FAILED: ngettext_lazy(
        "%(n)d recording could not be judged", "%(n)d recordings could not be judged", "n"
    ),
}
ELSEWHERE = gettext_noop(
    "The room or the monitor sounds different in most of these sessions: that alone can make "
    "crying sound unusual."
)
DIARY_WORDS = {
    DiaryEntry.Kind.FEED: pgettext_lazy("in a sentence", "feed"),
    DiaryEntry.Kind.SLEEP: pgettext_lazy("in a sentence", "sleep"),
    DiaryEntry.Kind.NAPPY: pgettext_lazy("in a sentence", "nappy"),
    DiaryEntry.Kind.TEMPERATURE: pgettext_lazy("in a sentence", "temperature"),
    DiaryEntry.Kind.MEDICINE: pgettext_lazy("in a sentence", "medicine"),
    DiaryEntry.Kind.VACCINATION: pgettext_lazy("in a sentence", "vaccination"),
    DiaryEntry.Kind.ILLNESS: pgettext_lazy("in a sentence", "illness"),
    DiaryEntry.Kind.SYMPTOM: pgettext_lazy("in a sentence", "symptom"),
    DiaryEntry.Kind.NOTE: pgettext_lazy("in a sentence", "note"),
}
LENGTHS = (
    ngettext_lazy("%(n)d second", "%(n)d seconds", "n"),
    ngettext_lazy("%(n)d minute", "%(n)d minutes", "n"),
    ngettext_lazy("%(n)d hour", "%(n)d hours", "n"),
    ngettext_lazy("%(n)d day", "%(n)d days", "n"),
)
AGES = (
    ngettext_lazy("%(n)d second ago", "%(n)d seconds ago", "n"),
    ngettext_lazy("%(n)d minute ago", "%(n)d minutes ago", "n"),
    ngettext_lazy("%(n)d hour ago", "%(n)d hours ago", "n"),
    ngettext_lazy("%(n)d day ago", "%(n)d days ago", "n"),
)
SILENCES = (
    ngettext_lazy("for %(n)d second", "for %(n)d seconds", "n"),
    ngettext_lazy("for %(n)d minute", "for %(n)d minutes", "n"),
    ngettext_lazy("for %(n)d hour", "for %(n)d hours", "n"),
    ngettext_lazy("for %(n)d day", "for %(n)d days", "n"),
)


# --- numbers and times ---------------------------------------------------------------------------


def _in_one_unit(seconds: float) -> tuple[int, int]:
    """Return the unit that says enough, as a place in the tables above, and how many of it."""
    for unit, (below, size) in enumerate(((MINUTE_S, 1), (HOUR_S, MINUTE_S), (LONG_AGO_S, HOUR_S))):
        if seconds < below:
            return unit, int(seconds // size)
    return len(LENGTHS) - 1, int(seconds // DAY_S)


def lasting(seconds: float) -> str:
    """Return a length of time in one unit that says enough."""
    unit, n = _in_one_unit(seconds)
    return LENGTHS[unit] % {"n": n}


def for_so_long(seconds: float) -> str:
    """Return for how long something has been so."""
    unit, n = _in_one_unit(seconds)
    return SILENCES[unit] % {"n": n}


def ago(moment: dt.datetime, now: dt.datetime) -> str:
    """Return how long ago a moment was; a clock that runs ahead is taken as now."""
    seconds = (now - moment).total_seconds()
    if seconds < MINUTE_S:
        return _("just now")
    unit, n = _in_one_unit(seconds)
    return AGES[unit] % {"n": n}


def date_words(day: dt.date, *, is_this_year: bool) -> str:
    """Return a date, with its year where that is another."""
    if is_this_year:
        return date_format(day, pgettext("format of a date", "j F"))
    return date_format(day, pgettext("format of a date", "j F Y"))


def day_words(day: dt.date, today: dt.date) -> str:
    """Return a day as people say it."""
    if day == today:
        return _("today")
    if day == today - dt.timedelta(days=1):
        return _("yesterday")
    return date_words(day, is_this_year=day.year == today.year)


def time_words(infant: Infant, moment: dt.datetime, now: dt.datetime) -> str:
    """Return day and time where the infant lives."""
    local = moment.astimezone(infant.zone)
    day = day_words(local.date(), infant.local_day(now))
    return _("%(day)s, %(time)s") % {"day": day, "time": date_format(local, "H:i")}


def timed(time: str, what: str) -> str:
    """Return what was at a time, as an entry of a list."""
    return _("%(time)s: %(what)s") % {"time": capital(time), "what": what}


def capital(text: str) -> str:
    """Return a text as a sentence begins."""
    return text[:1].upper() + text[1:]


def _because(what: str | Promise, why: str | Promise) -> str:
    """Return what became of something, with its reason where there is one."""
    return _("%(what)s: %(why)s") % {"what": what, "why": why} if why else str(what)


# --- the infant ----------------------------------------------------------------------------------


def called(infant: Infant, *, is_identified: bool) -> str:
    """Return the name, or the end of the id for those who may not know the name."""
    if is_identified:
        return infant.name
    return _("Infant %(number)s") % {"number": infant.id.hex[-6:]}


def state_sentence(seen: Overview, look: Look, now: dt.datetime) -> str:
    """Return the one sentence that says how the infant's crying is."""
    name = called(seen.infant, is_identified=seen.is_identified)
    if look == SHIFT:
        return _shift_sentence(seen, name, now)
    if look == ODD:
        return _odd_sentence(seen, name, now)
    if look == SURROUNDINGS:
        return _surroundings_sentence(seen, now)
    if look == LEARNING:
        return _learning_sentence(seen, name)
    return _nothing_sentence(seen) if look == NOTHING else _("As usual")


def _episode(seen: Overview, kind: Episode.Kind) -> Episode:
    return next(episode for episode in seen.episodes if episode.kind == kind)


def _since(seen: Overview, kind: Episode.Kind, now: dt.datetime) -> str:
    episode = _episode(seen, kind)
    day = day_words(seen.infant.local_day(episode.began_at), seen.infant.local_day(now))
    return _("about %(day)s") % {"day": day} if episode.began_at < episode.opened_at else day


def _shift_sentence(seen: Overview, name: str, now: dt.datetime) -> str:
    kind = Episode.Kind.PERSISTENT_SHIFT
    shift, since = _episode(seen, kind), _since(seen, kind, now)
    said = _("%(name)s’s crying has been different from usual since %(since)s")
    room = _("the room or the monitor sounds different since then too")
    verdict = _("a reviewer said: %(verdict)s") % {"verdict": _verdict(shift)}
    return clauses(
        [
            said % {"name": name, "since": since},
            room if shift.sounds_elsewhere else "",
            verdict if shift.verdict else "",
        ]
    )


def _verdict(episode: Episode) -> str:
    return str(Episode.Verdict(episode.verdict).label) if episode.verdict else ""


def _odd_sentence(seen: Overview, name: str, now: dt.datetime) -> str:
    kind = Episode.Kind.SINGLE_EXTREME
    episode = _episode(seen, kind)
    n_sessions = int(episode.evidence.get("n_sessions", 1))
    if n_sessions > 1:
        said = ngettext(
            "%(n)d session since %(since)s was unlike %(name)s’s others",
            "%(n)d sessions since %(since)s were unlike %(name)s’s others",
            n_sessions,
        ) % {"n": n_sessions, "since": _since(seen, kind, now), "name": name}
    else:
        said = _one_odd_session(seen, episode, name, now)
    return clauses([said, _("as usual since") if episode.closed_at is not None else ""])


def _one_odd_session(seen: Overview, episode: Episode, name: str, now: dt.datetime) -> str:
    day, today = seen.infant.local_day(episode.last_at), seen.infant.local_day(now)
    if day == today:
        return _("One session today was unlike %(name)s’s others") % {"name": name}
    if day == today - dt.timedelta(days=1):
        return _("One session yesterday was unlike %(name)s’s others") % {"name": name}
    said = {"name": name, "day": day_words(day, today)}
    return _("One session on %(day)s was unlike %(name)s’s others") % said


def _surroundings_sentence(seen: Overview, now: dt.datetime) -> str:
    kind = Episode.Kind.NEW_SURROUNDINGS
    what = change_words(_episode(seen, kind).evidence) or _("the room or the monitor is another")
    return _("%(what)s since %(since)s; until that is learnt, single sessions are not compared") % {
        "what": capital(what),
        "since": _since(seen, kind, now),
    }


def _learning_sentence(seen: Overview, name: str) -> str:
    if seen.learning is None:
        said = _("%(name)s’s usual is learnt; the next crying will be compared with it")
        return said % {"name": name}
    if seen.learning.days >= seen.learning.needed:
        said = _("Enough of %(name)s’s crying is known; comparing begins after the next")
        return said % {"name": name}
    said = _("Still learning %(name)s’s usual: %(days)d of %(needed)d days") % {
        "name": name,
        "days": seen.learning.days,
        "needed": seen.learning.needed,
    }
    taught = _("compared so far with what other infants teach")
    return clauses([said, taught if seen.was_scored else ""])


def _nothing_sentence(seen: Overview) -> str:
    if seen.last_recorded_at is None:
        return _("Nothing heard yet")
    if seen.waiting:
        return _("Recordings have come in; none is judged yet")
    return _("No crying heard yet")


# --- freshness -----------------------------------------------------------------------------------


def cry_freshness(seen: Overview, now: dt.datetime) -> str:
    """Return when the last cry was."""
    if seen.last_cry_at is None:
        return _("no cry heard yet")
    return _("last cry %(ago)s") % {"ago": ago(seen.last_cry_at, now)}


def monitor_freshness(seen: Overview, now: dt.datetime) -> str:
    """Return when the monitor was last heard from, and its battery where that is low."""
    monitor = seen.monitor
    if monitor is None:
        return _("no monitor is assigned")
    if monitor.kind == monitor.Kind.ARCHIVE:
        return _("imported recordings; no monitor is listening")
    if monitor.last_seen_at is None:
        return _("the monitor has not been heard from yet")
    if monitor.left_at is not None:
        said = _("the monitor was switched off %(ago)s") % {"ago": ago(monitor.left_at, now)}
    elif is_stale(seen, now):
        silent_s = (now - monitor.last_seen_at).total_seconds()
        said = _("no word from the monitor %(for_so_long)s") % {
            "for_so_long": for_so_long(silent_s)
        }
    else:
        said = _("last heard from the monitor %(ago)s") % {"ago": ago(monitor.last_seen_at, now)}
    return clauses([said, _battery_words(monitor.battery_frac)])


def _battery_words(frac: float | None) -> str:
    if frac is None or frac > LOW_BATTERY_FRAC:
        return ""
    return _("its battery was at %(percent)s") % {"percent": percent(frac)}


def today_words(seen: Overview, now: dt.datetime) -> str:
    """Return today's crying beside that of other days on which there was some.

    Nothing is said where nothing was ever heard.
    """
    if seen.last_recorded_at is None:
        return ""
    today = seen.infant.local_day(now)
    here = next((day for day in seen.days if day.day == today), None)
    said = _("No crying judged today")
    if here is not None:
        said = ngettext(
            "%(n)d recording today, %(length)s of crying",
            "%(n)d recordings today, %(length)s of crying",
            here.n_recordings,
        ) % {"n": here.n_recordings, "length": lasting(here.cry_s)}
    return clauses([said, _habit_words([d.n_recordings for d in seen.days if d.day < today])])


def _habit_words(counts: list[int]) -> str:
    """Return how many recordings a usual day has; nothing where too few days are known."""
    if len(counts) < DAYS_FOR_A_HABIT:
        return ""
    low, _middle, high = (round(q) for q in statistics.quantiles(counts, n=4, method="inclusive"))
    if low == high:
        return _("a usual day has %(n)d") % {"n": low}
    return _("a usual day has %(low)d to %(high)d") % {"low": low, "high": high}


def waiting_words(seen: Overview) -> list[str]:
    """Return what is not judged: on its way, or set aside."""
    said = []
    if seen.waiting:
        waiting = ngettext(
            "%(n)d recording waiting to be judged",
            "%(n)d recordings waiting to be judged",
            seen.waiting,
        )
        said.append(waiting % {"n": seen.waiting})
    if seen.failed:
        failed = ngettext(
            "%(n)d recording could not be judged since yesterday",
            "%(n)d recordings could not be judged since yesterday",
            seen.failed,
        )
        said.append(failed % {"n": seen.failed})
    return said


# --- recordings, episodes, diary -----------------------------------------------------------------


def gate_words(recording: Recording) -> str:
    """Return the gate's decision, and of a refusal the reason that weighed most."""
    decision = getattr(recording, "gate_decision", None)
    if decision is None:
        return ""
    if not decision.is_cry:
        return _("not a cry")
    if decision.answer:
        answer = GateDecision.Answer(decision.answer).label
        return _("a person said: %(answer)s") % {"answer": answer}
    if decision.accepted:
        return pgettext("by the gate", "accepted")
    return _because(pgettext("by the gate", "refused"), refusal_words(decision))


def refusal_words(decision: GateDecision) -> str:
    """Return the reason that weighed most against a recording; nothing where none is known."""
    parts = [part for part in decision.parts if part.get("reason")]
    least = min(parts, key=lambda part: float(part.get("confidence", 1.0)), default=None)
    return reason_words(str(least["reason"])) if least else ""


def fate_words(recording: Recording, look: Look) -> str:
    """Return where a recording stands, or what was found."""
    state = State(recording.state)
    judgement = getattr(recording, "judgement", None)
    if state in END_WORDS:
        reason = Reason(recording.reason)
        return _because(END_WORDS[state], reason.label if reason else "")
    if look is NOT_COUNTED_ONE:
        return str(look.word)
    if judgement is None:
        return str(STEP_WORDS.get(state, look.word))
    if judgement.p_value is None:
        days = {"days": judgement.baseline_days, "needed": judgement.baseline_days_needed}
        return _("learning, %(days)d of %(needed)d days") % days
    elsewhere = look is UNUSUAL_ONE and sounds_elsewhere(judgement)
    room = _("the room or the monitor sounds different too")
    return clauses([str(look.word), room if elsewhere else ""])


def p_words(p_value: float | None) -> str:
    """Return a p-value as it is printed, or nothing where there is none."""
    if p_value is None:
        return ""
    if p_value < LEAST_P:
        return _("below %(least)s") % {"least": decimal(LEAST_P, 3)}
    return decimal(p_value, 3)


def unjudged_words(unjudged: list[tuple[str, str, int]]) -> list[str]:
    """Return how many recordings have no judgement, and why."""
    on_way = sum(n for state, _reason, n in unjudged if state in ON_THE_WAY)
    said = [on_the_way_words(on_way)] if on_way else []
    for state, reason, n in unjudged:
        if state in END_WORDS:
            why = Reason(reason).label if reason else ""
            said.append(_because(COUNTED_WORDS[State(state)] % {"n": n}, why))
    return said


def on_the_way_words(n: int) -> str:
    """Return how many recordings are still to be judged."""
    said = ngettext("%(n)d recording on the way", "%(n)d recordings on the way", n)
    return said % {"n": n}


def episode_words(infant: Infant, episode: Episode, now: dt.datetime) -> str:
    """Return an episode in two sentences: what and when, and on what evidence."""
    what = capital(str(Episode.Kind(episode.kind).label))
    said = {"what": what, "start": _start_words(infant, episode, now)}
    if episode.closed_at is None:
        told = _("%(what)s since %(start)s; still open.") % said
    else:
        said["end"] = time_words(infant, episode.closed_at, now)
        said["reason"] = str(Episode.CloseReason(episode.close_reason).label)
        told = _("%(what)s from %(start)s to %(end)s; closed because %(reason)s.") % said
    room = _(ELSEWHERE) if episode.sounds_elsewhere else ""
    word = _("A reviewer said: %(verdict)s.") % {"verdict": _verdict(episode)}
    parts = (told, _evidence_words(episode), room, word if episode.verdict else "")
    return " ".join(part for part in parts if part)


def _start_words(infant: Infant, episode: Episode, now: dt.datetime) -> str:
    """Return when an episode began, and when it was noticed where that was later."""
    noticed = time_words(infant, episode.opened_at, now)
    if episode.began_at >= episode.opened_at:
        return noticed
    began = time_words(infant, episode.began_at, now)
    return _("about %(began)s (noticed %(noticed)s)") % {"began": began, "noticed": noticed}


def _evidence_words(episode: Episode) -> str:
    found = episode.evidence
    said = clauses([change_words(found), movement_words(found), _data_words(found)])
    return whole_sentence(capital(said)) if said else ""


def _data_words(found: dict[str, Any]) -> str:
    """Return on how much data an episode rests, and how strong the evidence is."""
    heard = _heard_words(found)
    if "smallest_p_value" in found:
        smallest = {"heard": heard, "p": p_words(found["smallest_p_value"])}
        form = _("%(heard)s, smallest p = %(p)s") if heard else _("smallest p = %(p)s")
        heard = form % smallest
    said = clauses([heard, severity_words(found)])
    if "peak_statistic" not in found or "threshold" not in found:
        return said
    return _("%(evidence)s (statistic %(peak)s; an episode begins at %(threshold)s)") % {
        "evidence": said,
        "peak": decimal(found["peak_statistic"], 1),
        "threshold": decimal(found["threshold"], 1),
    }


def _heard_words(found: dict[str, Any]) -> str:
    """Return how many recordings, in how many sessions, on how many days."""
    n_sessions = found.get("n_sessions")
    if not n_sessions:
        return ""
    if "n_recordings" not in found:
        heard = ngettext("%(n)d session", "%(n)d sessions", n_sessions) % {"n": n_sessions}
    else:
        n = found["n_recordings"]
        in_sessions = ngettext("in %(n)d session", "in %(n)d sessions", n_sessions)
        heard = _("%(recordings)s %(in_sessions)s") % {
            "recordings": ngettext("%(n)d recording", "%(n)d recordings", n) % {"n": n},
            "in_sessions": in_sessions % {"n": n_sessions},
        }
    if "n_days" not in found:
        return heard
    on_days = ngettext("on %(n)d day", "on %(n)d days", found["n_days"]) % {"n": found["n_days"]}
    return _("%(heard)s %(on_days)s") % {"heard": heard, "on_days": on_days}


def diary_words(entry: DiaryEntry, *, is_identified: bool) -> str:
    """Return a diary entry in a few words; free text may name people, so it is not for everyone."""
    if entry.temperature_c is not None:
        return _("%(value)s °C") % {"value": decimal(entry.temperature_c, 1)}
    text = " ".join(entry.text.split()) if is_identified else ""
    return text if text else kind_words(entry)


def kind_words(entry: DiaryEntry) -> str:
    """Return what kind of entry it is, as it stands inside a sentence."""
    return str(DIARY_WORDS[DiaryEntry.Kind(entry.kind)])


def summary(p_values: list[float], n_learning: int, n_episodes: int) -> str:
    """Return what a chart shows, for those who cannot see it."""
    n = len(p_values)
    compared = _("No recording compared")
    if n:
        compared = ngettext(
            "%(n)d recording compared, %(unusual)d unusual",
            "%(n)d recordings compared, %(unusual)d unusual",
            n,
        ) % {"n": n, "unusual": sum(is_unusual(p_value) for p_value in p_values)}
    learnt = ngettext(
        "%(n)d recording learnt from without a comparison",
        "%(n)d recordings learnt from without a comparison",
        n_learning,
    ) % {"n": n_learning}
    episodes = ngettext("%(n)d episode", "%(n)d episodes", n_episodes) % {"n": n_episodes}
    return whole_sentence(
        clauses(
            [
                compared,
                learnt if n_learning else "",
                episodes if n_episodes else _("no episode"),
            ]
        )
    )
