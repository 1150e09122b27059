"""Evaluation of the simulation: how like real recordings simulated ones are.

In: a manifest of real recordings. Out: for each acoustic measure the percentiles of real and of
simulated recordings side by side, and the Kolmogorov-Smirnov distance between the two with an
interval; beside it the distance between two random halves of the real infants, which is about what
chance alone makes of samples of that size, and that of plain voices of which only the pitch varies.
Guaranteed: both kinds go through the same decoding, segmentation, gate and measures, and through
the same kinds of files; intervals come from a bootstrap over infants; of no infant more than a few
recordings count. Every measure is compared by itself: that all are near does not mean that they go
together as in real cries.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import scipy.signal

from pipelines.cohort import SimulatedInfant, Since, draw_infants, plan_recordings, render
from pipelines.encode import Encoding
from pipelines.errors import ConfigError
from pipelines.evaluation.distances import Sample, Values, ks_distance, ks_halves, ks_interval
from pipelines.evaluation.profiles import MEASURES, Profile, profile_of
from pipelines.evaluation.report import console, progress, table, versions, write_json
from pipelines.manifest import ManifestRow
from pipelines.recordings import good_rows
from pipelines.sound import Sound, peak_normalise
from pipelines.synthesis import Room
from pipelines.voice import InfantVoice

PER_INFANT = 2
PERCENTILES = (5, 25, 50, 75, 95)
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAYS_AHEAD = 30
DRAWN = 4  # simulated recordings for each that is wanted, at most: the gate may not take some
SHORTEST_S = 2.0
PICTURED_S = 5.0
PICTURED_DB = 95.0
PICTURED_WINDOW = 512

Wanted = tuple[str, Encoding, float]
"""Whose a recording is, its kind of file, and its length in seconds."""


@dataclass
class Corpus:
    """Profiles of one kind, and how many recordings the gate was shown."""

    profiles: list[Profile] = field(default_factory=list)
    shown: int = 0

    def sample(self, measure: str) -> Sample:
        """Return one measure of everything."""
        names = sorted({profile.infant for profile in self.profiles})
        number = {name: index for index, name in enumerate(names)}
        pairs = [
            (value, number[profile.infant])
            for profile in self.profiles
            for value in profile.values[measure]
        ]
        values, infants = zip(*pairs, strict=True) if pairs else ((), ())
        return Sample(np.asarray(values, dtype=np.float64), np.asarray(infants, dtype=np.intp))


# --- what is compared ---------------------------------------------------------------------------


def chosen_rows(rows: Iterable[ManifestRow], infants: int | None, seed: int) -> list[ManifestRow]:
    """Choose a few recordings of each infant, all infants or so many of them.

    Raises
    ------
    ConfigError
        No infant is wanted.
    """
    if infants is not None and infants < 2:
        raise ConfigError("a comparison needs two infants or more")
    rng = np.random.default_rng(seed)
    by_infant: dict[str, list[ManifestRow]] = {}
    for row in rows:
        by_infant.setdefault(row.infant, []).append(row)
    names = list(rng.permutation(sorted(by_infant)))[:infants]
    return [row for name in names for row in _some(by_infant[str(name)], rng)]


def _some(rows: list[ManifestRow], rng: np.random.Generator) -> list[ManifestRow]:
    places = rng.permutation(len(rows))[:PER_INFANT]
    return [rows[int(place)] for place in places]


def real_corpus(rows: Sequence[ManifestRow]) -> tuple[Corpus, list[Wanted]]:
    """Measure real recordings; return also what simulated ones are to be like.

    Returns
    -------
    Corpus
        Those that the gate takes for cries.
    list
        For each of them the infant, the kind of file and its length in seconds.
    """
    corpus, wanted = Corpus(), []
    with progress() as shown:
        for row in shown.track(rows, description="real"):
            profile = profile_of(row.infant, row.file)
            corpus.shown += 1
            if profile is not None and profile.is_cry:
                corpus.profiles.append(profile)
                wanted.append((row.infant, _encoding_of(row), profile.sound.duration_s))
    if len({infant for infant, *_ in wanted}) < 2:
        raise ConfigError("fewer than two infants have a recording that the gate takes for a cry")
    return corpus, wanted


def _encoding_of(row: ManifestRow) -> Encoding:
    kinds = {"android": Encoding.AMR, "ios": Encoding.ADPCM}
    return kinds.get(row.device or "", Encoding.WAV)


def simulated_corpus(wanted: Sequence[Wanted], seed: int, *, is_plain: bool = False) -> Corpus:
    """Simulate and measure as many infants with as many recordings of the same kinds.

    Parameters
    ----------
    wanted
        From :func:`real_corpus`.
    seed
        Draws the infants.
    is_plain
        Voices of which only the pitch varies, in a plain room.
    """
    corpus = Corpus()
    groups = [list(group) for _, group in itertools.groupby(wanted, key=lambda one: one[0])]
    infants = draw_infants(len(groups), seed, tuple(group[0][1] for group in groups))
    pairs = list(zip(infants, groups, strict=True))
    with progress() as shown:
        for infant, group in shown.track(pairs, description="plain" if is_plain else "simulated"):
            recorded = _plain(infant) if is_plain else infant
            _take(corpus, recorded, [length_s for *_, length_s in group], seed)
    return corpus


def _plain(infant: SimulatedInfant) -> SimulatedInfant:
    room = Room(seed=infant.rooms[0].what.seed)
    return replace(infant, voice=InfantVoice(f0_hz=infant.voice.f0_hz), rooms=(Since(0.0, room),))


def _take(corpus: Corpus, infant: SimulatedInfant, lengths_s: Sequence[float], seed: int) -> None:
    """Add an infant's recordings, as long as asked, until so many pass the gate or are drawn."""
    planned = plan_recordings([infant], START, DAYS_AHEAD, seed)
    kept = 0
    for one in planned[: DRAWN * len(lengths_s)]:
        length_s = max(SHORTEST_S, lengths_s[kept])
        profile = profile_of(infant.key, render(replace(one, duration_s=length_s))[0])
        corpus.shown += 1
        if profile is not None and profile.is_cry:
            corpus.profiles.append(profile)
            kept += 1
        if kept == len(lengths_s):
            return


