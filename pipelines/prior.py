"""Prior: what is known of infants before anything is known of this one.

In: what many infants' recordings gave in one view (the embedding, the acoustic channels, the
background). Out: a ``ViewPrior``, and from it what becomes known of one infant with its first
recordings: a ``Known``, and how surprising and how unlike the infant another recording is.
Guaranteed: pure functions; values that are missing count as the population's mean and never as a
deviation; with no recording an infant is the population's, with many it is itself.

A view's values are a population's mean, by age where it is known, plus what is the infant's own,
plus what a session has in common, plus what each recording has to itself, all Gaussian. A linear
map turns the view so that the variance between one infant's recordings is 1 in every direction and
the one between infants is ``ratios``; so every direction can be taken by itself. That is the
two-covariance model of speaker verification (Brümmer and de Villiers, "The speaker partitioning
problem", Odyssey 2010) with the sessions kept apart, and shrinkage to the population in closed
form.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from pipelines.artefacts import read_artefact, write_artefact
from pipelines.errors import ConfigError, CorruptArtefactError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BUNDLED = Path(__file__).resolve().parent / "weights" / "prior.safetensors"
KIND = "population_prior"
OF_THE_ENCODER = "embedding"
"""The one view whose prior is of an encoder."""
FORMAT_VERSION = 1
SESSION_FRAC = 0.5
"""Share of the variance within an infant that the recordings of a session have in common."""
SHRINKAGE = 0.5
"""How far the covariance within infants is drawn to its diagonal: it rests on few pairs."""
LEAST_RATIO = 1e-3
LEAST_OWN_RATIO = 0.05
OTHER_SESSION_WEIGHT = 4.0
MOST_PAIRS_COUNTED = 5
"""No infant counts for more than so many recordings, however many it has."""
REFERENCE_AGE_DAYS = 60.0
LEAST_AGED = 20
AGE_RIDGE = 5.0
_PARTS = ("mean", "age_slope", "turn", "ratios")


@dataclass(frozen=True)
class Population:
    """What many infants gave in one view.

    Attributes
    ----------
    values
        One row a recording, NaN where a value is missing; shape ``(n, width)``.
    infant, session
        Whose, and which session of that infant; integers of shape ``(n,)``.
    age_days
        Age, NaN where it is not known; shape ``(n,)``.
    """

    values: FloatArray
    infant: IntArray
    session: IntArray
    age_days: FloatArray


@dataclass(frozen=True, eq=False)
class ViewPrior:
    """What is known of one view in the population.

    Attributes
    ----------
    mean, age_slope
        At ``REFERENCE_AGE_DAYS``, and change with each doubling of the age; shape ``(width,)``.
    turn
        Map to directions with a variance of 1 within infants; shape ``(width, q)``.
    ratios
        Variance between infants in each direction, the largest first; shape ``(q,)``.
    """

    mean: FloatArray
    age_slope: FloatArray
    turn: FloatArray
    ratios: FloatArray

    @classmethod
    def fit(
        cls, population: Population, directions: int, shrinkage: float = SHRINKAGE
    ) -> ViewPrior:
        """Learn the prior of a view whose values only mean something together.

        Parameters
        ----------
        population
            At least two infants, one of them with several recordings.
        directions
            At most how many directions are kept.
        shrinkage
            How far the covariance within infants is drawn to its diagonal, 0 to 1.

        Returns
        -------
        ViewPrior
            The prior.

        Raises
        ------
        ConfigError
            There are no two recordings of one infant.
        """
        mean, slope = _by_age(population.values, population.age_days)
        centred = _filled(population.values - _expected(mean, slope, population.age_days))
        scale = centred.std(axis=0)
        scale[scale <= 0] = 1.0
        _, _, axes = np.linalg.svd(centred / scale, full_matrices=False)
        reduce = axes[:directions].T / scale[:, None]
        reduced = centred @ reduce
        within = _within(reduced, population.infant, population.session)
        within = (1.0 - shrinkage) * within + shrinkage * np.diag(np.diag(within))
        total = np.atleast_2d(np.cov(reduced.T, aweights=_infant_weights(population.infant)))
        values, vectors = scipy.linalg.eigh(total - within, within)
        order = np.argsort(-values)
        ratios = np.maximum(values[order], LEAST_RATIO)
        return cls(mean, slope, reduce @ vectors[:, order], ratios)

    @classmethod
    def fit_each(cls, population: Population) -> ViewPrior:
        """Learn the prior of a view whose values each mean something, and may each be missing.

        Parameters
        ----------
        population
            As for ``fit``.

        Returns
        -------
        ViewPrior
            Its directions are the values themselves, each over its standard deviation within
            infants.

        Raises
        ------
        ConfigError
            As for ``fit``.
        """
        mean, slope = _by_age(population.values, population.age_days)
        centred = population.values - _expected(mean, slope, population.age_days)
        within = np.array([_within_of_one(column, population) for column in centred.T])
        total = np.nanvar(centred, axis=0)
        ratios = np.maximum(total / within - 1.0, LEAST_OWN_RATIO)
        return cls(mean, slope, np.diag(1.0 / np.sqrt(within)), ratios)

    @property
    def is_of_each(self) -> bool:
        """Whether its directions are the values themselves."""
        return bool(np.count_nonzero(self.turn) == len(self.mean) == self.turn.shape[1])

    def turned(self, values: FloatArray, age_days: FloatArray | float = math.nan) -> FloatArray:
        """Turn recordings into the prior's directions.

        Parameters
        ----------
        values
            Shape ``(n, width)``; NaN where a value is missing.
        age_days
            Ages, NaN where not known; shape ``(n,)`` or one for all.

        Returns
        -------
        ndarray
            Shape ``(n, q)``; 0 is the population's mean. Where the directions are the values
            themselves, what is missing stays NaN; elsewhere it counts as the mean.
        """
        rows = np.atleast_2d(np.asarray(values, dtype=np.float64))
        if rows.shape[1] != len(self.mean):
            raise ConfigError(f"a view of {rows.shape[1]} values where {len(self.mean)} are known")
        ages = np.broadcast_to(np.asarray(age_days, dtype=np.float64), len(rows))
        centred = rows - _expected(self.mean, self.age_slope, ages)
        if self.is_of_each:
            return centred * np.diag(self.turn)
        turned: FloatArray = _filled(centred) @ self.turn
        return turned

    def arrays(self) -> dict[str, FloatArray]:
        """Return its arrays by name."""
        return {name: getattr(self, name) for name in _PARTS}


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of one infant in one view, given its recordings.

    Attributes
    ----------
    ratios
        Of the prior, shape ``(q,)``.
    mean, variance
        Of the infant's own level in each direction, shape ``(q,)``.
    """

    ratios: FloatArray
    mean: FloatArray
    variance: FloatArray

    @classmethod
    def of(
        cls,
        prior: ViewPrior,
        turned: FloatArray,
        session: IntArray,
        weights: FloatArray | None = None,
    ) -> Known:
        """Learn an infant from its recordings.

        Parameters
        ----------
        prior
            Of the view.
        turned
            The infant's recordings in the prior's directions, shape ``(n, q)``; none is allowed.
        session
            Session of each, shape ``(n,)``.
        weights
            What each session's word is worth, by rising number of the session; 1 where not given.

        Returns
        -------
        Known
            What is known now.
        """
        means, count = session_means(turned, session)
        precision = np.where(count > 0, 1.0 / own_variance(np.maximum(count, 1)), 0.0)
        if weights is not None:
            precision = precision * weights[:, None]
        variance = prior.ratios / (1.0 + precision.sum(axis=0) * prior.ratios)
        return cls(prior.ratios, variance * (precision * _filled(means)).sum(axis=0), variance)

    def spreads(self, turned: FloatArray, recordings: IntArray | int = 1) -> FloatArray:
        """Say how many standard deviations recordings are from the infant's own level.

        Parameters
        ----------
        turned
            Recordings, or means of sessions, shape ``(n, q)``; NaN where a value is missing.
        recordings
            Of how many recordings each value is the mean, ``(n, q)``, ``(n, 1)`` or a number.

        Returns
        -------
        ndarray
            Shape ``(n, q)``, NaN where a value is missing.
        """
        spreads: FloatArray = (turned - self.mean) / np.sqrt(
            self.variance + own_variance(recordings)
        )
        return spreads

    def surprise(self, turned: FloatArray, recordings: IntArray | int = 1) -> FloatArray:
        """Say how far recordings, or means of sessions, are from the infant's own level.

        Parameters
        ----------
        turned, recordings
            As for ``spreads``.

        Returns
        -------
        ndarray
            Squared distance over what is expected, less 1, in standard deviations of a chi-squared
            variable; shape ``(n,)``. High = anomalous.
        """
        squares = self.spreads(turned, recordings) ** 2
        there = np.maximum(np.isfinite(squares).sum(axis=1), 1)
        surprise: FloatArray = (_filled(squares).sum(axis=1) - there) / np.sqrt(2.0 * there)
        return surprise

    def unlikeness(self, turned: FloatArray, recordings: IntArray | int = 1) -> FloatArray:
        """Say how much likelier recordings are as somebody else's than as this infant's.

        Parameters
        ----------
        turned, recordings
            As for ``spreads``.

        Returns
        -------
        ndarray
            Log of the likelihood ratio of the population to the infant, shape ``(n,)``. High =
            anomalous; over 0: likelier somebody else.
        """
        own = own_variance(recordings)
        ratio = _log_density(turned, 0.0, self.ratios + own) - _log_density(
            turned, self.mean, self.variance + own
        )
        unlikeness: FloatArray = _filled(ratio).sum(axis=1)
        return unlikeness


