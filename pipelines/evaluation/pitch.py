"""Evaluation of the pitch tracker on cries whose pitch is known, beside pyin and WORLD's trackers.

In: a folder of real recordings, or none. Out: how often each tracker is wrong, in quiet, under
noise at three ratios, and through a telephone's codec. Guaranteed: the pitch is known because it
was planted: real cries are put together again by a vocoder from a contour that at least two of
three trackers agreed on, and the contour it was given is the truth; simulated cries have their
truth from the simulation. Real cries are of installations that no training and no tuning heard.

A gross error is a frame, voiced in truth and called voiced by the tracker, that is off by more than
a fifth; the same definition for all. As a tracker could save itself by calling few frames voiced,
the share of voiced frames that it misses stands beside it, and the strict share, for which a missed
frame is an error too. Octave errors are those within a semitone and a half of half or double.

A wave of which every second period differs has its true period twice as long, so no tracker can be
judged by the pitch it was planted with: simulated voices come without period doubling, thus also
without the rough stretches that bring it (`simulated`), and, counted apart, with as much of either
as real ones have (`doubled`).
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.channel import Codec, coloured_noise, through_codec
from pipelines.errors import ConfigError, DecodeError
from pipelines.evaluation.metrics import INTERVAL_PERCENTILES, RESAMPLES, Estimate, json_keys
from pipelines.evaluation.report import console, progress, table, versions, write_json
from pipelines.evaluation.trackers import OURS, Tracker, trackers
from pipelines.evaluation.vocoder import on_grid, put_together, take_apart
from pipelines.manifest import ManifestRow
from pipelines.population import draw_voice
from pipelines.recordings import good_rows
from pipelines.segment import segment
from pipelines.sound import RATE_HZ, Sound, decode, peak_normalise, resample
from pipelines.synthesis import F0_STEP_S, Room, synthesise_cry
from pipelines.training.split import is_held_out

Values = NDArray[np.float64]

PIECE_S = 3.0
LEAST_VOICED_S = 0.3
GROSS_FRAC = 0.2
OCTAVE_WIDTH = 0.125  # a semitone and a half
NOISES_DB = {"20db": 20.0, "10db": 10.0, "0db": 0.0}
CLEAN, TELEPHONE = "clean", "amr"
CONDITIONS = (CLEAN, *NOISES_DB, TELEPHONE)
REAL, SIMULATED, DOUBLED = "real", "simulated", "doubled"
POOLED = (REAL, SIMULATED)
HYPERPHONIC_EVERY = 4
HYPERPHONIC_FRAC = 0.3
REAL_NOISE_FRAC = 0.6
DESCRIBED = {
    OURS: "ICLAS: autocorrelation and network",
    "swiftf0": "the network alone (SwiftF0)",
    "pyin": "librosa.pyin, 150-2000 Hz, short window",
    "pyin_default": "librosa.pyin, its own window",
    "pyworld": "DIO and StoneMask, 150-2000 Hz",
    "pyworld_default": "DIO and StoneMask, own range",
    "harvest": "Harvest, 150-2000 Hz",
}


@dataclass(frozen=True)
class Known:
    """A cry whose pitch is known: every 10 ms from the start, NaN where it is unvoiced."""

    material: str
    group: str
    sound: Sound
    f0_hz: Values


@dataclass(frozen=True)
class Tally:
    """How a tracker did on one sound, in frames."""

    material: str
    group: str
    voiced: int
    called: int
    gross: int
    octave: int
    unvoiced: int
    false: int


# --- sounds whose pitch is known ----------------------------------------------------------------


def simulated_cries(n: int, material: str = SIMULATED, seed: int = 0) -> Iterator[Known]:
    """Yield cries of simulated voices, every fourth of them with hyperphonation."""
    for number in range(n):
        rng = np.random.default_rng([1909, seed, number])
        voice = draw_voice(rng)
        if material != DOUBLED:
            voice = replace(voice, subharmonic_frac=0.0, dysphonation_frac=0.0)
        if number % HYPERPHONIC_EVERY == 0:
            high = max(voice.hyperphonation_frac, HYPERPHONIC_FRAC)
            voice = replace(voice, hyperphonation_frac=high)
        room = Room(decay_s=float(rng.uniform(0.1, 0.4)), signal_to_noise_db=60.0, seed=number)
        cry = synthesise_cry(voice, number, PIECE_S, RATE_HZ, room)
        yield Known(material, f"{material}-{number}", cry.sound, cry.f0_hz)


def real_cries(rows: Sequence[ManifestRow], n: int, seed: int = 0) -> Iterator[Known]:
    """Yield real cries put together again with a known pitch, one of an infant, n at most."""
    counted = Counter(row.infant for row in rows)
    held_out = [row for row in rows if is_held_out(row.infant, counted[row.infant])]
    taken: set[str] = set()
    for place in np.random.default_rng(seed).permutation(len(held_out)):
        row = held_out[int(place)]
        known = None if row.infant in taken else _known(row)
        if known is not None:
            taken.add(row.infant)
            yield known
        if len(taken) == n:
            return


def _known(row: ManifestRow) -> Known | None:
    try:
        heard = segment(row.file)
    except DecodeError:
        return None
    if heard.unusable is not None:
        return None
    longest = max(heard.units, key=lambda unit: unit.duration_s)
    size = int(PIECE_S * RATE_HZ)
    last = max(0, len(heard.sound.samples) - size)
    start = min(last, max(0, int((longest.onset_s - 0.2) * RATE_HZ)))
    parts = take_apart(Sound(heard.sound.samples[start : start + size].copy(), RATE_HZ))
    f0_hz = np.where(parts.f0_hz > 0.0, parts.f0_hz, np.nan)[::2]
    if np.count_nonzero(np.isfinite(f0_hz)) * F0_STEP_S < LEAST_VOICED_S:
        return None
    return Known(REAL, row.infant, put_together(parts), f0_hz)


def read_noises(folder: Path) -> list[Sound]:
    """Read every sound of a folder, in the order of their names; what is none is left out."""
    found = []
    for file in sorted(path for path in folder.iterdir() if path.is_file()):
        try:
            found.append(resample(decode(file)[0], RATE_HZ))
        except DecodeError:
            continue
    return found


# --- conditions ---------------------------------------------------------------------------------


def under(condition: str, known: Known, noises: Sequence[Sound], rng: np.random.Generator) -> Sound:
    """Return the sound as it is heard under a condition, at 16 kHz and full scale."""
    clean = peak_normalise(known.sound)
    if condition == CLEAN:
        return clean
    if condition == TELEPHONE:
        return peak_normalise(resample(through_codec(clean, Codec.AMR), RATE_HZ))
    return _noisy(known, _noise(len(clean.samples), noises, rng), NOISES_DB[condition])


def _noise(length: int, noises: Sequence[Sound], rng: np.random.Generator) -> Values:
    """Draw a real noise, or a coloured one; of real ones there may be none."""
    if noises and rng.uniform() < REAL_NOISE_FRAC:
        noise = noises[int(rng.integers(len(noises)))].samples
        start = int(rng.integers(max(1, len(noise) - length)))
        return np.resize(noise[start : start + length], length).astype(np.float64)
    coloured = coloured_noise(length / RATE_HZ + 0.1, RATE_HZ, float(rng.uniform(0.0, 6.0)), rng)
    return coloured.samples[:length].astype(np.float64)


def _noisy(known: Known, noise: Values, ratio_db: float) -> Sound:
    """Add noise at a ratio to the power of the voiced frames."""
    samples = known.sound.samples.astype(np.float64)
    voiced = np.repeat(np.isfinite(known.f0_hz), int(F0_STEP_S * RATE_HZ))[: len(samples)]
    power = float(np.mean(np.square(samples[: len(voiced)][voiced])))
    wanted = power / 10.0 ** (ratio_db / 10.0)
    noise = noise - np.mean(noise)  # what is no sound is no noise
    gain = np.sqrt(wanted / max(float(np.mean(np.square(noise))), 1e-20))
    return peak_normalise(Sound((samples + gain * noise).astype(np.float32), known.sound.rate_hz))


# --- judging ------------------------------------------------------------------------------------


def tally(known: Known, sound: Sound, tracker: Tracker) -> Tally:
    """Count a tracker's frames on one sound."""
    times_s, tracked_hz = tracker(sound.samples)
    wanted_s = np.arange(len(known.f0_hz), dtype=np.float64) * F0_STEP_S
    heard_hz = on_grid(times_s, tracked_hz, wanted_s)
    voiced = np.isfinite(known.f0_hz)
    called = heard_hz > 0.0
    ratio = heard_hz[voiced & called] / known.f0_hz[voiced & called]
    gross = np.abs(ratio - 1.0) > GROSS_FRAC
    octave = gross & (np.abs(np.abs(np.log2(ratio)) - 1.0) < OCTAVE_WIDTH)
    counts = (voiced, voiced & called, gross, octave, ~voiced, ~voiced & called)
    return Tally(known.material, known.group, *(int(np.count_nonzero(flags)) for flags in counts))


