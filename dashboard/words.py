"""What is known, in plain sentences that name no gender and no cause.

What comes in: rows and overviews as the selectors give them. What goes out: text, with times in the
infant's own zone. Guaranteed: nothing here is a diagnosis, and no sentence says more than the rows.
"""

import datetime as dt
import statistics
from typing import Any

from anomaly.evidence import SEVERITY, change_words, movement_words
from anomaly.models import Episode, GateDecision
from anomaly.selectors.overview import Overview
from dashboard.standing import (
    LEARNING,
    NOT_COUNTED_ONE,
    NOTHING,
    ODD,
    SHIFT,
    SURROUNDINGS,
    UNUSUAL_ONE,
    Look,
    is_stale,
    is_unusual,
    sounds_elsewhere,
)
from infants.models import DiaryEntry, Infant, Recording
from infants.states import ON_THE_WAY, Reason, State

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
LONG_AGO_S = 2 * DAY_S
LOW_BATTERY_FRAC = 0.2
DAYS_FOR_A_HABIT = 5
STEP_WORDS = {
    State.RECEIVED: "waiting to be cut into cries",
    State.SEGMENTED: "waiting for the encoder",
    State.EMBEDDED: "waiting for the gate",
    State.GATED: "waiting to be scored",
    State.SCORED: "waiting to be learnt from",
    State.LEARNT: "waiting to join the timeline",
    State.ON_TIMELINE: "waiting for the episodes",
}
END_WORDS = {
    State.HELD: "held back",
    State.REJECTED: "nothing to judge",
    State.FAILED: "could not be judged",
}
ELSEWHERE = (
    "The room or the monitor sounds different in most of these sessions: that alone can make "
    "crying sound unusual."
)
COUNTED_WORDS = END_WORDS | {State.REJECTED: "with nothing to judge"}


# --- numbers and times ---------------------------------------------------------------------------


def counted(n: int, what: str) -> str:
    """Return a number with its noun."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def lasting(seconds: float) -> str:
    """Return a length of time in one unit that says enough."""
    if seconds < MINUTE_S:
        return counted(int(seconds), "second")
    if seconds < HOUR_S:
        return counted(int(seconds // MINUTE_S), "minute")
    if seconds < LONG_AGO_S:
        return counted(int(seconds // HOUR_S), "hour")
    return counted(int(seconds // DAY_S), "day")


def ago(moment: dt.datetime, now: dt.datetime) -> str:
    """Return how long ago a moment was; a clock that runs ahead is taken as now."""
    seconds = (now - moment).total_seconds()
    return "just now" if seconds < MINUTE_S else f"{lasting(seconds)} ago"


def day_words(day: dt.date, today: dt.date) -> str:
    """Return a day as people say it."""
    if day == today:
        return "today"
    if day == today - dt.timedelta(days=1):
        return "yesterday"
    return f"{day.day} {day:%B}" if day.year == today.year else f"{day.day} {day:%B %Y}"


def on_day(day: dt.date, today: dt.date) -> str:
    """Return a day as the time at which something was."""
    words = day_words(day, today)
    return words if words in ("today", "yesterday") else f"on {words}"


def time_words(infant: Infant, moment: dt.datetime, now: dt.datetime) -> str:
    """Return day and time where the infant lives."""
    local = moment.astimezone(infant.zone)
    return f"{day_words(local.date(), infant.local_day(now))}, {local:%H:%M}"


def capital(text: str) -> str:
    """Return a text as a sentence begins."""
    return text[:1].upper() + text[1:]


# --- the infant ----------------------------------------------------------------------------------


def called(infant: Infant, *, is_identified: bool) -> str:
    """Return the name, or the end of the id for those who may not know the name."""
    return infant.name if is_identified else f"Infant {infant.id.hex[-6:]}"


def state_sentence(seen: Overview, look: Look, now: dt.datetime) -> str:
    """Return the one sentence that says how the infant's crying is."""
    name = called(seen.infant, is_identified=seen.is_identified)
    if look == SHIFT:
        since = _since(seen, Episode.Kind.PERSISTENT_SHIFT, now)
        said = f"{name}’s crying has been different from usual since {since}"
        shift = _episode(seen, Episode.Kind.PERSISTENT_SHIFT)
        if shift.sounds_elsewhere:
            said += "; the room or the monitor sounds different since then too"
        if shift.verdict:
            said += f"; a reviewer said: {Episode.Verdict(shift.verdict).label}"
        return said
    if look == ODD:
        return _odd_sentence(seen, name, now)
    if look == SURROUNDINGS:
        return _surroundings_sentence(seen, now)
    if look == LEARNING:
        return _learning_sentence(seen, name)
    return _nothing_sentence(seen) if look == NOTHING else "As usual"


