"""Train the gate: ``python -m pipelines train-gate DATA`` writes its heads, ranges and card.

In: a folder with ``donateacry/``, ``speech_commands/`` and ``noise/``, and the encoder that the
embedding's part shall belong to. Out: ``weights/gate.safetensors`` with its card ``gate.json``.
Guaranteed: deterministic by seed; no recording of an infant that
:mod:`pipelines.training.split` holds out is fitted on; sounds of ``noise/`` are mixed in and never
a class of their own; nothing of ``environment/`` is read.

There are no labels of distress. What is fitted is cry against other sounds, an index of acoustic
measures, a head from embeddings to that index, and usual ranges by age.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from pipelines.channel import Codec
from pipelines.embed import load_encoder
from pipelines.gate import GateInput, GateSettings, Usual, gate_cry, gate_features
from pipelines.heads import (
    BUNDLED,
    TRAITS,
    AgeRanges,
    ArousalScale,
    EmbeddingHead,
    Heads,
    Traits,
    read_heads,
    summarise,
    write_heads,
)
from pipelines.manifest import ManifestRow
from pipelines.recordings import Heard, by_infant, good_rows, hear
from pipelines.segment import find_units
from pipelines.sound import Sound, peak_normalise, resample
from pipelines.training import gate_fit as fit
from pipelines.training.gate_sounds import (
    Example,
    Raw,
    adult_speech,
    cries,
    hard_sounds,
    held_out_rows,
    is_human_checked,
    not_cry_intervals,
    on_channel,
    read_noises,
    synthetic_sounds,
    training_rows,
)
from pipelines.training.split import RULE

ADULT_CLIPS = 300
SYNTHETIC_CLIPS = 240
HARD_CLIPS = 50  # of every kind
COPIES = {"cry": (2, 4), "not_cry": (2, 4)}
"""Copies on (narrow, wide) codec, each with its own room and noise; fewer cries are wide-band."""
CRY_PASS_FRAC = 0.95
ACCEPTED_FRAC = 0.88
LICENSE = "research use only; trained on data under ODbL 1.0 / DbCL 1.0 and CC BY 4.0"
SETS = {
    "donateacry": "Donate-a-Cry corpus, ODbL 1.0 with DbCL 1.0 contents; intervals MIT",
    "speech_commands": "Google Speech Commands, CC BY 4.0",
    "noise": "Speech Commands background noise, CC BY 4.0, and others of unstated licence: mixed "
    "in as augmentation only",
}


@dataclass(frozen=True)
class Fitted:
    """Heads and what is to be said of them."""

    heads: Heads
    facts: dict[str, Any]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("data", type=Path, help="folder with donateacry, speech_commands, noise")
    parser.add_argument("--encoder", default="bundled", help="whose embeddings to fit a head on")
    parser.add_argument("--out", type=Path, default=BUNDLED, help="artefact to write")
    parser.add_argument("--seed", type=int, default=0)


def main(args: argparse.Namespace) -> int:
    """Train, write the artefact and its card, and print what was reached."""
    card = train(args.data, args.encoder, args.out, args.seed)
    text = json.dumps(card, indent=1) + "\n"
    args.out.with_suffix(".json").write_text(text)
    if args.json is not None:
        args.json.write_text(text)
    Console().print_json(text)
    return 0


def train(data: Path, encoder_spec: str, out: Path, seed: int) -> dict[str, Any]:
    """Train the gate and write its artefact.

    Parameters
    ----------
    data
        Folder with ``donateacry/manifest.csv``, ``donateacry/cry_intervals.csv``,
        ``speech_commands/manifest.csv`` and ``noise/``.
    encoder_spec
        As :func:`pipelines.embed.load_encoder` takes it.
    out
        Where the artefact goes.
    seed
        Seed of all chance.

    Returns
    -------
    dict
        The card.
    """
    rows = good_rows(data / "donateacry" / "manifest.csv")
    encoder = load_encoder(encoder_spec, threads=1)
    examples = cry_set(data, training_rows(rows), seed)
    heard = [h for h in hear(rows, encoder) if isinstance(h, Heard)]
    held_out = {row.file for row in held_out_rows(rows)}
    seen = [h for h in heard if h.row.file not in held_out]
    unseen = [h for h in heard if h.row.file in held_out]
    fitted = fit_heads(examples, seen, unseen, encoder.fingerprint)
    facts = fitted.facts | {"encoder": encoder.name, "seed": seed}
    write_heads(out, fitted.heads, facts)
    return card(read_heads(out), facts)


def card(heads: Heads, facts: dict[str, Any]) -> dict[str, Any]:
    """Describe an artefact for people: what it is, of what it was made, and what it is not."""
    return {
        "name": "gate",
        "version": heads.version,
        "what": "cry head by likeness to training sounds, usual ranges of acoustic traits by age, "
        "and a ridge head from embeddings to an acoustic arousal index",
        "what_it_is_not": "no recording had a distress label: arousal is an index of acoustic "
        "measures, and the embedding's head was fitted to that index; research use, no medical "
        "device",
        "license": LICENSE,
        "training_sets": SETS,
        "split": RULE,
        "encoder_fingerprint": heads.embedding.encoder,
        "threshold": heads.threshold,
        "cry_threshold": heads.cry.threshold,
        "traits": [trait.measure for trait in TRAITS],
        "versions": {name: version(name) for name in ("numpy", "scipy", "scikit-learn")},
        **facts,
    }


# --- cry head -----------------------------------------------------------------------------------


def cry_set(data: Path, rows: Sequence[ManifestRow], seed: int) -> fit.CrySet:
    """Build the examples of the cry head from the recordings of training infants.

    Examples in which the segment stage finds no unit are left out: they never reach the gate.
    """
    rng = np.random.default_rng(seed)
    kept = [
        (example, features)
        for example in _examples(data, rows, rng)
        if (features := features_of(example.sound)) is not None
    ]
    return fit.CrySet(
        features=np.array([features for _, features in kept]),
        is_cry=np.array([example.raw.is_cry for example, _ in kept]),
        source=np.array([example.raw.source for example, _ in kept]),
        group=np.array([example.raw.group for example, _ in kept]),
        codec=np.array([example.codec.value for example, _ in kept]),
    )


def _examples(
    data: Path, rows: Sequence[ManifestRow], rng: np.random.Generator
) -> Iterator[Example]:
    noises = read_noises(data / "noise")
    raws = chain(
        cries(rows),
        not_cry_intervals(rows, data / "donateacry" / "cry_intervals.csv"),
        adult_speech(data / "speech_commands" / "manifest.csv", ADULT_CLIPS, rng),
        synthetic_sounds(SYNTHETIC_CLIPS, rng),
        hard_sounds(HARD_CLIPS, rng),
    )
    for raw in raws:
        for codec in _paths(raw):
            yield on_channel(raw, codec, noises, rng)


def _paths(raw: Raw) -> list[Codec]:
    """List the codecs of each copy; what was recorded at 8 kHz cannot take the wide one."""
    narrow, wide = COPIES.get(raw.source, (1, 1))
    can_be_wide = raw.sound.rate_hz >= 16_000
    return [Codec.AMR] * narrow + [Codec.ADPCM] * (wide if can_be_wide else 0)


def features_of(sound: Sound) -> NDArray[np.float32] | None:
    """Return the gate's features of a sound at any rate, or None where it has no units."""
    whole = peak_normalise(resample(sound))
    units = find_units(whole)
    return gate_features(whole, units) if units else None


