"""Alerts in plain sentences that name no gender and no cause.

What comes in: alerts as the selectors give them. What goes out: translated text, with times by the
infant's own clock. Guaranteed: nothing is a diagnosis; whoever may not know names reads none.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from anomaly.models import Episode, GateDecision
from dashboard.standing import ODD, SHIFT, SILENT, SURROUNDINGS, Look
from infants.models import Infant
from notify.models import Alert, AlertAction
from notify.words import (
    at_words,
    called,
    moment_words,
    since_words,
    standing_words,
    title_words,
    who,
)

__all__ = ["Line", "at_words", "called", "line_of", "moment_words", "who"]

Answer = GateDecision.Answer
State = Alert.State
Kind = AlertAction.Kind
LOOKS = {
    Episode.Kind.PERSISTENT_SHIFT: SHIFT,
    Episode.Kind.SINGLE_EXTREME: ODD,
    Episode.Kind.NEW_SURROUNDINGS: SURROUNDINGS,
    Episode.Kind.MONITOR_SILENT: SILENT,
}
ANSWERS = {
    Answer.EXPECTED.value: gettext_lazy("Expected"),
    Answer.NOT_MY_BABY.value: gettext_lazy("Not my baby"),
    Answer.NOT_A_CRY.value: gettext_lazy("Not a cry"),
}


@dataclass(frozen=True)
class Line:
    """What an alert is, since when, and where it stands; `is_calling`: nobody has taken it."""

    look: Look
    title: str
    since: str
    standing: str
    is_calling: bool


def line_of(alert: Alert, now: dt.datetime) -> Line:
    """Return an alert in a few words."""
    return Line(
        look=LOOKS[Episode.Kind(alert.kind)],
        title=title_words(alert),
        since=since_words(alert, now),
        standing=standing_words(alert, now),
        is_calling=alert.state(now) == State.CALLING,
    )


def interval_words(infant: Infant, evidence: Mapping[str, Any], now: dt.datetime) -> str:
    """Say between which days it began, where that is known; empty where it is one day."""
    if "since_earliest" not in evidence:
        return ""
    ends = (evidence["since_earliest"], evidence["since_latest"])
    first, last = (infant.local_day(dt.datetime.fromisoformat(end)) for end in ends)
    if first == last:
        return ""
    form = pgettext("format of a date", "j F Y")
    if first.year == last.year == infant.local_day(now).year:
        form = pgettext("format of a date", "j F")
    return _("It began between %(first)s and %(last)s (90 %% interval).") % {
        "first": date_format(first, form),
        "last": date_format(last, form),
    }


# --- what was done with it ------------------------------------------------------------------------


def action_words(alert: Alert, action: AlertAction) -> str:
    """Say who did what."""
    given = {"who": who(alert, action.by)} | _given(action)
    said = {
        Kind.ACKNOWLEDGED: _("%(who)s acknowledged it"),
        Kind.ACKNOWLEDGEMENT_TAKEN_BACK: _("%(who)s took the acknowledgement back"),
        Kind.SNOOZED: _("%(who)s put it off for %(minutes)s minutes"),
        Kind.SNOOZE_ENDED: _("%(who)s let it come back"),
        Kind.WORSENED: _("It became more severe, and calls again"),
        Kind.ANSWER_TAKEN_BACK: _("%(who)s took back: %(answer)s"),
    }
    if action.kind == Kind.ANSWERED:
        return _answered_words(action) % given
    return said[Kind(action.kind)] % given


def _given(action: AlertAction) -> dict[str, Any]:
    facts = action.facts
    return {
        "minutes": facts.get("minutes", 0),
        "answer": ANSWERS.get(facts.get("answer", ""), ""),
        "n": facts.get("n_recordings", 0),
    }


def _answered_words(action: AlertAction) -> str:
    if not action.facts["answer"]:
        return _("%(who)s took back what was said of one recording")
    if action.facts["is_verdict"]:
        return _("%(who)s answered: %(answer)s")
    n_recordings = action.facts["n_recordings"]
    return ngettext(
        "%(who)s answered: %(answer)s, of %(n)s recording",
        "%(who)s answered: %(answer)s, of %(n)s recordings",
        n_recordings,
    )


def open_words(kind: str, facts: Mapping[str, Any]) -> str:
    """Say whether the alert's episode was open, before or after an answer."""
    return _("open") if kind in facts.get("open", []) else _("not open")
