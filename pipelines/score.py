"""Score: how far a recording is from this infant's own baseline, as a calibrated p-value.

In: the baseline's recordings with their session and day, once: unit embeddings, and where they are
known the acoustic channels and the background; then the same of a new recording. Out: a
``PersonalModel`` or, while there are too few days, a ``Learning``; then a ``RecordingScore`` and a
``SessionScore``. From ``EARLIEST_DAYS`` on there is an early model, which rests on what other
infants teach; from ``MINIMUM_DAYS`` on a whole one, with the infant's own detectors. Guaranteed: a
pure function of the recordings, the encoder, the population's prior and the seed; what is saved and
loaded scores the same bits; the p-values keep what ``pipelines.pooled`` promises, and no more.
Score (high = anomalous), p-value and the verdict drawn from it elsewhere are three things.

Five scorers speak of the infant: the three detectors on its embeddings, and the two of
``pipelines.familiar``. The background has a p-value of its own, which is part of none of theirs: it
says whether the room or the microphone is another one.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pipelines.artefacts import Artefact, read_artefact, write_artefact
from pipelines.baseline import Baseline, Cried
from pipelines.calibration import MAX_FOLDS, Calibration, Judgement, calibrate, first_days
from pipelines.detectors import DETECTORS
from pipelines.detectors.contract import (
    Arrays,
    Detector,
    split_groups,
    take,
)
from pipelines.detectors.gmm import GaussianMixture
from pipelines.detectors.ocsvm import OneClassSvm
from pipelines.errors import ConfigError, CorruptArtefactError, IncompatibleArtefactError
from pipelines.familiar import (
    ACOUSTICS,
    LIKELIHOOD,
    ROOM,
    Familiar,
    LeftOut,
    Turned,
    checked_views,
    left_out_scores,
    turn,
)
from pipelines.pooled import UNKNOWN_DEVICE, Moments, Pooled
from pipelines.prior import Priors, bundled_priors, prior_arrays, priors_of

MINIMUM_DAYS = 9
"""Days before the learning is done: with nine sessions left out in turn, their ranks alone can be
as low as 0.10, and the detectors have enough to be fitted on."""
EARLIEST_DAYS = 3
"""Days before there is a score at all, by the scorers that know the population beforehand."""

ARTEFACT_KIND = "personal_model"
FORMAT_VERSION = 2
EMBEDDINGS_ONLY = 1
"""Format of versions that were learnt from embeddings alone; they go on judging as they did."""
EARLY_SCORERS = (LIKELIHOOD, ACOUSTICS)
SCORERS = (*DETECTORS, *EARLY_SCORERS)
IMPORTANCE = {LIKELIHOOD: 5.0}
"""How much each scorer's word counts, 1 where it is not named: the three detectors hear the same
embedding. Chosen on infants that training hears, of nine mixtures."""
_LIBRARIES = ("numpy", "scikit-learn", "torch")
_SCORES = "calibration/scores"
_SESSION = "calibration/session"
_DAY = "calibration/day"
_DEVICE = "calibration/device"
_ROOM = "calibration/room"
_FAMILIAR = "familiar"
_PRIOR = "prior"


@dataclass(frozen=True)
class Learning:
    """The baseline has this many of the days it needs; before that, there is no whole model.

    Attributes
    ----------
    days
        On how many days crying was heard.
    needed
        On how many it has to be.
    has_numbers
        Whether sessions are compared already, by what other infants teach.
    """

    days: int
    needed: int
    has_numbers: bool = False

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
        By scorer; high = anomalous, each in its own measure. A detector's is the mean over units.
    p_values
        By scorer, how often a usual recording scores as high.
    statistic
        Mean over scorers of minus the logarithm of their tails; high = anomalous.
    p_value
        The recording's combined p-value.
    room_score, room_p_value
        Distance of its background from the known ones, and how often a usual recording is as far;
        None where no background is known.
    device
        Number of the device that it was judged as.
    """

    scores: dict[str, float]
    p_values: dict[str, float]
    statistic: float
    p_value: float
    room_score: float | None = None
    room_p_value: float | None = None
    device: int = UNKNOWN_DEVICE


@dataclass(frozen=True)
class SessionScore:
    """How far a session is from the baseline's sessions.

    Attributes
    ----------
    statistic
        Of the mean scores of its recordings, as a recording's.
    p_value
        How often a usual session's is as high.
    n_recordings
        Of how many recordings.
    p_values
        By scorer.
    room_p_value
        How often a usual session's background is as far from the known ones; None: not known.
    """

    statistic: float
    p_value: float
    n_recordings: int
    p_values: dict[str, float] = field(default_factory=dict)
    room_p_value: float | None = None


