"""Evaluation of the channels: how far planted shifts in real recordings move each of them.

In: a manifest of real recordings. Out: for each planted shift and each acoustic channel the mean
movement in standard deviations between recordings of one infant, and beside it the movement of the
embedding. Guaranteed: every recording is taken apart and put together again by a vocoder, the
unshifted one too, so that the vocoder's own trace is not what is found; the pitch that is shifted
is the contour of the product's tracker, short gaps bridged; units are those of the recording as it
was; intervals come from a bootstrap over installations, in which the standard
deviation is taken anew; by default only installations that no training and no tuning heard.

The standard deviation is the robust one of the differences between two unshifted recordings of an
infant, every infant with the weight of its degrees of freedom. Beside it stand the figures with the
plain pooled deviation, which a few mistracked recordings widen, and with the robust deviation
between infants. The embedding's movement is the chord from an unshifted to its shifted recording,
over the median chord between two recordings of an infant divided by the root of two.
"""

from __future__ import annotations

import argparse
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.acoustics import CHANNELS, recording_channels
from pipelines.acoustics.channels import scaled
from pipelines.embed import Encoder, load_encoder, recording_embedding
from pipelines.errors import ConfigError, DecodeError
from pipelines.evaluation.metrics import (
    INTERVAL_PERCENTILES,
    Absent,
    Estimate,
    json_keys,
)
from pipelines.evaluation.report import console, progress, table, versions, write_json
from pipelines.evaluation.vocoder import Parts, put_together, shipped_f0, take_apart
from pipelines.manifest import ManifestRow
from pipelines.recordings import good_rows
from pipelines.segment import Segmentation, Unit, cry_band, frame_levels, segment
from pipelines.sound import Sound
from pipelines.training.split import is_held_out

Values = NDArray[np.float64]

BREATH_FRAC = 0.3
JITTER_FRAC = 0.03
FORMANT_RATIO = 1.1
INTENSITY_DB = 6.0
BACKGROUND_PERCENTILE = 10.0
MAD_TO_SD = 1.4826
RESAMPLES = 500
EMBEDDING = "embedding"
TRUSTED = ("tags_consistent", "human_checked_cry")
HELD_OUT, TRAINING, EVERY = "held-out", "training", "all"


@dataclass(frozen=True)
class Shift:
    """A planted shift: what a person calls it, and the channel that it is to move."""

    words: str
    channel: str


SHIFTS = {
    "f0_plus5": Shift("pitch +5 %", "f0_log2_hz"),
    "f0_plus10": Shift("pitch +10 %", "f0_log2_hz"),
    "f0_plus20": Shift("pitch +20 %", "f0_log2_hz"),
    "formants_plus10": Shift("formants +10 %", "spectral_centroid_hz"),
    "breathiness": Shift("breath, 30 % of the way to noise", "breath_noise_db"),
    "jitter": Shift("jitter, 3 % every 5 ms", "jitter_frac"),
    "intensity": Shift("cries 6 dB louder", "intensity_over_background_db"),
}


@dataclass(frozen=True)
class Shifted:
    """One recording, unshifted under the name ``""`` and shifted under each shift's name.

    Attributes
    ----------
    infant
        Whose.
    channels
        By shift, what each channel says, on the scale on which its spread is even.
    embedding
        By shift, the embedding of the recording, shape ``(192,)``, length 1.
    """

    infant: str
    channels: Mapping[str, Mapping[str, float]]
    embedding: Mapping[str, Values]


# --- planting -----------------------------------------------------------------------------------


def chosen_rows(rows: Sequence[ManifestRow], which: str = HELD_OUT) -> list[ManifestRow]:
    """Choose the rows of the installations that are asked for and have two recordings or more.

    Left out is a row of which its manifest says that the installation's tags are inconsistent, or
    that no person has kept it as a cry.
    """
    counted = Counter(row.infant for row in rows)
    kept = [
        row
        for row in rows
        if all(row.extra.get(column, "1") == "1" for column in TRUSTED)
        and which in (EVERY, HELD_OUT if is_held_out(row.infant, counted[row.infant]) else TRAINING)
    ]
    left = Counter(row.infant for row in kept)
    return [row for row in kept if left[row.infant] > 1]


def plant(rows: Sequence[ManifestRow], encoder: Encoder | None) -> list[Shifted]:
    """Plant every shift in every recording that is of use."""
    found = []
    with progress() as shown:
        for row in shown.track(rows, description="planted"):
            heard = _heard(row)
            if heard is not None:
                found.append(_shifted(row.infant, heard, encoder))
    counted = Counter(one.infant for one in found)
    return [one for one in found if counted[one.infant] > 1]


