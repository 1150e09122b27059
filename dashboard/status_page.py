"""The operators' page: what waits at each step, how long it has stood, and what was set aside.

What comes in: the moment. What goes out: a `StatusPage` that a template only prints. Guaranteed: no
names of infants; for staff only, which the view sees to.
"""

import datetime as dt
from dataclasses import dataclass

from dashboard import words
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
IDLE = Look("nothing", "nothing waits", NOTHING.shape)
MOVING = Look("usual", "moving", USUAL_ONE.shape)
SLOW = Look("silent", "slow", SILENT.shape)


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


def status_page(now: dt.datetime) -> StatusPage:
    """Return how the installation's recordings are getting on."""
    found = backlog(Viewer.system(), now)
    look = _look(found)
    return StatusPage(
        look=look,
        sentence=_sentence(found, look),
        facts=_facts(found, now),
        steps=[_step_row(step) for step in found.steps],
        dead=[_dead_row(letter, now) for letter in found.dead],
        dead_by_reason=[(reason.label, n) for reason, n in found.dead_by_reason.items()],
        n_dead=found.n_dead,
    )


def _look(found: Backlog) -> Look:
    if found.oldest_s is None:
        return IDLE
    return SLOW if found.oldest_s > SLOW_AFTER_S else MOVING


def _sentence(found: Backlog, look: Look) -> str:
    if found.oldest_s is None:
        return "Nothing waits: every recording is judged or set aside"
    waiting = words.counted(found.n_waiting, "recording")
    age = words.lasting(found.oldest_s)
    if look == SLOW:
        return f"{waiting} on the way; the oldest has stood still for {age}"
    return f"{waiting} on the way; none has stood still for longer than {age}"


def _facts(found: Backlog, now: dt.datetime) -> list[tuple[Look, str]]:
    end = "nothing has come through yet"
    if found.last_end_at is not None:
        end = f"the last one came through {words.ago(found.last_end_at, now)}"
    facts = [
        (USUAL_ONE, f"{found.done} judged; {end}"),
        (NOTHING, f"{found.rejected} with nothing to judge in them"),
    ]
    if found.held:
        facts.append((HELD_ONE, f"{found.held} held until their device is assigned to an infant"))
    if found.n_dead:
        facts.append((FAILED_ONE, f"{found.n_dead} failed and set aside; see below"))
    return facts


def _step_row(step: Standing) -> StepRow:
    return StepRow(
        look=_step_look(step),
        name=words.STEP_WORDS[step.state],
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
        time=f"{failed_at:%Y-%m-%d %H:%M} ({words.ago(letter.failed_at, now)})",
        reason=letter.reason.label,
        detail=letter.detail,
        device=letter.device,
    )