def _log_density(values: FloatArray, mean: FloatArray | float, variance: FloatArray) -> FloatArray:
    density: FloatArray = -0.5 * ((values - mean) ** 2 / variance + np.log(variance))
    return density


def own_variance(recordings: IntArray | FloatArray | int) -> FloatArray:
    """Variance of the mean of so many recordings of a session about the infant's level."""
    count = np.asarray(recordings, dtype=np.float64)
    own: FloatArray = SESSION_FRAC + (1.0 - SESSION_FRAC) / count
    return own


def session_means(turned: FloatArray, session: IntArray) -> tuple[FloatArray, IntArray]:
    """Average the recordings of each session, value by value.

    Parameters
    ----------
    turned
        Shape ``(n, q)``, NaN where a value is missing.
    session
        Shape ``(n,)``.

    Returns
    -------
    ndarray
        Means by rising number of the session, shape ``(s, q)``; NaN where no recording has a value.
    ndarray
        Of how many values each is the mean, shape ``(s, q)``.
    """
    _, index = np.unique(session, return_inverse=True)
    shape = (int(index.max()) + 1 if len(index) else 0, turned.shape[1])
    sums, count = np.zeros(shape), np.zeros(shape, dtype=np.int64)
    np.add.at(sums, index, _filled(turned))
    np.add.at(count, index, np.isfinite(turned))
    with np.errstate(invalid="ignore"):
        return sums / np.where(count > 0, count, np.nan), count


