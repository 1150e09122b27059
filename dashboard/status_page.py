"""The operators' page: what waits at each step, how long it has stood, and what was set aside.

What comes in: the moment. What goes out: a `StatusPage` that a template only prints. Guaranteed: no
names of infants; for staff only, which the view sees to.
"""

import datetime as dt
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from anomaly.figures import clauses
from bridge.selectors import bridge_word
from dashboard import words
from dashboard.outbox import OutboxRows, outbox_rows
from dashboard.standing import (
    FAILED_ONE,
    HELD_ONE,
    NOTHING,
    SILENT,
    USUAL_ONE,
    WAITING_ONE,
    Look,
)
from infants.access import Viewer
from infants.backlog import Backlog, DeadLetter, Standing, backlog

SLOW_AFTER_S = 600.0
"""Judging takes seconds; what has stood at one step for ten minutes wants a look."""
IDLE = Look("nothing", pgettext_lazy("a step", "nothing waits"), NOTHING.shape)
MOVING = Look("usual", pgettext_lazy("a step", "moving"), USUAL_ONE.shape)
SLOW = Look("silent", pgettext_lazy("a step", "slow"), SILENT.shape)
THERE = Look("usual", pgettext_lazy("a monitor", "Works"), USUAL_ONE.shape)
AWAY = Look("silent", pgettext_lazy("a monitor", "Silent"), SILENT.shape)
BRIDGE = {
    "connected": (THERE, gettext_lazy("The bridge is connected to the broker.")),
    "cut_off": (
        AWAY,
        gettext_lazy(
            "The bridge does not reach the broker at the moment and goes on trying. "
            "Home Assistant shows everything as unavailable until then."
        ),
    ),
    "silent": (
        AWAY,
        gettext_lazy(
            "The bridge is not running. Whoever runs this installation starts it with "
            "“manage.py bridge”."
        ),
    ),
}


@dataclass(frozen=True)
class StepRow:
    """One step of the way."""

    look: Look
    name: str
    waiting: int
    leased: int
    retried: int
    oldest: str


@dataclass(frozen=True)
class DeadRow:
    """A recording that was set aside, and why."""

    recording_id: str
    time: str
    reason: str
    detail: str
    device: str


@dataclass(frozen=True)
class StatusPage:
    """Everything to print."""

    look: Look
    sentence: str
    facts: list[tuple[Look, str]]
    steps: list[StepRow]
    dead: list[DeadRow]
    dead_by_reason: list[tuple[str, int]]
    n_dead: int
    outbox: OutboxRows


def status_page(now: dt.datetime) -> StatusPage:
    """Return how the installation's recordings are getting on."""
    found = backlog(Viewer.system(), now)
    look = _look(found)
    return StatusPage(
        look=look,
        sentence=_sentence(found, look),
        facts=_facts(found, now) + _bridge_facts(now),
        steps=[_step_row(step) for step in found.steps],
        dead=[_dead_row(letter, now) for letter in found.dead],
        dead_by_reason=[(str(reason.label), n) for reason, n in found.dead_by_reason.items()],
        n_dead=found.n_dead,
        outbox=outbox_rows(now),
    )


def _look(found: Backlog) -> Look:
    if found.oldest_s is None:
        return IDLE
    return SLOW if found.oldest_s > SLOW_AFTER_S else MOVING


def _sentence(found: Backlog, look: Look) -> str:
    if found.oldest_s is None:
        return _("Nothing waits: every recording is judged or set aside")
    n = found.n_waiting
    if look == SLOW:
        return ngettext(
            "%(n)d recording on the way; the oldest has stood still %(for_so_long)s",
            "%(n)d recordings on the way; the oldest has stood still %(for_so_long)s",
            n,
        ) % {"n": n, "for_so_long": words.for_so_long(found.oldest_s)}
    return ngettext(
        "%(n)d recording on the way; none has stood still for longer than %(length)s",
        "%(n)d recordings on the way; none has stood still for longer than %(length)s",
        n,
    ) % {"n": n, "length": words.lasting(found.oldest_s)}


def _facts(found: Backlog, now: dt.datetime) -> list[tuple[Look, str]]:
    facts = [(USUAL_ONE, _done_words(found, now)), (NOTHING, _rejected_words(found.rejected))]
    if found.held:
        held = ngettext(
            "%(n)d held until their device is assigned to an infant",
            "%(n)d held until their device is assigned to an infant",
            found.held,
        )
        facts.append((HELD_ONE, held % {"n": found.held}))
    if found.n_dead:
        failed = ngettext(
            "%(n)d failed and set aside; see below",
            "%(n)d failed and set aside; see below",
            found.n_dead,
        )
        facts.append((FAILED_ONE, failed % {"n": found.n_dead}))
    return facts


def _bridge_facts(now: dt.datetime) -> list[tuple[Look, str]]:
    """Say how the bridge to the home's broker stands, where there is to be one."""
    word = bridge_word(now)
    return [(look, str(said)) for known, (look, said) in BRIDGE.items() if known == word]


def _done_words(found: Backlog, now: dt.datetime) -> str:
    end = _("nothing has come through yet")
    if found.last_end_at is not None:
        came = {"ago": words.ago(found.last_end_at, now)}
        end = _("the last one came through %(ago)s") % came
    judged = ngettext("%(n)d judged", "%(n)d judged", found.done) % {"n": found.done}
    return clauses([judged, end])


def _rejected_words(n: int) -> str:
    said = ngettext("%(n)d with nothing to judge in them", "%(n)d with nothing to judge in them", n)
    return said % {"n": n}


def _step_row(step: Standing) -> StepRow:
    return StepRow(
        look=_step_look(step),
        name=str(words.STEP_WORDS[step.state]),
        waiting=step.waiting,
        leased=step.leased,
        retried=step.retried,
        oldest="" if step.oldest_s is None else words.lasting(step.oldest_s),
    )


def _step_look(step: Standing) -> Look:
    if step.oldest_s is None:
        return IDLE
    if step.oldest_s > SLOW_AFTER_S:
        return SLOW
    return MOVING if step.leased else WAITING_ONE


def _dead_row(letter: DeadLetter, now: dt.datetime) -> DeadRow:
    """Return a dead letter; its time is in UTC, since operators have no infant's zone."""
    failed_at = letter.failed_at.astimezone(dt.UTC)
    return DeadRow(
        recording_id=str(letter.recording_id),
        time=_("%(moment)s (%(ago)s)")
        % {
            "moment": date_format(failed_at, pgettext("format of a moment", "Y-m-d H:i")),
            "ago": words.ago(letter.failed_at, now),
        },
        reason=str(letter.reason.label),
        detail=letter.detail,
        device=letter.device,
    )