def _heard(row: ManifestRow) -> Segmentation | None:
    try:
        heard = segment(row.file)
    except DecodeError:
        return None
    return heard if heard.unusable is None else None


def _shifted(infant: str, heard: Segmentation, encoder: Encoder | None) -> Shifted:
    parts, units = take_apart(heard.sound, shipped_f0(heard.sound)), heard.units
    sounds = {name: alter(parts, units, name) for name in ("", *SHIFTS)}
    channels = {name: _channels(sound, units) for name, sound in sounds.items()}
    if encoder is None:
        return Shifted(infant, channels, {})
    vectors = encoder.embed([(sound, units) for sound in sounds.values()])
    embedding = {
        name: recording_embedding(each).astype(np.float64)
        for name, each in zip(sounds, vectors, strict=True)
    }
    return Shifted(infant, channels, embedding)


def _channels(sound: Sound, units: Sequence[Unit]) -> dict[str, float]:
    levels = frame_levels(cry_band(sound), sound.rate_hz)
    background_dbfs = float(np.percentile(levels, BACKGROUND_PERCENTILE))
    return scaled(recording_channels(sound, units, background_dbfs))


def alter(parts: Parts, units: Sequence[Unit], name: str) -> Sound:
    """Put a recording together again with one shift planted; none of the name ``""``."""
    if name.startswith("f0_plus"):
        ratio = 1.0 + float(name.removeprefix("f0_plus")) / 100.0
        return put_together(replace(parts, f0_hz=ratio * parts.f0_hz))
    ways: dict[str, Callable[[Parts], Parts]] = {
        "formants_plus10": _with_shorter_tract,
        "breathiness": _with_breath,
        "jitter": _with_jitter,
    }
    if name in ways:
        return put_together(ways[name](parts))
    sound = put_together(parts)
    return _louder(sound, units) if name == "intensity" else sound


def _with_shorter_tract(parts: Parts) -> Parts:
    bins = np.arange(parts.envelope.shape[1], dtype=np.float64)
    log_power = np.log(parts.envelope)
    moved = np.array([np.interp(bins / FORMANT_RATIO, bins, frame) for frame in log_power])
    return replace(parts, envelope=np.exp(moved))


def _with_breath(parts: Parts) -> Parts:
    breathy = parts.aperiodicity + BREATH_FRAC * (1.0 - parts.aperiodicity)
    return replace(parts, aperiodicity=breathy)


def _with_jitter(parts: Parts) -> Parts:
    stray = np.random.default_rng(0).standard_normal(len(parts.f0_hz))
    return replace(parts, f0_hz=parts.f0_hz * (1.0 + JITTER_FRAC * np.clip(stray, -3.0, 3.0)))


def _louder(sound: Sound, units: Sequence[Unit]) -> Sound:
    gain = np.ones(len(sound.samples), dtype=np.float32)
    for unit in units:
        start, stop = (round(at_s * sound.rate_hz) for at_s in (unit.onset_s, unit.offset_s))
        gain[start:stop] = 10.0 ** (INTENSITY_DB / 20.0)
    return Sound(sound.samples * gain, sound.rate_hz)


# --- standard deviations ------------------------------------------------------------------------


@dataclass(frozen=True)
class Series:
    """One channel of unshifted recordings: values and whose they are, numbered."""

    values: Values
    infants: NDArray[np.intp]

    def pairs(self) -> tuple[Values, NDArray[np.intp], Values]:
        """Return differences between two recordings of an infant, whose, and their weights."""
        differences, owners, weights = [np.empty(0)], [np.empty(0, dtype=np.intp)], [np.empty(0)]
        for infant in np.unique(self.infants):
            own = self.values[self.infants == infant]
            places = np.triu_indices(len(own), 1)
            apart = np.abs(own[places[0]] - own[places[1]])
            differences.append(apart)
            owners.append(np.full(len(apart), infant, dtype=np.intp))
            weights.append(np.full(len(apart), 2.0 / len(own)))  # together n - 1
        return np.concatenate(differences), np.concatenate(owners), np.concatenate(weights)

    def plain_sd(self) -> float:
        """Return the pooled standard deviation within infants."""
        squares, freedom = 0.0, 0
        for infant in np.unique(self.infants):
            own = self.values[self.infants == infant]
            squares += float(np.sum(np.square(own - own.mean())))
            freedom += len(own) - 1
        return float(np.sqrt(squares / freedom)) if freedom else 0.0

    def across_sd(self) -> float:
        """Return the robust standard deviation between the medians of infants."""
        medians = [np.median(self.values[self.infants == one]) for one in np.unique(self.infants)]
        return MAD_TO_SD * float(np.median(np.abs(medians - np.median(medians))))


