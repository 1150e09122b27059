"""`manage.py explain RECORDING`: the way of a recording, and whether its numbers come out again."""

import datetime as dt
import json
from argparse import ArgumentParser
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console, RenderableType
from rich.table import Table

from anomaly.account import account
from anomaly.explain import UUID_DIGITS, explain, hex_digits, ids_beginning, recordings_named
from anomaly.models.judgement import Outcome
from anomaly.notice import NOTICE
from anomaly.provenance import (
    Agreement,
    Recomputation,
    own_recomputations,
    session_again,
    worst,
)
from infants.access import Viewer
from infants.errors import UnknownInfantError
from infants.models import Infant
from infants.selectors import infant_named, visible_infants, visible_recordings, visible_sessions
from pipelines.build import build

WIDTH = 118
RECORDINGS, SESSIONS = "recordings", "sessions"
EXAMPLES = 20
"""So many recordings that differ are named."""


class Command(BaseCommand):
    """Explain one recording, or recompute all that were scored; fails where something differs."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "recording", nargs="?", help="id, or the first 8 or more characters of id or SHA-256"
        )
        parser.add_argument("--all", action="store_true", help="recompute all that were scored")
        parser.add_argument("--infant", help="with --all: id, beginning of id, or source key")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Explain, or recompute."""
        if bool(options["recording"]) == options["all"]:
            message = "Name one recording, or say --all."
            raise CommandError(message)
        if options["infant"] and not options["all"]:
            message = "--infant goes with --all."
            raise CommandError(message)
        if options["all"]:
            self._recompute_all(options["infant"], as_json=options["json"])
        else:
            self._explain(options["recording"], as_json=options["json"])

    def _explain(self, name: str, *, as_json: bool) -> None:
        viewer = Viewer.system()
        shown = explain(viewer, _recording_id(viewer, name))
        if shown is None:  # it was erased between the two looks
            raise CommandError(_unknown(name))
        if as_json:
            self._write_json(asdict(shown))
        else:
            self._write(account(shown))
        if shown.agreement is Agreement.DIFFERS:
            message = f"Recording {shown.recording} does not come out again as it is stored."
            raise CommandError(message)

    def _recompute_all(self, infant_name: str | None, *, as_json: bool) -> None:
        viewer = Viewer.system()
        infant = _infant(viewer, infant_name) if infant_name else None
        tally = _recomputed(viewer, infant)
        if as_json:
            self._write_json(tally.document())
        else:
            self._write(tally.table())
            for line in tally.lines():
                self.stdout.write(line)
            self.stdout.write(NOTICE)
        if tally.differing:
            message = f"{len(tally.differing)} do not come out again as they are stored."
            raise CommandError(message)

    def _write(self, shown: RenderableType) -> None:
        console = Console(width=WIDTH)
        with console.capture() as captured:
            console.print(shown)
        self.stdout.write("\n".join(line.rstrip() for line in captured.get().splitlines()))

    def _write_json(self, document: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(document, default=_plain, indent=1, allow_nan=False))


@dataclass
class _Tally:
    """How many came out again in which way, why some cannot, and which differ."""

    counts: dict[str, Counter[Agreement]] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    differing: list[str] = field(default_factory=list)

    def add(self, kind: str, named: UUID, made: tuple[Recomputation, ...]) -> None:
        """Count one recording or session by the worst of its judgements, and each of these."""
        agreement = worst(one.agreement for one in made)
        self._count(kind, agreement)
        for one in made:
            self.reasons.update([f"{one.of}: {one.reason}"] if one.reason else [])
            if kind == RECORDINGS:
                self._count(one.of, one.agreement)
        if agreement is Agreement.DIFFERS:
            self.differing.append(f"{kind.removesuffix('s')} {named}")

    def _count(self, kind: str, agreement: Agreement) -> None:
        self.counts.setdefault(kind, Counter())[agreement] += 1

    def table(self) -> Table:
        """Return the counts for people."""
        table = Table(box=None, header_style="bold", pad_edge=False)
        table.add_column("recomputed")
        for agreement in Agreement:
            table.add_column(agreement.replace("_", " "), justify="right")
        for kind, counts in self.counts.items():
            name = kind if kind in (RECORDINGS, SESSIONS) else f"  {kind}"
            table.add_row(name, *(str(counts[agreement]) for agreement in Agreement))
        return table

    def lines(self) -> list[str]:
        """Say why some cannot be recomputed, and which ones differ."""
        why = [f"not possible, {n} times: {reason}" for reason, n in self.reasons.most_common()]
        named = [f"differs: {name}" for name in self.differing[:EXAMPLES]]
        more = len(self.differing) - len(named)
        return [*why, *named, *([f"and {more} more that differ"] if more else [])]

    def document(self) -> dict[str, Any]:
        """Return the same for programs."""
        counts = {
            kind: {str(agreement): counts[agreement] for agreement in Agreement}
            for kind, counts in self.counts.items()
        }
        return {
            "build": build(),
            "counts": counts,
            "not_possible": dict(self.reasons),
            "differing": self.differing,
            "notice": NOTICE,
        }


def _recomputed(viewer: Viewer, infant: Infant | None) -> _Tally:
    """Recompute every scored recording, and every judged session once."""
    tally = _Tally({RECORDINGS: Counter()})
    of_infant = {"infant": infant} if infant else {}
    scored = visible_recordings(viewer).filter(judgement__outcome=Outcome.SCORED, **of_infant)
    recordings = scored.select_related("infant", "gate_decision", "judgement__model")
    for recording in recordings.order_by("infant", "recorded_at").iterator():
        tally.add(RECORDINGS, recording.id, own_recomputations(recording))
    judged = visible_sessions(viewer).filter(judgement__isnull=False, **of_infant)
    sessions = judged.select_related("judgement__model").order_by("infant", "started_at")
    for session in sessions.iterator():
        again = session_again(session)
        tally.add(SESSIONS, session.id, (again,) if again else ())
    return tally


def _recording_id(viewer: Viewer, name: str) -> UUID:
    """Return the one recording that is meant."""
    found = list(recordings_named(viewer, name).values_list("id", flat=True)[:EXAMPLES])
    if not found:
        raise CommandError(_unknown(name))
    if len(found) > 1:
        named = ", ".join(map(str, found[:3]))
        message = f"{name!r} is the beginning of several recordings, such as {named}."
        raise CommandError(message)
    return found[0]


def _unknown(name: str) -> str:
    return (
        f"There is no recording {name!r}: give its id, or at least the first 8 characters of its "
        "id or of the SHA-256 of its audio."
    )


def _infant(viewer: Viewer, name: str) -> Infant:
    """Return the infant with this id, beginning of an id, or source key."""
    try:
        return infant_named(viewer, name)
    except UnknownInfantError as error:
        digits = hex_digits(name)
        span = ids_beginning(digits) if digits and len(digits) <= UUID_DIGITS else None
        found = list(visible_infants(viewer).filter(id__range=span)[:2]) if span else []
        if not found:
            raise CommandError(str(error)) from error
    if len(found) > 1:
        message = f"{name!r} is the beginning of several infants."
        raise CommandError(message)
    return found[0]


def _plain(value: object) -> str:
    """Return what JSON has no form for: ids and times."""
    return value.isoformat() if isinstance(value, dt.date) else str(value)
