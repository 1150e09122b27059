"""Simulate: a cohort of simulated infants as a folder of files with a manifest and the truth.

In: a folder, how many infants and days, a seed, and what is to deviate. Out: in the folder
``audio/`` with a file for each recording, as its device uploads it; ``truth.jsonl``; and last of
all ``manifest.csv``, which every command that takes recordings reads. Guaranteed: the same
arguments give the same bytes; files appear whole or not at all; a run that was interrupted is
continued by running it again, and a folder that holds another cohort is refused.

``truth.jsonl`` holds one JSON object a line. The first tells of the cohort: ``arguments``, and
``infants`` with each one's ``key``, ``age_days``, ``voice``, ``rooms``, ``microphones``, ``growth``
and planted ``deviations`` (``parameter``, ``amount``, ``onset_day``, ``ramp_days``, ``end_day``).
Each further line tells of one recording, in the order of time: ``file``, ``bytes``, ``infant``,
``recorded_at``, ``day``, ``session``, ``age_days``, ``device``, ``room`` (its seed), ``units``
(onset and offset in seconds), ``f0_median_hz``, ``active`` (deviations with the ``strength`` that
they have then, 0 to 1), ``day_effect`` and ``recording_effect``.

A deviation is written ``[INFANT:]PARAMETER=AMOUNT@DAY[+RAMP][-END]``: ``f0=+0.2@21`` raises the
pitch of all infants by a fifth from day 21 on, ``sim-0001:intensity=-6@10+14-40`` lowers the
loudness of one by 6 dB, little by little over 14 days from day 10, until day 40.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import datetime as dt
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from pipelines.cohort import (
    Deviation,
    Encoding,
    Parameter,
    PlannedRecording,
    SimulatedInfant,
    draw_infants,
    plan_recordings,
    render,
)
from pipelines.errors import ConfigError
from pipelines.evaluation.report import progress, versions, write_json
from pipelines.synthesis import SyntheticCry

AUDIO = "audio"
TRUTH = "truth.jsonl"
MANIFEST = "manifest.csv"
COLUMNS = ("file", "infant", "recorded_at", "device", "age_band", "age_days", "session")
MIXED = "mixed"
DEFAULT_START = "2026-01-01T00:00:00+00:00"
LONGEST_S = 120.0
AGE_BANDS = (
    (28.0, "0-4 weeks"),
    (56.0, "4-8 weeks"),
    (213.0, "2-6 months"),
    (730.5, "7 months-2 years"),
    (float("inf"), "over 2 years"),
)
_NUMBER = r"\d+(?:\.\d+)?"
_SHIFT = re.compile(
    rf"(?:(?P<infant>[\w.-]+):)?(?P<parameter>[a-z0-9]+)=(?P<amount>[+-]?{_NUMBER})"
    rf"@(?P<onset>{_NUMBER})(?:\+(?P<ramp>{_NUMBER}))?(?:-(?P<end>{_NUMBER}))?"
)


@dataclass(frozen=True)
class Wish:
    """What is to be simulated."""

    infants: int = 4
    days: int = 28
    seed: int = 0
    start: str = DEFAULT_START
    duration_s: float = 7.0
    codec: str = Encoding.WAV.value
    shifts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """What a run did: recordings of the cohort, those made now, and their bytes."""

    recordings: int
    made: int
    size: int


def parse_shift(text: str) -> tuple[str | None, Deviation]:
    """Read a planted deviation.

    Parameters
    ----------
    text
        ``[INFANT:]PARAMETER=AMOUNT@DAY[+RAMP][-END]``.

    Returns
    -------
    str or None
        The infant; None stands for all.
    Deviation
        What is planted.

    Raises
    ------
    ConfigError
        The text has another form, or no voice could deviate so.
    """
    match = _SHIFT.fullmatch(text)
    names = ", ".join(Parameter)
    if match is None or match["parameter"] not in list(Parameter):
        raise ConfigError(
            f"--shift {text!r} is not [INFANT:]PARAMETER=AMOUNT@DAY[+RAMP][-END]"
            f" with a parameter out of {names}"
        )
    return match["infant"], Deviation(
        parameter=Parameter(match["parameter"]),
        amount=float(match["amount"]),
        onset_day=float(match["onset"]),
        ramp_days=float(match["ramp"] or 0.0),
        end_day=float(match["end"]) if match["end"] else None,
    )


def wished_infants(wish: Wish) -> list[SimulatedInfant]:
    """Draw the infants of a wish, with what is planted in them.

    Raises
    ------
    ConfigError
        A number, a deviation or an infant's name that cannot be used.
    """
    if wish.infants < 1 or wish.days < 1:
        raise ConfigError("a cohort has one infant or more, and one day or more")
    if wish.seed < 0:
        raise ConfigError("a seed is 0 or more")
    if not 1.0 <= wish.duration_s <= LONGEST_S:
        raise ConfigError(f"recordings last 1 to {LONGEST_S:.0f} s, not {wish.duration_s:g}")
    shifts = [parse_shift(text) for text in wish.shifts]
    encodings = tuple(Encoding) if wish.codec == MIXED else (Encoding(wish.codec),)
    infants = draw_infants(wish.infants, wish.seed, encodings)
    _check_names({name for name, _ in shifts if name is not None}, infants)
    return [
        dataclasses.replace(
            infant,
            duration_s=wish.duration_s,
            deviations=tuple(one for name, one in shifts if name in (None, infant.key)),
        )
        for infant in infants
    ]


def _check_names(named: set[str], infants: Sequence[SimulatedInfant]) -> None:
    unknown = sorted(named - {infant.key for infant in infants})
    if unknown:
        raise ConfigError(
            f"--shift names {unknown[0]}, and the infants are {infants[0].key} to {infants[-1].key}"
        )


def _start(wish: Wish) -> dt.datetime:
    try:
        start = dt.datetime.fromisoformat(wish.start)
    except ValueError as error:
        raise ConfigError(f"--start {wish.start!r} is no ISO 8601 time") from error
    if start.utcoffset() is None:
        raise ConfigError(f"--start {wish.start!r} has no offset from UTC")
    return start


# --- writing ------------------------------------------------------------------------------------


def simulate(folder: Path, wish: Wish) -> Made:
    """Write a cohort, or what is still missing of it.

    Parameters
    ----------
    folder
        Where; made if it is not there.
    wish
        What.

    Raises
    ------
    ConfigError
        A wish that cannot be fulfilled, or the folder holds another cohort.
    OSError
        The folder cannot be written, or the disk is full.
    """
    infants = wished_infants(wish)
    planned = plan_recordings(infants, _start(wish), wish.days, wish.seed)
    (folder / AUDIO).mkdir(parents=True, exist_ok=True)
    truths = _Truths(folder / TRUTH, _of_cohort(wish, infants))
    made = 0
    with progress() as shown:
        for one in shown.track(planned, description="recordings"):
            if not truths.is_complete(folder, one):
                _make(folder, one, truths)
                made += 1
    _write_whole(folder / MANIFEST, _manifest(planned).encode())
    return Made(len(planned), made, truths.size)


def _make(folder: Path, planned: PlannedRecording, truths: _Truths) -> None:
    content, cry = render(planned)
    _write_whole(folder / file_of(planned), content)
    truths.add(_of_recording(planned, cry, len(content)))


def file_of(planned: PlannedRecording) -> str:
    """Return where a recording's file lies, relative to the cohort's folder."""
    return f"{AUDIO}/{planned.file_name}"


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name first, so that it appears whole or not at all."""
    draft = path.with_name(f".{path.name}.tmp")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


