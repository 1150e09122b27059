"""Verification: telling whether two cries are the same infant's, beside what the room tells.

In: a manifest of recordings and an encoder. Out: equal error rates in percent over all pairs and
over pairs more than an hour apart, each beside the control that hears only the background, with
intervals by bootstrap over infants. Guaranteed: only pairs of the same kind of device are compared,
since the kind of device alone tells infants apart; a figure that cannot be taken is absent, with
the reason.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from pipelines.embed import Encoder, load_encoder, recording_embedding
from pipelines.errors import ConfigError, DecodeError
from pipelines.evaluation.metrics import Absent, Estimate, json_keys
from pipelines.evaluation.pairs import (
    Pairs,
    Vectors,
    cosine_scores,
    estimate_eer,
    whitened_scores,
)
from pipelines.frontend import background_statistics, mfcc_statistics
from pipelines.manifest import ManifestRow, read_manifest
from pipelines.segment import segment

HOUR_S = 3600.0
BATCH = 16
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Heard:
    """What the comparison needs of each recording, row by row.

    Attributes
    ----------
    infant, device
        Names, shape ``(n,)``.
    recorded_at_s
        Seconds since 1970, shape ``(n,)``.
    embedding
        Mean embedding of the recording's units, shape ``(n, 192)``.
    background
        MFCC statistics of its quietest frames, shape ``(n, 80)``.
    mfcc
        MFCC statistics of its units, shape ``(n, 80)``.
    unheard
        How many rows gave nothing: bad rows, undecodable, no cry units.
    """

    infant: NDArray[np.str_]
    device: NDArray[np.str_]
    recorded_at_s: NDArray[np.float64]
    embedding: Vectors
    background: Vectors
    mfcc: Vectors
    unheard: int


def hear(rows: Sequence[ManifestRow], encoder: Encoder, unheard: int = 0) -> Heard:
    """Segment and embed recordings; those that give nothing are counted and left out.

    Raises
    ------
    ConfigError
        Nothing at all could be heard.
    """
    kept: list[ManifestRow] = []
    vectors: list[tuple[Vectors, Vectors, Vectors]] = []
    for start in range(0, len(rows), BATCH):
        for row, own in _heard_batch(rows[start : start + BATCH], encoder):
            kept.append(row)
            vectors.append(own)
    if not kept:
        message = "no recording of the manifest has cry units"
        raise ConfigError(message)
    embedding, background, mfcc = (np.stack(column) for column in zip(*vectors, strict=True))
    return Heard(
        infant=np.array([row.infant for row in kept]),
        device=np.array([row.device or "unknown" for row in kept]),
        recorded_at_s=np.array([row.recorded_at.timestamp() for row in kept]),
        embedding=embedding,
        background=background,
        mfcc=mfcc,
        unheard=unheard + len(rows) - len(kept),
    )


def _heard_batch(
    rows: Sequence[ManifestRow], encoder: Encoder
) -> list[tuple[ManifestRow, tuple[Vectors, Vectors, Vectors]]]:
    present = []
    for row in rows:
        try:
            found = segment(row.file)
        except DecodeError:
            continue
        if not found.unusable:
            present.append((row, found))
    embedded = encoder.embed([(found.sound, found.units) for _, found in present])
    return [
        (
            row,
            (
                recording_embedding(units),
                background_statistics(found.sound),
                mfcc_statistics(found.sound, found.units),
            ),
        )
        for (row, found), units in zip(present, embedded, strict=True)
    ]


def pair_up(heard: Heard) -> Pairs:
    """Pair all recordings made on the same kind of device."""
    infant = np.unique(heard.infant, return_inverse=True)[1]
    first, second = np.triu_indices(len(infant), k=1)
    kept = heard.device[first] == heard.device[second]
    first, second = first[kept], second[kept]
    apart_s = np.abs(heard.recorded_at_s[first] - heard.recorded_at_s[second])
    return Pairs(first, second, infant[first] == infant[second], apart_s > HOUR_S, infant)


def figures(heard: Heard) -> dict[str, Estimate | Absent]:
    """All equal error rates of what was heard, by their published names."""
    pairs = pair_up(heard)
    systems = {
        "eer": cosine_scores(heard.embedding, pairs),
        "eer_background": whitened_scores(heard.background, pairs),
        "eer_mfcc": whitened_scores(heard.mfcc, pairs),
    }
    return {
        f"{name}_{suffix}": estimate_eer(scores, pairs, hour_apart=apart)
        for name, scores in systems.items()
        for suffix, apart in (("any", False), ("hour_apart", True))
    }


def run(manifest: Path, encoder_spec: str = "bundled") -> dict[str, object]:
    """Verify the infants of a manifest.

    Parameters
    ----------
    manifest
        CSV, see :func:`pipelines.manifest.read_manifest`.
    encoder_spec
        See :func:`pipelines.embed.load_encoder`.

    Returns
    -------
    dict
        Figures in percent with ``_lo``, ``_hi``, ``_n`` (genuine pairs) and ``_groups`` (infants),
        ``same_device_only``, and the versions used.

    Raises
    ------
    ManifestError, ConfigError
        The manifest lacks a column, or nothing of it can be heard.
    """
    rows = read_manifest(manifest)
    good = [row for row in rows if isinstance(row, ManifestRow)]
    encoder = load_encoder(encoder_spec)
    heard = hear(good, encoder, unheard=len(rows) - len(good))
    result: dict[str, object] = {}
    for name, figure in figures(heard).items():
        result |= json_keys(name, figure)
    return result | {
        "same_device_only": True,
        "n_recordings": len(heard.infant),
        "n_infants": len(np.unique(heard.infant)),
        "n_unheard": heard.unheard,
        "encoder": encoder.name,
        "encoder_fingerprint": encoder.fingerprint,
        "format_version": FORMAT_VERSION,
    }


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("manifest", type=Path, help="CSV with file, infant and recorded_at")
    parser.add_argument("--encoder", default="bundled", help="bundled, a path, or a hub name")


def main(args: argparse.Namespace) -> int:
    """Print the figures as a table and, with ``--json``, write them."""
    result = run(args.manifest, args.encoder)
    Console(file=sys.stdout).print(_table(result))
    if getattr(args, "json", None):
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


_LABELS = {
    "eer": "embedding",
    "eer_background": "control: background only",
    "eer_mfcc": "control: MFCC statistics",
}


def _table(result: Mapping[str, object]) -> Table:
    title = (
        f"Equal error rate in percent, same kind of device only: {result['n_recordings']} "
        f"recordings of {result['n_infants']} infants"
    )
    table = Table("heard", "all pairs", "more than an hour apart", title=title)
    for name, label in _LABELS.items():
        cells = [_cell(result, f"{name}_{suffix}") for suffix in ("any", "hour_apart")]
        table.add_row(label, *cells)
    return table


def _cell(result: Mapping[str, object], name: str) -> str:
    if result[name] is None:
        return str(result[f"{name}_reason"])
    counted = f"n={result[f'{name}_n']}/{result[f'{name}_groups']}"
    if result[f"{name}_lo"] is None:
        return f"{result[name]:.1f} ({counted})"
    lo, hi = result[f"{name}_lo"], result[f"{name}_hi"]
    return f"{result[name]:.1f} [{lo:.1f}, {hi:.1f}] ({counted})"