def _episode(seen: Overview, kind: Episode.Kind) -> Episode:
    return next(episode for episode in seen.episodes if episode.kind == kind)


def _since(seen: Overview, kind: Episode.Kind, now: dt.datetime) -> str:
    episode = _episode(seen, kind)
    day = day_words(seen.infant.local_day(episode.began_at), seen.infant.local_day(now))
    return f"about {day}" if episode.began_at < episode.opened_at else day


def _odd_sentence(seen: Overview, name: str, now: dt.datetime) -> str:
    kind = Episode.Kind.SINGLE_EXTREME
    episode = _episode(seen, kind)
    n_sessions = int(episode.evidence.get("n_sessions", 1))
    if n_sessions > 1:
        said = f"{n_sessions} sessions since {_since(seen, kind, now)} were unlike {name}’s others"
    else:
        when = on_day(seen.infant.local_day(episode.last_at), seen.infant.local_day(now))
        said = f"One session {when} was unlike {name}’s others"
    return said if episode.closed_at is None else f"{said}; as usual since"


def _surroundings_sentence(seen: Overview, now: dt.datetime) -> str:
    episode = _episode(seen, Episode.Kind.NEW_SURROUNDINGS)
    since = _since(seen, Episode.Kind.NEW_SURROUNDINGS, now)
    what = capital(change_words(episode.evidence) or "the room or the monitor is another")
    return f"{what} since {since}; until that is learnt, single sessions are not compared"


def _learning_sentence(seen: Overview, name: str) -> str:
    if seen.learning is not None and seen.learning.days >= seen.learning.needed:
        return f"Enough of {name}’s crying is known; comparing begins after the next"
    if seen.learning is None:
        return f"{name}’s usual is learnt; the next crying will be compared with it"
    said = f"Still learning {name}’s usual: {seen.learning.days} of {seen.learning.needed} days"
    return f"{said}; compared so far with what other infants teach" if seen.was_scored else said


def _nothing_sentence(seen: Overview) -> str:
    if seen.last_recorded_at is None:
        return "Nothing heard yet"
    return "Recordings have come in; none is judged yet" if seen.waiting else "No crying heard yet"


# --- freshness -----------------------------------------------------------------------------------


def cry_freshness(seen: Overview, now: dt.datetime) -> str:
    """Return when the last cry was."""
    if seen.last_cry_at is None:
        return "no cry heard yet"
    return f"last cry {ago(seen.last_cry_at, now)}"


def monitor_freshness(seen: Overview, now: dt.datetime) -> str:
    """Return when the monitor was last heard from, and its battery where that is low."""
    monitor = seen.monitor
    if monitor is None:
        return "no monitor is assigned"
    if monitor.kind == monitor.Kind.ARCHIVE:
        return "imported recordings; no monitor is listening"
    if monitor.last_seen_at is None:
        return "the monitor has not been heard from yet"
    battery = monitor.battery_frac
    is_low = battery is not None and battery <= LOW_BATTERY_FRAC
    power = f"; its battery was at {battery:.0%}" if is_low else ""
    if is_stale(seen, now):
        silent_s = (now - monitor.last_seen_at).total_seconds()
        return f"no word from the monitor for {lasting(silent_s)}{power}"
    return f"last heard from the monitor {ago(monitor.last_seen_at, now)}{power}"


def today_words(seen: Overview, now: dt.datetime) -> str:
    """Return today's crying beside that of other days on which there was some.

    Nothing is said where nothing was ever heard.
    """
    if seen.last_recorded_at is None:
        return ""
    today = seen.infant.local_day(now)
    here = next((day for day in seen.days if day.day == today), None)
    if here is None:
        said = "No crying judged today"
    else:
        said = f"{counted(here.n_recordings, 'recording')} today, {lasting(here.cry_s)} of crying"
    others = [day.n_recordings for day in seen.days if day.day < today]
    if len(others) < DAYS_FOR_A_HABIT:
        return said
    low, _, high = (round(q) for q in statistics.quantiles(others, n=4, method="inclusive"))
    habit = f"{low}" if low == high else f"{low} to {high}"
    return f"{said}; a usual day has {habit}"


def waiting_words(seen: Overview) -> list[str]:
    """Return what is not judged: on its way, or set aside."""
    said = []
    if seen.waiting:
        said.append(f"{counted(seen.waiting, 'recording')} waiting to be judged")
    if seen.failed:
        said.append(f"{counted(seen.failed, 'recording')} could not be judged since yesterday")
    return said


# --- recordings, episodes, diary -----------------------------------------------------------------


