"""Evaluate the gate: ``python -m pipelines gate MANIFEST --environment MANIFEST``.

In: recordings of infants, of whom only those held out from training count, and everyday clips
with a label each, one of them ``crying_baby``. Out: how well the cry head tells them apart across
sources and codecs, and how many human-checked cries the whole gate accepts. Guaranteed: every clip
of either kind goes through both codecs, so that a codec detector gains nothing; what the segment
stage refuses never reaches the gate and counts as no cry; n stands beside every figure.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from pipelines.channel import Codec, through_codec
from pipelines.embed import load_encoder
from pipelines.errors import ConfigError
from pipelines.evaluation import metrics, report
from pipelines.evaluation.metrics import Absent, Estimate
from pipelines.gate import GateDecision, GateInput, Usual, gate_cry, gate_features
from pipelines.heads import Heads, bundled_heads, read_heads
from pipelines.manifest import ManifestRow
from pipelines.recordings import Heard, by_infant, good_rows, hear
from pipelines.segment import find_units
from pipelines.sound import Sound, decode, peak_normalise, resample
from pipelines.training.gate_sounds import held_out_rows, is_human_checked

Shares = NDArray[np.float64]

CRYING = "crying_baby"
LAUGHING = "laughing"
MANIFEST_CRIES = "manifest"
HARD = {
    "laughter": ("laughing",),
    "coughs and other human sounds": ("coughing", "sneezing", "breathing", "snoring", "clapping"),
    "alarms, horns and bells": ("clock_alarm", "siren", "car_horn", "church_bells"),
    "cats and dogs": ("cat", "dog"),
    "farm animals": ("rooster", "hen", "pig", "cow", "sheep", "frog"),
    "birds": ("chirping_birds", "crow"),
}
"""Labels of everyday clips that are most easily taken for crying. None of them is speech."""
REFUSED_BEFORE = 0.0
"""Score of what the segment stage refuses: it lies under every probability."""
RECALL = 0.95
RAISED_SEMITONES = 12.0


@dataclass(frozen=True)
class Scored:
    """One clip on one codec: its label, the clip it is, and its cry probability."""

    label: str
    clip: str
    codec: Codec
    score: float


@dataclass(frozen=True)
class Gated:
    """One held-out recording, what the gate said of it, and of it with its pitch raised."""

    heard: Heard
    decision: GateDecision
    raised: GateDecision


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("manifest", type=Path, help="recordings of infants")
    parser.add_argument("--environment", type=Path, required=True, help="clips: file, label")
    parser.add_argument("--encoder", default="bundled")
    parser.add_argument("--heads", type=Path, help="heads other than the bundled ones")
    parser.add_argument(
        "--every-infant", action="store_true", help="also infants that training has seen"
    )
    parser.add_argument("--png", type=Path, metavar="FILE", help="draw the ROC curves")


def main(args: argparse.Namespace) -> int:
    """Evaluate, print the tables and write the figures."""
    heads = read_heads(args.heads) if args.heads else bundled_heads()
    rows = good_rows(args.manifest)
    rows = rows if args.every_infant else held_out_rows(rows)
    scored = [*environment_scores(heads, args.environment), *manifest_scores(heads, rows)]
    encoder = load_encoder(args.encoder, threads=1)
    gated = gate_in_order(heads, hear(rows, encoder), encoder.fingerprint)
    figures = figures_of(heads, scored, gated)
    figures["encoder"] = {"name": encoder.name, "fingerprint": encoder.fingerprint}
    show(report.console(), figures)
    if args.png is not None:
        draw(args.png, scored)
    if args.json is not None:
        report.write_json(args.json, figures)
    return 0


# --- cry or not ---------------------------------------------------------------------------------


def read_clips(manifest: Path) -> list[tuple[Path, str]]:
    """Read files and labels of everyday clips.

    Raises
    ------
    ConfigError
        A column is missing.
    """
    with manifest.open(newline="") as file:
        lines = list(csv.DictReader(file))
    if not lines or not {"file", "label"} <= set(lines[0]):
        message = f"{manifest} needs the columns file and label"
        raise ConfigError(message)
    return [(manifest.parent / line["file"], line["label"]) for line in lines]


def environment_scores(heads: Heads, manifest: Path) -> Iterator[Scored]:
    """Score every everyday clip on both codecs."""
    for path, label in read_clips(manifest):
        yield from _on_both(heads, decode(path)[0], label, path.name)


def manifest_scores(heads: Heads, rows: Iterable[ManifestRow]) -> Iterator[Scored]:
    """Score the human-checked recordings on both codecs."""
    for row in rows:
        if is_human_checked(row):
            yield from _on_both(heads, decode(row.file)[0], MANIFEST_CRIES, row.infant)


def _on_both(heads: Heads, sound: Sound, label: str, clip: str) -> Iterator[Scored]:
    for codec in Codec:
        score = cry_score(heads, through_codec(peak_normalise(sound), codec))
        yield Scored(label, clip, codec, score)


def cry_score(heads: Heads, sound: Sound) -> float:
    """Return the cry probability of a sound, or ``REFUSED_BEFORE`` where it has no units."""
    whole = peak_normalise(resample(sound))
    units = find_units(whole)
    return heads.cry.probability(gate_features(whole, units)) if units else REFUSED_BEFORE


def _separation(others: Sequence[Scored], cries: Sequence[Scored]) -> Estimate | Absent:
    """AUC of cries against others, its interval by whole clips (or infants)."""
    both = (others, cries)
    scores = tuple([one.score for one in part] for part in both)
    clips = tuple([one.clip for one in part] for part in both)
    return metrics.auc_by_group((scores[0], scores[1]), (clips[0], clips[1]))


def cry_figures(heads: Heads, scored: Sequence[Scored]) -> dict[str, Any]:
    """Compute the figures of the cry head from scored clips."""
    cries = [one for one in scored if one.label == CRYING]
    known = [one for one in scored if one.label == MANIFEST_CRIES]
    others = [one for one in scored if one.label not in {CRYING, MANIFEST_CRIES}]
    laughing = [one for one in others if one.label == LAUGHING]
    figures = metrics.json_keys("auc_cross_source", _separation(others, cries))
    for codec in Codec:
        name = f"auc_cross_source_{codec}"
        figures |= metrics.json_keys(name, _separation(_on(codec, others), _on(codec, cries)))
    figures |= metrics.json_keys("auc_against_laughing", _separation(laughing, cries))
    figures |= metrics.json_keys("auc_held_out_cries", _separation(others, known))
    figures |= _passing(heads, others, known, cries)
    figures["n_crying_baby_clips"] = len({one.clip for one in cries})
    figures["n_laughing_clips"] = len({one.clip for one in laughing})
    figures["hard"] = _hard(heads, others, known)
    figures["sources"] = _by_source(heads, scored)
    return figures


def _hard(heads: Heads, others: Sequence[Scored], known: Sequence[Scored]) -> list[dict[str, Any]]:
    """Shares of the hard kinds of other sounds that pass, each with its clips' number."""
    lines: list[dict[str, Any]] = []
    for kind, labels in HARD.items():
        mine = [one for one in others if one.label in labels]
        line: dict[str, Any] = {"kind": kind, "n_clips": len({one.clip for one in mine})}
        line |= metrics.json_keys("pass_frac", _pass_frac(mine, heads.cry.threshold))
        if known:
            at_recall = _pass_frac(mine, _threshold_at_recall(known))
            line |= metrics.json_keys("pass_frac_at_95_recall", at_recall)
        lines.append(line)
    return lines


