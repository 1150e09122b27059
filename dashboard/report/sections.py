"""The report's sections, each a function of what was read for it.

What comes in: `Read`, all rows of a stretch of time, and how to say things. What goes out: sections
of blocks. Guaranteed: pure; a section without anything in it says so; free text, names and dates of
birth stand in none of them for those who may not know them.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from anomaly.charts import UNUSUAL
from anomaly.evidence import EMBEDDING, direction_words
from anomaly.figures import kept_together
from anomaly.figures import sentence as whole_sentence
from anomaly.models import Episode, PersonalModel
from anomaly.notice import SHOWN_NOTICE
from anomaly.promise import promised
from anomaly.selectors.period import Period
from anomaly.selectors.quality import Quality, Versions
from dashboard import words
from dashboard.infant_page import LOOKS, NARROW, SHORT, WIDE
from dashboard.report import phrases, summary
from dashboard.report.contents import (
    Block,
    Bullets,
    Named,
    Paragraph,
    ProtocolPicture,
    Section,
    Table,
    TimelinePicture,
)
from dashboard.report.days import Day
from dashboard.report.phrases import Phrases
from dashboard.report.protocol_chart import NARROW as NARROW_STRIPS
from dashboard.report.protocol_chart import draw, wide_layout
from dashboard.report.protocol_page import key_of
from dashboard.standing import is_unusual
from dashboard.timeline_chart import Mark, Moment, SessionMark, Span, Story
from dashboard.timeline_chart import draw as draw_timeline
from infants.models import DiaryEntry, Infant, Recording
from infants.stretches import outside
from pipelines.build import build
from pipelines.score import Learning

DAYS_ON_A_PAGE, MOST_GAPS = 28, 40
NOT_LISTED = (DiaryEntry.Kind.FEED, DiaryEntry.Kind.SLEEP, DiaryEntry.Kind.NAPPY)
"""Drawn in the protocol and counted by the day; as lines they would fill pages."""
LEAST_GAP_S = 3600


@dataclass(frozen=True)
class Read:
    """All that was read of the stretch."""

    infant: Infant
    is_identified: bool
    now: dt.datetime
    standing: PersonalModel | Learning
    period: Period
    quality: Quality
    versions: Versions
    days: Sequence[Day]
    before: Sequence[Day]
    diary: Sequence[DiaryEntry]

    @property
    def name(self) -> str:
        """How the infant is called."""
        return words.called(self.infant, is_identified=self.is_identified)

    @property
    def said(self) -> Phrases:
        """How things are said."""
        return Phrases(self.infant.zone, self.is_identified)

    @property
    def dates(self) -> str:
        """The stretch in words."""
        return phrases.period(self.days[0].date, self.days[-1].date)


def summary_section(read: Read) -> Section:
    """Return the first lines."""
    told = summary.Told(read.infant, read.name, read.standing, read.period, read.days, read.before)
    return Section("summary", _("Summary"), [Bullets(summary.sentences(told))])


# --- pictures ------------------------------------------------------------------------------------


def timeline_section(read: Read) -> Section:
    """Return the sessions' p-values as a picture."""
    story = _story(read)
    p_values = [session.p_value for session in read.period.sessions]
    picture = TimelinePicture(
        card=Named(read.name),
        stretch_words=read.dates,
        summary=_sessions_in_words(p_values, len(read.period.episodes)),
        wide=draw_timeline(story, WIDE),
        narrow=draw_timeline(story, NARROW),
    )
    how = _(
        "Every disc is a session of crying; the higher, the more unusual for this infant. Above "
        "the dashed line (p = %(limit)s) are the unusual ones. Numbered shades are episodes; "
        "strokes at “model” are refits of what is compared with, upright lines are changes of the "
        "monitor, specks are times without a recording."
    ) % {"limit": phrases.decimal(UNUSUAL, 2)}
    return Section("timeline", _("Timeline"), [Paragraph(how), picture])


def _sessions_in_words(p_values: Sequence[float], n_episodes: int) -> str:
    return _("Sessions compared: %(sessions)s, unusual: %(unusual)s, episodes: %(episodes)s.") % {
        "sessions": phrases.whole(len(p_values)),
        "unusual": phrases.whole(sum(map(is_unusual, p_values))),
        "episodes": phrases.whole(n_episodes),
    }


