"""Train the population's prior: ``python -m pipelines train-prior DATA``.

In: real recordings of many infants. Out: for each view what is known of infants before anything is
known of one, as one artefact beside the weights, and its card. Guaranteed: infants that are kept
out of all training are not heard; the same recordings give the same bits.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from pipelines.calibration import MAX_FOLDS
from pipelines.detectors.contract import split_groups
from pipelines.embed import load_encoder
from pipelines.errors import ConfigError
from pipelines.evaluation import report
from pipelines.familiar import (
    ACOUSTICS,
    EMBEDDING,
    LIKELIHOOD,
    ROOM,
    IntArray,
    Views,
    left_out_scores,
    turn,
)
from pipelines.prior import BUNDLED, Population, ViewPrior, write_priors
from pipelines.recordings import Heard, good_rows, hear, session_numbers, views_of
from pipelines.training.gate_sounds import training_rows
from pipelines.training.split import RULE

DIRECTIONS = 32
LEAST_INFANTS = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("data", type=Path, help="folder with donateacry/manifest.csv")
    parser.add_argument("--encoder", default="bundled", help="whose embeddings to learn from")
    parser.add_argument("--out", type=Path, default=BUNDLED, help="artefact to write")


def main(args: argparse.Namespace) -> int:
    """Learn, write the artefact and its card, and print it."""
    encoder = load_encoder(args.encoder, threads=1)
    rows = training_rows(good_rows(args.data / "donateacry" / "manifest.csv"))
    with report.progress() as shown:
        task = shown.add_task("recordings heard", total=len(rows))
        found = hear(rows, encoder, lambda count: shown.advance(task, count))
    heard = sorted(
        (one for one in found if isinstance(one, Heard)),
        key=lambda one: (one.row.infant, one.row.recorded_at, one.row.file.name),
    )
    card = learn(heard, encoder.fingerprint, args.out)
    text = json.dumps(card, indent=1) + "\n"
    args.out.with_suffix(".json").write_text(text)
    if args.json is not None:
        args.json.write_text(text)
    Console().print_json(text)
    return 0


def learn(heard: Sequence[Heard], encoder_fingerprint: str, out: Path) -> dict[str, Any]:
    """Learn the priors of all views and write them.

    Parameters
    ----------
    heard
        Recordings, those of an infant together and in the order of time.
    encoder_fingerprint
        Whose embeddings they hold.
    out
        Where the artefact goes.

    Returns
    -------
    dict
        The card.

    Raises
    ------
    ConfigError
        Fewer than twenty infants were heard.
    """
    names = list(dict.fromkeys(one.row.infant for one in heard))
    if len(names) < LEAST_INFANTS:
        message = f"{len(names)} infants were heard, {LEAST_INFANTS} are needed"
        raise ConfigError(message)
    infant = np.array([names.index(one.row.infant) for one in heard])
    session = _sessions(heard, infant)
    views = views_of(heard)
    priors = fit_priors(views, infant, session)
    moments = session_moments(priors, views, infant, session)
    facts = _facts(infant, session) | {
        "encoder_fingerprint": encoder_fingerprint,
        "moments": moments,
    }
    digest = write_priors(out, priors, facts)
    between = {view: [round(float(r), 3) for r in one.ratios] for view, one in priors.items()}
    return facts | {"sha256": digest, "variance_between_over_within": between}


def fit_priors(views: Views, infant: IntArray, session: IntArray) -> dict[str, ViewPrior]:
    """Fit the prior of each view.

    Parameters
    ----------
    views
        Recordings of many infants.
    infant, session
        Whose, and which session of that infant; ``(r,)``.
    """

    def population(values: Any, ages: Any) -> Population:  # noqa: ANN401  arrays of any float
        return Population(np.asarray(values, dtype=np.float64), infant, session, ages)

    unknown = np.full(len(views), np.nan)
    return {
        EMBEDDING: ViewPrior.fit(population(views.embeddings, unknown), DIRECTIONS),
        ACOUSTICS: ViewPrior.fit_each(population(views.channels, views.age_days)),
        ROOM: ViewPrior.fit(population(views.room, unknown), DIRECTIONS),
    }


def session_moments(
    priors: dict[str, ViewPrior], views: Views, infant: IntArray, session: IntArray
) -> dict[str, tuple[float, float]]:
    """Mean and spread of the scores that an infant's sessions get from its other sessions.

    Only infants with several sessions count, each for its number of sessions.
    """
    turned, scores = turn(views, priors), []
    for one in np.unique(infant):
        own = np.flatnonzero(infant == one)
        sessions, index = np.unique(session[own], return_inverse=True)
        if len(sessions) < 2:
            continue
        folds = split_groups(index, MAX_FOLDS)
        left_out = left_out_scores(priors, turned.of(own), index, folds)
        size = np.bincount(index)
        pairs = (left_out.likelihood, left_out.acoustics)
        scores.append(np.stack([np.bincount(index, weights=part) / size for part in pairs]))
    found = np.concatenate(scores, axis=1) if scores else np.zeros((2, 1))
    return {
        name: (float(part.mean()), float(part.std()))
        for name, part in zip((LIKELIHOOD, ACOUSTICS), found, strict=True)
    }


def _sessions(heard: Sequence[Heard], infant: IntArray) -> IntArray:
    """Return the number of each recording's session among those of its infant."""
    session = np.zeros(len(heard), dtype=np.int64)
    for one in np.unique(infant):
        own = np.flatnonzero(infant == one)
        session[own] = session_numbers([heard[int(at)].row.recorded_at for at in own])
    return session


def _facts(infant: IntArray, session: IntArray) -> dict[str, Any]:
    pairs = np.unique(np.stack([infant, session]), axis=1)
    several = int((np.bincount(pairs[0]) > 1).sum())
    return {
        "what_it_is": "what is known of infants before anything is known of one, in three views",
        "training_set": "Donate-a-Cry corpus, ODbL 1.0 with DbCL 1.0 contents",
        "split": RULE,
        "n_recordings": len(infant),
        "n_infants": len(np.unique(infant)),
        "n_sessions": pairs.shape[1],
        "n_infants_with_several_sessions": several,
        "limits": "few infants were recorded in several sessions; the encoder was trained on the "
        "same infants, so their embeddings lie closer together than those of others",
    }