def _threshold_at_recall(known: Sequence[Scored]) -> float:
    return float(np.quantile([one.score for one in known], 1.0 - RECALL))


def _on(codec: Codec, scored: Iterable[Scored]) -> list[Scored]:
    return [one for one in scored if one.codec is codec]


def _passing(
    heads: Heads, others: Sequence[Scored], known: Sequence[Scored], cries: Sequence[Scored]
) -> dict[str, Any]:
    """Shares that pass: at 95 % recall of held-out cries, and at the shipped threshold."""
    figures: dict[str, Any] = {}
    if known and others:
        passing = _pass_frac(others, _threshold_at_recall(known))
        figures |= metrics.json_keys("noncry_pass_at_95_recall", passing)
    shipped = heads.cry.threshold
    for name, part in (("noncry", others), ("held_out_cry", known), ("crying_baby", cries)):
        figures |= metrics.json_keys(f"{name}_pass_frac", _pass_frac(part, shipped))
    return figures


def _pass_frac(scored: Sequence[Scored], threshold: float) -> Estimate | Absent:
    flags = [bool(one.score >= threshold) for one in scored]
    return metrics.frac_by_group(flags, [one.clip for one in scored])


def _by_source(heads: Heads, scored: Sequence[Scored]) -> list[dict[str, Any]]:
    """Return what passes the shipped threshold by label, the most passing first."""
    labels = sorted({one.label for one in scored})
    lines = []
    for label in labels:
        mine = [one for one in scored if one.label == label]
        line: dict[str, Any] = {"source": label, "n_clips": len({one.clip for one in mine})}
        for codec in Codec:
            scores = np.array([one.score for one in _on(codec, mine)])
            line[f"pass_frac_{codec}"] = float(np.mean(scores >= heads.cry.threshold))
            line[f"n_{codec}"] = len(scores)
        lines.append(line)
    return sorted(lines, key=lambda line: -line["pass_frac_amr"] - line["pass_frac_adpcm"])


