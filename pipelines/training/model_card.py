"""Training: the finished encoder, its figures on infants it never heard, and its card.

In: a finished run. Out: weights centred on the training cries, and a card that says from what, how,
how long and how well, beside controls that any reader needs to judge it. Guaranteed: no figure is
left out because it looks bad; every figure has its count and its interval by infant.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.embed import Encoder
from pipelines.encoders.checkpoint import ARCHITECTURE, network_with, save_checkpoint
from pipelines.encoders.ecapa import build_ecapa
from pipelines.encoders.loaded import (
    LoadedEncoder,
    LogMelFrames,
    fingerprint_of,
    infant_digest,
)
from pipelines.evaluation.metrics import json_keys
from pipelines.evaluation.pairs import cosine_scores, estimate_difference
from pipelines.evaluation.room_swap import figures as room_figures
from pipelines.evaluation.room_swap import swap
from pipelines.evaluation.verify import Heard, figures, hear, pair_up
from pipelines.manifest import ManifestRow
from pipelines.segment import segment
from pipelines.training.corpus import counts, cry_rows
from pipelines.training.probes import (
    figure_of,
    raw_vectors,
    read_off,
    read_probes,
    recording_vectors,
)
from pipelines.training.split import RULE, is_held_out

if TYPE_CHECKING:
    from pipelines.training.backbone import Run

NAME = "iclas-backbone"
LAST_BIAS = "fc.conv.bias"
DATA = {
    "donateacry": "cries; ODbL 1.0 with contents under DbCL 1.0 (gveres/donateacry-corpus)",
    "speech_commands": "adult words; CC BY 4.0 (Google Speech Commands)",
    "simulated": "voices of pipelines.population, nobody's, with their traits known",
    "noise": "augmentation only, never a target; Speech Commands background noise (CC BY 4.0) "
    "and a few noises of unstated licence",
}
CHOICES = (
    "How far down the front end hears, and how strongly one crop in two rooms is held together, "
    "were chosen among four settings by one fold of the infants that training may hear, at 20,000 "
    "crops. Held-out figures were looked at for an earlier encoder of the same shape, for the "
    "choice between whitenings (none helped, none is used), and once for this one, after which "
    "nothing was changed."
)
LIMITS = (
    "Research use only; not a medical device, and no statement about an infant's health.",
    "Identity here is an app installation: usually one baby, not always.",
    "The room and the microphone tell installations apart about as well as any cry does: read "
    "eer_* only beside eer_background_* and eer_random_*.",
    "Few infants are held out: intervals are wide, and differences inside them mean nothing.",
    "Of a voice's traits pitch can be read off in part, length of the tract, jitter and "
    "breathiness hardly: acoustic channels must stand beside the embedding.",
    "Held to hear one cry alike in two rooms, it tells installations apart less well than a net "
    "that hears their rooms does.",
)

Arrays = dict[str, NDArray[Any]]


def encoder_of(arrays: Arrays, run: Run) -> Encoder:
    """Build the encoder that these weights and the run's front end make."""
    frame_source = LogMelFrames(run.front_end)
    network = network_with(arrays, run.constructor, Path(NAME))
    fingerprint = fingerprint_of(arrays, frame_source)
    return Encoder(LoadedEncoder(NAME, "", fingerprint, network, frame_source))


def centred_weights(arrays: Arrays, run: Run, rows: Sequence[ManifestRow]) -> Arrays:
    """Move the embeddings' mean over the training cries to the origin, by the last bias.

    A mean that all cries share makes every cosine high and tells nothing; it was centred under
    changed rooms during training, and this centres it on recordings as they are.
    """
    network = network_with(arrays, run.constructor, Path(NAME))
    frame_source = LogMelFrames(run.front_end)
    total, count = np.zeros(len(arrays[LAST_BIAS])), 0
    for row in rows:
        found = segment(row.file)
        for frames in frame_source.unit_frames(found.sound, found.units):
            with torch.inference_mode():
                total += network(torch.from_numpy(frames[None]))[0, 0].numpy()
            count += 1
    bias = arrays[LAST_BIAS] - total / max(count, 1)
    return {**arrays, LAST_BIAS: bias.astype(np.float32)}


def as_stored(arrays: Arrays) -> Arrays:
    """Round weights as the file stores them, so that figures are those of what is shipped."""
    return {
        name: array.astype(np.float16).astype(np.float32)
        if np.issubdtype(array.dtype, np.floating)
        else array
        for name, array in arrays.items()
    }


def finish(run: Run, data_root: Path, weights: Path) -> None:
    """Centre, measure on held-out infants, and write weights and card."""
    rows = cry_rows(data_root)
    count = Counter(row.infant for row in rows)
    out = [row for row in rows if is_held_out(row.infant, count[row.infant])]
    heard = [row for row in rows if not is_held_out(row.infant, count[row.infant])]
    arrays = as_stored(centred_weights(run.learner.finished_weights(), run, heard))
    card = {
        "name": NAME,
        "architecture": ARCHITECTURE,
        "constructor": dict(run.constructor),
        "parameters": _parameters(arrays),
        "dtype": "float16",
        "license": "research use only; trained on data under ODbL 1.0 / DbCL 1.0 and CC BY 4.0",
        "encoder_fingerprint": encoder_of(arrays, run).fingerprint,
        "embedding": "one per cry unit, unit length; a recording's is the mean of its units'",
        "front_end": run.front_end.to_card(),
        "training": _training(run),
        "held_out": {
            "rule": RULE,
            "infants": len({row.infant for row in out}),
            "recordings": len(out),
            "infants_sha256": _digest_of(sorted({row.infant for row in out})),
        },
        "heard_infants": sorted({infant_digest(row.infant) for row in heard}),
        "figures_on_held_out_infants": measured(arrays, run, out, heard),
        "limits": list(LIMITS),
    }
    save_checkpoint(weights, arrays, card)


