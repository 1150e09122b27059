"""Settings chosen once for all folds of a calibration: p-values keep their promise.

The density and the boundary that score a left-out day have not heard it, but their number of
components and their nu were chosen with it. Whether p-values stay what they promise is tried here
on infants whose cries are of three kinds.
"""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from pipelines.calibration import calibrate
from pipelines.detectors.contract import Detector
from pipelines.detectors.gmm import GaussianMixture
from pipelines.detectors.ocsvm import OneClassSvm

WIDTH = 24
SESSIONS = 9
UNITS = 5
INFANTS = 60
ALPHA = 0.10


def an_infant(number: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return units of nine known sessions and a new one, and their sessions; all exchangeable."""
    chance = np.random.default_rng([21, number])
    kinds = chance.normal(size=WIDTH) + 0.7 * chance.normal(size=(3, WIDTH))
    session = np.repeat(np.arange(SESSIONS + 1), UNITS)
    drift = 0.3 * chance.normal(size=(SESSIONS + 1, WIDTH))
    units = kinds[chance.integers(3, size=len(session))] + drift[session]
    units += 0.3 * chance.normal(size=units.shape)
    return units / np.linalg.norm(units, axis=1, keepdims=True), session


def p_value_of_the_new_session(detector: Detector, number: int) -> float:
    units, session = an_infant(number)
    known = session < SESSIONS
    units, new, session = units[known], units[~known], session[known]
    calibration = calibrate({"d": detector}, units, session, session, session, 0)
    score = float(detector.fit(units, session, 0).score(new).mean())
    return calibration.judge_session({"d": np.array([score])}).p_value


@pytest.mark.parametrize("detector", [GaussianMixture(), OneClassSvm()], ids=["gmm", "ocsvm"])
def test_the_promise_is_kept(detector: Detector) -> None:
    p_values = np.array([p_value_of_the_new_session(detector, n) for n in range(INFANTS)])
    least, most = binom.ppf(0.01, INFANTS, 0.5), binom.ppf(0.99, INFANTS, ALPHA)
    assert 0 < (p_values <= ALPHA + 1e-12).sum() <= most
    assert (p_values > 0.5).sum() >= least
