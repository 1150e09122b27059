"""Summary: one report of what the other commands measured: ``python -m pipelines report OUT``.

In: JSON files that ``promise``, ``evaluate``, ``drift``, ``continual`` and ``verify`` wrote. Out:
``report.md`` in a folder, and its figures beside it as SVG. Guaranteed: no figure is computed here,
all of them stand in those files; every table says n, its interval, and whether it is simulated,
semi-simulated or of recordings; dummies and controls stand in the table of the results; a file
that is missing is named, with the command that makes it, and so is a part that a file lacks; a
file of another command is refused; the versions behind the figures are listed; the same files give
the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import ConfigError
from pipelines.evaluation.report import console, write_json
from pipelines.evaluation.summary_figures import Picture, draw
from pipelines.evaluation.summary_reading import (
    DASH,
    Block,
    Figures,
    Table,
    part_of,
)
from pipelines.evaluation.summary_scores import (
    evaluate_blocks,
    promise_blocks,
    verify_blocks,
)
from pipelines.evaluation.summary_watch import (
    continual_blocks,
    drift_blocks,
)

NOTICE = "Research use only; not a medical device."
REPORT = "report.md"
FIGURES = ("promise", "recordings", "delays", "moves", "poisoning", "verification")


# --- files --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """One command whose figures the report takes.

    Attributes
    ----------
    title
        Heading of its section.
    makes
        The words of its command line, before ``--json``.
    marks
        Keys that its figures have, and together no other command's.
    blocks
        Makes its section.
    """

    title: str
    makes: str
    marks: tuple[str, ...]
    blocks: Callable[[Figures], Iterator[Block]]

    def made_by(self, name: str) -> str:
        """Return the command line that makes a file."""
        return f"python -m pipelines {self.makes} --json {name}"


PARTS = {
    "promise": Part(
        "Promise: false alarms of simulated infants",
        "promise",
        ("scorers", "least_sessions"),
        promise_blocks,
    ),
    "evaluate": Part(
        "Recordings: own against other infants'",
        "evaluate MANIFEST --pyod",
        ("infants", "n_infants_counted", "n_anomalies"),
        evaluate_blocks,
    ),
    "drift": Part("Lasting changes", "drift", ("semi_simulated", "residuals"), drift_blocks),
    "continual": Part("Learning on", "continual", ("simulated", "n_frozen"), continual_blocks),
    "verify": Part(
        "Verification of infants",
        "verify MANIFEST --held-out",
        ("same_device_only", "held_out_only"),
        verify_blocks,
    ),
}


@dataclass(frozen=True)
class Source:
    """A file of figures.

    Attributes
    ----------
    name
        The file's, without its folder.
    digest
        Beginning of its SHA-256.
    figures
        What it holds.
    """

    name: str
    digest: str
    figures: Figures


@dataclass(frozen=True)
class Missing:
    """A file that is not there, or was not given."""

    name: str
    is_given: bool


def read_source(command: str, path: Path) -> Source | Missing:
    """Read the figures of a command.

    Parameters
    ----------
    command
        One of ``PARTS``.
    path
        The file.

    Returns
    -------
    Source or Missing
        Missing where there is no such file.

    Raises
    ------
    ConfigError
        The file is no JSON, or of another command.
    OSError
        The file is there and cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Missing(path.name, is_given=True)
    try:
        figures = json.loads(content, parse_constant=_refused)
    except ValueError as error:
        raise ConfigError(f"{path.name} is no JSON: {error}") from error
    if not isinstance(figures, dict):
        raise ConfigError(f"{path.name} holds no figures by key, and is not made by {command}")
    lacks = [mark for mark in PARTS[command].marks if mark not in figures]
    if lacks:
        others = [name for name, part in PARTS.items() if all(m in figures for m in part.marks)]
        like = f"it looks like one of {others[0]}" if others else f"it lacks {', '.join(lacks)}"
        raise ConfigError(f"{path.name} is no file of {command}: {like}")
    return Source(path.name, hashlib.sha256(content).hexdigest()[:16], figures)


def _refused(constant: str) -> None:
    """Refuse what is no number, though Python reads it."""
    raise ValueError(f"it holds {constant}")


# --- writing ------------------------------------------------------------------------------------


def file_of(figure: str) -> str:
    """Return the name of a figure's file."""
    return f"figure-{figure}.svg"


def written(sources: Mapping[str, Source | Missing]) -> tuple[str, dict[str, bytes]]:
    """Write a report.

    Parameters
    ----------
    sources
        For each of ``PARTS`` its file.

    Returns
    -------
    str
        The report, as Markdown.
    dict
        By name, the files of its figures.
    """
    parts, pictures = [_heading(sources)], {}
    for command, source in sources.items():
        parts.append(f"## {PARTS[command].title}")
        if isinstance(source, Missing):
            parts.append(_said_missing(command, source))
            continue
        parts.append(f"From `{source.name}`.")
        for block in PARTS[command].blocks(source.figures):
            parts.append(_markdown(block))
            if isinstance(block, Picture):
                pictures[file_of(block.name)] = draw(block)
    parts += ["## Versions behind the figures", _versions(sources), NOTICE]
    return "\n\n".join(parts) + "\n", pictures


