"""The list's rows: a patient in words, shapes and one small picture.

What comes in: patients and what is asked. What goes out: sections of rows that a template only
prints. Guaranteed: a patient stands in one section; the order is the same for the same rows.
"""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from anomaly.concerns import Concern, Section
from anomaly.models import PatientReview
from anomaly.selectors.patients import Patient
from anomaly.silence import SILENT_AFTER, last_sign
from dashboard.patients import words
from dashboard.patients.ages import age_words, maturity_words
from dashboard.patients.asked import Asked
from dashboard.patients.looks import look_of_reason, look_of_section
from dashboard.patients.strip import Strip, draw
from dashboard.standing import Look
from dashboard.timeline_chart import SessionMark
from infants.access import Viewer

SHOWN = dt.timedelta(days=14)
NOON = dt.time(12)
LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)
MOST_REVIEWERS = 3


@dataclass(frozen=True)
class ReasonRow:
    """One reason in words and a shape."""

    look: Look
    since: str
    since_ago: str
    sure: str
    moved: str
    briefly: str
    level: int  # 0 to 3: how much evidence


@dataclass(frozen=True)
class ReviewRow:
    """Who has looked, and when."""

    review_id: UUID
    who: str
    when: str
    when_ago: str
    when_iso: str
    note: str
    may_undo: bool
    undone: str


@dataclass(frozen=True)
class Reviewed:
    """What the cell of reviews shows; `seen` goes back with the button."""

    infant_id: UUID
    name: str
    rows: list[ReviewRow]
    is_unreviewed: bool
    seen: str
    own: ReviewRow | None


@dataclass(frozen=True)
class Row:
    """One patient."""

    infant_id: UUID
    name: str
    age: str
    maturity: str
    reasons: list[ReasonRow]
    strip: Strip
    strip_words: str
    cries: str
    usual: str
    data: str
    is_old: bool
    review: Reviewed
    clinicians: str


@dataclass(frozen=True)
class SectionRows:
    """A part of the list."""

    section: Section
    look: Look
    count: str
    rows: list[Row]


@dataclass(frozen=True)
class Column:
    """A heading that sorts; `order` is what `aria-sort` says."""

    name: str
    title: str
    query: str
    order: str


def chosen(patients: Sequence[Patient], asked: Asked, now: dt.datetime) -> list[Patient]:
    """Return the patients that are asked for, in the order that is asked for."""
    reaching = [patient.since(now - asked.reach) for patient in patients]
    found = [one for one in reaching if _is_wanted(one, asked, now)]
    found.sort(key=lambda one: _name(one).casefold())
    found.sort(key=_order(asked, now), reverse=asked.is_descending)
    return found


def _is_wanted(patient: Patient, asked: Asked, now: dt.datetime) -> bool:
    if asked.unreviewed and not patient.is_unreviewed:
        return False
    return asked.data == "any" or _is_old(patient, now) == (asked.data == "old")


def _is_old(patient: Patient, now: dt.datetime) -> bool:
    sign = last_sign(patient.seen)
    return sign is None or now - sign > SILENT_AFTER


def _order(asked: Asked, now: dt.datetime) -> Callable[[Patient], Any]:
    keys: dict[str, Callable[[Patient], Any]] = {
        "need": lambda one: (not one.is_unreviewed, -_rank(one), -_since(one).timestamp()),
        "name": lambda one: _name(one).casefold(),
        "age": lambda one: one.infant.age_days(now) or 0,
        "since": _since,
        "sure": _rank,
        "cries": lambda one: one.crying.n_cries,
        "data": lambda one: last_sign(one.seen) or LONG_AGO,
        "reviewed": lambda one: one.reviews[0].reviewed_at if one.reviews else LONG_AGO,
    }
    return keys[asked.column]


def _rank(patient: Patient) -> int:
    return patient.concerns[0].rank if patient.concerns else 0


def _since(patient: Patient) -> dt.datetime:
    return patient.concerns[0].since if patient.concerns else dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _name(patient: Patient) -> str:
    infant = patient.infant
    if patient.seen.is_identified:
        return infant.name
    return _("Infant %(number)s") % {"number": infant.id.hex[-6:]}


def clock_words(patients: Sequence[Patient], now: dt.datetime) -> str:
    """Return what time it is, in the infants' zone where they share one."""
    zones = {patient.infant.time_zone for patient in patients}
    local = now.astimezone(patients[0].infant.zone) if len(zones) == 1 else now
    return f"{formats.time_format(local, 'TIME_FORMAT')} {local.tzname()}"


