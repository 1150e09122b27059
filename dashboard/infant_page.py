"""One infant's page: the chart, the episodes in words, the newest recordings.

What comes in: the viewer, a visible infant, the moment and how many days to show. What goes out: a
`Page` that a template only prints. Guaranteed: every time is the infant's own; everything in the
chart stands in words or numbers beside it too.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from anomaly.models import Episode
from anomaly.promise import promised
from anomaly.selectors.overview import overviews
from anomaly.selectors.standing import baseline_standing
from anomaly.selectors.stretch import Stretch, stretch_of
from dashboard import words
from dashboard.cards import Card, card_of
from dashboard.standing import ODD, SHIFT, SURROUNDINGS, Look, look_of_recording
from dashboard.timeline_chart import Chart, Mark, Moment, SessionMark, Span, Story, draw
from infants.access import Viewer
from infants.models import DeviceAssignment, DiaryEntry, Infant, Recording

DAYS = (7, 30, 90)
DEFAULT_DAYS = 30
WIDE, NARROW = 820.0, 352.0
DRAWN_KINDS = frozenset(DiaryEntry.Kind) - {
    DiaryEntry.Kind.FEED,
    DiaryEntry.Kind.SLEEP,
    DiaryEntry.Kind.NAPPY,
}
"""What may bear on the crying; feeds, sleep and nappies would fill the lane."""
LOOKS = {
    Episode.Kind.PERSISTENT_SHIFT: SHIFT,
    Episode.Kind.SINGLE_EXTREME: ODD,
    Episode.Kind.NEW_SURROUNDINGS: SURROUNDINGS,
}
SHORT = {
    SHIFT.name: gettext_lazy("shift"),
    ODD.name: gettext_lazy("odd session"),
    SURROUNDINGS.name: gettext_lazy("new surroundings"),
}


@dataclass(frozen=True)
class RecordingRow:
    """A recording as a line of a table."""

    time: str
    look: Look
    fate: str
    p_value: str
    gate: str


@dataclass(frozen=True)
class EpisodeRow:
    """An episode with the number that it has in the chart."""

    number: int
    look: Look
    text: str
    is_open: bool


@dataclass(frozen=True)
class Page:
    """Everything to print."""

    card: Card
    zone: str
    days: int
    stretch_words: str
    wide: Chart
    narrow: Chart
    summary: str
    episodes: list[EpisodeRow]
    newest: list[RecordingRow]
    unjudged: list[str]
    diary: list[str]
    refits: list[str]
    monitors: list[str]
    judged: list[RecordingRow]
    left_out: int
    promised: list[str]


def page_of(viewer: Viewer, infant: Infant, now: dt.datetime, days: int) -> Page:
    """Return the page of an infant over so many days."""
    seen = overviews(viewer, now, only=infant.id)[0]
    stretch = stretch_of(viewer, infant, _start(infant, now, days), now)
    story = _story(infant, stretch, now, is_identified=seen.is_identified)
    return Page(
        card=card_of(seen, now),
        zone=infant.time_zone,
        days=days,
        stretch_words=_stretch_words(infant, stretch),
        wide=draw(story, WIDE),
        narrow=draw(story, NARROW),
        summary=_summary(story),
        episodes=_episode_rows(infant, stretch.episodes, now),
        newest=[_row(infant, recording, now) for recording in stretch.newest],
        unjudged=words.unjudged_words(stretch.unjudged),
        diary=[_timed(infant, note.start, note.label, now) for note in story.notes],
        refits=[_timed(infant, refit.time, refit.label, now) for refit in story.refits],
        monitors=[
            _timed(infant, one.starts_at, _monitor_words(one), now) for one in stretch.assignments
        ],
        judged=[_row(infant, recording, now) for recording in reversed(stretch.judged)],
        left_out=stretch.n_judged - len(stretch.judged),
        promised=promised(baseline_standing(viewer, infant)),
    )


def _start(infant: Infant, now: dt.datetime, days: int) -> dt.datetime:
    """Return the midnight with which the stretch begins, where the infant lives."""
    first = infant.local_day(now) - dt.timedelta(days=days - 1)
    return dt.datetime.combine(first, dt.time(), infant.zone)


def _stretch_words(infant: Infant, stretch: Stretch) -> str:
    first, last = infant.local_day(stretch.start), infant.local_day(stretch.end)
    return _("%(first)s to %(last)s") % {
        "first": words.date_words(first, is_this_year=True),
        "last": words.date_words(last, is_this_year=False),
    }


# --- the story -----------------------------------------------------------------------------------


def _story(infant: Infant, stretch: Stretch, now: dt.datetime, *, is_identified: bool) -> Story:
    return Story(
        start=stretch.start,
        end=stretch.end,
        zone=infant.zone,
        marks=[_mark(infant, recording, now) for recording in stretch.judged],
        sessions=[SessionMark(one.started_at, one.p_value) for one in stretch.sessions],
        episodes=[_span(episode, now) for episode in stretch.episodes],
        notes=[
            _note(entry, is_identified=is_identified)
            for entry in stretch.diary
            if entry.kind in DRAWN_KINDS
        ],
        refits=[
            Moment(model.in_force_after, _("model %(number)d") % {"number": model.number})
            for model in stretch.models
        ],
        monitors=[
            Moment(one.starts_at, _("now %(monitor)s") % {"monitor": one.device.name})
            for one in stretch.assignments
        ],
    )


def _mark(infant: Infant, recording: Recording, now: dt.datetime) -> Mark:
    row = _row(infant, recording, now)
    said = {"time": words.capital(row.time), "fate": row.fate, "p": row.p_value, "gate": row.gate}
    form = _("%(time)s: %(fate)s; gate: %(gate)s")
    if row.p_value:
        form = _("%(time)s: %(fate)s, p = %(p)s; gate: %(gate)s")
    accepted = recording.gate_decision.accepted
    return Mark(recording.recorded_at, accepted, recording.judgement.p_value, form % said)


def _span(episode: Episode, now: dt.datetime) -> Span:
    look = LOOKS[Episode.Kind(episode.kind)].name
    label = str(SHORT[look])
    if episode.closed_at is None:
        label = _("%(what)s, open") % {"what": label}
    return Span(episode.began_at, episode.closed_at or now, look, label)


def _note(entry: DiaryEntry, *, is_identified: bool) -> Span:
    label = words.diary_words(entry, is_identified=is_identified)
    return Span(entry.starts_at, entry.ends_at or entry.starts_at, entry.kind, label)


def _summary(story: Story) -> str:
    p_values = [mark.p_value for mark in story.marks if mark.p_value is not None]
    return words.summary(p_values, len(story.marks) - len(p_values), len(story.episodes))


# --- lines ---------------------------------------------------------------------------------------


def _row(infant: Infant, recording: Recording, now: dt.datetime) -> RecordingRow:
    look = look_of_recording(recording)
    judgement = getattr(recording, "judgement", None)
    return RecordingRow(
        time=words.time_words(infant, recording.recorded_at, now),
        look=look,
        fate=words.fate_words(recording, look),
        p_value=words.p_words(judgement.p_value if judgement else None),
        gate=words.gate_words(recording),
    )


def _episode_rows(
    infant: Infant, episodes: Sequence[Episode], now: dt.datetime
) -> list[EpisodeRow]:
    """Return the episodes, newest first, with the numbers that the chart gives them."""
    rows = [
        EpisodeRow(
            number=number,
            look=LOOKS[Episode.Kind(episode.kind)],
            text=words.episode_words(infant, episode, now),
            is_open=episode.closed_at is None,
        )
        for number, episode in enumerate(episodes, start=1)
    ]
    return rows[::-1]


def _timed(infant: Infant, moment: dt.datetime, text: str, now: dt.datetime) -> str:
    return words.timed(words.time_words(infant, moment, now), text)


def _monitor_words(assignment: DeviceAssignment) -> str:
    return _("the monitor is now %(monitor)s") % {"monitor": assignment.device.name}