def _heading(sources: Mapping[str, Source | Missing]) -> str:
    rows = []
    for command, source in sources.items():
        told = (f"`{PARTS[command].made_by(source.name)}`", source.name)
        rows.append([*told, "missing" if isinstance(source, Missing) else source.digest])
    return "\n\n".join(
        [
            "# What was measured",
            f"**{NOTICE}**",
            "Nothing is computed in this report: every figure stands in one of the files below. A "
            "figure is followed by its interval and by n, where the file has them; a dash in a "
            "table, or a row without a point in a picture, says that it has no such figure. Where "
            "all agree, the interval is the exact one. Controls hear no infant, and dummies hear "
            "nothing: what they reach too is no result.",
            _grid(("made by", "file", "SHA-256 begins with"), rows),
        ]
    )


def _said_missing(command: str, source: Missing) -> str:
    why = "it is not there" if source.is_given else f"`--{command}` was not given"
    return (
        f"**Missing: `{source.name}`** ({why}). It is made by "
        f"`{PARTS[command].made_by(source.name)}`."
    )


def _markdown(block: Block) -> str:
    if isinstance(block, Picture):
        axes = "; ".join(panel.label for panel in block.panels)
        return f"![{block.title}: {axes}]({file_of(block.name)})"
    if isinstance(block, Table):
        facts = f"{block.kind}. n: {block.n}. Interval: {block.interval}."
        return f"**{block.title}.** {facts}\n\n{_grid(block.headings, block.rows)}"
    return block


def _grid(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(headings)
    return "\n".join(f"| {' | '.join(map(_plain, row))} |" for row in (headings, rule, *rows))


def _plain(text: str) -> str:
    """Keep what a file says from being read as Markdown's own signs."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _versions(sources: Mapping[str, Source | Missing]) -> str:
    there = {name: one.figures for name, one in sources.items() if isinstance(one, Source)}
    facts = {name: _facts(figures) for name, figures in there.items()}
    known = list(dict.fromkeys(fact for own in facts.values() for fact in own))
    rows = [[fact, *(own.get(fact, DASH) for own in facts.values())] for fact in known]
    silent = [f"`{sources[name].name}`" for name in there if not part_of(there[name], "versions")]
    told = f"\n\n**Versions are not told by {', '.join(silent)}.**" if silent else ""
    return _grid(("", *facts), rows) + told


def _facts(figures: Figures) -> dict[str, str]:
    """Return versions, encoder and seed."""
    facts = {name: str(one) for name, one in part_of(figures, "versions").items()}
    encoder = part_of(figures, "encoder")
    named = {
        "encoder": encoder.get("name", figures.get("encoder")),
        "encoder's fingerprint": encoder.get("fingerprint", figures.get("encoder_fingerprint")),
        "seed": figures.get("seed"),
    }
    return facts | {name: str(one) for name, one in named.items() if isinstance(one, str | int)}


# --- the command --------------------------------------------------------------------------------


def run(folder: Path, files: Mapping[str, Path | None]) -> dict[str, Source | Missing]:
    """Read files, and write the report and its figures.

    Parameters
    ----------
    folder
        Where; it is made where there is none. What an earlier report left in it is replaced.
    files
        For some of ``PARTS`` the file, or None.

    Returns
    -------
    dict
        For each of ``PARTS`` what was read.

    Raises
    ------
    ConfigError
        A file is no JSON or of another command, or not one file is there. Nothing is written then.
    OSError
        A file cannot be read, or the report not be written.
    """
    sources = {}
    for command in PARTS:
        path = files.get(command)
        nothing = Missing(f"{command}.json", is_given=False)
        sources[command] = nothing if path is None else read_source(command, path)
    if all(isinstance(one, Missing) for one in sources.values()):
        makes = PARTS["promise"].made_by("promise.json")
        raise ConfigError(f"not one file of figures is there; `{makes}` makes one")
    text, pictures = written(sources)
    folder.mkdir(parents=True, exist_ok=True)
    for name in FIGURES:
        (folder / file_of(name)).unlink(missing_ok=True)
    for name, content in pictures.items():
        (folder / name).write_bytes(content)
    (folder / REPORT).write_text(text, encoding="utf-8")
    return sources


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the report")
    for command in PARTS:
        told = f"figures that {command} wrote with --json"
        parser.add_argument(f"--{command}", type=Path, metavar="FILE", help=told)


def main(args: argparse.Namespace) -> int:
    """Write the report, and say what is missing in it."""
    sources = run(args.out, {command: getattr(args, command) for command in PARTS})
    out = console()
    out.print(f"written: {args.out / REPORT}", markup=False, soft_wrap=True)
    for command, source in sources.items():
        if isinstance(source, Missing):
            told = _said_missing(command, source).replace("*", "").replace("`", "")
            out.print(told, markup=False, soft_wrap=True)
    if args.json is not None:
        there = {name: one for name, one in sources.items() if isinstance(one, Source)}
        write_json(args.json, {name: dict(one.figures) for name, one in there.items()})
    return 0