def sections_of(viewer: Viewer, found: Sequence[Patient], now: dt.datetime) -> list[SectionRows]:
    """Return the sections that have patients, the most pressing first."""
    sections = []
    for section in Section:
        rows = [row_of(viewer, one, now) for one in found if one.section is section]
        if rows:
            count = ngettext("%(n)d patient", "%(n)d patients", len(rows)) % {"n": len(rows)}
            sections.append(SectionRows(section, look_of_section(section), count, rows))
    return sections


def columns_of(asked: Asked) -> list[Column]:
    """Return the headings that sort."""
    titles = {
        "name": _("Patient"),
        "since": _("Since"),
        "sure": _("How sure"),
        "cries": _("Cries in 24 h"),
        "data": _("Last data"),
        "reviewed": _("Reviewed"),
    }
    running = "descending" if asked.is_descending else "ascending"
    return [
        Column(name, title, asked.sorted_by(name), running if asked.column == name else "none")
        for name, title in titles.items()
    ]


def row_of(viewer: Viewer, patient: Patient, now: dt.datetime) -> Row:
    """Return one patient's row."""
    infant, strip = patient.infant, _strip(patient, now)
    is_identified = patient.seen.is_identified
    return Row(
        infant_id=infant.id,
        name=_name(patient),
        age=age_words(infant, now) if is_identified else "",
        maturity=maturity_words(infant, now) if is_identified else "",
        reasons=[_reason(patient, one, now) for one in patient.concerns],
        strip=strip,
        strip_words=_strip_words(strip),
        cries=words.cries_words(patient.crying),
        usual=words.usual_words(patient.crying),
        data=_data_words(patient, now),
        is_old=_is_old(patient, now),
        review=reviewed(viewer, patient, now),
        clinicians=", ".join(words.person(user) for user in patient.clinicians),
    )


def _reason(patient: Patient, concern: Concern, now: dt.datetime) -> ReasonRow:
    return ReasonRow(
        look=look_of_reason(concern.reason),
        since=words.since_words(patient.infant, concern),
        since_ago=words.ago(concern.since, now),
        sure=words.sure_words(concern, patient.crying),
        moved=words.moved_words(concern),
        briefly=words.briefly_moved(concern),
        level=concern.rank,
    )


def _data_words(patient: Patient, now: dt.datetime) -> str:
    sign = last_sign(patient.seen)
    return _("none yet") if sign is None else words.ago(sign, now)


def _strip(patient: Patient, now: dt.datetime) -> Strip:
    seen, start = patient.seen, now - SHOWN
    sessions = [SessionMark(s.time, s.p_value) for s in seen.sessions if s.time >= start]
    learning = [
        dt.datetime.combine(day.day, NOON, seen.infant.zone)
        for day in seen.days
        if day.n_recordings and not day.n_scored and day.day >= start.date()
    ]
    return draw(start, now, sessions, learning)


def _strip_words(strip: Strip) -> str:
    n = strip.n_sessions
    if not n:
        return _("nothing compared in 14 days")
    said = ngettext(
        "%(n)d session in 14 days, %(unusual)d unusual",
        "%(n)d sessions in 14 days, %(unusual)d unusual",
        n,
    )
    return said % {"n": n, "unusual": strip.n_unusual}


# --- reviews -------------------------------------------------------------------------------------


def reviewed(viewer: Viewer, patient: Patient, now: dt.datetime) -> Reviewed:
    """Return what is to be shown of a patient's reviews: one for each person, newest first."""
    newest: dict[Any, PatientReview] = {}
    for review in patient.reviews:
        newest.setdefault(review.reviewer_id, review)
    rows = [review_row(viewer, patient, one, now) for one in newest.values()][:MOST_REVIEWERS]
    return Reviewed(
        infant_id=patient.infant.id,
        name=_name(patient),
        rows=rows,
        is_unreviewed=patient.is_unreviewed,
        seen=json.dumps({one.key: one.rank for one in patient.known if one.is_news}),
        own=next((row for row in rows if row.may_undo), None),
    )


def review_row(
    viewer: Viewer, patient: Patient, review: PatientReview, now: dt.datetime
) -> ReviewRow:
    """Return one review in words."""
    return ReviewRow(
        review_id=review.id,
        who=words.person(review.reviewer),
        when=words.moment_words(patient.infant, review.reviewed_at),
        when_ago=words.ago(review.reviewed_at, now),
        when_iso=review.reviewed_at.isoformat(timespec="seconds"),
        note=review.note,
        may_undo=review.may_be_undone_by(viewer.user, now),
        undone=_undone_words(patient, review),
    )


def _undone_words(patient: Patient, review: PatientReview) -> str:
    if review.undone_at is None:
        return ""
    when = words.moment_words(patient.infant, review.undone_at)
    return _("undone by %(who)s, %(when)s") % {"who": words.person(review.undone_by), "when": when}
