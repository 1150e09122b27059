"""`manage.py timeline INFANT`: print an infant's deviation timeline, and draw it with --png."""

import datetime as dt
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.table import Table
from rich.text import Text

from anomaly.charts import UNUSUAL, ChartPoint, ChartSpan, draw_timeline
from anomaly.evidence import change_words, movement_words
from anomaly.models import Episode
from anomaly.notice import NOTICE
from anomaly.selectors.judged import episodes_of, judged_recordings
from infants.access import Viewer
from infants.errors import UnknownInfantError
from infants.models import Infant, Recording
from infants.selectors import infant_named

WIDTH = 118


class Command(BaseCommand):
    """Print a table that a person can read: every judged recording, oldest first."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("infant", help="id or source key")
        parser.add_argument("--png", type=Path, help="draw the timeline to this file")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print, and draw where asked to."""
        viewer = Viewer.system()
        try:
            infant = infant_named(viewer, options["infant"])
        except UnknownInfantError as error:
            raise CommandError(str(error)) from error
        recordings = list(judged_recordings(viewer, infant))
        if not recordings:
            message = f"{infant.name} has no judged recordings yet."
            raise CommandError(message)
        episodes = list(episodes_of(viewer, infant))
        console = Console(width=WIDTH)
        with console.capture() as captured:
            console.print(_table(infant, recordings))
            for episode in episodes:
                console.print(_sentence(infant, episode))
            console.print(NOTICE, style="dim")
        self.stdout.write(captured.get())
        if options["png"]:
            points = [_point(infant, recording) for recording in recordings]
            spans = [_span(infant, episode) for episode in episodes]
            title = f"{infant.name}: deviation from the infant's own baseline"
            draw_timeline(points, spans, title, options["png"])
            self.stdout.write(f"Drawn to {options['png']}")


def _table(infant: Infant, recordings: list[Recording]) -> Table:
    title = f"{infant.name}: how unusual each recording is for this infant ({infant.time_zone})"
    table = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    table.add_column("#", justify="right")
    table.add_column("recorded")
    table.add_column("cries", justify="right")
    table.add_column("gate")
    for heading in ("p autoenc.", "p OC-SVM", "p GMM", "p combined"):
        table.add_column(heading, justify="right")
    table.add_column("model", justify="right")
    table.add_column("in words")
    for number, recording in enumerate(recordings, start=1):
        table.add_row(str(number), *_cells(infant, recording))
    return table


def _cells(infant: Infant, recording: Recording) -> list[str | Text]:
    judgement, decision = recording.judgement, recording.gate_decision
    when = timezone.localtime(recording.recorded_at, infant.zone).strftime("%Y-%m-%d %H:%M:%S")
    gate = f"{'accepted' if decision.accepted else 'refused '} {decision.confidence:.2f}"
    cells: list[str | Text] = [when, str(recording.n_cries), gate]  # type: ignore[attr-defined]
    if judgement.p_value is None or judgement.model is None:
        words = f"learning, {judgement.baseline_days} of {judgement.baseline_days_needed} days"
        return [*cells, "-", "-", "-", "-", "-", Text(words, style="dim")]
    by_scorer = [f"{judgement.p_values[name]:.3f}" for name in ("autoencoder", "ocsvm", "gmm")]
    numbers = [*by_scorer, f"{judgement.p_value:.3f}", str(judgement.model.number)]
    return [*cells, *numbers, _verdict(judgement.p_value)]


def _verdict(p_value: float) -> Text:
    if p_value <= UNUSUAL:
        return Text("unusual for this infant", style="bold")
    return Text("within the usual range")


def _sentence(infant: Infant, episode: Episode) -> str:
    start = noticed = _shown(infant, episode.opened_at)
    if episode.began_at < episode.opened_at:
        start = f"about {_shown(infant, episode.began_at)} (noticed {noticed})"
    kind = Episode.Kind(episode.kind).label
    if episode.closed_at is None:
        said = f"Episode: {kind}, since {start}, open."
    else:
        ended = Episode.CloseReason(episode.close_reason).label
        said = f"Episode: {kind}, from {start}, to {_shown(infant, episode.closed_at)}: {ended}."
    found = [words(episode.evidence) for words in (change_words, movement_words)]
    return " ".join([said, *(f"{words}." for words in found if words)])


def _shown(infant: Infant, moment: dt.datetime) -> str:
    return timezone.localtime(moment, infant.zone).strftime("%Y-%m-%d %H:%M")


def _point(infant: Infant, recording: Recording) -> ChartPoint:
    judgement = recording.judgement
    return ChartPoint(
        time=timezone.localtime(recording.recorded_at, infant.zone).replace(tzinfo=None),
        accepted=recording.gate_decision.accepted,
        model_number=judgement.model.number if judgement.model else None,
        p_value=judgement.p_value,
        p_values=judgement.p_values or None,
    )


def _span(infant: Infant, episode: Episode) -> ChartSpan:
    end = episode.closed_at or timezone.now()
    start, end = (
        timezone.localtime(moment, infant.zone).replace(tzinfo=None)
        for moment in (episode.opened_at, end)
    )
    lasting = episode.kind == Episode.Kind.PERSISTENT_SHIFT
    label = f"episode: {Episode.Kind(episode.kind).label}"
    return ChartSpan(start, end, label, "//" if lasting else None)