@dataclass(frozen=True, eq=False)
class PersonalModel:
    """One infant's detectors, fitted and calibrated on its own baseline.

    Attributes
    ----------
    detectors
        Fitted on the whole baseline, by name; none in an early model.
    familiar
        What is known of the infant beside the population; None in a version of embeddings alone.
    priors
        What is known of the population.
    calibration
        Left-out scores of the baseline's recordings.
    room
        The same of their backgrounds; None where too few are known.
    facts
        What the model rests on, for people and provenance: ``n_units``, ``n_recordings``,
        ``n_sessions``, ``n_days``, ``seed``, ``encoder_fingerprint``, ``smallest_p_value``,
        ``prior`` and ``versions``; of a whole model ``nu`` and ``n_components`` too. Everything in
        it is JSON.
    """

    detectors: dict[str, Detector]
    familiar: Familiar | None
    priors: Priors
    calibration: Calibration | Pooled
    room: Pooled | None
    facts: dict[str, Any]

    @classmethod
    def fit(
        cls,
        baseline: Baseline,
        encoder_fingerprint: str,
        seed: int,
        priors: Priors | None = None,
    ) -> Self | Learning:
        """Fit and calibrate all scorers on an infant's baseline.

        Parameters
        ----------
        baseline
            The recordings that the gate accepted.
        encoder_fingerprint
            Which encoder made the embeddings; the model can score no other's.
        seed
            Seed of all chance.
        priors
            What is known of the population; None: what ships with the project.

        Returns
        -------
        PersonalModel or Learning
            A model, or how far the learning has come where the baseline has fewer than
            ``EARLIEST_DAYS`` days or sessions; fewer than ``MINIMUM_DAYS``, where it is not known
            how the scores of this encoder's embeddings lie in the population.

        Raises
        ------
        ConfigError
            If the baseline's arrays do not fit together.
        """
        baseline = baseline.checked()
        days = min(baseline.n_days, baseline.n_sessions)
        known = bundled_priors(encoder_fingerprint) if priors is None else priors
        if days < _days_needed(known):
            return Learning(days, MINIMUM_DAYS)
        whole = DETECTORS if days >= MINIMUM_DAYS else {}
        unfitted = {name: detector() for name, detector in whole.items()}
        units, session = baseline.embeddings, baseline.session
        # The matrices are small: a second thread only waits for the first, at ten times the time.
        with threadpool_limits(limits=1):
            ranks = calibrate(unfitted, units, baseline.recording, session, baseline.day, seed)
            fitted = {name: d.fit(units, session, seed) for name, d in unfitted.items()}
            familiar, left_out = _familiar(baseline, known)
        calibration, room = _calibrations(baseline, ranks, left_out, known.moments)
        given = {
            "encoder_fingerprint": encoder_fingerprint,
            "seed": seed,
            "prior": known.version,
            "moments": {name: list(pair) for name, pair in known.moments.items()},
            "smallest_p_value": calibration.smallest_p_value,
        }
        facts = _facts(baseline, fitted) | given
        return cls(fitted, familiar, known, calibration, room, facts)

    @property
    def is_early(self) -> bool:
        """Whether the infant is still being learnt, and its own detectors have not been fitted."""
        return not self.detectors

    def score_recording(self, cried: Cried | NDArray[np.float32]) -> RecordingScore:
        """Score one recording.

        Parameters
        ----------
        cried
            The recording, or its unit embeddings alone, shape ``(u, 192)``; u at least 1: a
            recording without a cry has no score.

        Returns
        -------
        RecordingScore
            Scores, p-values and their combination.

        Raises
        ------
        ConfigError
            If there is no unit, or the shape does not fit.
        """
        cried = Cried(cried) if isinstance(cried, np.ndarray) else cried
        if not len(cried.embeddings):
            raise ConfigError("a recording without a unit has no score")
        scores = {n: float(d.score(cried.embeddings).mean()) for n, d in self.detectors.items()}
        if self.familiar is None:
            return _recording_score(scores, self.calibration.judge_recording(scores))
        turned = turn(checked_views(cried.views()), self.priors.views)
        scores[LIKELIHOOD] = float(self.familiar.likelihood(turned)[0])
        scores[ACOUSTICS] = float(self.familiar.movement(turned)[0])
        judged = _judge_recording(self.calibration, scores, cried.device)
        room = self._room_of(turned)
        of_room = _judge_recording(self.room, {ROOM: room}) if self.room and room else None
        return replace(
            _recording_score(scores, judged),
            room_score=room,
            room_p_value=None if of_room is None else of_room.p_value,
            device=cried.device,
        )

    def _room_of(self, turned: Turned) -> float | None:
        if self.familiar is None:
            return None
        distance = float(self.familiar.room_distance(turned)[0])
        return distance if np.isfinite(distance) else None

    def score_session(self, recordings: Sequence[RecordingScore]) -> SessionScore:
        """Score a session from the scores that this model gave its recordings.

        Parameters
        ----------
        recordings
            At least one, in any order.

        Returns
        -------
        SessionScore
            Of their mean scores, beside the baseline's sessions.

        Raises
        ------
        ConfigError
            If there is no recording, or one was scored by other scorers.
        """
        if not recordings:
            raise ConfigError("a session without a scored recording has no score")
        try:
            scores = {
                name: np.sort([r.scores[name] for r in recordings])
                for name in self.calibration.scores
            }
        except KeyError as error:
            raise ConfigError(f"a recording has no score of {error}") from error
        if isinstance(self.calibration, Calibration):
            scores = {n: np.array([r.scores[n] for r in recordings]) for n in scores}
            judged = self.calibration.judge_session(scores)
        else:
            judged = self.calibration.judge_session(scores, min(r.device for r in recordings))
        rooms = np.sort([r.room_score for r in recordings if r.room_score is not None])
        of_room = self.room.judge_session({ROOM: rooms}) if self.room and len(rooms) else None
        return SessionScore(
            judged.statistic,
            judged.p_value,
            len(recordings),
            {name: float(p[0]) for name, p in judged.p_values.items()},
            None if of_room is None else of_room.p_value,
        )

    def save(self, path: Path) -> str:
        """Write the model as one artefact; return the SHA-256 of the file."""
        arrays: Arrays = {_SESSION: self.calibration.session}
        for name, detector in self.detectors.items():
            arrays |= {f"{name}/{part}": array for part, array in detector.arrays().items()}
        arrays |= {f"{_SCORES}/{name}": own for name, own in self.calibration.scores.items()}
        arrays |= self._arrays_beside()
        version = EMBEDDINGS_ONLY if self.familiar is None else FORMAT_VERSION
        metadata = {
            "kind": ARTEFACT_KIND,
            "format_version": version,
            "encoder_fingerprint": self.facts["encoder_fingerprint"],
            "facts": self.facts,
        }
        return write_artefact(path, arrays, metadata)

    def _arrays_beside(self) -> Arrays:
        """Return what is known beside the detectors, the population included."""
        if not isinstance(self.calibration, Pooled) or self.familiar is None:
            return {}
        arrays: Arrays = {_DAY: self.calibration.day, _DEVICE: self.calibration.device}
        arrays |= {f"{_FAMILIAR}/{part}": a for part, a in self.familiar.arrays().items()}
        arrays |= {f"{_PRIOR}/{part}": a for part, a in prior_arrays(self.priors.views).items()}
        if self.room is not None:
            parts = {"scores": self.room.scores[ROOM], "session": self.room.session}
            parts |= {"day": self.room.day, "device": self.room.device}
            arrays |= {f"{_ROOM}/{part}": array for part, array in parts.items()}
        return arrays

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
        artefact, is_of_embeddings = _read(path, encoder_fingerprint)
        try:
            facts = artefact.metadata["facts"]
            is_early = facts["n_days"] < MINIMUM_DAYS or facts["n_sessions"] < MINIMUM_DAYS
            detectors = {
                name: detector.from_arrays(_inside(artefact.arrays, name))
                for name, detector in ({} if is_early else DETECTORS).items()
            }
            if is_of_embeddings:
                nothing = Priors({}, {}, "")
                return cls(detectors, None, nothing, _ranks(artefact.arrays), None, facts)
            moments = {name: (mean, spread) for name, (mean, spread) in facts["moments"].items()}
            priors = Priors(
                priors_of(_inside(artefact.arrays, _PRIOR)), moments, str(facts["prior"])
            )
            familiar = Familiar.from_arrays(_inside(artefact.arrays, _FAMILIAR))
            calibration = _pooled(artefact.arrays, detectors, priors.moments)
            room = _room(_inside(artefact.arrays, _ROOM))
        except (ConfigError, KeyError) as error:
            raise CorruptArtefactError(path, str(error)) from error
        return cls(detectors, familiar, priors, calibration, room, facts)


