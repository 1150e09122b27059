"""`manage.py try_version [INFANT]`: what this build, or another encoder, would have changed."""

import datetime as dt
import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from anomaly.charts import UNUSUAL
from anomaly.models import Episode
from anomaly.notice import NOTICE
from anomaly.rehearing import encoder_named
from anomaly.trial import (
    ComparedEpisode,
    Differences,
    Trial,
    differences,
    keep_trial,
    try_on_history,
)
from infants.access import Viewer
from infants.errors import UnknownInfantError
from infants.models import Infant, Recording
from infants.selectors import infant_named, visible_infants
from pipelines.embed import Encoder
from pipelines.errors import PipelineError

WIDTH = 118
NAMED = 20
"""So many sessions that change, and so many recordings that could not be tried, are named."""


class Command(BaseCommand):
    """Try the build as it is now, or another encoder, on history; keep what would change.

    Judgements, models and episodes stay as they are: old and new stand side by side in the
    trials that are kept.
    """

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("infant", nargs="?", help="id or source key; without it all infants")
        parser.add_argument("--encoder", help="as ICLAS_ENCODER names it; else what is stored")
        parser.add_argument("--json", type=Path, help="write all that was found to this file")
        parser.add_argument(
            "--refit-every-days",
            type=int,
            default=1,
            help="days between versions: 1 as in use; more is quicker, and only near it",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Try, print and keep."""
        if options["refit_every_days"] < 1:
            message = "--refit-every-days is at least 1."
            raise CommandError(message)
        if options["json"] and not options["json"].parent.is_dir():
            message = f"There is no folder {options['json'].parent}."
            raise CommandError(message)
        infants = _infants(options["infant"])
        encoder = _encoder(options["encoder"]) if options["encoder"] else None
        reports, found = [], []
        for trial in self._trials(infants, encoder, options["refit_every_days"]):
            reports.append(keep_trial(trial).report)
            found.append(differences(trial))
            self._print(trial, found[-1])
        self.stdout.write(_total(found))
        if found and options["encoder"]:
            self.stdout.write(f"To put it in use: manage.py adopt_encoder {options['encoder']}")
        self.stdout.write(NOTICE)
        if options["json"]:
            options["json"].write_text(json.dumps(reports, indent=1), encoding="utf-8")

    def _trials(
        self, infants: Sequence[Infant], encoder: Encoder | None, refit_every_days: int
    ) -> Iterator[Trial]:
        """Try infant by infant; of those with nothing judged there is only a word."""
        for infant in infants:
            judged = Recording.objects.filter(infant=infant, judgement__isnull=False).count()
            if not judged:
                self.stdout.write(f"{infant.name} ({infant.id}): nothing has been judged yet.\n")
                continue
            yield _try_one(infant, judged, encoder, refit_every_days)

    def _print(self, trial: Trial, found: Differences) -> None:
        console = Console(width=WIDTH)
        with console.capture() as captured:
            console.print(_table(trial, found))
        rows = [line.rstrip() for line in captured.get().splitlines()]
        self.stdout.write("\n".join([_title(trial), *rows, *_lines(trial, found), ""]))


def _try_one(infant: Infant, judged: int, encoder: Encoder | None, refit_every_days: int) -> Trial:
    """Try one infant's history, with the progress on stderr."""
    bars = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*bars, TimeRemainingColumn(), console=Console(file=sys.stderr)) as progress:
        # Each recording is scored, and embedded before where there is an encoder.
        task = progress.add_task(infant.name, total=judged * (1 if encoder is None else 2))
        return try_on_history(
            infant,
            encoder,
            refit_every_days=refit_every_days,
            told=lambda moved: progress.advance(task, moved),
        )


def _infants(name: str | None) -> list[Infant]:
    viewer = Viewer.system()
    if name is None:
        return list(visible_infants(viewer))
    try:
        return [infant_named(viewer, name)]
    except UnknownInfantError as error:
        raise CommandError(str(error)) from error


def _encoder(name: str) -> Encoder:
    try:
        return encoder_named(name)
    except (PipelineError, OSError) as error:
        message = f"The encoder {name!r} cannot be used: {error}"
        raise CommandError(message) from error


# --- in words -------------------------------------------------------------------------------------


def _table(trial: Trial, found: Differences) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column("what")
    table.add_column("how much", justify="right")
    for what, how_much in _rows(trial, found):
        table.add_row(f"  {what}", how_much)
    return table