class _Truths:
    """The file of truths, which also tells what has been made already."""

    def __init__(self, path: Path, of_cohort: Mapping[str, Any]) -> None:
        self.path = path
        self.sizes: dict[str, int] = {}
        lines = list(_whole_lines(path))
        first = json.loads(json.dumps(of_cohort))
        if lines and lines[0] != first:
            raise ConfigError(
                f"{path.parent} holds another cohort; choose another folder, or the same arguments"
            )
        for line in lines[1:]:
            self.sizes[line["file"]] = line["bytes"]
        whole = "".join(f"{json.dumps(line)}\n" for line in lines or [first])
        _write_whole(path, whole.encode())

    @property
    def size(self) -> int:
        """Bytes of all recordings."""
        return sum(self.sizes.values())

    def is_complete(self, folder: Path, planned: PlannedRecording) -> bool:
        """Say whether a recording's file is there as it was written."""
        name = file_of(planned)
        file = folder / name
        return name in self.sizes and file.is_file() and file.stat().st_size == self.sizes[name]

    def add(self, truth: Mapping[str, Any]) -> None:
        """Add the truth of a recording, once."""
        if truth["file"] not in self.sizes:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(truth)}\n")
        self.sizes[truth["file"]] = truth["bytes"]


def _whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the truths that were written whole; an interrupted run leaves at most one in part."""
    if not path.exists():
        return
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            told = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            told = None
        if not isinstance(told, dict):
            return
        yield told


def _of_cohort(wish: Wish, infants: Sequence[SimulatedInfant]) -> dict[str, Any]:
    return {
        "arguments": dataclasses.asdict(wish),
        "infants": [dataclasses.asdict(infant) for infant in infants],
    }


def _of_recording(planned: PlannedRecording, cry: SyntheticCry, size: int) -> dict[str, Any]:
    return {
        "file": file_of(planned),
        "bytes": size,
        "infant": planned.infant,
        "recorded_at": planned.recorded_at.isoformat(),
        "day": planned.day,
        "session": planned.session,
        "age_days": planned.age_days,
        "device": planned.device,
        "room": planned.room.seed,
        "units": [[unit.onset_s, unit.offset_s] for unit in cry.units],
        "f0_median_hz": float(np.nanmedian(cry.f0_hz)),
        "active": [
            {**dataclasses.asdict(one), "strength": one.strength(planned.day)}
            for one in planned.active
        ],
        "day_effect": dataclasses.asdict(planned.day_effect),
        "recording_effect": dataclasses.asdict(planned.recording_effect),
    }


def _manifest(planned: Sequence[PlannedRecording]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for one in planned:
        told = (one.infant, one.recorded_at.isoformat(), one.device, age_band(one.age_days))
        writer.writerow((file_of(one), *told, f"{one.age_days:.2f}", one.session))
    return stream.getvalue()


def age_band(age_days: float) -> str:
    """Return the band of ages, as manifests spell it."""
    return next(name for limit, name in AGE_BANDS if age_days < limit)


# --- command line -------------------------------------------------------------------------------


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    plain = Wish()
    parser.add_argument("out", type=Path, help="folder for the cohort; continued if it is there")
    parser.add_argument("--infants", type=int, default=plain.infants, metavar="N")
    parser.add_argument("--days", type=int, default=plain.days, metavar="D")
    parser.add_argument("--seed", type=int, default=plain.seed, metavar="S")
    parser.add_argument("--start", default=plain.start, metavar="ISO", help="with its UTC offset")
    parser.add_argument("--duration-s", type=float, default=plain.duration_s, metavar="S")
    parser.add_argument("--codec", choices=[*Encoding, MIXED], default=plain.codec)
    parser.add_argument(
        "--shift",
        action="append",
        default=[],
        metavar="[INFANT:]PARAMETER=AMOUNT@DAY[+RAMP][-END]",
        help=f"plant a deviation of {', '.join(Parameter)}; for example f0=+0.2@21; repeatable",
    )


def main(args: argparse.Namespace) -> int:
    """Write the cohort, and say what was done."""
    wish = Wish(
        infants=args.infants,
        days=args.days,
        seed=args.seed,
        start=args.start,
        duration_s=args.duration_s,
        codec=str(args.codec),
        shifts=tuple(args.shift),
    )
    made = simulate(args.out, wish)
    Console().print(
        f"{made.recordings} simulated recordings of {wish.infants} infants over {wish.days} days"
        f" ({made.size / 1e6:.1f} MB), {made.made} of them made now: {args.out / MANIFEST}",
        markup=False,
        soft_wrap=True,
    )
    if args.json is not None:
        write_json(args.json, _figures(wish, made))
    return 0


def _figures(wish: Wish, made: Made) -> dict[str, Any]:
    return {
        "n": made.recordings,
        "made": made.made,
        "bytes": made.size,
        **dataclasses.asdict(wish),
        "versions": versions(),
    }
