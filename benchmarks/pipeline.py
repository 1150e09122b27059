"""Time per stage per cry, and how much of it the house itself costs.

    .venv/bin/python benchmarks/pipeline.py [--recordings N] [--json FILE]

Recordings of a synthetic infant are uploaded into a new home folder and taken through every stage
in one process on one thread. While they go, the time spent inside the pure functions of
`pipelines` is added up: that is the peer, the same maths with no rows, files, leases or
transactions around it, measured in the same run. `overhead_frac` is the share of CPU time outside.
"""

import argparse
import functools
import json
import os
import platform
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

PURE = {
    "infants.stages.segment": ("segment", "hear_unit", "channels_of", "gate_features"),
    "infants.stages.embed": ("decode", "resample", "peak_normalise"),
    "anomaly.stages.episode": ("find_episodes",),
}


class Clock:
    """CPU and wall time, added up by name."""

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = defaultdict(float)
        self.wall_s: dict[str, float] = defaultdict(float)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the time of the block to `name`."""
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            yield
        finally:
            self.cpu_s[name] += time.process_time() - cpu
            self.wall_s[name] += time.perf_counter() - wall

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with its time added to `maths`."""

        @functools.wraps(function)
        def timed(*args: object, **kwargs: object) -> object:
            with self.timed("maths"):
                return function(*args, **kwargs)

        return timed


def main() -> None:
    """Run the benchmark, print a table for people, write JSON for programs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--recordings", type=int, default=80)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"ICLAS_HOME": home, "OMP_NUM_THREADS": "1"}
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iclas.settings")
        sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
        figures = _measure(args.recordings)
    _print(figures)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1))


def _measure(recordings: int) -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from iclas import flow
    from infants.models import Cry
    from infants.stages.embed import encoder

    clock = Clock()
    clips = _clips(recordings)
    encoder().embed([])  # loading is paid once a process, so it is not part of the time per cry
    with flow.kept_back() as ids, clock.timed("upload"):
        _upload(clips)
    with _maths_timed(clock):
        _drive(list(ids), clock)
    cries = Cry.objects.exclude(embedding=None).count()
    return _figures(clock, cries, len(ids))


def _clips(recordings: int) -> list[bytes]:
    """Return so many WAV files of one synthetic infant."""
    from pipelines.sound import write_wav
    from pipelines.synthesis import InfantVoice, synthesise_cry

    clips = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cry.wav"
        for seed in range(recordings):
            write_wav(path, synthesise_cry(InfantVoice(), seed=seed, duration_s=7.0).sound)
            clips.append(path.read_bytes())
    return clips


def _upload(clips: list[bytes]) -> None:
    """Upload the clips as one infant's, four in a session a day."""
    import datetime as dt

    from django.core.files.base import ContentFile

    from devices.models import Device
    from infants.assignments import assign_device
    from infants.models import Household, Infant
    from infants.stages.upload import Upload, store_upload

    household = Household.objects.create(name="bench")
    infant = Infant.objects.create(household=household, name="bench")
    device = Device.objects.create(name="bench")
    assign_device(device, infant)
    start = dt.datetime(2026, 1, 1, 8, tzinfo=dt.UTC)
    for number, clip in enumerate(clips):
        when = start + dt.timedelta(days=number // 4, minutes=number % 4)
        audio = ContentFile(clip, name="cry.wav")
        store_upload(device, Upload(audio=audio, recorded_at=when.isoformat()))


@contextmanager
def _maths_timed(clock: Clock) -> Iterator[None]:
    """Time every pure function that a stage calls."""
    import importlib

    from infants.stages.embed import encoder
    from pipelines import gate
    from pipelines.score import PersonalModel

    with ExitStack() as stack:
        for module_name, names in PURE.items():
            module = importlib.import_module(module_name)
            for name in names:
                timed = clock.around(getattr(module, name))
                stack.enter_context(mock.patch.object(module, name, timed))
        for owner, name in (
            (gate, "gate_cry"),
            (encoder(), "embed"),
            (PersonalModel, "score_recording"),
            (PersonalModel, "score_session"),
            (PersonalModel, "fit"),
        ):
            timed = clock.around(getattr(owner, name))
            stack.enter_context(mock.patch.object(owner, name, timed))
        yield


def _drive(ids: list[Any], clock: Clock) -> None:
    """Take the recordings the whole way, each step timed by its name."""
    from iclas import flow

    def timed(step: flow.Step) -> flow.Step:
        def run(some: Sequence[UUID]) -> None:
            with clock.timed(step.name):
                step.run(some)

        return flow.Step(step.name, step.takes, run, step.queue)

    hearing, judging = (tuple(map(timed, steps)) for steps in (flow.HEARING, flow.JUDGING))
    with mock.patch.multiple(flow, HEARING=hearing, JUDGING=judging):
        flow.drive(ids)


def _figures(clock: Clock, cries: int, recordings: int) -> dict[str, Any]:
    stages = {name: cpu for name, cpu in clock.cpu_s.items() if name != "maths"}
    after_upload = sum(cpu for name, cpu in stages.items() if name != "upload")
    return {
        "n_recordings": recordings,
        "n_cries": cries,
        "cpu_ms_per_cry": {name: 1000 * cpu / cries for name, cpu in stages.items()},
        "cpu_ms_per_recording": {name: 1000 * cpu / recordings for name, cpu in stages.items()},
        "wall_ms_per_recording": {name: 1000 * clock.wall_s[name] / recordings for name in stages},
        "cries_per_s_per_core": cries / sum(stages.values()),
        "overhead_frac": 1 - clock.cpu_s["maths"] / after_upload,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread",
    }


def _print(figures: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    title = f"{figures['n_recordings']} recordings, {figures['n_cries']} cries"
    table = Table(title=title, title_justify="left")
    for heading in ("stage", "CPU ms / cry", "CPU ms / recording", "wall ms / recording"):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    for stage, per_cry in figures["cpu_ms_per_cry"].items():
        per_recording = figures["cpu_ms_per_recording"][stage]
        wall = figures["wall_ms_per_recording"][stage]
        table.add_row(stage, f"{per_cry:.2f}", f"{per_recording:.2f}", f"{wall:.2f}")
    console = Console()
    console.print(table)
    console.print(f"cries per second per core: {figures['cries_per_s_per_core']:.1f}")
    console.print(f"CPU outside the maths:     {100 * figures['overhead_frac']:.0f} %")
    console.print(figures["machine"], style="dim")


if __name__ == "__main__":
    main()