def weighted_median(values: Values, weights: Values) -> float:
    """Return the value at which half of the weight is reached; 0 where there is none."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    if not len(reached) or reached[-1] <= 0.0:
        return 0.0
    return float(values[order][np.searchsorted(reached, 0.5 * reached[-1])])


def robust_sd(pairs: tuple[Values, NDArray[np.intp], Values], counts: Values) -> float:
    """Return the robust deviation within infants, each counted so often, from all pairs."""
    differences, owners, weights = pairs
    return MAD_TO_SD * weighted_median(differences, weights * counts[owners]) / float(np.sqrt(2.0))


@dataclass(frozen=True)
class Movement:
    """How one shift moved one channel: in robust, plain and between-infant deviations."""

    robust: Estimate | Absent
    plain: float | None
    across: float | None


def movement(planted: Sequence[Shifted], shift: str, channel: str) -> Movement:
    """Measure how far a shift moves a channel."""
    infants = {name: number for number, name in enumerate(sorted({one.infant for one in planted}))}
    still = [one for one in planted if channel in one.channels[""]]
    series = Series(
        np.array([one.channels[""][channel] for one in still]),
        np.array([infants[one.infant] for one in still], dtype=np.intp),
    )
    both = [one for one in still if channel in one.channels[shift]]
    moved = np.array([one.channels[shift][channel] - one.channels[""][channel] for one in both])
    owners = np.array([infants[one.infant] for one in both], dtype=np.intp)
    robust = _estimate(moved, owners, series.pairs(), len(infants))
    if isinstance(robust, Absent):
        return Movement(robust, None, None)
    return Movement(robust, *(_over(moved, sd) for sd in (series.plain_sd(), series.across_sd())))


def _over(moved: Values, sd: float) -> float | None:
    return float(np.mean(moved)) / sd if sd > 0.0 else None


def _estimate(
    moved: Values,
    owners: NDArray[np.intp],
    pairs: tuple[Values, NDArray[np.intp], Values],
    infants: int,
) -> Estimate | Absent:
    """Divide the mean movement by the deviation, both of them again for each drawn cohort."""
    sd = robust_sd(pairs, np.ones(infants))
    if not len(moved) or sd <= 0.0:
        return Absent("half of all pairs of recordings do not differ, or none has this channel")
    rng, drawn = np.random.default_rng(0), []
    for _ in range(RESAMPLES):
        counts = np.bincount(rng.integers(infants, size=infants), minlength=infants).astype(float)
        own_sd, weight = robust_sd(pairs, counts), counts[owners]
        if own_sd > 0.0 and weight.sum() > 0.0:
            drawn.append(float(np.average(moved, weights=weight)) / own_sd)
    lo, hi = np.percentile(drawn, INTERVAL_PERCENTILES)
    value = float(np.mean(moved)) / sd
    return Estimate(value, float(lo), float(hi), len(moved), len(np.unique(owners)))


def embedding_movement(planted: Sequence[Shifted], shift: str) -> Estimate | Absent:
    """Measure how far a shift moves the embedding, as the module's text defines it."""
    having = [one for one in planted if one.embedding]
    names = {name: number for number, name in enumerate(sorted({one.infant for one in having}))}
    owners = np.array([names[one.infant] for one in having], dtype=np.intp)
    moved = np.array([np.linalg.norm(one.embedding[shift] - one.embedding[""]) for one in having])
    apart, whose, weights = [], [], []
    for one, other in itertools.combinations(having, 2):
        if one.infant == other.infant:
            apart.append(float(np.linalg.norm(one.embedding[""] - other.embedding[""])))
            whose.append(names[one.infant])
            weights.append(2.0 / sum(each.infant == one.infant for each in having))
    pairs = (np.array(apart) / MAD_TO_SD, np.array(whose, dtype=np.intp), np.array(weights))
    return _estimate(moved, owners, pairs, len(names))


# --- command line -------------------------------------------------------------------------------


