"""Detectors of the score stage: the three of the method, and the controls beside them.

In: units of an infant's baseline. Out: objects that score other units, high meaning anomalous, as
``pipelines.detectors.contract`` promises. Guaranteed: importing this package loads neither torch
nor scikit-learn.
"""

from __future__ import annotations

from typing import Final

from pipelines.detectors.autoencoder import Autoencoder
from pipelines.detectors.contract import Detector
from pipelines.detectors.dummies import AlwaysFire, LevelMeter, NeverFire
from pipelines.detectors.gmm import GaussianMixture
from pipelines.detectors.ocsvm import OneClassSvm

DETECTORS: Final[dict[str, type[Detector]]] = {
    Autoencoder.name: Autoencoder,
    OneClassSvm.name: OneClassSvm,
    GaussianMixture.name: GaussianMixture,
}
"""The detectors that make up a personal model, by name."""

DUMMIES: Final[dict[str, type[Detector]]] = {
    AlwaysFire.name: AlwaysFire,
    NeverFire.name: NeverFire,
    LevelMeter.name: LevelMeter,
}
"""The controls of reports, by name; never part of a personal model."""