def _story(read: Read) -> Story:
    uncompared = [b for day in read.days for b in day.bouts if b.p_value is None]
    sessions = read.period.sessions
    return Story(
        start=read.days[0].start,
        end=max(read.days[-1].over_at, read.days[0].start + dt.timedelta(hours=1)),
        zone=read.infant.zone,
        marks=[
            *(Mark(s.started_at, True, s.p_value, _session(read, s.started_at)) for s in sessions),  # noqa: FBT003
            *(Mark(b.span.start, True, None, "") for b in uncompared),  # noqa: FBT003
        ],
        sessions=[SessionMark(one.started_at, one.p_value) for one in sessions],
        episodes=[_span(episode, read.period.end) for episode in read.period.episodes],
        notes=[_note(read, entry) for entry in read.diary if entry.kind not in NOT_LISTED],
        refits=[Moment(one.in_force_after, str(one.number)) for one in read.period.models],
        monitors=[
            Moment(
                one.starts_at, phrases.device_called(one.device, is_identified=read.is_identified)
            )
            for one in read.period.assignments
        ],
    )


def _session(read: Read, at: dt.datetime) -> str:
    return phrases.day_and_clock(at, read.infant.zone)


def _span(episode: Episode, end: dt.datetime) -> Span:
    look = LOOKS[Episode.Kind(episode.kind)].name
    return Span(episode.began_at, episode.closed_at or end, look, str(SHORT[look]))


def _note(read: Read, entry: DiaryEntry) -> Span:
    label = words.diary_words(entry, is_identified=read.is_identified)
    return Span(entry.starts_at, entry.ends_at or entry.starts_at, entry.kind, label)


def protocol_section(read: Read) -> Section:
    """Return the protocol of 24 hours, as many days together as a page holds."""
    said = read.said
    how = _(
        "Each strip is a day, from midnight to midnight, by the clocks of %(zone)s. Minutes of "
        "crying count the cries, without the breaths between them. Sleep, feeds and the other "
        "marks come from the diary."
    ) % {"zone": read.infant.time_zone}
    blocks: list[Block] = [Paragraph(how)]
    blocks += [Paragraph(said.clocks(day)) for day in read.days if day.has_clock_change]
    shown = _from_the_first_known(read.days)
    blocks += _left_out(read.days, shown)
    size = DAYS_ON_A_PAGE if len(shown) > DAYS_ON_A_PAGE // 2 else DAYS_ON_A_PAGE // 2
    for part, at in enumerate(range(0, len(shown), size), start=1):
        days = shown[at : at + size]
        blocks.append(
            ProtocolPicture(
                name=read.name,
                period=phrases.period(days[0].date, days[-1].date),
                wide=draw(days, read.infant.zone, wide_layout(min(len(shown), size)), said.labels),
                narrow=draw(days, read.infant.zone, NARROW_STRIPS, said.labels),
                totals=phrases.totals_names(),
                key=key_of(read.days),
                part=part,
            )
        )
    return Section("protocol", _("24-hour protocol"), blocks)


def _from_the_first_known(days: Sequence[Day]) -> Sequence[Day]:
    """Return the days without those before anything was heard or written down."""
    known = (n for n, day in enumerate(days) if day.listened or day.bouts or day.diary)
    return days[next(known, 0) :]


def _left_out(days: Sequence[Day], shown: Sequence[Day]) -> Iterator[Block]:
    """Say which days are not shown."""
    if len(shown) < len(days):
        first = {"day": phrases.full_date(shown[0].date)}
        yield Paragraph(_("Nothing is known of the days before %(day)s.") % first)


# --- episodes ------------------------------------------------------------------------------------


def episodes_section(read: Read) -> Section:
    """Return the episodes with their evidence and what reviewers said."""
    blocks: list[Block] = []
    for number, episode in enumerate(read.period.episodes, start=1):
        text = words.episode_words(read.infant, episode, read.now)
        blocks.append(Paragraph(f"{number}. {text}"))
        if episode.evidence.get("views"):
            blocks.append(_evidence_table(number, episode))
        blocks += [Paragraph(text) for text in _review(read, episode)]
    if not blocks:
        blocks.append(Paragraph(_("None in this time.")))
    return Section("episodes", _("Episodes"), blocks)


def _evidence_table(number: int, episode: Episode) -> Table:
    return Table(
        caption=_("Evidence of episode %(number)s: what was compared with the time before")
        % {"number": phrases.whole(number)},
        heads=[_("What"), _("Became"), _("By"), _("Interval of 95 %"), _("Share of the evidence")],
        rows=[_evidence_row(view) for view in episode.evidence["views"]],
        widths=(28, 22, 14, 22, 14),
        figures=frozenset({2, 3, 4}),
    )


def _evidence_row(view: dict[str, object]) -> list[str]:
    name = str(view["view"])
    by, low, high, unit = (
        (view["by"], view["low"], view["high"], str(view["unit"]))
        if "by" in view
        else (view["sd"], view["sd_low"], view["sd_high"], _("spreads"))
    )
    places = 0 if unit == "%" else 1
    figures = [_signed(float(str(value)), places) for value in (by, low, high)]
    return [
        _channel(name),
        _became(name, float(str(view["sd_low"])), float(str(view["sd_high"]))),
        kept_together(f"{figures[0]} {unit}"),
        kept_together(f"{figures[1]} … {figures[2]}"),
        f"{phrases.decimal(100 * float(str(view['share'])), 0)} %",
    ]