def run(
    manifest: Path, encoder_spec: str | None = None, which: str = HELD_OUT, most: int | None = None
) -> dict[str, object]:
    """Plant shifts in a manifest's recordings, and measure how far they move the channels.

    Parameters
    ----------
    manifest
        Real recordings.
    encoder_spec
        See :func:`pipelines.embed.load_encoder`; None leaves the embedding out.
    which
        ``held-out``, ``training`` or ``all`` installations.
    most
        How many recordings at most, spread over all; None takes them all.

    Returns
    -------
    dict
        ``shift_sd_f0_plus10`` and so on for the channel that a shift is to move, and
        ``shift_sd_f0_plus10_<channel>`` for each channel and for ``embedding``, with ``_lo``,
        ``_hi``, ``_n`` (recordings) and ``_groups`` (installations); the same as
        ``shift_plain_sd_...`` and ``shift_across_sd_...``, without intervals; ``n``;
        ``installations``; ``versions``.

    Raises
    ------
    ConfigError
        Too few recordings can be taken.
    """
    rows = chosen_rows(good_rows(manifest), which)
    encoder = None if encoder_spec is None else load_encoder(encoder_spec)
    planted = plant(_spread(rows, most), encoder)
    if len({one.infant for one in planted}) < 2:
        raise ConfigError("fewer than two installations have two recordings that can be taken")
    figures: dict[str, object] = {}
    for shift, told in SHIFTS.items():
        figures |= json_keys(f"shift_sd_{shift}", movement(planted, shift, told.channel).robust)
        for channel, found in _movements(planted, shift):
            figures |= json_keys(f"shift_sd_{shift}_{channel}", found.robust)
            figures[f"shift_plain_sd_{shift}_{channel}"] = found.plain
            figures[f"shift_across_sd_{shift}_{channel}"] = found.across
    return figures | {
        "n": len(planted),
        "infants": len({one.infant for one in planted}),
        "installations": which,
        "encoder": None if encoder is None else encoder.name,
        "versions": versions(),
    }


def _spread(rows: list[ManifestRow], most: int | None) -> list[ManifestRow]:
    """Take whole installations, from the first on, until there are so many recordings."""
    if most is None:
        return rows
    counted, taken, kept = Counter(row.infant for row in rows), 0, set()
    for infant, count in counted.items():
        if taken + count <= most:
            kept.add(infant)
            taken += count
    return [row for row in rows if row.infant in kept]


def _movements(planted: Sequence[Shifted], shift: str) -> Iterator[tuple[str, Movement]]:
    for channel in CHANNELS:
        yield channel.name, movement(planted, shift, channel.name)
    yield EMBEDDING, Movement(embedding_movement(planted, shift), None, None)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("manifest", type=Path, help="CSV of real recordings")
    parser.add_argument("--encoder", metavar="NAME", help="show its movement too: bundled, or path")
    parser.add_argument(
        "--installations", choices=[HELD_OUT, TRAINING, EVERY], default=HELD_OUT, help="which"
    )
    parser.add_argument("--recordings", type=int, metavar="N", help="at most (default: all)")


def main(args: argparse.Namespace) -> int:
    """Print the tables, and write the same figures as JSON where asked."""
    figures = run(args.manifest, args.encoder, args.installations, args.recordings)
    shown = console()
    shown.print(_main_table(figures))
    shown.print(_whole_table(figures))
    if args.json is not None:
        write_json(args.json, figures)
    return 0


def _main_table(figures: Mapping[str, object]) -> object:
    title = (
        f"Planted shifts in {figures['n']} recordings of {figures['infants']} installations"
        f" ({figures['installations']}): mean movement in standard deviations between recordings"
    )
    columns = ["shift", "channel", "within infants", "95 %", "plain", "between", EMBEDDING]
    return table(title, columns, [_main_row(figures, name) for name in SHIFTS])


def _main_row(figures: Mapping[str, object], name: str) -> list[object]:
    channel = SHIFTS[name].channel
    interval = " to ".join(_cell(figures.get(f"shift_sd_{name}_{end}")) for end in ("lo", "hi"))
    return [
        SHIFTS[name].words,
        channel,
        _cell(figures[f"shift_sd_{name}"]),
        interval,
        _cell(figures[f"shift_plain_sd_{name}_{channel}"]),
        _cell(figures[f"shift_across_sd_{name}_{channel}"]),
        _cell(figures[f"shift_sd_{name}_{EMBEDDING}"]),
    ]


def _whole_table(figures: Mapping[str, object]) -> object:
    names = [channel.name for channel in CHANNELS]
    rows = [
        [name, *(_cell(figures[f"shift_sd_{shift}_{name}"]) for shift in SHIFTS)] for name in names
    ]
    return table("Every channel under every shift", ["channel", *SHIFTS], rows)


def _cell(value: object) -> str:
    return f"{value:+.2f}" if isinstance(value, float) else "-"