# --- fitting ------------------------------------------------------------------------------------


def _doublings(age_days: FloatArray) -> FloatArray:
    """How often the age has doubled since the reference age; 0 where it is not known."""
    with np.errstate(invalid="ignore", divide="ignore"):
        doublings = np.log2(np.maximum(age_days, 1.0) / REFERENCE_AGE_DAYS)
    return np.where(np.isfinite(age_days), doublings, 0.0)


def _expected(mean: FloatArray, slope: FloatArray, age_days: FloatArray) -> FloatArray:
    expected: FloatArray = mean + _doublings(age_days)[:, None] * slope
    return expected


def _by_age(values: FloatArray, age_days: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and slope by age of each value; a ridge keeps the slope small where little is known."""
    mean = np.nanmean(values, axis=0)
    slope = np.zeros(values.shape[1])
    doublings, aged = _doublings(age_days), np.isfinite(age_days)
    if aged.sum() < LEAST_AGED:
        return mean, slope
    for column in range(values.shape[1]):
        use = aged & np.isfinite(values[:, column])
        x, y = doublings[use], values[use, column]
        centred = x - x.mean()
        slope[column] = centred @ (y - y.mean()) / (centred @ centred + AGE_RIDGE)
    return np.nanmean(values - doublings[:, None] * slope, axis=0), slope


def _filled(centred: FloatArray) -> FloatArray:
    """Take what is missing for the mean."""
    return np.where(np.isfinite(centred), centred, 0.0)


def _infant_weights(infant: IntArray) -> FloatArray:
    """Weight of each recording: every infant counts once."""
    _, index, count = np.unique(infant, return_inverse=True, return_counts=True)
    weights: FloatArray = 1.0 / count[index]
    return weights


def _within(reduced: FloatArray, infant: IntArray, session: IntArray) -> FloatArray:
    """Covariance within infants, from pairs of recordings; pairs of two sessions count for more."""
    whole, counted = np.zeros((reduced.shape[1],) * 2), 0
    for one in np.unique(infant):
        own = np.flatnonzero(infant == one)
        if len(own) > 1:
            number = min(len(own), MOST_PAIRS_COUNTED)
            whole += number * _pair_covariance(reduced[own], session[own])
            counted += number
    if not counted:
        raise ConfigError("a prior needs an infant with two recordings")
    covariance: FloatArray = whole / counted
    return covariance


def _within_of_one(column: FloatArray, population: Population) -> float:
    """Variance within infants of one value, from the recordings that have it."""
    there = np.isfinite(column)
    rows = column[there, None]
    return float(_within(rows, population.infant[there], population.session[there])[0, 0])


def _pair_covariance(rows: FloatArray, session: IntArray) -> FloatArray:
    first, second = np.triu_indices(len(rows), k=1)
    weights = np.where(session[first] != session[second], OTHER_SESSION_WEIGHT, 1.0)
    differences = rows[first] - rows[second]
    covariance: FloatArray = (differences.T * weights) @ differences / (2.0 * weights.sum())
    return covariance


# --- keeping ------------------------------------------------------------------------------------


def write_priors(path: Path, priors: Mapping[str, ViewPrior], facts: Mapping[str, object]) -> str:
    """Write priors by view as one artefact; return the SHA-256 of the file."""
    metadata = {
        "kind": KIND,
        "format_version": FORMAT_VERSION,
        "encoder_fingerprint": facts["encoder_fingerprint"],
        "facts": dict(facts),
    }
    return write_artefact(path, prior_arrays(priors), metadata)


def prior_arrays(priors: Mapping[str, ViewPrior]) -> dict[str, FloatArray]:
    """Return the arrays of several views by name."""
    return {
        f"{view}/{part}": array
        for view, prior in priors.items()
        for part, array in prior.arrays().items()
    }


def priors_of(arrays: Mapping[str, NDArray[np.floating]]) -> dict[str, ViewPrior]:
    """Build the views that gave these arrays; KeyError if one is missing."""
    views = sorted({name.split("/")[0] for name in arrays})
    return {view: ViewPrior(*_parts(arrays, view)) for view in views}


@dataclass(frozen=True)
class Priors:
    """What is known of the population.

    Attributes
    ----------
    views
        By view.
    moments
        By scorer, mean and standard deviation of the scores that a usual session gets.
    version
        Names the artefact.
    """

    views: dict[str, ViewPrior]
    moments: dict[str, tuple[float, float]]
    version: str


@functools.cache
def bundled_priors(encoder_fingerprint: str) -> Priors:
    """Return the priors that ship with the project, for this encoder.

    Where the encoder is another than they were learnt with, what belongs to the embedding is left
    out; channels and background know no encoder.
    """
    return read_priors(BUNDLED, encoder_fingerprint)


def read_priors(path: Path, encoder_fingerprint: str) -> Priors:
    """Read what ``write_priors`` wrote.

    Parameters
    ----------
    path
        The artefact.
    encoder_fingerprint
        Whose embeddings will be judged.

    Returns
    -------
    Priors
        Without the embedding's, and without moments, where they were learnt with another encoder.

    Raises
    ------
    CorruptArtefactError, IncompatibleArtefactError
        The file is damaged, or of another kind or version.
    """
    artefact = read_artefact(path, KIND, FORMAT_VERSION)
    facts = artefact.metadata["facts"]
    try:
        views = priors_of(artefact.arrays)
        moments = {name: (float(mean), float(sd)) for name, (mean, sd) in facts["moments"].items()}
    except KeyError as error:
        raise CorruptArtefactError(path, f"{error} is missing") from error
    if artefact.metadata["encoder_fingerprint"] != encoder_fingerprint:
        views.pop(OF_THE_ENCODER, None)
        moments = {}
    return Priors(views, moments, f"prior-{FORMAT_VERSION}-{artefact.sha256[:12]}")


def _parts(arrays: Mapping[str, NDArray[np.floating]], view: str) -> Sequence[FloatArray]:
    return [np.asarray(arrays[f"{view}/{part}"], dtype=np.float64) for part in _PARTS]