def compare(real: Corpus, simulated: Corpus, plain: Corpus, seed: int) -> dict[str, object]:
    """Compare real with simulated recordings, measure by measure.

    Returns
    -------
    dict
        For each measure (a key of its own) ``n_real``, ``n_simulated``, percentiles of both,
        ``ks`` with ``ks_lo`` and ``ks_hi``, ``ks_halves`` and ``ks_plain``; a measure that one
        side lacks is left out.
    """
    figures: dict[str, object] = {}
    for measure in MEASURES:
        left, right, flat = (corpus.sample(measure) for corpus in (real, simulated, plain))
        if not len(left.values) or not len(right.values) or not len(flat.values):
            continue
        low, high = ks_interval(left, right, seed)
        figures[measure] = {
            "n_real": len(left.values),
            "n_simulated": len(right.values),
            "real": _percentiles(left),
            "simulated": _percentiles(right),
            "ks": ks_distance(left, right),
            "ks_lo": low,
            "ks_hi": high,
            "ks_halves": ks_halves(left, seed),
            "ks_plain": ks_distance(left, flat),
        }
    return figures


def _percentiles(sample: Sample) -> dict[str, float]:
    found = np.percentile(sample.values, PERCENTILES)
    return {f"p{at}": float(value) for at, value in zip(PERCENTILES, found, strict=True)}


def run(
    manifest: Path, infants: int | None = None, seed: int = 0, png: Path | None = None
) -> dict[str, object]:
    """Compare the recordings of a manifest with a simulated cohort.

    Parameters
    ----------
    manifest
        Real recordings.
    infants
        How many infants to compare; None takes all.
    seed
        Chooses recordings, and draws the simulated infants.
    png
        Where to draw spectrograms of either kind; None draws none.

    Returns
    -------
    dict
        ``measures`` (see :func:`compare`), ``ks_mean``, ``ks_halves_mean``, ``ks_plain_mean``
        over them; ``n`` recordings and ``infants`` of the real; ``gate_pass_frac_real`` and
        ``gate_pass_frac_simulated``; ``versions``.

    Raises
    ------
    ConfigError
        The manifest cannot be used, or too little in it is taken for crying.
    OSError
        The picture cannot be written.
    """
    real, wanted = real_corpus(chosen_rows(good_rows(manifest), infants, seed))
    simulated = simulated_corpus(wanted, seed)
    plain = simulated_corpus(wanted, seed, is_plain=True)
    measures = compare(real, simulated, plain, seed)
    if png is not None:
        draw(png, real.profiles, simulated.profiles)
    means = {f"{kind}_mean": _mean(measures, kind) for kind in ("ks", "ks_halves", "ks_plain")}
    return {
        "measures": measures,
        **means,
        "n": len(real.profiles),
        "infants": len({profile.infant for profile in real.profiles}),
        "gate_pass_frac_real": len(real.profiles) / real.shown,
        "gate_pass_frac_simulated": len(simulated.profiles) / simulated.shown,
        "versions": versions(),
    }


def _mean(measures: Mapping[str, object], kind: str) -> float:
    return float(np.mean([figure[kind] for figure in _as_figures(measures).values()]))


def _as_figures(measures: object) -> dict[str, dict[str, float]]:
    return measures if isinstance(measures, dict) else {}


