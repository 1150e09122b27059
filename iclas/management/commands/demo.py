"""`manage.py demo`: the main job on a simulated household, or on recordings of a manifest."""

import csv
import datetime as dt
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from infants.models import Infant
from pipelines.sound import write_wav
from pipelines.synthesis import InfantVoice, Room, synthesise_cry

DAYS = 21
SHIFTS_ON_DAY = 15
HOURS = (3, 10, 19)
RATE_HZ = 16_000


@dataclass(frozen=True)
class SimulatedInfant:
    """An infant of the demonstration: a voice, a room, and a day from which the pitch is higher."""

    name: str
    voice: InfantVoice
    room: Room
    shifts_on_day: int | None = None

    def voice_on(self, day: int) -> InfantVoice:
        """Return the voice on one of the demonstration's days."""
        if self.shifts_on_day is None or day < self.shifts_on_day:
            return self.voice
        return replace(self.voice, f0_hz=1.25 * self.voice.f0_hz, breathiness_frac=0.3)


HOUSEHOLD = (
    SimulatedInfant("demo-steady", InfantVoice(f0_hz=430.0), Room(seed=1)),
    SimulatedInfant("demo-shifting", InfantVoice(f0_hz=390.0), Room(seed=2), SHIFTS_ON_DAY),
)


class Command(BaseCommand):
    """Make recordings of two simulated infants, or take a manifest, and show their timelines."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--manifest", type=Path, help="real recordings instead")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the main job from recordings to timelines."""
        call_command("migrate", interactive=False, verbosity=0)
        started = time.monotonic()
        if options["manifest"]:
            self._take(options["manifest"])
        else:
            self.stdout.write(
                f"Simulating {len(HOUSEHOLD)} infants over {DAYS} days; the voice of one of them "
                f"rises by a quarter from day {SHIFTS_ON_DAY + 1}."
            )
            with tempfile.TemporaryDirectory(dir=settings.ICLAS_HOME.uploads) as folder:
                self._take(simulate_household(Path(folder)))
        self._show()
        self.stdout.write(f"Took {time.monotonic() - started:.0f} s after installation.")

    def _take(self, manifest: Path) -> None:
        call_command("import_recordings", str(manifest), create_infants=True, stdout=self.stdout)

    def _show(self) -> None:
        """Print and draw the timelines of the infants with the most scored recordings."""
        for infant in most_scored()[:2]:
            picture = settings.ICLAS_HOME.root / f"{infant.source_key or infant.id}.png"
            call_command("timeline", str(infant.id), png=picture, stdout=self.stdout)


def most_scored() -> list[Infant]:
    """Return the infants that have judgements, those with the most numbers first."""
    from django.db.models import Count, Q

    scored = Count("judgements", filter=Q(judgements__outcome="scored"))
    infants = Infant.objects.annotate(n_scored=scored, n=Count("judgements")).filter(n__gt=0)
    return list(infants.order_by("-n_scored", "-n", "name"))


def simulate_household(folder: Path) -> Path:
    """Write the household's recordings as WAV files; return their manifest."""
    start = dt.datetime.combine(dt.datetime.now(dt.UTC).date(), dt.time(), dt.UTC)
    start -= dt.timedelta(days=DAYS)
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "infant", "recorded_at"])
        writer.writerows(_recordings(folder, start))
    return manifest


def _recordings(folder: Path, start: dt.datetime) -> Iterator[tuple[str, str, str]]:
    for number, infant in enumerate(HOUSEHOLD):
        for day in range(DAYS):
            for hour in HOURS:
                seed = 10_000 * number + 100 * day + hour
                name = f"{infant.name}-{day:02}-{hour:02}.wav"
                cry = synthesise_cry(infant.voice_on(day), seed, rate_hz=RATE_HZ, room=infant.room)
                write_wav(folder / name, cry.sound)
                yield name, infant.name, (start + dt.timedelta(days=day, hours=hour)).isoformat()