def _title(trial: Trial) -> str:
    """Say who was tried, on which time, and with what."""
    by = f"encoder {trial.encoder}" if trial.encoder else "the embeddings that are stored"
    ends = (trial.sessions[0].started_at, trial.sessions[-1].started_at)
    first, last = (_shown(trial.infant, moment)[:10] for moment in ends)
    often = "" if trial.refit_every_days == 1 else f", refitted every {trial.refit_every_days} days"
    return (
        f"{trial.infant.name} ({trial.infant.id}): {_counted(len(trial.sessions), 'session')} from "
        f"{first} to {last}, tried with {by}{often}"
    )


def _rows(trial: Trial, found: Differences) -> Iterator[tuple[str, str]]:
    yield "sessions with a p-value, old and new", str(found.n_sessions)
    yield f"  newly unusual (p at most {UNUSUAL})", str(found.newly_unusual)
    yield "  no longer unusual", str(found.no_longer_unusual)
    if found.largest_difference is not None and found.median_difference is not None:
        yield "  largest change of a p-value", f"{found.largest_difference:.4f}"
        yield "  median change of a p-value", f"{found.median_difference:.4f}"
    yield "sessions with a p-value in the old only", str(found.only_in_old)
    yield "sessions with a p-value in the new only", str(found.only_in_new)
    yield "episodes, old and new", str(len(found.episodes_in_both))
    yield "  of them noticed at another time", str(found.n_moved_episodes)
    yield "episodes in the old only", str(len(found.episodes_only_in_old))
    yield "episodes in the new only", str(len(found.episodes_only_in_new))
    yield "recordings that could not be tried", f"{found.untried} of {trial.n_recordings}"


def _lines(trial: Trial, found: Differences) -> Iterator[str]:
    """Say which verdicts and episodes would change, and what could not be tried."""
    infant = trial.infant
    changed = [one for one in trial.sessions if one.is_newly_unusual or one.is_no_longer_unusual]
    for pair in changed[:NAMED]:
        word = "newly unusual" if pair.is_newly_unusual else "no longer unusual"
        when = _shown(infant, pair.started_at)
        yield f"  session of {when}: p {pair.old:.4f} -> {pair.new:.4f}, {word}"
    yield from _more(len(changed))
    for one in found.episodes_only_in_old:
        yield f"  in the old only: {_episode(infant, one)}"
    for one in found.episodes_only_in_new:
        yield f"  in the new only: {_episode(infant, one)}"
    for both in found.episodes_in_both:
        if both.hours_later:
            label = Episode.Kind(both.kind).label
            late = "later" if both.hours_later > 0 else "earlier"
            when = _shown(infant, both.old_opened_at)
            yield f"  {label}, noticed {when}: {abs(both.hours_later):.1f} hours {late} in the new"
    by_reason = sorted(trial.untried, key=lambda one: one.reason)
    for reason, group in groupby(by_reason, key=lambda one: one.reason):
        names = [str(one.recording) for one in group]
        count = _counted(len(names), "recording")
        yield f"  {count} could not be tried, {reason}: {', '.join(names[:NAMED])}"
        yield from _more(len(names))
    if found.is_none:
        yield "  Nothing would change."


def _more(n: int) -> Iterator[str]:
    if n > NAMED:
        yield f"  and {n - NAMED} more; --json names them all"


def _episode(infant: Infant, one: ComparedEpisode) -> str:
    noticed = f"{Episode.Kind(one.kind).label}, noticed {_shown(infant, one.opened_at)}"
    if one.closed_at is None:
        return f"{noticed}, open"
    reason = Episode.CloseReason(one.close_reason).label
    return f"{noticed}, closed {_shown(infant, one.closed_at)}: {reason}"


def _total(found: Sequence[Differences]) -> str:
    """Say what would change for all of them together."""
    if not found:
        return "Nothing was tried."
    up = sum(one.newly_unusual for one in found)
    down = sum(one.no_longer_unusual for one in found)
    in_one = sum(one.only_in_old + one.only_in_new for one in found)
    episodes = sum(len(one.episodes_only_in_old) + len(one.episodes_only_in_new) for one in found)
    same = sum(one.is_none and not one.untried for one in found)
    sessions = sum(one.n_sessions for one in found)
    moved = sum(one.n_moved_episodes for one in found)
    untried = sum(one.untried for one in found)
    lines = (
        f"In all: for {same} of {_counted(len(found), 'infant')} nothing would change. Of "
        f"{_counted(sessions, 'session')} compared {up} newly unusual, {down} no longer unusual;",
        f"{_counted(in_one, 'session')} with a p-value in one only; "
        f"{_counted(episodes, 'episode')} in one only, {moved} noticed at another time; "
        f"{_counted(untried, 'recording')} could not be tried.",
        "Nothing has been activated. The trials are kept, old and new side by side.",
    )
    return "\n".join(lines)


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _shown(infant: Infant, moment: dt.datetime) -> str:
    return timezone.localtime(moment, infant.zone).strftime("%Y-%m-%d %H:%M")