Judged = dict[tuple[str, str], list[Tally]]
"""Tallies by tracker and condition."""


def judge(
    cries: Sequence[Known], noises: Sequence[Sound], ways: Mapping[str, Tracker]
) -> tuple[Judged, dict[str, float]]:
    """Let every tracker hear every cry under every condition.

    Returns
    -------
    dict
        Tallies by tracker and condition, in the order of the cries.
    dict
        For each tracker the milliseconds of processor time for a second of sound.
    """
    judged: Judged = {(name, condition): [] for name in ways for condition in CONDITIONS}
    spent_s = dict.fromkeys(ways, 0.0)
    for tracker in ways.values():
        tracker(cries[0].sound.samples)  # compiles and loads what is compiled and loaded but once
    with progress() as shown:
        for number, known in enumerate(shown.track(cries, description="pitch")):
            rng = np.random.default_rng([7, number])
            for condition in CONDITIONS:
                sound = under(condition, known, noises, rng)
                for name, tracker in ways.items():
                    began_s = time.process_time()
                    judged[name, condition].append(tally(known, sound, tracker))
                    spent_s[name] += time.process_time() - began_s
    heard_s = len(CONDITIONS) * sum(known.sound.duration_s for known in cries)
    return judged, {name: 1_000.0 * spent / heard_s for name, spent in spent_s.items()}


