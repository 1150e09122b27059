"""`manage.py adopt_encoder NAME`: bring all baselines under an encoder that was tried before."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from anomaly.adoption import Adopted, Refusal, adopt, n_to_embed
from anomaly.rehearing import encoder_named
from pipelines.embed import Encoder
from pipelines.errors import PipelineError
from pipelines.score import MINIMUM_DAYS


class Command(BaseCommand):
    """Embed the baselines' recordings by another encoder; run it while the workers are stopped.

    Refused unless `try_version --encoder NAME` has been run with this build for every infant that
    has judged sessions. Resumable: run it again, and it does what is left.
    """

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("encoder", help="as ICLAS_ENCODER is to name it")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Adopt, or say who has not been tried."""
        name = options["encoder"]
        try:
            encoder = encoder_named(name)
        except (PipelineError, OSError) as error:
            message = f"The encoder {name!r} cannot be used: {error}"
            raise CommandError(message) from error
        done = _adopt(encoder)
        if isinstance(done, Refusal):
            raise CommandError(_refused(done, name))
        for line in _lines(done, name, encoder):
            self.stdout.write(line)


def _adopt(encoder: Encoder) -> list[Adopted] | Refusal:
    bars = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(file=sys.stderr)
    with Progress(*bars, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("embedding anew", total=n_to_embed(encoder.fingerprint))
        return adopt(encoder, lambda moved: progress.advance(task, moved))


def _refused(refusal: Refusal, name: str) -> str:
    who = ", ".join(f"{infant.name} ({infant.id})" for infant in refusal.untried)
    return (
        f"Nothing was changed: this build has not tried {name} on the history of {who}. "
        f"Run manage.py try_version --encoder {name} and read what would change."
    )


def _lines(done: list[Adopted], name: str, encoder: Encoder) -> Iterator[str]:
    """Say what was done, what became of the rest, and what the operator does next."""
    for one in done:
        yield (
            f"{one.infant.name} ({one.infant.id}): of the baseline {one.embedded} recordings "
            f"embedded anew, {one.already} already were; {_left(one)}{_learning(one)}"
        )
    embedded = sum(one.embedded for one in done)
    yield (
        f"{embedded} recordings were embedded by {name} (fingerprint "
        f"{encoder.fingerprint}). No judgement was altered; those of recordings that were embedded "
        "anew can no longer be recomputed, and manage.py explain says so of each."
    )
    yield (
        f"Now set ICLAS_ENCODER={name} for the workers and start them: each infant's next version "
        "is learnt at its next cry, and judges from the session after it."
    )


def _left(one: Adopted) -> str:
    n = len(one.unheard)
    return (
        f"{n} without audio keep the old embeddings and leave the baseline." if n else "none left."
    )


def _learning(one: Adopted) -> str:
    if one.days >= MINIMUM_DAYS:
        return ""
    return f" Too few for a version: {one.days} of {MINIMUM_DAYS} days; the learning goes on there."
