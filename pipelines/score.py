"""Score: how far a recording is from this infant's own baseline, as a calibrated p-value.

In: the baseline's unit embeddings with their recording, session and day, once; then the unit
embeddings of a new recording. Out: a ``PersonalModel`` or, while there are too few days, a
``Learning``; then a ``RecordingScore`` and a ``SessionScore``. Guaranteed: a pure function of
embeddings, encoder and seed; what is saved and loaded scores the same bits; the p-values keep what
``pipelines.calibration`` promises, and no more. Score (high = anomalous), p-value and the verdict
drawn from it elsewhere are three things.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pipelines.artefacts import read_artefact, write_artefact
from pipelines.calibration import Calibration, calibrate
from pipelines.detectors import DETECTORS
from pipelines.detectors.contract import Arrays, Detector, check_baseline, check_groups, take
from pipelines.detectors.gmm import GaussianMixture
from pipelines.detectors.ocsvm import OneClassSvm
from pipelines.errors import ConfigError, CorruptArtefactError

MINIMUM_DAYS = 9
"""Days before there is a score: with nine sessions left out in turn, p can be as low as 0.10."""

ARTEFACT_KIND = "personal_model"
FORMAT_VERSION = 1
_LIBRARIES = ("numpy", "scikit-learn", "torch")
_SCORES = "calibration/scores"
_SESSION = "calibration/session"


@dataclass(frozen=True, eq=False)
class Baseline:
    """What an infant's accepted recordings gave, one row a unit.

    Attributes
    ----------
    embeddings
        Shape ``(n, 192)``.
    recording, session, day
        Which recording, session and day of the infant each unit belongs to: integers of shape
        ``(n,)``, meaningful only in being equal or not, and in their order.
    """

    embeddings: NDArray[np.float32]
    recording: NDArray[np.int64]
    session: NDArray[np.int64]
    day: NDArray[np.int64]

    def checked(self) -> Self:
        """Return it; ConfigError if the shapes or types do not fit."""
        units, _ = check_baseline(self.embeddings, self.recording)
        for groups in (self.session, self.day):
            check_groups(groups, len(units))
        return self

    @property
    def n_days(self) -> int:
        """On how many different days there are units."""
        return len(np.unique(self.day))

    @property
    def n_sessions(self) -> int:
        """How many different sessions there are."""
        return len(np.unique(self.session))

    @property
    def n_recordings(self) -> int:
        """How many different recordings there are."""
        return len(np.unique(self.recording))


@dataclass(frozen=True)
class Learning:
    """There is no score yet: the baseline has this many of the days it needs."""

    days: int
    needed: int

    @property
    def text(self) -> str:
        """Say it for people."""
        return f"learning, {self.days} of {self.needed} days"


@dataclass(frozen=True)
class RecordingScore:
    """How far one recording is from the baseline.

    Attributes
    ----------
    scores
        By detector, the mean of its units' scores; high = anomalous, each in its own measure.
    p_values
        By detector, the score's rank among the baseline's left-out scores.
    statistic
        Mean over detectors of -log p; high = anomalous.
    p_value
        The statistic's rank: the recording's combined p-value.
    """

    scores: dict[str, float]
    p_values: dict[str, float]
    statistic: float
    p_value: float


@dataclass(frozen=True)
class SessionScore:
    """How far a session is from the baseline's sessions: mean statistic, its rank, and of how many.

    Attributes
    ----------
    statistic
        Mean of its recordings' statistics.
    p_value
        The statistic's rank among the baseline's sessions.
    n_recordings
        Of how many recordings.
    """

    statistic: float
    p_value: float
    n_recordings: int


@dataclass(frozen=True, eq=False)
class PersonalModel:
    """One infant's detectors, fitted and calibrated on its own baseline.

    Attributes
    ----------
    detectors
        Fitted on the whole baseline, by name.
    calibration
        Left-out scores of the baseline's recordings.
    facts
        What the model rests on, for people and provenance: ``n_units``, ``n_recordings``,
        ``n_sessions``, ``n_days``, ``nu``, ``n_components``, ``seed``, ``encoder_fingerprint``,
        ``smallest_p_value`` and ``versions``. Everything in it is JSON.
    """

    detectors: dict[str, Detector]
    calibration: Calibration
    facts: dict[str, Any]

    @classmethod
    def fit(cls, baseline: Baseline, encoder_fingerprint: str, seed: int) -> Self | Learning:
        """Fit and calibrate the three detectors on an infant's baseline.

        Takes about eleven fits of each detector: two seconds for 150 units on one thread.

        Parameters
        ----------
        baseline
            Units of the recordings that the gate accepted.
        encoder_fingerprint
            Which encoder made the embeddings; the model can score no other's.
        seed
            Seed of all chance.

        Returns
        -------
        PersonalModel or Learning
            A model, or how far the learning has come where the baseline has fewer than
            ``MINIMUM_DAYS`` days or sessions.

        Raises
        ------
        ConfigError
            If the baseline's arrays do not fit together.
        """
        baseline = baseline.checked()
        days = min(baseline.n_days, baseline.n_sessions)
        if days < MINIMUM_DAYS:
            return Learning(days, MINIMUM_DAYS)
        unfitted = {name: detector() for name, detector in DETECTORS.items()}
        units, session = baseline.embeddings, baseline.session
        # The matrices are small: a second thread only waits for the first, at ten times the time.
        with threadpool_limits(limits=1):
            calibration = calibrate(
                unfitted, units, baseline.recording, session, baseline.day, seed
            )
            fitted = {name: d.fit(units, session, seed) for name, d in unfitted.items()}
        given = {"encoder_fingerprint": encoder_fingerprint, "seed": seed}
        return cls(fitted, calibration, _facts(baseline, fitted) | given)

    def score_recording(self, embeddings: NDArray[np.float32]) -> RecordingScore:
        """Score one recording.

        Parameters
        ----------
        embeddings
            Its units, shape ``(u, 192)``, u at least 1: a recording without a cry has no score.

        Returns
        -------
        RecordingScore
            Scores, p-values and their combination.

        Raises
        ------
        ConfigError
            If there is no unit, or the shape does not fit.
        """
        if not len(embeddings):
            raise ConfigError("a recording without a unit has no score")
        scores = {name: float(d.score(embeddings).mean()) for name, d in self.detectors.items()}
        judged = self.calibration.judge_recording(scores)
        p_values = {name: float(p[0]) for name, p in judged.p_values.items()}
        return RecordingScore(scores, p_values, judged.statistic, judged.p_value)

    def score_session(self, recordings: Sequence[RecordingScore]) -> SessionScore:
        """Score a session from the scores that this model gave its recordings.

        Parameters
        ----------
        recordings
            At least one, in any order.

        Returns
        -------
        SessionScore
            Mean statistic and its rank among the baseline's sessions.

        Raises
        ------
        ConfigError
            If there is no recording, or one was scored by other detectors.
        """
        if not recordings:
            raise ConfigError("a session without a scored recording has no score")
        try:
            scores = {name: np.array([r.scores[name] for r in recordings]) for name in DETECTORS}
        except KeyError as error:
            raise ConfigError(f"a recording has no score of {error}") from error
        judged = self.calibration.judge_session(scores)
        return SessionScore(judged.statistic, judged.p_value, len(recordings))

    def save(self, path: Path) -> str:
        """Write the model as one artefact; return the SHA-256 of the file."""
        arrays: Arrays = {_SESSION: self.calibration.session}
        for name, detector in self.detectors.items():
            arrays |= {f"{name}/{part}": array for part, array in detector.arrays().items()}
            arrays[f"{_SCORES}/{name}"] = self.calibration.scores[name]
        metadata = {
            "kind": ARTEFACT_KIND,
            "format_version": FORMAT_VERSION,
            "encoder_fingerprint": self.facts["encoder_fingerprint"],
            "facts": self.facts,
        }
        return write_artefact(path, arrays, metadata)

    @classmethod
    def load(cls, path: Path, encoder_fingerprint: str) -> Self:
        """Read a model back.

        Parameters
        ----------
        path
            What ``save`` wrote.
        encoder_fingerprint
            The encoder whose embeddings it shall score.

        Returns
        -------
        PersonalModel
            It scores the same bits as the one that was saved.

        Raises
        ------
        CorruptArtefactError
            If the file is missing, cut short or altered.
        IncompatibleArtefactError
            If it is of another kind, format version or encoder.
        """
        artefact = read_artefact(path, ARTEFACT_KIND, FORMAT_VERSION, encoder_fingerprint)
        try:
            detectors = {
                name: detector.from_arrays(_inside(artefact.arrays, name))
                for name, detector in DETECTORS.items()
            }
            left_out = take(artefact.arrays, tuple(f"{_SCORES}/{name}" for name in DETECTORS))
            (session,) = take(artefact.arrays, (_SESSION,))
            facts = artefact.metadata["facts"]
        except (ConfigError, KeyError) as error:
            raise CorruptArtefactError(path, str(error)) from error
        scores = dict(zip(DETECTORS, left_out, strict=True))
        return cls(detectors, Calibration(scores, session), facts)


def _inside(arrays: Arrays, room: str) -> Arrays:
    """Return the arrays whose names start with ``room/``, without it."""
    prefix = f"{room}/"
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _facts(baseline: Baseline, fitted: Mapping[str, Detector]) -> dict[str, Any]:
    return {
        "nu": float(fitted[OneClassSvm.name].arrays()["nu"]),
        "n_components": len(fitted[GaussianMixture.name].arrays()["log_weights"]),
        "n_units": len(baseline.embeddings),
        "n_recordings": baseline.n_recordings,
        "n_sessions": baseline.n_sessions,
        "n_days": baseline.n_days,
        "smallest_p_value": 1 / (baseline.n_sessions + 1),
        "versions": {"python": platform.python_version()}
        | {library: version(library) for library in _LIBRARIES},
    }
