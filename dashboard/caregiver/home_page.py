"""The caregiver's home: how it is now, whether the monitor works, and what comes after that.

What comes in: a place. What goes out: a `HomePage` that a template only prints. Guaranteed: what
may be out of date is marked as such; every picture stands in words beside it; a fixed number of
queries.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from anomaly.selectors.day_so_far import DAYS_BACK, FEWEST_DAYS, DaySoFar, day_so_far
from anomaly.selectors.heard import crying_sessions, goes_on, heard_cries
from anomaly.selectors.overview import Overview, overviews
from anomaly.silence import is_stale, last_sign
from dashboard import words
from dashboard.caregiver import day_strip, range_bar, sentences
from dashboard.caregiver.clips import Clip, Known, clip_of
from dashboard.caregiver.day_strip import Lane, Stretch, Strip
from dashboard.caregiver.place import Place
from dashboard.caregiver.quick_diary import Quick, quick_of
from dashboard.caregiver.range_bar import RangeBar
from dashboard.standing import SILENT, USUAL, Look, is_unusual, look_of_infant
from devices.models import Device
from infants.models import DiaryEntry, Infant, Recording, RecordingSession
from infants.selectors import LONGEST_SLEEP, diary_where

CLIPS = 5
JUST_HEARD = dt.timedelta(hours=1)
WIDE, NARROW = 860.0, 360.0
Shown = Callable[[float], str]
DIARY_KINDS = {
    DiaryEntry.Kind.SLEEP: "sleep",
    DiaryEntry.Kind.FEED: "feed",
    DiaryEntry.Kind.NAPPY: "nappy",
}
WORKS = Look("usual", pgettext_lazy("a monitor", "Works"), USUAL.shape)
QUIET = Look(
    "waiting",
    pgettext_lazy("a monitor", "Quiet"),
    "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20ZM11 6h2v6l4 3-1.2 1.6L11 13Z",
)
GONE = Look("silent", pgettext_lazy("a monitor", "Silent"), SILENT.shape)


@dataclass(frozen=True)
class Monitor:
    """Whether the monitor works, in one sentence, and what is known of it."""

    look: Look
    sentence: str
    is_trouble: bool
    facts: list[str]


@dataclass(frozen=True)
class TodayRow:
    """One count of today beside what is usual; no picture while nothing is."""

    name: str
    value: str
    verdict: str
    usual: str
    side: str
    picture: RangeBar | None


@dataclass(frozen=True)
class HomePage:
    """Everything to print, in the order in which it stands on the page."""

    look: Look
    sentence: str
    is_stale: bool
    as_of: str
    learning: tuple[int, int] | None
    monitor: Monitor
    is_crying: bool
    crying: str
    waiting: list[str]
    today: list[TodayRow]
    today_note: str
    wide: Strip
    narrow: Strip
    strip_words: list[str]
    clips: list[Clip]
    may_listen: bool
    quick: Quick


def home_page(place: Place) -> HomePage:
    """Return the home of the place's infant."""
    infant, now = place.infant, place.now
    seen = overviews(place.viewer, now, only=infant.id)[0]
    look = look_of_infant(seen)
    cries = list(heard_cries(place.viewer, infant)[:CLIPS])
    known = Known.at(place)
    so_far = day_so_far(place.viewer, infant, now)
    diary = _diary_of_late(place)
    lanes = _lanes(place, diary)
    is_crying, crying = _crying(infant, cries, now)
    stale = is_stale(seen, now)
    return HomePage(
        look=SILENT if stale else look,
        sentence=sentences.state(words.state_sentence(seen, look, now), look, place.name),
        is_stale=stale,
        as_of=_as_of(seen, now),
        learning=(seen.learning.days, seen.learning.needed) if seen.learning else None,
        monitor=monitor_of(seen, now),
        is_crying=is_crying,
        crying=crying,
        waiting=_waiting(seen),
        today=_today(so_far),
        today_note=_today_note(so_far, place),
        wide=day_strip.draw(lanes, now, infant.zone, WIDE),
        narrow=day_strip.draw(lanes, now, infant.zone, NARROW),
        strip_words=_strip_words(lanes, now),
        clips=[clip_of(cry, place, known) for cry in cries],
        may_listen=known.may_listen,
        quick=quick_of(diary, infant, now),
    )


# --- how it is -----------------------------------------------------------------------------------


