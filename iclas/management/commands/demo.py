"""`manage.py demo`: ICLAS alive, with a simulated household or with recordings of a manifest."""

import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from anomaly.models import RecordingJudgement
from iclas.database import ready_database
from iclas.demonstration import DAYS, HOUSEHOLD, USER, Demonstration, settle, sign_up
from iclas.demonstration_report import report
from iclas.management.commands.run import refuse_taken_port
from iclas.serving import Serving, serving
from iclas.simulated_device import RefusedError, SimulatedDevice
from infants.models import Recording
from infants.states import ON_THE_WAY
from pipelines.cohort import PlannedRecording

HOST = "127.0.0.1"
WORKERS = 2
LIVE_EVERY_S = 20.0
LOOKS_EVERY_S = 0.5


class Command(BaseCommand):
    """Serve a household of three simulated infants over thirty days, and go on until Ctrl-C.

    Their cries take the way of any device's: uploaded over HTTP, judged by workers. Broken off and
    begun again, it goes on where it was.
    """

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--manifest", type=Path, help="real recordings instead")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--once", action="store_true", help="end when all is judged")
        parser.add_argument("--days", type=int, default=DAYS, help="how many of the thirty")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Set up, serve, upload, tell, and go on."""
        self.started = time.monotonic()
        self.first_timeline_s: float | None = None
        manifest = _checked(options["manifest"])
        refuse_taken_port(HOST, options["port"])
        ready_database()
        self.demonstration = Demonstration.at(settings.ICLAS_HOME.root)
        sign_up(self.demonstration)
        signal.signal(signal.SIGTERM, _end)
        try:
            with serving(HOST, options["port"], WORKERS) as served:
                self._run(served, manifest, options)
        except RefusedError as error:
            message = f"The server refused a simulated recording: {error}"
            raise CommandError(message) from error
        except KeyboardInterrupt:
            self.stdout.write("\nStopped. Begun again, it goes on where it was.")

    def _run(self, served: Serving, manifest: Path | None, options: dict[str, Any]) -> None:
        self._tell_where(served)
        if manifest is not None:
            call_command("import_recordings", manifest, create_infants=True, enqueue=True)
            self._wait_until_judged()
            self._tell_where(served)
            if not options["once"]:
                served.wait()
            return
        history = self._history(options["days"])
        tokens = settle(self.demonstration)
        devices = {name: SimulatedDevice(served.url, token) for name, token in tokens.items()}
        self._upload(history, devices)
        self._wait_until_judged()
        self.stdout.write(report(self.demonstration))
        self._tell_where(served)
        if not options["once"]:
            self._go_on(history, devices)

    def _tell_where(self, served: Serving) -> None:
        password = self.demonstration.password
        self.stdout.write(f"Look at it: {served.url}/   user name {USER}, password {password}")
        self.stdout.flush()

    def _history(self, days: int) -> list[PlannedRecording]:
        return [one for one in self.demonstration.history() if one.day < days or days >= DAYS]

    def _upload(
        self, history: Sequence[PlannedRecording], devices: dict[str, SimulatedDevice]
    ) -> None:
        """Upload day by day, so that what was recorded first is judged first."""
        self.stdout.write(
            f"Simulating and uploading {len(history)} recordings of {len(HOUSEHOLD)} infants "
            f"over {DAYS} days; {WORKERS} workers judge them as they come."
        )
        with _progress() as progress:
            uploading = progress.add_task("uploaded", total=len(history))
            ordered = sorted(history, key=_day_and_device)
            for (_day, device), some in groupby(ordered, key=_day_and_device):
                batch = list(some)
                devices[device].upload(batch)
                progress.advance(uploading, len(batch))
                self._look_for_the_first_timeline()

    def _wait_until_judged(self) -> None:
        total = Recording.objects.count()
        with _progress() as progress:
            judging = progress.add_task("judged", total=total)
            waiting = 1
            while waiting:
                waiting = Recording.objects.filter(state__in=ON_THE_WAY).count()
                progress.update(judging, completed=total - waiting)
                self._look_for_the_first_timeline()
                time.sleep(LOOKS_EVERY_S)
        if self.first_timeline_s is not None:
            self.stdout.write(f"First number on a timeline {self.first_timeline_s:.0f} s, and")
        took_s = self._since_start_s()
        self.stdout.write(f"all {total} recordings judged {took_s:.0f} s after the start.")

    def _look_for_the_first_timeline(self) -> None:
        if self.first_timeline_s is None:
            scored = RecordingJudgement.objects.filter(outcome="scored")
            self.first_timeline_s = self._since_start_s() if scored.exists() else None

    def _since_start_s(self) -> float:
        return time.monotonic() - self.started

    def _go_on(self, history: list[PlannedRecording], devices: dict[str, SimulatedDevice]) -> None:
        """Let the monitors upload cries of now until Ctrl-C."""
        self.stdout.write(f"A cry is uploaded every {LIVE_EVERY_S:.0f} s until Ctrl-C.")
        for one in self.demonstration.live(history):
            time.sleep(LIVE_EVERY_S)
            devices[one.device].upload([one])
            self.stdout.write(f"{timezone.now():%H:%M:%S} UTC   {one.device} uploaded a cry")
            self.stdout.flush()


def _checked(manifest: Path | None) -> Path | None:
    if manifest is not None and not manifest.exists():
        message = f"{manifest} does not exist: a manifest is a CSV file or a folder."
        raise CommandError(message)
    return manifest


def _day_and_device(one: PlannedRecording) -> tuple[int, str]:
    return int(one.day), one.device


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=Console(file=sys.stderr))


def _end(signum: int, _frame: FrameType | None) -> None:
    """Leave through every `finally`, so that the server is stopped."""
    sys.exit(128 + signum)
