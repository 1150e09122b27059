"""Watched: simulated lives, judged and watched day by day as the product does it.

In: a life (``drift_lives``) and priors. Out: its sessions as the monitor takes them, each with the
p-value that the personal model of its time gave it. Guaranteed: simulated; a version learns only
what was ripe when it was made: days held back by a suspicion are left out, and another device is
learnt from the next day on; versions are made every ``REFIT_DAYS`` days, where the product makes
one a day.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.drift_lives import Life
from pipelines.evaluation.lived import Lived, baseline_of, cried, views_of_lived
from pipelines.lasting import Lasting, Watch, find_lasting, watch_of
from pipelines.learn import SUSPICION, choose_ripe, device_spans, held_spans, within
from pipelines.prior import ViewPrior
from pipelines.score import MINIMUM_DAYS, Learning, PersonalModel, SessionScore
from pipelines.spans import EpisodeSpan
from pipelines.timetable import HeardSession, embedding_deviate, summarise

REFIT_DAYS = 3
_ENCODER = "simulated lives"

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WatchedLife:
    """A life as the product sees it.

    Attributes
    ----------
    sessions
        In the order of time.
    day, p_value
        Of each session; NaN while the baseline is learnt; shape ``(s,)``.
    spans
        What the monitor found.
    """

    sessions: tuple[HeardSession, ...]
    day: NDArray[np.int64]
    p_value: FloatArray
    spans: tuple[EpisodeSpan, ...]


@dataclass(frozen=True)
class Judging:
    """How lives are judged.

    Attributes
    ----------
    priors
        Of the channels and the background, by view.
    holds_back
        Whether days under a shift are kept from the baseline.
    bridges
        Whether another device is learnt from the next day on.
    is_guarded
        Whether the background and the device are known.
    """

    priors: Mapping[str, ViewPrior]
    holds_back: bool = True
    bridges: bool = True
    is_guarded: bool = True


def watch_life(life: Life, judging: Judging, n_days: int) -> WatchedLife:
    """Judge and watch a life.

    Parameters
    ----------
    life
        Of one simulated infant.
    judging
        How.
    n_days
        For so many days.
    """
    watch = watch_of(judging.priors)
    sessions = _sessions(life, judging)
    p_values = np.full(len(sessions), math.nan)
    day = np.array([one.number for one in sessions], dtype=np.int64)
    heard = [one.heard for one in sessions]
    for today in range(MINIMUM_DAYS, n_days, REFIT_DAYS):
        chosen = ripe(life, heard[: int(np.searchsorted(day, today))], today, judging)
        model = learnt(life, chosen)
        if isinstance(model, Learning):
            continue
        for at in np.flatnonzero((day >= today) & (day < today + REFIT_DAYS)):
            judged = judged_session(model, life.heard, sessions[at].recordings)
            p_values[at] = judged.p_value
            heard[at] = _with_deviate(heard[at], embedding_deviate(judged.p_values))
    return WatchedLife(tuple(heard), day, p_values, tuple(_found(heard, watch)))


def watch_again(life: Life, judged: WatchedLife, judging: Judging) -> WatchedLife:
    """Watch a life by other priors, or without the guard, as it was judged before."""
    sessions = _sessions(life, judging)
    heard = [
        _with_deviate(one.heard, old.deviate)
        for one, old in zip(sessions, judged.sessions, strict=True)
    ]
    spans = _found(heard, watch_of(judging.priors))
    return WatchedLife(tuple(heard), judged.day, judged.p_value, tuple(spans))


def _found(
    heard: Sequence[HeardSession], watch: Watch, settings: Lasting | None = None
) -> list[EpisodeSpan]:
    now = heard[-1].time + dt.timedelta(hours=1)
    return find_lasting(heard, now, watch, settings or Lasting())


@dataclass(frozen=True, eq=False)
class _Session:
    heard: HeardSession
    number: int
    recordings: NDArray[np.int64]


def _sessions(life: Life, judging: Judging) -> list[_Session]:
    heard = life.heard
    views = views_of_lived(heard)
    found = []
    for session in np.unique(heard.session):
        own = np.flatnonzero(heard.session == session)
        summary = summarise(views.of(own), judging.priors)
        if not judging.is_guarded:
            summary.room[:] = math.nan
        time = dt.datetime.fromtimestamp(float(heard.time_s[own[0]]), dt.UTC)
        device = str(life.device[own[0]]) if judging.is_guarded else ""
        age = float(heard.age_days[own[0]])
        one = HeardSession(time, time.date(), summary, math.nan, device, len(own), age)
        found.append(_Session(one, int(heard.day[own[0]]), own))
    return sorted(found, key=lambda one: one.heard.time)


def _with_deviate(one: HeardSession, deviate: float) -> HeardSession:
    return HeardSession(
        one.time, one.day, one.summary, deviate, one.device, one.n_recordings, one.age_days
    )


def learnt(life: Life, chosen: BoolArray) -> PersonalModel | Learning:
    """Return the version that some recordings make."""
    return PersonalModel.fit(baseline_of(life.heard, chosen), _ENCODER, seed=0)


def judged_session(
    model: PersonalModel, heard: Lived, recordings: NDArray[np.int64]
) -> SessionScore:
    """Return what a version says of a session."""
    return model.score_session([model.score_recording(cried(heard, n)) for n in recordings])


def ripe(life: Life, known: Sequence[HeardSession], today: int, judging: Judging) -> BoolArray:
    """Return which recordings a version made on the morning of a day learns, ``(r,)``.

    Parameters
    ----------
    life
        Of one simulated infant.
    known
        Its sessions so far, as they were judged.
    today
        The day.
    judging
        How.
    """
    heard = life.heard
    past = heard.day < today
    times = [dt.datetime.fromtimestamp(float(at), dt.UTC) for at in heard.time_s[past]]
    spans = _found(known, watch_of(judging.priors), SUSPICION) if known else []
    held = within(times, held_spans(spans) if judging.holds_back else [])
    bridged = within(times, device_spans(spans) if judging.bridges else [])
    chosen = np.zeros(len(heard.day), dtype=np.bool_)
    kept = choose_ripe(heard.day[past], today, held=held, bridged=bridged)
    chosen[np.flatnonzero(past)[kept]] = True
    return chosen
