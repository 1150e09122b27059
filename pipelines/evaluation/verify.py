"""Verification: telling whether two cries are the same infant's, beside what the room tells.

In: a manifest of recordings, or CryCeleb 2023 as it is published, and an encoder. Out: equal error
rates, detection costs and areas under the curve over all pairs and over pairs more than an hour
apart, each beside controls that hear only the background, plain spectra, or with a network that has
learnt nothing; with intervals by bootstrap over infants, and the paired difference to the
background. Guaranteed: only pairs of the same kind of device are compared, since the kind of device
alone tells infants apart; a figure that cannot be taken is absent, with the reason; it is told how
many of the infants the encoder has heard in training.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.embed import Encoder, load_encoder, recording_embedding
from pipelines.errors import ConfigError, DecodeError
from pipelines.evaluation import det
from pipelines.evaluation.backgrounds import background_scores, background_views
from pipelines.evaluation.metrics import Absent, Estimate, json_keys
from pipelines.evaluation.pairs import (
    METRICS,
    Pairs,
    Sampled,
    Vectors,
    cosine_scores,
    error_curve,
    estimate_eer,
    sample,
    subset,
    whitened_scores,
)
from pipelines.evaluation.report import console, table, versions, write_json
from pipelines.evaluation.trials import find_trials, join_pieces, read_trials, sessions_by_time
from pipelines.evaluation.untrained import untrained_encoder
from pipelines.frontend import mfcc_statistics
from pipelines.layouts import CorpusRow, Layout, read_corpus, recognise
from pipelines.manifest import BadRow, ManifestRow, read_manifest
from pipelines.segment import Unit, segment
from pipelines.sound import Sound
from pipelines.training.split import is_held_out

HOUR_S = 3600.0
FORMAT_VERSION = 2
SUFFIXES = {"any": False, "hour_apart": True}
MARKS = {"human_checked": "human_checked_cry", "tag_consistent": "tags_consistent"}
"""Subsets, and the columns of the manifest that mark what belongs to them."""

Flags = NDArray[np.bool_]
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Heard:
    """What the comparison needs of each recording, row by row.

    Attributes
    ----------
    infant, device
        Names, shape ``(n,)``.
    recorded_at_s
        Seconds since 1970, shape ``(n,)``; not a number where unknown.
    embedding
        Mean embedding of the recording's units, shape ``(n, 192)``.
    background
        Statistics of its quietest frames, see :mod:`pipelines.evaluation.backgrounds`, shape
        ``(n, 160)``.
    mfcc
        MFCC statistics of its units, shape ``(n, 80)``.
    unheard
        How many rows gave nothing: bad rows, undecodable, no cry units.
    random
        Embeddings of a network that has learnt nothing; None where there is none.
    file, session
        What it is called, and in which of its infant's sessions it was made, shape ``(n,)``.
    marks
        Which recordings belong to each subset that the manifest tells of.
    """

    infant: NDArray[np.str_]
    device: NDArray[np.str_]
    recorded_at_s: Scores
    embedding: Vectors
    background: Vectors
    mfcc: Vectors
    unheard: int
    random: Vectors | None = None
    file: NDArray[np.str_] | None = None
    session: NDArray[np.str_] | None = None
    marks: Mapping[str, Flags] = field(default_factory=dict)


# --- hearing ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Opened:
    """A recording that has cry units, and what is known of it."""

    row: CorpusRow
    sound: Sound
    units: tuple[Unit, ...]


def hear(
    rows: Sequence[ManifestRow], encoder: Encoder, unheard: int = 0, random: Encoder | None = None
) -> Heard:
    """Segment and embed recordings; those that give nothing are counted and left out.

    Raises
    ------
    ConfigError
        Nothing at all could be heard.
    """
    heard = _hear(_opened(rows), encoder, random)
    return replace(heard, unheard=unheard + len(rows) - len(heard.infant))


def _opened(rows: Iterable[ManifestRow]) -> Iterator[Opened]:
    for row in rows:
        try:
            found = segment(row.file)
        except DecodeError:
            continue
        if not found.unusable:
            known = CorpusRow(
                row.file,
                row.infant,
                row.recorded_at,
                session=row.extra.get("session") or None,
                device=row.device,
                extra=row.extra,
            )
            yield Opened(known, found.sound, found.units)


def _hear(opened: Iterable[Opened], encoder: Encoder, random: Encoder | None) -> Heard:
    kept: list[CorpusRow] = []
    vectors: list[tuple[Vectors, ...]] = []
    for one in opened:
        kept.append(one.row)
        vectors.append(
            (
                _embedded(one, encoder),
                background_views(one.sound),
                mfcc_statistics(one.sound, one.units),
                *([_embedded(one, random)] if random else []),
            )
        )
    if not kept:
        message = "no recording of the manifest has cry units"
        raise ConfigError(message)
    embedding, background, mfcc, *others = (np.stack(part) for part in zip(*vectors, strict=True))
    infant = np.array([row.infant for row in kept])
    recorded_at_s = np.array(
        [row.recorded_at.timestamp() if row.recorded_at else np.nan for row in kept]
    )
    return Heard(
        infant=infant,
        device=np.array([row.device or "unknown" for row in kept]),
        recorded_at_s=recorded_at_s,
        embedding=embedding,
        background=background,
        mfcc=mfcc,
        unheard=0,
        random=others[0] if others else None,
        file=np.array([row.file.as_posix() for row in kept]),
        session=_sessions(kept, infant, recorded_at_s),
        marks=_marks(kept),
    )


def _embedded(one: Opened, encoder: Encoder) -> Vectors:
    return recording_embedding(encoder.embed([(one.sound, one.units)])[0])


def _sessions(
    rows: Sequence[CorpusRow], infant: NDArray[np.str_], recorded_at_s: Scores
) -> NDArray[np.str_]:
    if all(row.session for row in rows):
        return np.array([row.session for row in rows])
    return sessions_by_time(infant, recorded_at_s)


def _marks(rows: Sequence[CorpusRow]) -> dict[str, Flags]:
    return {
        name: np.array([row.extra.get(column) == "1" for row in rows])
        for name, column in MARKS.items()
        if any(column in row.extra for row in rows)
    }


# --- pairs and scores ---------------------------------------------------------------------------


def pair_up(heard: Heard, judged: Flags | None = None) -> Pairs:
    """Pair all recordings made on the same kind of device.

    Parameters
    ----------
    heard
        What was heard.
    judged
        Which recordings may be paired, shape ``(n,)``; None means all. Controls that learn from
        other infants may learn from those that are not paired too.
    """
    first, second = np.triu_indices(len(heard.infant), k=1)
    kept = heard.device[first] == heard.device[second]
    if judged is not None:
        kept &= judged[first] & judged[second]
    return _pairs(heard, first[kept], second[kept])


def _pairs(heard: Heard, first: NDArray[np.intp], second: NDArray[np.intp]) -> Pairs:
    infant = np.unique(heard.infant, return_inverse=True)[1]
    apart_s = np.abs(heard.recorded_at_s[first] - heard.recorded_at_s[second])
    apart = apart_s > HOUR_S
    if heard.session is not None:  # sessions that are named without a time lie hours or days apart
        apart |= np.isnan(apart_s) & (heard.session[first] != heard.session[second])
    return Pairs(first, second, infant[first] == infant[second], apart, infant)


def figures(heard: Heard) -> dict[str, Estimate | Absent]:
    """Equal error rates of what was heard, over all pairs, by their published names."""
    pairs = pair_up(heard)
    scored = {
        "eer": cosine_scores(heard.embedding, pairs),
        "eer_background": background_scores(heard.background, pairs),
        "eer_mfcc": whitened_scores(heard.mfcc, pairs),
    }
    return {
        f"{name}_{suffix}": estimate_eer(scores, pairs, hour_apart=apart)
        for name, scores in scored.items()
        for suffix, apart in SUFFIXES.items()
    }


LABELS = {
    "": "embedding",
    "background": "control: background only",
    "mfcc": "control: MFCC statistics",
    "random": "control: random network",
    "chance": "control: chance",
}


def system_scores(heard: Heard, pairs: Pairs, seed: int = 0) -> dict[str, Scores]:
    """Score pairs by the embedding (its name is empty) and by each control.

    The embedding is compared as it is; what has learnt nothing is whitened on other infants, which
    shows more of what is in it.
    """
    scored = {
        "": cosine_scores(heard.embedding, pairs),
        "background": background_scores(heard.background, pairs),
        "mfcc": whitened_scores(heard.mfcc, pairs),
    }
    if heard.random is not None:
        scored["random"] = whitened_scores(heard.random, pairs)
    return scored | {"chance": np.random.default_rng(seed).random(len(pairs.first))}


def all_figures(scored: Mapping[str, Scores], pairs: Pairs) -> dict[str, object]:
    """Spell out every metric of every system, and the differences to the controls, as JSON keys."""
    result: dict[str, object] = {}
    for suffix, apart in SUFFIXES.items():
        taken = {name: sample(scores, pairs, hour_apart=apart) for name, scores in scored.items()}
        for name, sampled in taken.items():
            for metric in METRICS:
                key = "_".join(filter(None, (metric, name, suffix)))
                result |= json_keys(key, _estimated(sampled, metric))
        for name in taken:
            if name in {"background", "random"}:
                result |= _differences(taken[""], taken[name], f"{name}_{suffix}")
    return result


def _estimated(sampled: Sampled | Absent, metric: str) -> Estimate | Absent:
    return sampled if isinstance(sampled, Absent) else sampled.estimate(metric)


def _differences(one: Sampled | Absent, other: Sampled | Absent, against: str) -> dict[str, object]:
    if isinstance(one, Absent) or isinstance(other, Absent):
        absent = one if isinstance(one, Absent) else Absent("the control has no figure")
        return json_keys(f"eer_minus_{against}", absent) | {f"prob_better_than_{against}": None}
    difference = one.minus(other)
    return json_keys(f"eer_minus_{against}", difference.estimate("eer")) | {
        f"prob_better_than_{against}": difference.prob_below_zero("eer")
    }


def subset_figures(
    scored: Mapping[str, Scores], pairs: Pairs, marks: Mapping[str, Flags]
) -> dict[str, dict[str, object]]:
    """Give all figures of the pairs in which both recordings belong to a subset."""
    result = {}
    for name, marked in marks.items():
        chosen = np.flatnonzero(marked[pairs.first] & marked[pairs.second])
        own = {system: scores[chosen] for system, scores in scored.items()}
        result[name] = all_figures(own, subset(pairs, chosen))
    return result


# --- the command --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Options:
    """What is asked for besides: only unheard infants, a list of pairs, a picture."""

    held_out: bool = False
    pairs: Path | None = None
    png: Path | None = None


PLAIN = Options()


def run(
    manifest: Path, encoder_spec: str = "bundled", options: Options = PLAIN
) -> dict[str, object]:
    """Verify the infants of a manifest.

    Parameters
    ----------
    manifest
        CSV, see :func:`pipelines.manifest.read_manifest`; or a folder of CryCeleb 2023.
    encoder_spec
        See :func:`pipelines.embed.load_encoder`.
    options
        See :class:`Options`.

    Returns
    -------
    dict
        ``eer``, ``auc``, ``min_dcf01`` and ``min_dcf05`` with ``_any`` and ``_hour_apart``, for
        the controls with their name in between (``eer_background_any``); equal error rates and
        their differences in percent; all with ``_lo``, ``_hi``, ``_n`` (genuine pairs) and
        ``_groups`` (infants); ``subsets``; ``same_device_only``; and the versions used.

    Raises
    ------
    ManifestError, ConfigError
        A column is missing, a list has another form, or nothing can be heard.
    OSError
        A file cannot be read, or the picture not be written.
    """
    encoder, random = load_encoder(encoder_spec), untrained_encoder(encoder_spec)
    heard = _heard_corpus(manifest, encoder, random)
    judged = _judged(heard, encoder, options)
    told = [encoder.heard(str(name)) for name in np.unique(heard.infant[judged])]
    pairs, listed = _asked_pairs(heard, judged, options)
    scored = system_scores(heard, pairs)
    if options.png is not None:
        _draw(options.png, scored, pairs)
    return {
        **all_figures(scored, pairs),
        "subsets": subset_figures(scored, pairs, heard.marks),
        "same_device_only": options.pairs is None,
        "held_out_only": options.held_out,
        "n_recordings": int(judged.sum()),
        "n_infants": len(told),
        "n_unheard": heard.unheard,
        "n_infants_heard_in_training": told.count(True),
        "n_infants_training_unknown": told.count(None),
        **listed,
        "encoder": encoder.name,
        "encoder_fingerprint": encoder.fingerprint,
        "versions": versions(),
        "format_version": FORMAT_VERSION,
    }


def _heard_corpus(path: Path, encoder: Encoder, random: Encoder | None) -> Heard:
    if path.is_dir() and recognise(path) is Layout.CRYCELEB:
        rows = read_corpus(path, Layout.CRYCELEB)
        good = [row for row in rows if isinstance(row, CorpusRow)]
        joined = (Opened(*parts) for parts in join_pieces(good))
        bad = sum(isinstance(row, BadRow) for row in rows)
        return replace(_hear(joined, encoder, random), unheard=bad)
    listed = read_manifest(path)
    usable = [row for row in listed if isinstance(row, ManifestRow)]
    return hear(usable, encoder, len(listed) - len(usable), random)


def unheard_infants(infants: Sequence[str], encoder: Encoder) -> set[str]:
    """Return the infants that the encoder has not heard in training.

    Where its card does not say whom it heard, the rule decides that this project's training keeps
    to.

    Parameters
    ----------
    infants
        Whose each recording is.
    encoder
        Knows whom it heard.

    Raises
    ------
    ConfigError
        It has heard all of them.
    """
    count = Counter(infants)
    told = {name: encoder.heard(name) for name in count}
    unheard = {
        name
        for name, heard in told.items()
        if (is_held_out(name, count[name]) if heard is None else not heard)
    }
    if not unheard:
        message = "the encoder has heard every infant of the manifest in training"
        raise ConfigError(message)
    return unheard


def _judged(heard: Heard, encoder: Encoder, options: Options) -> Flags:
    if not options.held_out:
        return np.ones(len(heard.infant), dtype=bool)
    chosen = unheard_infants(heard.infant.tolist(), encoder)
    return np.isin(heard.infant, sorted(chosen))


def _asked_pairs(heard: Heard, judged: Flags, options: Options) -> tuple[Pairs, dict[str, object]]:
    if options.pairs is None or heard.file is None or heard.session is None:
        return pair_up(heard, judged), {}
    named = read_trials(options.pairs)
    trials = find_trials(named, heard.file, heard.infant, heard.session)
    kept = judged[trials.first] & judged[trials.second]
    if not kept.any():
        message = f"{options.pairs.name} names no pair of recordings that were heard"
        raise ConfigError(message)
    return _pairs(heard, trials.first[kept], trials.second[kept]), {
        "n_trials": int(kept.sum()),
        "n_listed": len(named),
        "n_same_session_dropped": trials.same_session,
        "n_listed_unheard": trials.unknown,
    }


def _draw(path: Path, scored: Mapping[str, Scores], pairs: Pairs) -> None:
    panels = {}
    for title, apart in (("all pairs", False), ("more than an hour apart", True)):
        kept = ~pairs.same | pairs.hour_apart if apart else np.ones(len(pairs.same), dtype=bool)
        same = pairs.same[kept]
        if same.any() and not same.all():
            panels[title] = {
                LABELS[name]: error_curve(scores[kept], same) for name, scores in scored.items()
            }
    if not panels:
        message = "without pairs of the same and of different infants there is nothing to draw"
        raise ConfigError(message)
    det.draw(path, panels)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "manifest", type=Path, help="CSV with file, infant and recorded_at; or CryCeleb's folder"
    )
    parser.add_argument("--encoder", default="bundled", help="bundled, a path, or a hub name")
    parser.add_argument(
        "--held-out", action="store_true", help="judge only infants the encoder has not heard"
    )
    parser.add_argument(
        "--pairs",
        type=Path,
        metavar="FILE",
        help="compare what a list says: id1,id2,label or CryCeleb's baby_id_B,baby_id_D,label",
    )
    parser.add_argument("--png", type=Path, metavar="FILE", help="draw both errors (DET)")


def main(args: argparse.Namespace) -> int:
    """Print the figures as tables and, with ``--json``, write them."""
    options = Options(held_out=args.held_out, pairs=args.pairs, png=args.png)
    result = run(args.manifest, args.encoder, options)
    shown = console()
    for suffix, title in (("any", "All pairs"), ("hour_apart", "More than an hour apart")):
        shown.print(_table(result, suffix, title))
    if result["subsets"]:
        shown.print(_subsets_table(result["subsets"]))
    for line in _remarks(result):
        shown.print(line, markup=False)
    if args.json is not None:
        write_json(args.json, result)
    return 0


def _table(result: Mapping[str, object], suffix: str, title: str) -> object:
    counted = _counted(result, f"eer_{suffix}")
    heading = (
        f"{title}: {result['n_recordings']} recordings of {result['n_infants']} infants,"
        f" {counted}; rates in percent [95 % by infant]"
    )
    rows = [
        [label, *(_cell(result, "_".join(filter(None, (m, name, suffix)))) for m in METRICS)]
        for name, label in LABELS.items()
        if f"{'_'.join(filter(None, ('eer', name, suffix)))}" in result
    ]
    return table(heading, ["heard", "EER", "AUC", "minDCF 0.01", "minDCF 0.05"], rows)


def _subsets_table(subsets: object) -> object:
    rows = []
    for name, result in (subsets if isinstance(subsets, dict) else {}).items():
        for suffix in SUFFIXES:
            cells = [_cell(result, f"eer{system}_{suffix}") for system in ("", "_background")]
            better = result[f"prob_better_than_background_{suffix}"]
            label = f"{name}, {suffix.replace('_', ' ')}"
            rows.append([label, _counted(result, f"eer_{suffix}"), *cells, better])
    columns = ["subset", "genuine pairs", "EER embedding", "EER background", "P(better)"]
    return table("Subsets", columns, rows)


def _counted(result: Mapping[str, object], name: str) -> str:
    return f"{result[f'{name}_n']} genuine pairs of {result.get(f'{name}_groups', 0)} infants"


def _cell(result: Mapping[str, object], name: str) -> str:
    value, lo, hi = (result.get(f"{name}{end}") for end in ("", "_lo", "_hi"))
    if value is None:
        return str(result.get(f"{name}_reason", "-"))
    digits = 1 if name.startswith("eer") else 3
    if lo is None or hi is None:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} [{lo:.{digits}f}, {hi:.{digits}f}]"


def _remarks(result: Mapping[str, object]) -> Iterator[str]:
    for suffix, words in (("any", "all pairs"), ("hour_apart", "an hour apart")):
        for control in ("background", "random"):
            chance = result.get(f"prob_better_than_{control}_{suffix}")
            if chance is not None:
                cell = _cell(result, f"eer_minus_{control}_{suffix}")
                yield f"EER minus {control}, {words}: {cell}; P(better) {chance:.2f}"
    if "n_trials" in result:
        yield (
            f"{result['n_trials']} trials of {result['n_listed']} listed pairs;"
            f" {result['n_same_session_dropped']} same-session pairs dropped;"
            f" {result['n_listed_unheard']} pairs name what was not heard"
        )
    heard, infants = result["n_infants_heard_in_training"], result["n_infants"]
    yield f"The encoder heard {heard} of these {infants} infants in training."
    if heard:
        yield "Warning: on infants heard in training the embedding flatters itself: --held-out."
    if result["n_infants_training_unknown"]:
        yield "Warning: the encoder's card does not say which infants it heard in training."