# --- the whole gate -----------------------------------------------------------------------------


def gate_in_order(heads: Heads, heard: Iterable[Any], fingerprint: str) -> list[Gated]:
    """Gate every infant's recordings in the order of time, with what was accepted before."""
    gated = []
    for recordings in by_infant(heard).values():
        usual: list[float] = []
        for one in recordings:
            given = GateInput(
                features=one.features,
                measures=one.measures,
                embeddings=one.embeddings,
                encoder=fingerprint,
                age_days=one.row.age_days,
                usual=Usual.of(usual),
            )
            decision = gate_cry(given, heads=heads)
            raised = gate_cry(with_raised_pitch(given, RAISED_SEMITONES), heads=heads)
            gated.append(Gated(one, decision, raised))
            if decision.accepted and decision.arousal is not None:
                usual.append(decision.arousal)
    return gated


def with_raised_pitch(given: GateInput, semitones: float) -> GateInput:
    """Return an input whose measured pitch is raised, all else as it was: a simulated deviation."""
    factor = 2.0 ** (semitones / 12.0)
    raised = tuple(
        {name: value * factor if name == "f0_median_hz" else value for name, value in unit.items()}
        for unit in given.measures
    )
    return GateInput(
        given.features, raised, given.embeddings, given.encoder, given.age_days, given.usual
    )


def acceptance_figures(heads: Heads, gated: Sequence[Gated]) -> dict[str, Any]:
    """Compute how many human-checked cries are accepted, in all, by age band and by device."""
    checked = [one for one in gated if is_human_checked(one.heard.row)]
    figures = metrics.json_keys("accepted_frac", _accepted([o.decision for o in checked], checked))
    raised = _accepted([o.raised for o in checked], checked)
    figures |= metrics.json_keys("accepted_frac_pitch_up_octave", raised)
    bands = heads.ranges.names
    figures["accepted_by_age"] = _split(
        checked, [bands[heads.ranges.row(one.heard.row.age_days)] for one in checked]
    )
    devices = [one.heard.row.device or "unknown" for one in checked]
    figures["accepted_by_device"] = _split(checked, devices)
    figures["refusals"] = _refusals(checked)
    return figures


def _accepted(decisions: Sequence[GateDecision], gated: Sequence[Gated]) -> Estimate | Absent:
    flags = [decision.accepted for decision in decisions]
    return metrics.frac_by_group(flags, [one.heard.row.infant for one in gated])


def _split(gated: Sequence[Gated], names: Sequence[str]) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    for name in sorted(set(names)):
        mine = [one for one, own in zip(gated, names, strict=True) if own == name]
        parts[name] = metrics.json_keys("frac", _accepted([o.decision for o in mine], mine))
    return parts


def _refusals(gated: Sequence[Gated]) -> dict[str, int]:
    """Count which part's confidence was too low; a recording may count under several."""
    counts = {"cry": sum(not one.decision.is_cry for one in gated)}
    for one in gated:
        decision = one.decision
        for part in decision.parts if decision.is_cry else ():
            if part.confidence < decision.threshold:
                counts[part.name] = counts.get(part.name, 0) + 1
    return counts


def figures_of(heads: Heads, scored: Sequence[Scored], gated: Sequence[Gated]) -> dict[str, Any]:
    """Put all figures of the command together."""
    return {
        **cry_figures(heads, scored),
        **acceptance_figures(heads, gated),
        "n": len(scored),
        "n_recordings": len(gated),
        "threshold": heads.threshold,
        "cry_threshold": heads.cry.threshold,
        "embedding_correlation_held_out": heads.embedding.correlation,
        "gate": heads.version,
        "versions": report.versions(),
    }