SHARES = {
    "gross_error_frac": (("gross",), ("called",)),
    "strict_error_frac": (("gross", "missed"), ("voiced",)),
    "voicing_miss_frac": (("missed",), ("voiced",)),
    "octave_error_frac": (("octave",), ("called",)),
    "false_voiced_frac": (("false",), ("unvoiced",)),
}
"""What each share is a share of, in sums of the fields of a tally."""


def share(tallies: Sequence[Tally], name: str, seed: int = 0) -> Estimate:
    """Return one share over all tallies, with an interval by group.

    Raises
    ------
    ConfigError
        There is no frame to take a share of.
    """
    top, bottom = (_counts(tallies, fields) for fields in SHARES[name])
    if not bottom.sum():
        raise ConfigError(f"no frame of any cry could be counted for {name}")
    drawn = _drawn(len(top), seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        lo, hi = np.nanpercentile(
            top[drawn].sum(axis=1) / bottom[drawn].sum(axis=1), INTERVAL_PERCENTILES
        )
    return Estimate(
        float(top.sum() / bottom.sum()), float(lo), float(hi), int(bottom.sum()), len(top)
    )


def times_better(rival: Sequence[Tally], ours: Sequence[Tally], seed: int = 0) -> Estimate:
    """Return the rival's share of gross errors over ours, with an interval by group.

    A tracker without any error is taken to have made half a one.
    """
    shares = []
    drawn = _drawn(len({one.group for one in ours}), seed)
    for tallies in (rival, ours):
        top, bottom = (_counts(tallies, fields) for fields in SHARES["gross_error_frac"])
        rows = np.vstack([np.arange(len(top)), drawn])
        shares.append(
            np.maximum(top[rows].sum(axis=1), 0.5) / np.maximum(bottom[rows].sum(axis=1), 1)
        )
    ratios = shares[0] / shares[1]
    lo, hi = np.percentile(ratios[1:], INTERVAL_PERCENTILES)
    called = int(sum(one.called for one in ours))
    return Estimate(float(ratios[0]), float(lo), float(hi), called, len(drawn[0]))


def _counts(tallies: Sequence[Tally], fields: Sequence[str]) -> Values:
    """Sum fields of tallies by group, shape ``(groups,)``."""
    sums: dict[str, float] = {}
    for one in tallies:
        known = {**vars(one), "missed": one.voiced - one.called}
        sums[one.group] = sums.get(one.group, 0.0) + sum(known[name] for name in fields)
    return np.array([sums[group] for group in sorted(sums)])


def _drawn(groups: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, groups, size=(RESAMPLES, groups))


# --- command line -------------------------------------------------------------------------------


def run(
    data: Path | None = None, n: int = 24, ways: Mapping[str, Tracker] | None = None
) -> dict[str, object]:
    """Compare the trackers.

    Parameters
    ----------
    data
        Folder with ``donateacry/manifest.csv`` and ``noise/``; None: simulated cries and coloured
        noises only.
    n
        How many cries of each material, at most.
    ways
        Trackers to compare by name, the shipped one among them; None takes all there are.

    Returns
    -------
    dict
        For each condition (``clean``, ``20db``, ``10db``, ``0db``, ``amr``) the shares of
        ``SHARES`` as ``gross_error_frac_20db`` for the shipped tracker, with the tracker's name
        behind for others, and for one material alone with ``_real``, ``_simulated`` or ``_doubled``
        behind that; ``ratio_20db_pyin`` and so on: their gross errors over ours; each with ``_lo``,
        ``_hi``, ``_n`` (frames) and ``_groups``; ``cpu_ms_per_s_...``; ``n``; ``versions``.

    Raises
    ------
    ConfigError
        The folder lacks what is needed.
    """
    if n < 2:
        raise ConfigError("a comparison needs two cries of each material or more")
    cries, noises = _collected(data, n)
    judged, cost_ms = judge(cries, noises, trackers() if ways is None else ways)
    figures: dict[str, object] = {}
    for (name, condition), tallies in judged.items():
        figures |= _figures(f"{condition}{'' if name == OURS else '_' + name}", tallies)
        if name != OURS:
            pooled, own = (_of(POOLED, each) for each in (tallies, judged[OURS, condition]))
            figures |= json_keys(f"ratio_{condition}_{name}", times_better(pooled, own))
    materials = Counter(known.material for known in cries)
    return figures | {
        **{f"cpu_ms_per_s_{name}": spent for name, spent in cost_ms.items()},
        "n": len(cries),
        **{f"n_{material}": count for material, count in materials.items()},
        "real_noises": len(noises),
        "definition": "gross error: voiced in truth, called voiced, off by more than 20 %",
        "versions": versions(),
    }


def _collected(data: Path | None, n: int) -> tuple[list[Known], list[Sound]]:
    cries = [*simulated_cries(n), *simulated_cries(n, DOUBLED)]
    if data is None:
        return cries, []
    manifest, noise = data / "donateacry" / "manifest.csv", data / "noise"
    if not manifest.is_file() or not noise.is_dir():
        raise ConfigError(f"{data} holds no donateacry/manifest.csv, or no folder noise")
    return [*real_cries(good_rows(manifest), n), *cries], read_noises(noise)


def _of(materials: Sequence[str], tallies: Sequence[Tally]) -> list[Tally]:
    return [one for one in tallies if one.material in materials]


def _figures(ending: str, tallies: Sequence[Tally]) -> dict[str, object]:
    figures: dict[str, object] = {}
    for name in SHARES:
        figures |= json_keys(f"{name}_{ending}", share(_of(POOLED, tallies), name))
        for material in sorted({one.material for one in tallies}):
            own = share(_of((material,), tallies), name)
            figures |= json_keys(f"{name}_{ending}_{material}", own)
    return figures


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder with donateacry/manifest.csv and noise/ (default: simulated cries only)",
    )
    parser.add_argument("--cries", type=int, default=24, metavar="N", help="of each material")