def gate_words(recording: Recording) -> str:
    """Return the gate's decision, and of a refusal the reason that weighed most."""
    decision = getattr(recording, "gate_decision", None)
    if decision is None:
        return ""
    if not decision.is_cry:
        return "not a cry"
    if decision.answer:
        return f"a person said: {GateDecision.Answer(decision.answer).label}"
    if decision.accepted:
        return "accepted"
    parts = [part for part in decision.parts if part.get("reason")]
    least = min(parts, key=lambda part: float(part.get("confidence", 1.0)), default=None)
    return f"refused: {least['reason']}" if least else "refused"


def fate_words(recording: Recording, look: Look) -> str:
    """Return where a recording stands, or what was found."""
    state = State(recording.state)
    judgement = getattr(recording, "judgement", None)
    if state in END_WORDS:
        reason = Reason(recording.reason)
        return f"{END_WORDS[state]}: {reason.label}" if reason else END_WORDS[state]
    if look is NOT_COUNTED_ONE:
        return look.word
    if judgement is None:
        return STEP_WORDS.get(state, look.word)
    if judgement.p_value is None:
        return f"learning, {judgement.baseline_days} of {judgement.baseline_days_needed} days"
    if look is UNUSUAL_ONE and sounds_elsewhere(judgement):
        return f"{look.word}; the room or the monitor sounds different too"
    return look.word


def p_words(p_value: float | None) -> str:
    """Return a p-value as it is printed, or nothing where there is none."""
    if p_value is None:
        return ""
    return "below 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def unjudged_words(unjudged: list[tuple[str, str, int]]) -> list[str]:
    """Return how many recordings have no judgement, and why."""
    on_way = sum(n for state, _, n in unjudged if state in ON_THE_WAY)
    said = [f"{counted(on_way, 'recording')} on the way"] if on_way else []
    for state, reason, n in unjudged:
        if state in END_WORDS:
            why = f": {Reason(reason).label}" if reason else ""
            said.append(f"{counted(n, 'recording')} {COUNTED_WORDS[State(state)]}{why}")
    return said


def episode_words(infant: Infant, episode: Episode, now: dt.datetime) -> str:
    """Return an episode in two sentences: what and when, and on what evidence."""
    start = time_words(infant, episode.opened_at, now)
    if episode.began_at < episode.opened_at:
        start = f"about {time_words(infant, episode.began_at, now)} (noticed {start})"
    what = capital(Episode.Kind(episode.kind).label)
    if episode.closed_at is None:
        said = f"{what} since {start}; still open."
    else:
        reason = Episode.CloseReason(episode.close_reason).label
        end = time_words(infant, episode.closed_at, now)
        said = f"{what} from {start} to {end}; closed because {reason}."
    evidence = _evidence_words(episode)
    room = ELSEWHERE if episode.sounds_elsewhere else ""
    word = f"A reviewer said: {Episode.Verdict(episode.verdict).label}." if episode.verdict else ""
    return " ".join(part for part in (said, evidence, room, word) if part)


def _evidence_words(episode: Episode) -> str:
    found = episode.evidence
    said = [part for part in (change_words(found), movement_words(found)) if part]
    data = _data_words(found)
    if data:
        said.append(data)
    return f"{capital('; '.join(said))}." if said else ""


def _data_words(found: dict[str, Any]) -> str:
    n_sessions = found.get("n_sessions")
    heard = counted(n_sessions, "session") if n_sessions else ""
    if "n_recordings" in found:
        heard = f"{counted(found['n_recordings'], 'recording')} in {heard}"
    if heard and "n_days" in found:
        heard += f" on {counted(found['n_days'], 'day')}"
    if "smallest_p_value" in found:
        smallest = f"smallest p = {p_words(found['smallest_p_value'])}"
        heard = f"{heard}, {smallest}" if heard else smallest
    if "severity" in found:
        heard += f"; {SEVERITY.get(found['severity'], '')}"
    if "peak_statistic" in found and "threshold" in found:
        peak, threshold = found["peak_statistic"], found["threshold"]
        heard += f" (statistic {peak:.1f}; an episode begins at {threshold:.1f})"
    return heard


def diary_words(entry: DiaryEntry, *, is_identified: bool) -> str:
    """Return a diary entry in a few words; free text may name people, so it is not for everyone."""
    if entry.temperature_c is not None:
        return f"{entry.temperature_c:.1f} °C"
    text = " ".join(entry.text.split()) if is_identified else ""
    return text if text else DiaryEntry.Kind(entry.kind).label.lower()


def summary(p_values: list[float], n_learning: int, n_episodes: int) -> str:
    """Return what a chart shows, for those who cannot see it."""
    n_unusual = sum(is_unusual(p_value) for p_value in p_values)
    compared = f"{counted(len(p_values), 'recording')} compared, {n_unusual} unusual"
    said = [compared if p_values else "No recording compared"]
    if n_learning:
        said.append(f"{counted(n_learning, 'recording')} learnt from without a comparison")
    said.append(counted(n_episodes, "episode") if n_episodes else "no episode")
    return "; ".join(said) + "."
