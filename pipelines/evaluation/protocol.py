"""Protocol of the per-infant evaluation: who is tried, on what, and judged how.

In: recordings as the first stages heard them. Out: a trial for each infant with enough recordings
in enough sessions (baseline from its earlier sessions, normal tests from its later ones, anomalies
from other infants on the same kind of device), and how a set of detectors judged them.
Guaranteed: baseline and test never share a session, and the baseline is always the past; every
infant that is not tried is listed with the reason; seeded.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pipelines.calibration import Calibration, calibrate
from pipelines.detectors.contract import Detector
from pipelines.pooled import Pooled
from pipelines.recordings import Heard, session_numbers

LEAST_RECORDINGS = 6
LEAST_SESSIONS = 2
LEAST_BASELINE = 3
BASELINE_FRAC = 0.5
PROMISING_SESSIONS = 9
"""So many baseline sessions make a p-value of 0.10 possible; the baseline takes them if it can."""
MOST_ANOMALIES = 50
FULL_NORMALS = 8
"""An infant with fewer normal tests is listed, and left out of any maximum over infants."""

Scores = NDArray[np.float64]
Matrix = NDArray[np.floating]


@dataclass(frozen=True)
class Trial:
    """One infant's baseline and tests.

    Attributes
    ----------
    infant, device
        Whose, and on which kind of device; None where the manifest does not say.
    heard
        Whether the encoder was trained on this infant; None where its card does not say.
    baseline, normal, anomalous
        Recordings.
    baseline_session, normal_session, anomalous_session
        Session of each; numbers that mean nothing but being equal.
    """

    infant: str
    device: str | None
    heard: bool | None
    baseline: tuple[Heard, ...]
    normal: tuple[Heard, ...]
    anomalous: tuple[Heard, ...]
    baseline_session: NDArray[np.int64]
    normal_session: NDArray[np.int64]
    anomalous_session: NDArray[np.int64]

    @property
    def n_baseline_sessions(self) -> int:
        """How many sessions the baseline has."""
        return len(np.unique(self.baseline_session))

    def reaches(self, alpha: float) -> bool:
        """Say whether a p-value can be as low as ``alpha`` with so few baseline sessions."""
        sessions = self.n_baseline_sessions
        return sessions > 1 and 1.0 / (sessions + 1) <= alpha + 1e-12


@dataclass(frozen=True)
class NotTried:
    """An infant with several recordings that could not be tried, and why."""

    infant: str
    n_recordings: int
    n_sessions: int
    reason: str


def make_trials(
    infants: Mapping[str, Sequence[Heard]],
    heard: Mapping[str, bool | None],
    seed: int = 0,
) -> tuple[list[Trial], list[NotTried]]:
    """Make the trials of a corpus.

    Parameters
    ----------
    infants
        Recordings by infant, each in the order of time.
    heard
        Whether the encoder was trained on each infant. Where it was on some, anomalies come from
        the others only: an embedding may well set apart a voice that it was trained to.
    seed
        Seed of the draw of anomalies.

    Returns
    -------
    list of Trial
        Most baseline sessions first.
    list of NotTried
        Infants with at least ``LEAST_SESSIONS`` sessions or ``LEAST_RECORDINGS`` recordings that
        are not tried.
    """
    strangers = {name: own for name, own in infants.items() if not heard.get(name)}
    trials: list[Trial] = []
    left: list[NotTried] = []
    for infant, recordings in infants.items():
        sessions = session_numbers([one.row.recorded_at for one in recordings])
        reason = _why_not(recordings, sessions)
        if reason is None:
            anomalous = _draw_anomalies(infant, recordings, strangers, seed)
            trials.append(_trial(infant, recordings, sessions, anomalous, heard.get(infant)))
        elif len(recordings) >= LEAST_RECORDINGS or sessions[-1] + 1 >= LEAST_SESSIONS:
            left.append(NotTried(infant, len(recordings), int(sessions[-1]) + 1, reason))
    order = sorted(trials, key=lambda t: (-t.n_baseline_sessions, -len(t.normal), t.infant))
    return order, sorted(left, key=lambda one: (-one.n_recordings, one.infant))


def _why_not(recordings: Sequence[Heard], sessions: NDArray[np.int64]) -> str | None:
    if len(recordings) < LEAST_RECORDINGS:
        return f"fewer than {LEAST_RECORDINGS} recordings"
    if sessions[-1] + 1 < LEAST_SESSIONS:
        return "one session only"
    if np.sum(sessions < _cut(sessions)) < LEAST_BASELINE:
        return f"fewer than {LEAST_BASELINE} recordings before the last session"
    return None


def _cut(sessions: NDArray[np.int64]) -> int:
    """First test session: at least half of the recordings lie before it.

    An infant with more than nine sessions gives its baseline at least nine of them. The last
    session is always a test.
    """
    last = int(sessions[-1])
    sizes = np.cumsum(np.bincount(sessions))
    enough = int(np.argmax(sizes >= BASELINE_FRAC * len(sessions))) + 1
    if last >= PROMISING_SESSIONS:
        enough = max(enough, PROMISING_SESSIONS)
    return min(enough, last)


def _trial(
    infant: str,
    recordings: Sequence[Heard],
    sessions: NDArray[np.int64],
    anomalous: Sequence[Heard],
    heard: bool | None,  # noqa: FBT001 - three answers, and the only one of its kind
) -> Trial:
    is_past = sessions < _cut(sessions)
    return Trial(
        infant=infant,
        device=device_of(recordings),
        heard=heard,
        baseline=tuple(one for one, past in zip(recordings, is_past, strict=True) if past),
        normal=tuple(one for one, past in zip(recordings, is_past, strict=True) if not past),
        anomalous=tuple(anomalous),
        baseline_session=sessions[is_past],
        normal_session=sessions[~is_past],
        anomalous_session=_foreign_sessions(anomalous),
    )


def device_of(recordings: Sequence[Heard]) -> str | None:
    """Return the kind of device that most of the recordings come from."""
    return Counter(one.row.device for one in recordings).most_common(1)[0][0]


def _draw_anomalies(
    infant: str, recordings: Sequence[Heard], infants: Mapping[str, Sequence[Heard]], seed: int
) -> list[Heard]:
    """Draw other infants' recordings on the same kind of device, without replacement."""
    device = device_of(recordings)
    others = [
        one
        for name in sorted(infants)
        if name != infant
        for one in infants[name]
        if one.row.device == device
    ]
    digest = hashlib.sha256(f"{seed}:{infant}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    count = min(MOST_ANOMALIES, len(others))
    return [others[index] for index in np.sort(rng.choice(len(others), count, replace=False))]


def _foreign_sessions(anomalous: Sequence[Heard]) -> NDArray[np.int64]:
    """Give the sessions of recordings of several infants numbers, each infant apart."""
    numbers = np.empty(len(anomalous), dtype=np.int64)
    first = 0
    for infant in dict.fromkeys(one.row.infant for one in anomalous):
        mine = [i for i, one in enumerate(anomalous) if one.row.infant == infant]
        mine.sort(key=lambda i: anomalous[i].row.recorded_at)
        own = session_numbers([anomalous[i].row.recorded_at for i in mine])
        numbers[mine] = own + first
        first += int(own[-1]) + 1
    return numbers


# --- judging ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rows:
    """What detectors look at: one or more rows for each of some recordings.

    Attributes
    ----------
    values
        Shape ``(n_rows, width)``.
    recording
        Index of the recording of each row, shape ``(n_rows,)``, rising from 0 without a gap.
    """

    values: Matrix
    recording: NDArray[np.int64]


@dataclass(frozen=True)
class Judged:
    """How one scorer judged a trial's recordings.

    Attributes
    ----------
    normal, anomalous
        Scores, shapes ``(n,)`` and ``(m,)``; high = anomalous.
    normal_p, anomalous_p
        P-values of the recordings.
    normal_session_p, anomalous_session_p
        P-values of the sessions, in rising order of their numbers.
    sessions
        How many left-out groups the p-values are ranks among.
    is_pooled
        Whether the p-values rest on other infants too, and may be lower than ranks can be.
    """

    normal: Scores
    anomalous: Scores
    normal_p: Scores
    anomalous_p: Scores
    normal_session_p: Scores
    anomalous_session_p: Scores
    sessions: int
    is_pooled: bool = False


@dataclass(frozen=True)
class Layout:
    """The rows of a trial's three parts."""

    baseline: Rows
    normal: Rows
    anomalous: Rows


def judge(
    trial: Trial, layout: Layout, detectors: Mapping[str, Detector], seed: int = 0
) -> dict[str, Judged]:
    """Fit detectors on a trial's baseline and judge its tests.

    Parameters
    ----------
    trial
        Whose sessions count.
    layout
        What the detectors look at.
    detectors
        Unfitted, by name.
    seed
        Seed of the fits.

    Returns
    -------
    dict
        By detector, and ``combined`` where there are several. A baseline of one session is left
        out recording by recording, which promises nothing; :meth:`Trial.reaches` says so.
    """
    groups = trial.baseline_session
    if trial.n_baseline_sessions < LEAST_SESSIONS:
        groups = np.arange(len(trial.baseline))
    rows, session = layout.baseline, groups[layout.baseline.recording]
    with threadpool_limits(limits=1):  # fits this small only lose by sharing them out
        calibration = calibrate(detectors, rows.values, rows.recording, session, session, seed)
        fitted = {name: d.fit(rows.values, session, seed) for name, d in detectors.items()}
    normal = {name: _recording_scores(d, layout.normal) for name, d in fitted.items()}
    anomalous = {name: _recording_scores(d, layout.anomalous) for name, d in fitted.items()}
    judged = {
        name: judged_by(trial, _only(calibration, name), _one(normal, name), _one(anomalous, name))
        for name in detectors
    }
    if len(detectors) > 1:
        judged["combined"] = judged_by(trial, calibration, normal, anomalous)
    return judged


def _recording_scores(detector: Detector, rows: Rows) -> Scores:
    """Mean of each recording's unit scores."""
    scores = detector.score(rows.values)
    return np.bincount(rows.recording, weights=scores) / np.bincount(rows.recording)


def _one(scores: Mapping[str, Scores], name: str) -> dict[str, Scores]:
    return {name: scores[name]}


def _only(calibration: Calibration, name: str) -> Calibration:
    return Calibration({name: calibration.scores[name]}, calibration.session)


def judged_by(
    trial: Trial,
    calibration: Calibration | Pooled,
    normal: Mapping[str, Scores],
    other: Mapping[str, Scores],
) -> Judged:
    """Judge a trial's tests by their scores and the baseline's calibration.

    Parameters
    ----------
    trial
        Whose sessions count.
    calibration
        Of the baseline.
    normal, other
        Scores of the tests by scorer, ``(n,)`` and ``(m,)``.

    Returns
    -------
    Judged
        A scorer that stands alone keeps its own scores; several are scored by their statistic.
    """
    own, own_p = _ranked(calibration, normal)
    foreign, foreign_p = _ranked(calibration, other)
    return Judged(
        normal=own,
        anomalous=foreign,
        normal_p=own_p,
        anomalous_p=foreign_p,
        normal_session_p=_session_p(calibration, normal, trial.normal_session),
        anomalous_session_p=_session_p(calibration, other, trial.anomalous_session),
        sessions=calibration.n_sessions,
        is_pooled=isinstance(calibration, Pooled),
    )


def _ranked(
    calibration: Calibration | Pooled, scores: Mapping[str, Scores]
) -> tuple[Scores, Scores]:
    """Score and p-value of each recording; several detectors are scored by their statistic."""
    count = len(next(iter(scores.values())))
    judgements = [
        calibration.judge_recording({name: float(own[i]) for name, own in scores.items()})
        for i in range(count)
    ]
    p_values = np.array([judgement.p_value for judgement in judgements])
    if len(scores) == 1:
        return next(iter(scores.values())), p_values
    return np.array([judgement.statistic for judgement in judgements]), p_values


def _session_p(
    calibration: Calibration | Pooled, scores: Mapping[str, Scores], session: NDArray[np.int64]
) -> Scores:
    return np.array(
        [
            calibration.judge_session({n: own[session == s] for n, own in scores.items()}).p_value
            for s in np.unique(session)
        ]
    )