def _days_needed(priors: Priors) -> int:
    """Return from how many days on there is a score, given what is known of the population."""
    return EARLIEST_DAYS if set(EARLY_SCORERS) <= set(priors.moments) else MINIMUM_DAYS


def _recording_score(scores: dict[str, float], judged: Judgement) -> RecordingScore:
    p_values = {name: float(p[0]) for name, p in judged.p_values.items()}
    return RecordingScore(scores, p_values, judged.statistic, judged.p_value)


def _judge_recording(
    calibration: Calibration | Pooled, scores: dict[str, float], device: int = UNKNOWN_DEVICE
) -> Judgement:
    if isinstance(calibration, Calibration):
        return calibration.judge_recording(scores)
    return calibration.judge_recording(scores, device)


def _familiar(baseline: Baseline, priors: Priors) -> tuple[Familiar, LeftOut]:
    """Learn the infant beside the population, and score its own recordings fold by fold."""
    turned = turn(baseline.whole_views(), priors.views)
    session, day = (baseline.of_recordings(groups) for groups in (baseline.session, baseline.day))
    folds = split_groups(first_days(session, day), MAX_FOLDS)
    left_out = left_out_scores(priors.views, turned, session, folds)
    return Familiar.of(priors.views, turned, session, left_out.spread), left_out