# --- all heads ----------------------------------------------------------------------------------


def fit_heads(
    examples: fit.CrySet, seen: Sequence[Heard], unseen: Sequence[Heard], fingerprint: str
) -> Fitted:
    """Fit every part.

    Parameters
    ----------
    examples
        Cries and other sounds.
    seen, unseen
        Recordings of training and of held-out infants; the latter are only counted on.
    fingerprint
        Encoder of the recordings' embeddings.
    """
    penalty, unseen_sources = fit.choose_penalty(examples)
    cry = replace(fit.fit_cry_head(examples, penalty), threshold=_cry_threshold(examples, penalty))
    passing = [h for h in seen if cry.probability(h.features) >= cry.threshold]
    checked = [h for h in seen if is_human_checked(h.row)]
    ranges, arousal = fit_usual(checked)
    embedding, facts = fit_embedding(arousal, passing, fingerprint)
    correlation = _correlation(embedding, arousal, unseen)
    embedding = replace(embedding, correlation=correlation)
    heads = Heads(cry, embedding, ranges, arousal, threshold=0.0)
    heads = replace(heads, threshold=_accepting_threshold(heads, seen))
    ages = Counter(h.row.age_days for h in checked)
    facts |= {
        "examples": dict(
            Counter(f"{s}/{c}" for s, c in zip(examples.source, examples.codec, strict=True))
        ),
        "cry_penalty": penalty,
        "cry_auc_on_unseen_source": unseen_sources,
        "embedding_correlation_held_out": correlation,
        "n_usual_recordings": len(checked),
        "n_usual_infants": len({h.row.infant for h in checked}),
        "n_usual_by_age_days": {str(age): n for age, n in ages.items()},
        "n_held_out_recordings": len(unseen),
    }
    return Fitted(heads, facts)