def _signed(number: float, places: int) -> str:
    said = phrases.decimal(abs(number), places)
    return f"+{said}" if number >= 0 else f"−{said}"


def _became(name: str, low: float, high: float) -> str:
    if low <= 0.0 <= high:
        return _("no clear change")
    if name == EMBEDDING:
        return _("unlike before") if low > 0.0 else _("no clear change")
    return direction_words(name, is_more=low > 0.0)


def _channel(name: str) -> str:
    names = {
        "f0_log2_hz": _("Pitch"),
        "jitter_frac": _("Unsteadiness"),
        "harmonics_to_noise_db": _("Clearness"),
        "breath_noise_db": _("Breathiness"),
        "spectral_tilt_db_per_octave": _("Brightness"),
        "intensity_over_background_db": _("Loudness above the room"),
        "duration_s": _("Length of cries"),
        EMBEDDING: _("Sound as a whole"),
    }
    return names.get(name, name)


def _review(read: Read, episode: Episode) -> Iterator[str]:
    if not episode.verdict or episode.reviewed_at is None:
        yield _("No person has reviewed it.")
        return
    facts = {
        "when": phrases.day_and_clock(episode.reviewed_at, read.infant.zone),
        "verdict": str(Episode.Verdict(episode.verdict).label),
    }
    person = episode.reviewed_by
    if read.is_identified and person is not None:
        facts["who"] = person.get_full_name() or person.get_username()
        yield _("%(who)s reviewed it on %(when)s and said: %(verdict)s.") % facts
    else:
        yield _("It was reviewed on %(when)s; the reviewer said: %(verdict)s.") % facts


# --- days and diary ------------------------------------------------------------------------------


def days_section(read: Read) -> Section:
    """Return the days in numbers."""
    heads = [
        *(_("Day"), _("Listened (h)"), _("Crying (min)"), _("Cries"), _("Bouts")),
        *(_("Unusual bouts"), _("Smallest p"), _("Median p"), _("Sleep (h)"), _("Feeds")),
    ]
    shown = _from_the_first_known(read.days)
    table = Table(
        caption=_("Day by day; p-values are those of single recordings"),
        heads=heads,
        rows=[_day_row(read, day) for day in shown],
        widths=(17, 10, 10, 8, 8, 10, 11, 10, 8, 8),
        figures=frozenset(range(1, len(heads))),
    )
    return Section("days", _("Day by day"), [*_left_out(read.days, shown), table])


def _day_row(read: Read, day: Day) -> list[str]:
    cried, n_bouts, slept, n_feeds = phrases.totals(day)
    rollup = read.period.rollups.get(day.date)
    n_cries = sum(part.n_cries for part, _bout in day.crying)
    return [
        phrases.short_date(day.date),
        phrases.hours(day.heard_s),
        cried,
        phrases.whole(n_cries) if cried != phrases.NONE else phrases.NONE,
        n_bouts,
        phrases.whole(day.n_unusual) if day.bouts else phrases.NONE,
        phrases.p_value(rollup.p_value_min if rollup else None),
        phrases.p_value(rollup.p_value_median if rollup else None),
        slept,
        n_feeds,
    ]


def diary_section(read: Read) -> Section:
    """Return what the diary says that may bear on crying."""
    kept = [entry for entry in read.diary if entry.kind not in NOT_LISTED]
    note = Paragraph(
        _("Feeds, sleep and nappies are drawn in the 24-hour protocol and counted day by day.")
    )
    if not kept:
        nothing = Paragraph(_("Nothing else was written down in this time."))
        return Section("diary", _("Diary"), [nothing, note])
    table = Table(
        caption=_("What else was written down"),
        heads=[_("From"), _("To"), _("What"), _("In words")],
        rows=[_diary_row(read, entry) for entry in kept],
        widths=(22, 22, 16, 40),
    )
    return Section("diary", _("Diary"), [table, note])


def _diary_row(read: Read, entry: DiaryEntry) -> list[str]:
    zone = read.infant.zone
    kind = str(DiaryEntry.Kind(entry.kind).label)
    text = words.diary_words(entry, is_identified=read.is_identified)
    return [
        phrases.day_and_clock(entry.starts_at, zone),
        phrases.day_and_clock(entry.ends_at, zone) if entry.ends_at else phrases.NONE,
        kind,
        phrases.NONE if text == kind.lower() else text,
    ]


# --- how good the data are, what made the numbers, and their limits ------------------------------


