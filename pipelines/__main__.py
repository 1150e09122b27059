"""The command line of the pure part: training, evaluation and benchmarks of the method.

In: a command's name and its arguments. Out: a table for people and, with ``--json FILE``, the same
figures for programs. Guaranteed: only the module of the chosen command is imported, so that
``--help`` is quick and a command pays for nothing it does not use.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from rich.console import Console

from pipelines.errors import PipelineError

EXIT_FAILED = 1


@dataclass(frozen=True)
class Command:
    """Where a command lives, and what it does in one line."""

    module: str
    summary: str


COMMANDS = {
    "evaluate": Command(
        "pipelines.evaluation.evaluate", "per-infant anomaly tables, with controls and dummies"
    ),
    "promise": Command("pipelines.evaluation.promise", "false alarms of simulated infants"),
    "verify": Command("pipelines.evaluation.verify", "verification of infants, with its control"),
    "room-swap": Command("pipelines.evaluation.room_swap", "the same cries in other rooms"),
    "segments": Command("pipelines.evaluation.segments", "cry units against annotated intervals"),
    "pitch": Command("pipelines.evaluation.pitch", "pitch tracker against planted pitch"),
    "planted": Command("pipelines.evaluation.planted", "planted shifts in real recordings"),
    "drift": Command(
        "pipelines.evaluation.drift",
        "delays, false alarms and lead of the persistent-shift monitor",
    ),
    "continual": Command(
        "pipelines.evaluation.continual", "poisoning and freezing of baselines that learn on"
    ),
    "report": Command("pipelines.evaluation.summary", "one report of what other commands wrote"),
    "gate": Command("pipelines.evaluation.gate", "cry gate against everyday sounds"),
    "synthesise": Command("pipelines.simulate", "a cohort of simulated infants, with its truth"),
    "likeness": Command("pipelines.evaluation.likeness", "simulated against real recordings"),
    "train-backbone": Command("pipelines.training.backbone", "train the bundled encoder"),
    "compare-recipes": Command(
        "pipelines.training.compare", "recipes of the encoder, cross-validated over infants"
    ),
    "train-finder": Command("pipelines.training.finder", "train the finder of cry units"),
    "train-gate": Command("pipelines.training.gate", "train the heads and ranges of the gate"),
    "train-prior": Command("pipelines.training.prior", "learn what is known of all infants"),
    "finetune": Command("pipelines.training.finetune", "fine-tune an encoder on other recordings"),
    "layout": Command("pipelines.layouts", "what a published corpus holds, and its manifest"),
}


class CommandModule(Protocol):
    """What every module behind a command offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's own arguments."""

    def main(self, args: argparse.Namespace) -> int:
        """Run the command and return the exit status."""


def _listing() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(["commands:", *lines])


def _chooser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines",
        description="Train and evaluate the method.",
        epilog=_listing(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=list(COMMANDS), metavar="command")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="see: command --help")
    return parser


def _parser_of(name: str, module: CommandModule) -> argparse.ArgumentParser:
    """Build the parser of one command; ``--json`` is there whatever the module adds."""
    parser = argparse.ArgumentParser(
        prog=f"python -m pipelines {name}",
        description=COMMANDS[name].summary,
        conflict_handler="resolve",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    module.configure(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv
        Arguments after the program's name; None reads those of the process.

    Returns
    -------
    int
        The command's exit status; 1 where it ended with a named error.
    """
    chosen = _chooser().parse_args(argv)
    module = cast(CommandModule, importlib.import_module(COMMANDS[chosen.command].module))
    args = _parser_of(chosen.command, module).parse_args(chosen.arguments)
    try:
        return module.main(args)
    except (PipelineError, OSError, json.JSONDecodeError) as error:
        Console(stderr=True).print(f"{chosen.command}: {error}", markup=False, soft_wrap=True)
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