def _cry_threshold(examples: fit.CrySet, penalty: float) -> float:
    """Probability that nearly all cries reach with a head that has not met their infant."""
    unseen = fit.unseen_probabilities(examples, penalty)
    return float(np.quantile(unseen[examples.is_cry], 1.0 - CRY_PASS_FRAC))


def fit_usual(checked: Sequence[Heard]) -> tuple[AgeRanges, ArousalScale]:
    """Fit usual ranges and the arousal's scale on what a person heard to be crying."""
    traits = [summarise(h.measures) for h in checked]
    values = fit.trait_matrix(traits)
    centre, spread = fit.centre_and_spread(values, fit.least_spreads())
    scale = ArousalScale(centre.astype(np.float32), spread.astype(np.float32))
    arousal = _arousals(scale, traits)
    no_pitch_frac = float((1 + np.isnan(arousal).sum()) / (len(checked) + 1))
    ages = [h.row.age_days for h in checked]
    return fit.fit_ranges(np.column_stack([values, arousal]), ages, no_pitch_frac), scale


def fit_embedding(
    scale: ArousalScale, passing: Sequence[Heard], fingerprint: str
) -> tuple[EmbeddingHead, dict[str, Any]]:
    """Fit the head from embeddings to arousal on all recordings that the cry head passes."""
    arousal = _arousals(scale, [summarise(h.measures) for h in passing])
    voiced = [h for h, index in zip(passing, arousal, strict=True) if np.isfinite(index)]
    head, ridge = fit.fit_embedding_head(
        fit.directions([h.embeddings for h in voiced]),
        arousal[np.isfinite(arousal)],
        np.array([h.row.infant for h in voiced]),
        np.array([is_human_checked(h.row) for h in voiced]),
        fingerprint,
    )
    facts = {
        "embedding_ridge": ridge,
        "embedding_correlation_cross_fitted": head.correlation,
        "n_embedding_recordings": len(voiced),
        "n_embedding_infants": len({h.row.infant for h in voiced}),
    }
    return head, facts


def _arousals(scale: ArousalScale, traits: Sequence[Traits]) -> NDArray[np.float64]:
    """Arousal indices; NaN inside where one cannot be taken."""
    found = [scale.index(t) for t in traits]
    return np.array([np.nan if a is None else a for a in found])


def _correlation(head: EmbeddingHead, scale: ArousalScale, heard: Sequence[Heard]) -> float:
    """Correlation of what the embedding's head says with the index, on infants it never met."""
    pairs = [
        (head.predict(h.embeddings), arousal)
        for h in heard
        if (arousal := scale.index(summarise(h.measures))) is not None
    ]
    said, index = np.array(pairs).T
    return float(np.corrcoef(said, index)[0, 1])


def gate_input(heard: Heard, encoder: str, usual: Sequence[float]) -> GateInput:
    """Give the gate what the product would have stored of a recording."""
    return GateInput(
        features=heard.features,
        measures=heard.measures,
        embeddings=heard.embeddings,
        encoder=encoder,
        age_days=heard.row.age_days,
        usual=Usual.of(usual),
    )


def _accepting_threshold(heads: Heads, seen: Sequence[Heard]) -> float:
    """Confidence that the wanted share of human-checked training cries reaches, with history.

    What the cry head refuses counts as refused, so that the share is that of the whole gate.
    """
    open_gate = GateSettings(threshold=0.0)
    reached = []
    for recordings in by_infant(seen).values():
        usual: list[float] = []
        for heard in recordings:
            given = gate_input(heard, heads.embedding.encoder, usual)
            decision = gate_cry(given, open_gate, heads)
            if decision.accepted and decision.arousal is not None:
                usual.append(decision.arousal)
            if is_human_checked(heard.row):
                reached.append(decision.confidence if decision.is_cry else -1.0)
    return max(0.0, float(np.quantile(reached, 1.0 - ACCEPTED_FRAC)))