def quality_section(read: Read) -> Section:
    """Return how much was heard, what was set aside, and what was wrong with clocks."""
    found = read.quality
    said = [
        _("Recordings received: %(n)s; judged: %(judged)s; still on their way: %(waiting)s.")
        % {
            "n": phrases.whole(found.n_received),
            "judged": phrases.whole(found.n_judged),
            "waiting": phrases.whole(found.n_on_the_way),
        },
        _(
            "Cries that the gate kept from the baseline: %(n)s. They are compared and shown, and "
            "not learnt from. Recordings without a cry: %(none)s."
        )
        % {"n": phrases.whole(found.n_refused), "none": phrases.whole(found.n_not_cry)},
        *(whole_sentence(words.capital(text)) for text in words.unjudged_words(found.fates)),
        *_clock_words(found),
        *_battery_words(read),
    ]
    return Section("quality", _("Data quality"), [Bullets(said), *_gaps(read)])


def _clock_words(found: Quality) -> Iterator[str]:
    if not found.clocks:
        yield _("Every recording came with a time that could be used.")
    for name, n in found.clocks:
        what = Recording.Clock(name).label
        yield _("Recordings with a faulty time: %(n)s (%(what)s).") % {
            "n": phrases.whole(n),
            "what": what,
        }


def _battery_words(read: Read) -> Iterator[str]:
    for charge in read.quality.charges:
        yield _("Battery of %(monitor)s: at its lowest %(low)s %%, last told %(last)s %%.") % {
            "monitor": phrases.device_called(charge.device, is_identified=read.is_identified),
            "low": phrases.decimal(100 * charge.lowest_frac, 0),
            "last": phrases.decimal(100 * charge.last_frac, 0),
        }


def _gaps(read: Read) -> list[Block]:
    listened = [span for day in read.days for span in day.listened]
    found = outside(listened, read.days[0].start, max(read.days[-1].over_at, read.days[0].start))
    long = [gap for gap in found if gap.length_s >= LEAST_GAP_S]
    if not long:
        return [Paragraph(_("There is no gap of an hour or more in what was heard."))]
    zone = read.infant.zone
    table = Table(
        caption=_("When nobody is known to have listened, gaps of an hour or more"),
        heads=[_("From"), _("To"), _("Hours")],
        rows=[
            [
                phrases.day_and_clock(gap.start, zone),
                phrases.day_and_clock(gap.end, zone),
                phrases.hours(gap.length_s),
            ]
            for gap in long[:MOST_GAPS]
        ],
        widths=(40, 40, 20),
        figures=frozenset({2}),
    )
    left = len(long) - MOST_GAPS
    more = [Paragraph(_("Further gaps: %(n)s.") % {"n": phrases.whole(left)})] if left > 0 else []
    return [table, *more]


def versions_section(read: Read) -> Section:
    """Return what the numbers were made by, so that they can be made again."""
    found = read.versions
    models = [
        _("model %(number)s, learnt on %(day)s from %(sessions)s sessions on %(days)s days")
        % {
            "number": number,
            "day": phrases.full_date(learnt_on),
            "sessions": phrases.whole(n_sessions),
            "days": phrases.whole(n_days),
        }
        for number, learnt_on, n_sessions, n_days in found.models
    ]
    named = [
        (_("Encoder: %(what)s"), found.encoders),
        (_("Gate: %(what)s"), found.gates),
        (_("Personal models: %(what)s"), models),
        (_("Judged by the build: %(what)s"), found.builds),
        (_("Report made by the build: %(what)s"), [build()]),
    ]
    said = [line % {"what": "; ".join(what) or phrases.NONE} for line, what in named]
    return Section("versions", _("Versions"), [Bullets(said)])


def limits_section(read: Read) -> Section:
    """Return what the numbers promise and what they do not."""
    said = [
        str(SHOWN_NOTICE),
        _(
            "ICLAS compares each infant’s crying with that infant’s own. It does not say why an "
            "infant cries, and nothing here is a diagnosis."
        ),
        _(
            "A p-value says how often a session of an infant that stays as it is would be as "
            "unusual as this one, or more. It is not the chance that something is wrong."
        ),
        *promised(read.standing),
        _(
            "A monitor counts as listening between two signs of life that are at most 12 hours "
            "apart. What was cried while nobody listened is in no number."
        ),
    ]
    return Section("limits", _("Limits, and what is promised"), [Bullets(said)])


OPTIONAL: dict[str, Callable[[Read], Section]] = {
    "timeline": timeline_section,
    "protocol": protocol_section,
    "episodes": episodes_section,
    "days": days_section,
    "diary": diary_section,
    "quality": quality_section,
    "versions": versions_section,
}
"""What can be chosen, in the order in which it stands; the first lines and the limits always do."""


def sections_of(read: Read, chosen: Sequence[str]) -> list[Section]:
    """Return the chosen sections between the first lines and the limits."""
    middle = [make(read) for key, make in OPTIONAL.items() if key in chosen]
    return [summary_section(read), *middle, limits_section(read)]