# --- pictures -----------------------------------------------------------------------------------


def draw(path: Path, real: Sequence[Profile], simulated: Sequence[Profile], rows: int = 4) -> None:
    """Draw spectrograms of real (left) and simulated (right) recordings on the same scale.

    Raises
    ------
    OSError
        The picture cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(18.0, 3.5 * rows), layout="constrained")
    axes = figure.subplots(rows, 2, squeeze=False, sharex=True, sharey=True)
    for column, (kind, profiles) in enumerate((("real", real), ("simulated", simulated))):
        for row, profile in enumerate(_pictured(profiles, rows)):
            levels, span = _spectrogram(profile.sound)
            axes[row][column].imshow(
                levels, origin="lower", aspect="auto", extent=span, cmap="magma"
            )
            axes[row][column].set_title(f"{kind} {row + 1}", fontsize=8)
    figure.supxlabel("seconds")
    figure.supylabel("Hz")
    figure.savefig(path, dpi=70)


def _spectrogram(sound: Sound) -> tuple[Values, tuple[float, float, float, float]]:
    """Return levels in dB under the loudest, a row for each frequency, and what they span."""
    loud = peak_normalise(sound)
    _, _, power = scipy.signal.spectrogram(
        loud.samples, loud.rate_hz, nperseg=PICTURED_WINDOW, noverlap=PICTURED_WINDOW * 3 // 4
    )
    floor = max(float(np.max(power)), 1e-20) * 10.0 ** (-PICTURED_DB / 10.0)
    levels = 10.0 * np.log10(np.maximum(power, floor) / floor) - PICTURED_DB
    return levels, (0.0, loud.duration_s, 0.0, loud.rate_hz / 2.0)


def _pictured(profiles: Sequence[Profile], most: int) -> Iterator[Profile]:
    """Yield one recording of each of so many infants, of every kind of file by turns."""
    by_rate: dict[int, dict[str, Profile]] = {}
    for profile in profiles:
        if profile.sound.duration_s >= PICTURED_S:
            by_rate.setdefault(profile.rate_hz, {}).setdefault(profile.infant, profile)
    kinds = [iter(by_rate[rate_hz].values()) for rate_hz in sorted(by_rate)]
    turns = (profile for turn in itertools.zip_longest(*kinds) for profile in turn if profile)
    return itertools.islice(turns, most)


# --- command line -------------------------------------------------------------------------------


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("manifest", type=Path, help="CSV of real recordings")
    parser.add_argument("--png", type=Path, metavar="FILE", help="draw spectrograms of both kinds")
    parser.add_argument("--infants", type=int, metavar="N", help="how many infants (default: all)")
    parser.add_argument("--seed", type=int, default=0)


def main(args: argparse.Namespace) -> int:
    """Print the table, and write the same figures as JSON where asked."""
    figures = run(args.manifest, args.infants, args.seed, args.png)
    shown = console()
    shown.print(_table(figures))
    shown.print(
        f"Mean distance {figures['ks_mean']:.2f}; halves of the real infants"
        f" {figures['ks_halves_mean']:.2f}; plain voices {figures['ks_plain_mean']:.2f}."
        f" The gate takes {100 * _number(figures, 'gate_pass_frac_real'):.0f} % of the real and"
        f" {100 * _number(figures, 'gate_pass_frac_simulated'):.0f} % of the simulated recordings"
        " for crying; only those are compared."
    )
    if args.json is not None:
        write_json(args.json, figures)
    return 0


def _number(figures: Mapping[str, object], name: str) -> float:
    value = figures[name]
    return value if isinstance(value, float) else float("nan")


def _table(figures: Mapping[str, object]) -> object:
    columns = ["measure", "of", *(f"{at} %" for at in PERCENTILES), "distance", "halves", "plain"]
    rows: list[list[object]] = []
    for measure, figure in _as_figures(figures["measures"]).items():
        rows += _rows(measure, figure)
    title = (
        f"Real and simulated recordings, {figures['n']} of {figures['infants']} infants; distance:"
        " Kolmogorov-Smirnov [95 % by infant]"
    )
    return table(title, columns, rows)


def _rows(measure: str, figure: Mapping[str, object]) -> list[list[object]]:
    spelt = f"{figure['ks']:.2f} [{figure['ks_lo']:.2f}, {figure['ks_hi']:.2f}]"
    real, simulated = (_as_figures({"": figure[kind]})[""] for kind in ("real", "simulated"))
    return [
        [
            measure,
            "real",
            *map(_short, real.values()),
            spelt,
            figure["ks_halves"],
            figure["ks_plain"],
        ],
        ["", "simulated", *map(_short, simulated.values()), "", "", ""],
    ]


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100.0 else f"{value:.3g}"