# --- tables -------------------------------------------------------------------------------------

_LINES = (
    ("AUC, crying_baby against other everyday sounds", "auc_cross_source"),
    ("  narrow codec (AMR, 8 kHz)", "auc_cross_source_amr"),
    ("  wide codec (ADPCM, 16 kHz)", "auc_cross_source_adpcm"),
    ("  against laughing only", "auc_against_laughing"),
    ("AUC, held-out cries against everyday sounds", "auc_held_out_cries"),
    ("everyday sounds that pass at 95 % recall", "noncry_pass_at_95_recall"),
    ("everyday sounds that pass as shipped", "noncry_pass_frac"),
    ("held-out cries that pass as shipped", "held_out_cry_pass_frac"),
    ("crying_baby that pass as shipped", "crying_baby_pass_frac"),
    ("human-checked cries accepted by the whole gate", "accepted_frac"),
    ("  the same with pitch an octave up (simulated)", "accepted_frac_pitch_up_octave"),
)


def show(console: Console, figures: Mapping[str, Any]) -> None:
    """Print the tables."""
    lines = [(words, *_cells(figures, name)) for words, name in _LINES]
    console.print(report.table("Gate", ("figure", "value", "95 %", "n"), lines))
    for title, key in (("age", "accepted_by_age"), ("device", "accepted_by_device")):
        parts = [(name, *_cells(part, "frac")) for name, part in figures[key].items()]
        console.print(report.table(f"Accepted by {title}", (title, "share", "95 %", "n"), parts))
    hard = [
        (line["kind"], line["n_clips"], *_cells(line, "pass_frac_at_95_recall"))
        for line in figures["hard"]
    ]
    title = "Hard negatives that pass at 95 % recall"
    console.print(report.table(title, ("kind", "clips", "share", "95 %", "n"), hard))
    columns = ("source", "clips", "pass on AMR", "pass on ADPCM")
    keys = ("source", "n_clips", "pass_frac_amr", "pass_frac_adpcm")
    passing = [line for line in figures["sources"] if line["pass_frac_amr"] + line[keys[3]] > 0]
    rows = [[line[key] for key in keys] for line in passing]
    console.print(report.table("Sources that pass the cry head at all", columns, rows))
    console.print(f"refused by part: {figures['refusals']}; gate {figures['gate']}", markup=False)
    console.print(
        f"n counts clips on both codecs; {figures['n_crying_baby_clips']} clips are crying_baby, "
        f"{figures['n_laughing_clips']} are laughing. No recording has a distress label.",
        markup=False,
    )


def draw(path: Path, scored: Sequence[Scored]) -> None:
    """Draw the ROC curves against all other everyday sounds as one PNG, without a display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    others = [one.score for one in scored if one.label not in {CRYING, MANIFEST_CRIES}]
    figure = Figure(figsize=(5.5, 5.0), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    for label, words in ((MANIFEST_CRIES, "held-out cries"), (CRYING, "crying_baby clips")):
        cries = [one.score for one in scored if one.label == label]
        if cries and others:
            passing, recall = roc(cries, others)
            axis.step(passing, recall, where="post", label=f"{words}, n = {len(cries)}")
    axis.axhline(RECALL, color="grey", linewidth=0.8)
    axis.set(xlim=(0.0, 1.0), ylim=(0.0, 1.01))
    axis.set(xlabel=f"everyday sounds that pass, n = {len(others)}", ylabel="cries that pass")
    axis.legend(fontsize=8, loc="lower right")
    figure.savefig(path, dpi=110)


def roc(cries: Sequence[float], others: Sequence[float]) -> tuple[Shares, Shares]:
    """Shares of others and of cries that reach each threshold, from the highest one down."""
    thresholds = np.unique([*cries, *others, np.inf])[::-1]
    reached = [np.sort(np.asarray(part, dtype=np.float64)) for part in (others, cries)]
    passing, recall = (1.0 - np.searchsorted(s, thresholds) / len(s) for s in reached)
    return passing, recall


def _cells(figures: Mapping[str, Any], name: str) -> tuple[object, object, object]:
    value, lo, hi = (figures.get(f"{name}{end}") for end in ("", "_lo", "_hi"))
    interval = "-" if lo is None or hi is None else f"{lo:.2f} to {hi:.2f}"
    return value, interval, figures.get(f"{name}_n", 0)
