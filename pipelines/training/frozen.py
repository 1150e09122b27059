"""Training: the fine-tuned encoder beside the one it started from, on infants neither was tuned on.

In: recordings and two encoders. Out: equal error rates in percent of both, of a control that hears
the background only, and their differences with paired intervals. Guaranteed: both encoders hear the
same recordings and pairs; only recordings of one kind of device are compared; a figure that cannot
be taken is absent, with the reason.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.embed import recording_embedding
from pipelines.encoders.loaded import FrameSource
from pipelines.evaluation.metrics import Absent, Estimate
from pipelines.evaluation.pairs import (
    Pairs,
    cosine_scores,
    equal_error_rate,
    estimate_difference,
    estimate_eer,
    whitened_scores,
)
from pipelines.frontend import RATE_HZ, Frames, background_statistics
from pipelines.sound import Sound
from pipelines.training.takes import Take, lie_apart

MAX_BATCH_FRAMES = 8192

Framed = list[list[Frames]]
Vectors = NDArray[np.float32]
SUFFIXES = (("any", False), ("hour_apart", True))


def frames_of(takes: Sequence[Take], frame_source: FrameSource) -> Framed:
    """Frames of every cry unit of every recording."""
    return [
        list(
            chain.from_iterable(
                frame_source.unit_frames(piece.sound, piece.units) for piece in take.pieces
            )
        )
        for take in takes
    ]


def embed_units(
    network: torch.nn.Module, framed: Framed, device: torch.device | None = None
) -> list[Vectors]:
    """Embed the cry units of recordings, one array of unit-length rows for each."""
    return [_embed_one(network, units, device or torch.device("cpu")) for units in framed]


def _embed_one(network: torch.nn.Module, units: Sequence[Frames], device: torch.device) -> Vectors:
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, frames in enumerate(units):
        by_length[len(frames)].append(index)
    rows: dict[int, Vectors] = {}
    for length, members in by_length.items():
        size = max(1, MAX_BATCH_FRAMES // length)
        for start in range(0, len(members), size):
            chosen = members[start : start + size]
            batch = np.stack([units[index] for index in chosen])
            rows |= dict(zip(chosen, _forward(network, batch, device), strict=True))
    return np.stack([rows[index] for index in range(len(units))])


def _forward(network: torch.nn.Module, batch: Frames, device: torch.device) -> Vectors:
    with torch.inference_mode():
        raw = network(torch.from_numpy(batch).to(device))[:, 0].float().cpu().numpy()
    unit: Vectors = raw / np.linalg.norm(raw, axis=1, keepdims=True).clip(min=1e-12)
    return unit


def embed_takes(
    network: torch.nn.Module, framed: Framed, device: torch.device | None = None
) -> Vectors:
    """Embed recordings: the mean of their units, shape ``(n, 192)``, rows of unit length."""
    return np.stack([recording_embedding(own) for own in embed_units(network, framed, device)])


def pair_takes(takes: Sequence[Take]) -> Pairs:
    """Pair all recordings of one kind of device; "an hour apart" includes other sessions."""
    infant = np.unique([take.infant for take in takes], return_inverse=True)[1]
    group = np.array([take.group for take in takes])
    first, second = np.triu_indices(len(takes), k=1)
    kept = group[first] == group[second]
    first, second = first[kept], second[kept]
    apart = [lie_apart(takes[a], takes[b]) for a, b in zip(first, second, strict=True)]
    same = infant[first] == infant[second]
    return Pairs(first, second, same, np.array(apart, dtype=bool), infant)


def eer_of(vectors: Vectors, pairs: Pairs) -> float | None:
    """Equal error rate over all pairs, in percent; None where there are not both kinds of them."""
    if not pairs.same.any() or pairs.same.all():
        return None
    return equal_error_rate(cosine_scores(vectors, pairs), pairs.same)


def backgrounds(takes: Sequence[Take]) -> Vectors:
    """MFCC statistics of the quietest frames of each recording, shape ``(n, 80)``."""
    joined = (np.concatenate([piece.sound.samples for piece in take.pieces]) for take in takes)
    return np.stack([background_statistics(Sound(samples, RATE_HZ)) for samples in joined])


def compare(
    takes: Sequence[Take], frozen: Vectors, finetuned: Vectors
) -> dict[str, Estimate | Absent]:
    """Compare two encoders' embeddings of the same recordings.

    Returns
    -------
    dict
        ``eer_frozen_*``, ``eer_finetuned_*`` and ``eer_background_*`` in percent; then
        ``eer_finetuned_minus_frozen_*`` and ``eer_finetuned_minus_background_*``: an interval below
        zero throughout means better.
    """
    pairs = pair_takes(takes)
    scores = {
        "frozen": cosine_scores(frozen, pairs),
        "finetuned": cosine_scores(finetuned, pairs),
        "background": whitened_scores(backgrounds(takes), pairs),
    }
    return _rates(scores, pairs) | _differences(scores, pairs)


def _rates(scores: Mapping[str, NDArray[np.float64]], pairs: Pairs) -> dict[str, Estimate | Absent]:
    return {
        f"eer_{name}_{suffix}": estimate_eer(own, pairs, hour_apart=apart)
        for name, own in scores.items()
        for suffix, apart in SUFFIXES
    }


def _differences(
    scores: Mapping[str, NDArray[np.float64]], pairs: Pairs
) -> dict[str, Estimate | Absent]:
    return {
        f"eer_finetuned_minus_{other}_{suffix}": estimate_difference(
            (scores["finetuned"], scores[other]), pairs, hour_apart=apart
        )
        for other in ("frozen", "background")
        for suffix, apart in SUFFIXES
    }