def _as_of(seen: Overview, now: dt.datetime) -> str:
    """Say how old what is known is."""
    sign = last_sign(seen)
    if sign is None:
        return ""
    return _("Known up to %(time)s (%(ago)s).") % {
        "time": sentences.when(seen.infant, sign, now),
        "ago": sentences.ago(sign, now),
    }


def _crying(infant: Infant, cries: list[Recording], now: dt.datetime) -> tuple[bool, str]:
    """Tell whether a bout of crying goes on, and say it, or when the last one was."""
    if not cries:
        return False, _("No crying heard yet.")
    last = cries[0]
    said = {"ago": sentences.ago(last.recorded_at, now)}
    since = last.session.started_at if last.session else last.recorded_at
    if goes_on(last, now):
        said["since"] = sentences.when(infant, since, now)
        return True, _("Crying now: since %(since)s, last heard %(ago)s.") % said
    said["time"] = sentences.when(infant, last.recorded_at, now)
    return False, _("Last cry %(ago)s (%(time)s).") % said


def _waiting(seen: Overview) -> list[str]:
    """Say what was heard and is not judged."""
    said = []
    if seen.waiting:
        waiting = ngettext(
            "%(n)d recording has come in and is still being judged.",
            "%(n)d recordings have come in and are still being judged.",
            seen.waiting,
        )
        said.append(waiting % {"n": seen.waiting})
    if seen.failed:
        failed = ngettext(
            "%(n)d recording could not be judged since yesterday.",
            "%(n)d recordings could not be judged since yesterday.",
            seen.failed,
        )
        said.append(failed % {"n": seen.failed})
    return said


# --- the monitor ---------------------------------------------------------------------------------


def monitor_of(seen: Overview, now: dt.datetime) -> Monitor:
    """Return whether the monitor works."""
    device = seen.monitor
    if device is None:
        said = _("No monitor is assigned: nobody is listening.")
        return Monitor(GONE, said, is_trouble=True, facts=[])
    look, sentence = _heard_from(device, seen, now)
    is_low = device.battery_frac is not None and device.battery_frac <= words.LOW_BATTERY_FRAC
    if is_low:
        sentence = _("%(sentence)s Its battery is low.") % {"sentence": sentence}
    return Monitor(look, sentence, look is GONE or is_low, _facts(device, seen, now))


def _heard_from(device: Device, seen: Overview, now: dt.datetime) -> tuple[Look, str]:
    if device.kind == Device.Kind.ARCHIVE:
        return GONE, _("Imported recordings: no monitor is listening.")
    if device.last_seen_at is None:
        return GONE, _("The monitor has not been heard from yet.")
    if device.left_at is not None:
        left = {"ago": sentences.ago(device.left_at, now)}
        return GONE, _("The monitor was switched off %(ago)s: nobody listens.") % left
    ago = {"ago": sentences.ago(device.last_seen_at, now)}
    silent_s = (now - device.last_seen_at).total_seconds()
    if is_stale(seen, now):
        for_so_long = {"time": sentences.lasting(silent_s)}
        return GONE, _("No word from the monitor for %(time)s: see whether it is on.") % for_so_long
    if silent_s <= JUST_HEARD.total_seconds():
        return WORKS, _("The monitor works: last heard from it %(ago)s.") % ago
    return QUIET, _("Last heard from the monitor %(ago)s; it calls when it hears something.") % ago


def _facts(device: Device, seen: Overview, now: dt.datetime) -> list[str]:
    facts = [device.name]
    if device.last_seen_at is not None:
        at = sentences.when(seen.infant, device.last_seen_at, now)
        facts.append(_("last heard %(time)s") % {"time": at})
    if device.battery_frac is None:
        facts.append(_("battery not told"))
    else:
        left = sentences.figure(100 * device.battery_frac, 0)
        facts.append(_("battery %(left)s %%") % {"left": left})
    if device.hardware:
        facts.append(_("device: %(hardware)s") % {"hardware": device.hardware})
    return facts


# --- today ---------------------------------------------------------------------------------------


def _today(so_far: DaySoFar) -> list[TodayRow]:
    return [
        _row(so_far, "cries", _("Cries"), str),
        _row(so_far, "cry_s", _("Crying"), lambda s: sentences.lasting(float(s))),
        _row(so_far, "bouts", _("Bouts"), str),
    ]


