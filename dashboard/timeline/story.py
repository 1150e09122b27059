"""The stretch as the chart that is drawn on the server shows it, before and without any script.

What comes in: a `Reading`. What goes out: a `Story` for `dashboard.timeline_chart`. Guaranteed: it
says what the script's chart says; a bucket is one mark, at its smallest p-value.
"""

import datetime as dt
from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from anomaly.models import Episode
from anomaly.selectors.focus import Single, SumUp
from anomaly.selectors.timeline import LearningBucket, ScoredBucket
from dashboard import words
from dashboard.infant_page import LOOKS
from dashboard.timeline import labels
from dashboard.timeline.reading import Reading, gate_of
from dashboard.timeline_chart import Mark, Moment, SessionMark, Span, Story

MOST_NOTES = 30


def story_of(reading: Reading) -> Story:
    """Return the story of a stretch."""
    focus, lanes = reading.focus, reading.lanes
    zone = reading.infant.zone
    if focus.bucket is None:
        marks = [_mark(reading, one) for one in focus.singles if one.outcome is not None]
        sessions = [SessionMark(one.time, one.p_value) for one in focus.sessions]
    else:
        marks = list(_bucket_marks(focus.buckets))
        sessions = list(_bucket_sessions(focus.buckets))
    return Story(
        start=reading.asked.start,
        end=reading.asked.end,
        zone=zone,
        marks=marks,
        sessions=sessions,
        episodes=[_span(reading, one) for one in lanes.episodes],
        notes=[
            Span(note.starts_at, note.ends_at or note.starts_at, note.kind, labels.note_words(note))
            for note in lanes.notes[-MOST_NOTES:]
        ],
        refits=[Moment(one.time, labels.version_words(one)) for one in lanes.versions],
        monitors=[
            Moment(one.starts_at, labels.monitor_words(one))
            for one in lanes.serving
            if one.starts_at >= reading.asked.start
        ],
    )


def summary_words(reading: Reading) -> str:
    """Return what the chart shows, for those who cannot see it."""
    focus = reading.focus
    if focus.bucket is None:
        judged = [one for one in focus.singles if one.outcome is not None]
        p_values = [one.p_value for one in judged if one.p_value is not None]
        return words.summary(p_values, len(judged) - len(p_values), len(reading.lanes.episodes))
    smallest = [one.row.p_value_min for one in focus.buckets if isinstance(one.row, ScoredBucket)]
    n_judged = sum(_n_heard(one) for one in focus.buckets)
    said = ngettext("%(n)d recording judged", "%(n)d recordings judged", n_judged) % {"n": n_judged}
    least = _("smallest p = %(p)s") % {"p": words.p_words(min(smallest))} if smallest else ""
    n_episodes = len(reading.lanes.episodes)
    episodes = ngettext("%(n)d episode", "%(n)d episodes", n_episodes) % {"n": n_episodes}
    return "; ".join(part for part in (said, least, episodes) if part) + "."


def _mark(reading: Reading, one: Single) -> Mark:
    local = one.time.astimezone(reading.infant.zone)
    gate = labels.GATES[gate_of(one)]
    p_value = words.p_words(one.p_value) or _("learning")
    return Mark(
        one.time, bool(one.accepted), one.p_value, f"{local:%d.%m. %H:%M} · {p_value} · {gate}"
    )


def _bucket_marks(buckets: Iterable[SumUp]) -> Iterable[Mark]:
    for one in buckets:
        middle = _middle(one)
        if isinstance(one.row, ScoredBucket):
            p_value = one.row.p_value_min
            label = f"{middle:%d.%m.} · {words.p_words(p_value)} · {one.row.heard.n_recordings}"
            yield Mark(middle, one.row.heard.n_accepted > 0, p_value, label)
        elif isinstance(one.row, LearningBucket):
            yield Mark(middle, one.row.heard.n_accepted > 0, None, one.row.learning.text)


def _bucket_sessions(buckets: Iterable[SumUp]) -> Iterable[SessionMark]:
    for one in buckets:
        if one.session_p_values is not None:
            yield SessionMark(_middle(one), one.session_p_values[1])


def _middle(one: SumUp) -> dt.datetime:
    stretch = one.row.stretch
    return stretch.start + (stretch.end - stretch.start) / 2


def _n_heard(one: SumUp) -> int:
    heard = getattr(one.row, "heard", None)
    return heard.n_recordings if heard is not None else 0


def _span(reading: Reading, episode: Episode) -> Span:
    look = LOOKS[Episode.Kind(episode.kind)].name
    end = episode.closed_at or reading.now
    return Span(episode.began_at, end, look, str(labels.EPISODES[look]))
