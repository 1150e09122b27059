"""What an import shows on its way, and what became of its rows: a bar, a table, a CSV file."""

import csv
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from iclas import flow
from iclas.archive import Outcome
from infants.models import Recording
from infants.states import Reason, State


def progress_bar() -> Progress:
    """Return a bar for the error output."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
    )


def judge(outcomes: Sequence[Outcome], progress: Progress, *, enqueue: bool) -> None:
    """Take what was stored the whole way here, or leave it to workers."""
    ids = [outcome.recording_id for outcome in outcomes if outcome.recording_id]
    if enqueue:
        flow.send_on(ids)
        return
    judging = progress.add_task("hearing and judging", total=2 * len(ids))
    flow.drive(ids, lambda moved: progress.advance(judging, moved))


def in_words(outcomes: Sequence[Outcome]) -> str:
    """Return how many rows and recordings ended how."""
    console = Console()
    with console.capture() as captured:
        console.print(_counted("Rows", Counter(outcome.result for outcome in outcomes)))
        states = Counter(_end(recording) for recording in _recordings(outcomes).values())
        if states:
            console.print(_counted("Recordings stand at", states))
    return captured.get()


def write_report(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write what became of each row."""
    ends = {id_: _end(recording) for id_, recording in _recordings(outcomes).items()}
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["row", "result", "detail", "recording", "stands_at"])
        for o in outcomes:
            where = ends.get(o.recording_id, "") if o.recording_id else ""
            writer.writerow([o.row, o.result, o.detail, o.recording_id or "", where])


def _recordings(outcomes: Sequence[Outcome]) -> dict[UUID, Recording]:
    ids = [outcome.recording_id for outcome in outcomes if outcome.recording_id]
    return Recording.objects.defer("gate_features").in_bulk(ids)


def _end(recording: Recording) -> str:
    state = State(recording.state).value
    return f"{state}: {Reason(recording.reason).label}" if recording.reason else state


def _counted(title: str, counts: Counter[str]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("outcome")
    table.add_column("n", justify="right")
    for outcome, n in counts.most_common():
        table.add_row(outcome, str(n))
    table.add_section()
    table.add_row("all", str(counts.total()))
    return table
