"""The document that the timeline's script draws: columns of plain numbers, small on the wire.

What comes in: a `Reading`, and the days of the whole life where they are asked for. What goes out:
values for JSON. Guaranteed: times are milliseconds of the epoch, and `offsets` say how far the
infant's clock was from UTC; numbers are in people's units; what is not known is null; it holds no
name and no free text that the viewer may not read.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from anomaly.models import Episode
from anomaly.selectors.focus import Focus, Single, SumUp
from anomaly.selectors.lanes import Day, Note, Version
from anomaly.selectors.timeline import AbsentBucket, ScoredBucket
from dashboard import words
from dashboard.infant_page import LOOKS
from dashboard.timeline import labels
from dashboard.timeline.channels import to_people
from dashboard.timeline.reading import Reading, gate_of, reason_of

Document = dict[str, Any]
MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)


def document(reading: Reading) -> Document:
    """Return what the script draws of a stretch."""
    asked, focus, lanes = reading.asked, reading.focus, reading.lanes
    return {
        "form": str(focus.bucket) if focus.bucket else "single",
        "widths": list(focus.widths),
        "from": ms(asked.start),
        "to": ms(asked.end),
        "by": asked.by,
        "first": focus.first_number,
        "channels": list(asked.channels),
        "scorers": list(asked.scorers),
        "singles": _singles(focus, asked.channels, asked.scorers) if not focus.bucket else None,
        "sessions": _sessions(focus) if not focus.bucket else None,
        "buckets": _buckets(focus, asked.channels, asked.scorers) if focus.bucket else None,
        "usual": _usual(reading),
        "threshold": reading.threshold,
        "watched": _watched(reading),
        "episodes": [_episode(reading, one) for one in lanes.episodes],
        "notes": [_note(one) for one in lanes.notes],
        "versions": [_version(one) for one in lanes.versions],
        "monitors": [
            {"t": ms(one.starts_at), "label": labels.monitor_words(one)} for one in lanes.serving
        ],
        "gaps": [[ms(gap.start), ms(gap.end), gap.kind] for gap in reading.gaps],
    }


def life(days: Sequence[Day], zone: ZoneInfo, start: dt.datetime, end: dt.datetime) -> Document:
    """Return the overview: every day of the infant, and the offsets of its clock."""
    return {
        "from": ms(start),
        "to": ms(end),
        "days": [ms(dt.datetime.combine(one.day, dt.time(), zone)) for one in days],
        "n": [one.n_recordings for one in days],
        "accepted": [one.n_accepted for one in days],
        "min": [_p(one.p_value_min) for one in days],
        "median": [_p(one.p_value_median) for one in days],
        "offsets": _offsets(zone, start - DAY, end + DAY),
    }


def ms(moment: dt.datetime) -> int:
    """Return a moment in milliseconds of the epoch."""
    return round(moment.timestamp() * 1000)


def _p(p_value: float | None) -> float | None:
    return None if p_value is None else float(f"{p_value:.4g}")


def _offsets(zone: ZoneInfo, start: dt.datetime, end: dt.datetime) -> list[list[int]]:
    """Return from when on the clock was so many minutes from UTC."""
    found = [[ms(start), _minutes(zone, start)]]
    at = start
    while at < end:
        if _minutes(zone, at + DAY) != found[-1][1]:
            change = _change(zone, at, at + DAY)
            found.append([ms(change), _minutes(zone, change)])
        at += DAY
    return found


def _change(zone: ZoneInfo, before: dt.datetime, after: dt.datetime) -> dt.datetime:
    """Return the minute from which on the offset is that of the later moment."""
    wanted = _minutes(zone, after)
    while after - before > MINUTE:
        middle = before + (after - before) / 2
        if _minutes(zone, middle) == wanted:
            after = middle
        else:
            before = middle
    return after.replace(second=0, microsecond=0)


def _minutes(zone: ZoneInfo, moment: dt.datetime) -> int:
    offset = moment.astimezone(zone).utcoffset() or dt.timedelta()
    return round(offset / MINUTE)


# --- one by one ----------------------------------------------------------------------------------


def _singles(focus: Focus, channels: Sequence[str], scorers: Sequence[str]) -> Document:
    rows = focus.singles
    reasons = list(dict.fromkeys(reason_of(row) for row in rows))
    place = {reason: at for at, reason in enumerate(reasons)}
    return {
        "id": [str(row.id) for row in rows],
        "t": [ms(row.time) for row in rows],
        "n": [row.number for row in rows],
        "p": [_p(row.p_value) for row in rows],
        "gate": [gate_of(row) for row in rows],
        "review": [row.review for row in rows],
        "reason": [place[reason_of(row)] for row in rows],
        "reasons": reasons,
        "room": [_p(row.room_p_value) for row in rows],
        "scorers": {name: [_p(row.p_values.get(name)) for row in rows] for name in scorers},
        "channels": {name: [_channel(row, name) for row in rows] for name in channels},
    }


def _channel(row: Single, name: str) -> float | None:
    value = row.channels.get(name, {}).get("value")
    return None if value is None else to_people(name, float(value))


def _sessions(focus: Focus) -> Document:
    return {
        "t": [ms(one.time) for one in focus.sessions],
        "p": [_p(one.p_value) for one in focus.sessions],
        "n": [one.n_recordings for one in focus.sessions],
    }


# --- in buckets ----------------------------------------------------------------------------------


def _buckets(focus: Focus, channels: Sequence[str], scorers: Sequence[str]) -> Document:
    """Return the buckets in which there was something, as columns."""
    rows = [one for one in focus.buckets if one.n_not_cries or not _is_absent(one)]
    heard = [getattr(one.row, "heard", None) for one in rows]
    scored = [one.row if isinstance(one.row, ScoredBucket) else None for one in rows]
    return {
        "t": [ms(one.row.stretch.start) for one in rows],
        "end": [ms(one.row.stretch.end) for one in rows],
        "first": [one.first_number for one in rows],
        "n": [one.n_recordings if one else 0 for one in heard],
        "accepted": [one.n_accepted if one else 0 for one in heard],
        "notCries": [one.n_not_cries for one in rows],
        "reviewed": [one.n_reviewed for one in rows],
        "min": [_p(one.p_value_min) if one else None for one in scored],
        "median": [_p(one.p_value_median) if one else None for one in scored],
        "sessionMin": [
            _p(one.session_p_values[0]) if one.session_p_values else None for one in rows
        ],
        "session": [_p(one.session_p_values[1]) if one.session_p_values else None for one in rows],
        "scorers": {name: [_p(one.scorers.get(name)) for one in rows] for name in scorers},
        "channels": {name: _quantiles(rows, name) for name in channels},
    }


def _is_absent(one: SumUp) -> bool:
    return isinstance(one.row, AbsentBucket)


def _quantiles(rows: Iterable[SumUp], name: str) -> list[list[float | None]]:
    """Return the columns of a tenth, half and nine tenths."""
    found = [one.channels.get(name) for one in rows]
    ends = [(one.low, one.middle, one.high) if one else None for one in found]
    return [
        [None if three is None else to_people(name, three[at]) for three in ends] for at in range(3)
    ]


# --- beside --------------------------------------------------------------------------------------


def _usual(reading: Reading) -> Document:
    usual = reading.usual
    ranges = {
        name: [to_people(name, low), to_people(name, high)]
        for name, (low, high) in usual.ranges.items()
        if name in reading.asked.channels
    }
    return {"version": usual.version, "n": usual.n_recordings, "ranges": ranges}


def _watched(reading: Reading) -> Document:
    zone, rows = reading.infant.zone, reading.lanes.watched
    return {
        "t": [ms(dt.datetime.combine(one.day, dt.time(12), zone)) for one in rows],
        "highest": [round(one.highest, 3) for one in rows],
        "moved": [one.surroundings for one in rows],
    }


def _episode(reading: Reading, episode: Episode) -> Document:
    look = LOOKS[Episode.Kind(episode.kind)]
    found = episode.evidence
    ends = [found.get("since_earliest"), found.get("since_latest")]
    began = [ms(dt.datetime.fromisoformat(end)) for end in ends if end]
    return {
        "look": look.name,
        "label": labels.EPISODES[look.name],
        "began": ms(episode.began_at),
        "earliest": began[0] if began else None,
        "latest": began[-1] if began else None,
        "opened": ms(episode.opened_at),
        "closed": None if episode.closed_at is None else ms(episode.closed_at),
        "end": ms(episode.closed_at or reading.now),
        "words": words.episode_words(reading.infant, episode, reading.now),
    }


def _note(note: Note) -> Document:
    return {
        "t": ms(note.starts_at),
        "end": ms(note.ends_at or note.starts_at),
        "kind": note.kind,
        "label": labels.note_words(note),
    }


def _version(version: Version) -> Document:
    return {"t": ms(version.time), "label": labels.version_words(version)}