def main(args: argparse.Namespace) -> int:
    """Print the tables, and write the same figures as JSON where asked."""
    figures = run(args.data, args.cries)
    shown = console()
    materials = [name for name in (REAL, SIMULATED, DOUBLED) if f"n_{name}" in figures]
    for material in ("", *materials):
        shown.print(_table(figures, material))
    if args.data is None:
        shown.print("Simulated cries and coloured noises only: --data DIR adds real ones.")
    if args.json is not None:
        write_json(args.json, figures)
    return 0


def _table(figures: Mapping[str, object], material: str) -> object:
    title = (
        f"Gross errors in % of frames called voiced (strict: missed frames count too),"
        f" {material or 'real and simulated' if 'n_real' in figures else material or 'simulated'}"
    )
    rows = [
        _row(figures, name, material) for name in DESCRIBED if f"cpu_ms_per_s_{name}" in figures
    ]
    return table(title, ["tracker", *CONDITIONS, "CPU ms/s"], rows)


def _row(figures: Mapping[str, object], name: str, material: str) -> list[object]:
    ending = ("" if name == OURS else f"_{name}") + (f"_{material}" if material else "")
    cells = []
    for condition in CONDITIONS:
        gross, lo, hi = (
            100.0 * _number(figures, f"gross_error_frac_{condition}{ending}{part}")
            for part in ("", "_lo", "_hi")
        )
        strict = 100.0 * _number(figures, f"strict_error_frac_{condition}{ending}")
        cells.append(f"{gross:.1f} [{lo:.1f}, {hi:.1f}] ({strict:.0f})")
    return [DESCRIBED[name], *cells, round(_number(figures, f"cpu_ms_per_s_{name}"), 1)]


def _number(figures: Mapping[str, object], name: str) -> float:
    value = figures[name]
    return float(value) if isinstance(value, int | float) else float("nan")