def _row(so_far: DaySoFar, count: str, name: str, shown: Shown) -> TodayRow:
    value = getattr(so_far.today, count)
    if not so_far.has_usual:
        return TodayRow(name, shown(value), "", "", "usual", None)
    usual = so_far.usual(count)
    side = range_bar.side_of(value, usual)
    low, high = round(usual.low), round(usual.high)
    said = {"low": shown(low), "high": shown(high)}
    span = _("usually %(low)s") if said["low"] == said["high"] else _("usually %(low)s to %(high)s")
    return TodayRow(
        name=name,
        value=shown(value),
        verdict={"more": _("more than usual"), "fewer": _("less than usual")}.get(
            side, _("as usual")
        ),
        usual=span % said,
        side=side,
        picture=range_bar.draw(float(value), usual),
    )


def _today_note(so_far: DaySoFar, place: Place) -> str:
    known = len(so_far.before)
    if not so_far.has_usual:
        return _("Too few days to compare with yet: %(known)d of %(needed)d.") % {
            "known": known,
            "needed": FEWEST_DAYS,
        }
    return _(
        "Until %(time)s, beside the %(known)d of the last %(days)d days on which %(name)s was "
        "heard, each until this time of day. Usual is what eight of ten of them had."
    ) % {
        "time": sentences.clock(place.now_there),
        "known": known,
        "days": DAYS_BACK,
        "name": place.name,
    }


# --- the last 24 hours ---------------------------------------------------------------------------


def _diary_of_late(place: Place) -> list[DiaryEntry]:
    """Return what the diary says of the strip's time and of the sleep that may reach into it."""
    since = place.now - day_strip.SHOWN - LONGEST_SLEEP
    entries = diary_where(place.viewer, {"infant": place.infant.id, "from": since})
    return list(entries.order_by("starts_at", "id"))


def _lanes(place: Place, diary: list[DiaryEntry]) -> list[Lane]:
    start = place.now - day_strip.SHOWN
    sessions = crying_sessions(place.viewer, place.infant, start, place.now)
    lanes = [
        Lane(_("crying"), [_bout(session, place.infant) for session in sessions]),
        Lane(_("sleep"), []),
        Lane(_("feeds"), []),
        Lane(_("nappies"), []),
    ]
    by_kind = dict(zip(DIARY_KINDS, lanes[1:], strict=True))
    for kind, lane in by_kind.items():
        mine = [_written(entry, place) for entry in diary if entry.kind == kind]
        by_kind[kind] = Lane(lane.name, mine)
    return [lanes[0], *by_kind.values()]


def _bout(session: RecordingSession, infant: Infant) -> Stretch:
    judgement = getattr(session, "judgement", None)
    is_odd = judgement is not None and is_unusual(judgement.p_value)
    said = {
        "start": sentences.clock(session.started_at.astimezone(infant.zone)),
        "end": sentences.clock(session.ended_at.astimezone(infant.zone)),
    }
    label = (
        _("%(start)s to %(end)s: crying, unusual") if is_odd else _("%(start)s to %(end)s: crying")
    )
    return Stretch(session.started_at, session.ended_at, "cry", label % said, is_odd)


def _written(entry: DiaryEntry, place: Place) -> Stretch:
    """Return an entry of the diary; a sleep without an end goes on, unless it was forgotten."""
    goes_on = (
        entry.kind == DiaryEntry.Kind.SLEEP
        and entry.ends_at is None
        and place.now - entry.starts_at < LONGEST_SLEEP
    )
    said = {
        "time": sentences.entry_time(entry, place.infant),
        "what": sentences.entry(entry, is_identified=place.is_identified),
    }
    label = _("%(time)s: %(what)s, goes on") if goes_on else _("%(time)s: %(what)s")
    end = place.now if goes_on else entry.ends_at or entry.starts_at
    look = DIARY_KINDS[DiaryEntry.Kind(entry.kind)]
    return Stretch(entry.starts_at, max(end, entry.starts_at), look, label % said)


def _strip_words(lanes: list[Lane], now: dt.datetime) -> list[str]:
    """Return the strip as lines, newest first."""
    shown = [
        one
        for lane in lanes
        for one in lane.stretches
        if one.end >= now - day_strip.SHOWN and one.start <= now
    ]
    return [one.label for one in sorted(shown, key=lambda one: one.start, reverse=True)]