def _training(run: Run) -> dict[str, Any]:
    return {
        "command": "python -m pipelines train-backbone DATA OUT",
        "from": "random weights, no other network",
        "data": dict(DATA),
        "counts": dict(counts(run.corpus)),
        "manifest_sha256": run.corpus.manifest_sha256,
        "recipe": {**asdict(run.recipe), "strength": asdict(run.strength)},
        "method": "two crops per identity from two recordings (more than an hour apart weighted "
        "4), or one crop in two rooms; speed copies are identities of their own; background, room, "
        "equaliser and telephone band of every crop changed; half margin softmax, half angular "
        "prototypical; the embedding is asked for pitch (as planted or tracked), length of the "
        "tract, jitter and breathiness (as planted); AdamW",
        "choices": CHOICES,
        "crops": run.progress.step * 2 * run.recipe.identities,
        "minutes": round(run.progress.elapsed_s / 60.0, 1),
        "machine": f"{os.cpu_count()} CPU cores ({platform.machine()}), shared, "
        f"{torch.get_num_threads()} thread, "
        + ("no GPU" if run.settings.device == "cpu" else torch.cuda.get_device_name()),
    }


def measured(
    arrays: Arrays, run: Run, rows: Sequence[ManifestRow], centred_on: Sequence[ManifestRow]
) -> dict[str, Any]:
    """Measure the encoder, its controls, and its paired difference to a random net.

    Parameters
    ----------
    arrays
        Weights of the encoder.
    run
        The run that made them.
    rows
        Recordings of held-out infants.
    centred_on
        Recordings that the random net is centred on, as the encoder was.

    Returns
    -------
    dict
        ``eer_*`` (the encoder), ``eer_background_*``, ``eer_mfcc_*`` and ``eer_random_*`` in
        percent; ``eer_minus_random_*`` with its interval: below zero throughout means better. Then
        the figures of :mod:`pipelines.evaluation.room_swap`, and those of the random net.
    """
    encoders = encoder_of(arrays, run), encoder_of(_random_weights(run, centred_on), run)
    trained, random = (hear(rows, encoder) for encoder in encoders)
    result: dict[str, Any] = _rooms(rows, encoders[0], "") | _rooms(rows, encoders[1], "_random")
    result |= _readings(arrays, run, "") | _readings(
        _random_weights(run, centred_on), run, "_random"
    )
    for name, figure in figures(trained).items():
        result |= json_keys(name, figure)
    for suffix in ("any", "hour_apart"):
        result |= json_keys(f"eer_random_{suffix}", figures(random)[f"eer_{suffix}"])
        result |= _difference(trained, random, suffix)
    return {**result, "same_device_only": True, "unit": "percent", "verdict": verdict(result)}


def _random_weights(run: Run, rows: Sequence[ManifestRow]) -> Arrays:
    """Weights of the same shape before any training, centred in the same way."""
    torch.manual_seed(run.recipe.seed + 1)
    network = build_ecapa(run.constructor)
    arrays = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    return centred_weights(arrays, run, rows)


def _rooms(rows: Sequence[ManifestRow], encoder: Encoder, suffix: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, figure in room_figures(swap(rows, encoder)).items():
        result |= json_keys(name + suffix, figure)
    return result


def _readings(arrays: Arrays, run: Run, suffix: str) -> dict[str, Any]:
    """Tell how much of the traits of simulated voices that nobody trained on can be read off."""
    probes = read_probes(run.front_end)
    network = network_with(arrays, run.constructor, Path(NAME))
    mean_db = np.asarray(run.front_end.global_mel_mean_db, dtype=np.float32)
    raw = raw_vectors(network, [probe.units for probe in probes], mean_db)
    vectors = recording_vectors(raw, np.zeros(raw[0].shape[1], dtype=np.float32))
    result: dict[str, Any] = {}
    for name, curve in read_off(vectors, probes).items():
        key = f"r2_{name}_simulated{suffix}"
        figure = figure_of(curve)
        result |= {key: figure["value"], f"{key}_lo": figure["lo"], f"{key}_hi": figure["hi"]}
        result[f"{key}_n"] = len(probes) // 2
    return result


def _difference(trained: Heard, random: Heard, suffix: str) -> dict[str, Any]:
    pairs = pair_up(trained)
    scores = cosine_scores(trained.embedding, pairs), cosine_scores(random.embedding, pairs)
    figure = estimate_difference(scores, pairs, hour_apart=suffix == "hour_apart")
    return json_keys(f"eer_minus_random_{suffix}", figure)


def verdict(result: Mapping[str, Any]) -> str:
    """Say in words what the hour-apart figures show."""
    high = result.get("eer_minus_random_hour_apart_hi")
    if high is None:
        return "too few held-out infants with recordings more than an hour apart to tell"
    against_random = (
        "better than a random network of the same shape"
        if high < 0.0
        else "not shown to be better than a random network of the same shape"
    )
    room = result["eer_background_hour_apart"]
    against_room = "beats" if result["eer_hour_apart"] < room else "does not beat"
    return (
        f"More than an hour apart: {against_random}; {against_room} the background alone "
        f"({result['eer_hour_apart']:.1f} against {room:.1f} percent)."
    )


def _parameters(arrays: Arrays) -> int:
    learnt = [name for name in arrays if not name.endswith(_COUNTERS)]
    return sum(arrays[name].size for name in learnt)


_COUNTERS = ("running_mean", "running_var", "num_batches_tracked")


def _digest_of(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()
