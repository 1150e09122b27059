"""Going through everything that is stored, at a pace, for the commands that do."""

import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable

from django.core.management.base import BaseCommand, CommandError

from anomaly.holdings import FAULTS, Holding, Outcome, holdings

USUAL_PER_SECOND = 20.0


def add_pace(parser: ArgumentParser) -> None:
    """Declare how fast it goes, so that uploads and workers do not notice."""
    parser.add_argument(
        "--per-second", type=float, default=USUAL_PER_SECOND, help="files at most; 0: no limit"
    )


def go_through(
    command: BaseCommand, treat: Callable[[Holding], Outcome], per_second: float
) -> None:
    """Treat each file; name what could not be treated, count everything.

    Raises
    ------
    CommandError
        At the end, where there was something that could not be treated.

    """
    counts: Counter[Outcome] = Counter()
    for holding in holdings():
        outcome = treat(holding)
        counts[outcome] += 1
        if outcome in FAULTS:
            command.stderr.write(f"{holding.row}: {outcome.value}")
        if outcome is Outcome.DONE and per_second > 0:
            time.sleep(1 / per_second)
    for outcome in Outcome:
        command.stdout.write(f"{counts[outcome]} {outcome.value}")
    n_faults = sum(counts[outcome] for outcome in FAULTS)
    if n_faults:
        message = f"{n_faults} files were let be as they are."
        raise CommandError(message)