def _calibrations(
    baseline: Baseline, ranks: Calibration, left_out: LeftOut, moments: Moments
) -> tuple[Pooled, Pooled | None]:
    """Calibrate the scorers of the infant, and its backgrounds where enough are known."""
    session, day = (baseline.of_recordings(groups) for groups in (baseline.session, baseline.day))
    unknown = np.full(len(session), UNKNOWN_DEVICE)
    device = unknown if baseline.device is None else baseline.device
    scores = ranks.scores | {LIKELIHOOD: left_out.likelihood, ACOUSTICS: left_out.acoustics}
    known = np.isfinite(left_out.room)
    room = None
    if len(np.unique(session[known])) >= MINIMUM_DAYS:
        # Whatever device it was: another one is just what this is to find.
        parts = (session[known], day[known], unknown[known])
        room = Pooled({ROOM: left_out.room[known]}, *parts)
    return Pooled(scores, session, day, device, moments, IMPORTANCE), room


def _read(path: Path, encoder_fingerprint: str) -> tuple[Artefact, bool]:
    """Read an artefact, and say whether it is of embeddings alone."""
    try:
        return read_artefact(path, ARTEFACT_KIND, FORMAT_VERSION, encoder_fingerprint), False
    except IncompatibleArtefactError as error:
        if error.fact != "format_version":
            raise
    return read_artefact(path, ARTEFACT_KIND, EMBEDDINGS_ONLY, encoder_fingerprint), True


def _ranks(arrays: Arrays) -> Calibration:
    left_out = take(arrays, tuple(f"{_SCORES}/{name}" for name in DETECTORS))
    (session,) = take(arrays, (_SESSION,))
    return Calibration(dict(zip(DETECTORS, left_out, strict=True)), session)


def _pooled(arrays: Arrays, detectors: Mapping[str, Detector], moments: Moments) -> Pooled:
    scorers = (*detectors, *EARLY_SCORERS)
    left_out = take(arrays, tuple(f"{_SCORES}/{name}" for name in scorers))
    session, day, device = take(arrays, (_SESSION, _DAY, _DEVICE))
    scores = dict(zip(scorers, left_out, strict=True))
    return Pooled(scores, session, day, device, moments, IMPORTANCE)


def _room(arrays: Arrays) -> Pooled | None:
    if not arrays:
        return None
    scores, session, day, device = take(arrays, ("scores", "session", "day", "device"))
    return Pooled({ROOM: scores}, session, day, device)


def _inside(arrays: Arrays, room: str) -> Arrays:
    """Return the arrays whose names start with ``room/``, without it."""
    prefix = f"{room}/"
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _facts(baseline: Baseline, fitted: Mapping[str, Detector]) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    if fitted:
        chosen["nu"] = float(fitted[OneClassSvm.name].arrays()["nu"])
        chosen["n_components"] = len(fitted[GaussianMixture.name].arrays()["log_weights"])
    return chosen | {
        "n_units": len(baseline.embeddings),
        "n_recordings": baseline.n_recordings,
        "n_sessions": baseline.n_sessions,
        "n_days": baseline.n_days,
        "versions": {"python": platform.python_version()}
        | {library: version(library) for library in _LIBRARIES},
    }
