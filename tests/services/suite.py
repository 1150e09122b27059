"""The whole test run: tests that meet the database on SQLite and on PostgreSQL, all others once.

`python -m tests.services.suite`; four run at once, since those with a database often wait for
programs that they started, and those that open pages in a browser come after them. What comes out
last are each run's own summary line, what its campaigns counted, and what was not run, with the
reason. The exit status is 0 when nothing failed.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from tests.services import chromium, mosquitto
from tests.services.postgresql import Unavailable, programs_or_install, running

TESTS = Path(__file__).resolve().parent.parent
# Every other folder meets the database, so that a new one is never forgotten here.
WITHOUT_DATABASE = {"contracts", "house", "monitor", "pipelines", "services"}
STARTS_PROGRAMS = {"flow", "iclas"}
"""On the embedded database these are a run of their own, as long as that of all others."""
IN_BROWSER = "tests/browser"
AT_ONCE = 4
_started: list[subprocess.Popen[str]] = []
FAILURE = re.compile(r"E  |FAILED |ERROR |_{3,} .* _{3,}$")
LAST_WORDS = 30
"""Lines on what failed that are said once more at the end, where nobody has to look for them."""
SUMMARY = re.compile(r"(=+ )?(\d+ \w+(, )?)+ in \d+\.\d+s.*")


@dataclass(frozen=True)
class Outcome:
    """What one pytest run left."""

    status: int
    summary: str
    not_run: list[str]
    campaigns: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """What failed, and the lines in which pytest says why."""


def database_folders() -> list[str]:
    """Return the folders of tests that meet the database."""
    apart = {*WITHOUT_DATABASE, Path(IN_BROWSER).name}
    return [folder for folder in _folders() if Path(folder).name not in apart]


def program_folders() -> list[str]:
    """Return those of them whose tests start whole programs."""
    return [folder for folder in database_folders() if Path(folder).name in STARTS_PROGRAMS]


def other_folders() -> list[str]:
    """Return the folders of tests that do not."""
    return [folder for folder in _folders() if Path(folder).name in WITHOUT_DATABASE]


def _folders() -> list[str]:
    folders = [path for path in TESTS.iterdir() if any(path.rglob("test_*.py"))]
    return sorted(f"tests/{path.name}" for path in folders)


def run_pytest(name: str, arguments: list[str], environment: Mapping[str, str]) -> Outcome:
    """Run pytest, passing on what it says and keeping what belongs at the end."""
    summary, not_run, campaigns, failures = "", [], [], []
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=TESTS.parent,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        _started.append(process)
        for line in _passed_on(name, process):
            if line.startswith("NOT RUN"):
                not_run.append(line)
            elif line.startswith("campaign: "):
                campaigns.append(line)
            elif FAILURE.match(line):
                failures.append(line)
            elif SUMMARY.fullmatch(line):
                summary = line
    ended = summary or "ended without a summary"
    return Outcome(process.returncode, ended, not_run, campaigns, failures)


def _passed_on(name: str, process: subprocess.Popen[str]) -> Iterator[str]:
    """Write each line that a process says as it comes, behind its name, and yield it."""
    for line in process.stdout or ():
        sys.stdout.write(f"{name:>10} | {line}")
        sys.stdout.flush()
        yield line.rstrip()


def _embedded() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}


def without_database() -> Outcome:
    """Run the tests of the maths and of the house."""
    return run_pytest("maths", other_folders(), _embedded())


def on_sqlite() -> Outcome:
    """Run the tests that meet the database on the embedded one, but for those of programs."""
    apart = program_folders()
    chosen = [folder for folder in database_folders() if folder not in apart]
    return run_pytest("SQLite", chosen, _embedded())


def of_programs() -> Outcome:
    """Run the tests that start whole programs, on the embedded database."""
    return run_pytest("programs", program_folders(), _embedded())


def in_browser() -> Outcome:
    """Run the tests that open pages in a browser; they meet the embedded database."""
    failure = chromium.installed()
    if failure:
        return Outcome(0, "not run", [f"NOT RUN: {IN_BROWSER}: {failure}"])
    return run_pytest("browser", [IN_BROWSER], _embedded())


def on_postgresql(bin_dir: Path | Unavailable) -> Outcome:
    """Run the tests that meet the database on a server of their own."""
    if isinstance(bin_dir, Unavailable):
        reason = f"NOT RUN: {', '.join(database_folders())} on PostgreSQL: {bin_dir.reason}"
        return Outcome(0, "not run", [reason])
    with running(bin_dir) as database_url:
        chosen = ["-m", "not embedded", *database_folders()]
        return run_pytest("PostgreSQL", chosen, os.environ | {"DATABASE_URL": database_url})


def main() -> int:
    """Run them all and say at the end what they said."""
    signal.signal(signal.SIGTERM, _end)
    # Small matrices: more threads only wait for each other, badly so on a busy machine.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    bin_dir = programs_or_install()
    mosquitto.installed()  # where it is not, its tests are listed as not run
    outcomes = _at_once(bin_dir)
    not_run = dict.fromkeys(line for outcome in outcomes.values() for line in outcome.not_run)
    sys.stdout.write("".join(f"{line}\n" for line in ("", *not_run)))
    for name, outcome in outcomes.items():
        lines = "\n".join([f"{name}:", *outcome.campaigns, outcome.summary])
        sys.stdout.write(f"{lines}\n")
    for name, outcome in outcomes.items():
        if outcome.status:
            lines = "\n".join([f"{name} failed:", *outcome.failures[-LAST_WORDS:]])
            sys.stdout.write(f"{lines}\n")
    return max(abs(outcome.status) for outcome in outcomes.values())


def _at_once(bin_dir: Path | Unavailable) -> dict[str, Outcome]:
    """Run all at once; whoever ends this run ends them, and they what they started."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = {
            "PostgreSQL": pool.submit(on_postgresql, bin_dir),
            "programs": pool.submit(of_programs),
            "SQLite": pool.submit(on_sqlite),
            "maths": pool.submit(without_database),
            "browser": pool.submit(in_browser),
        }
        try:
            return {name: run.result() for name, run in runs.items()}
        except (SystemExit, KeyboardInterrupt):
            pool.shutdown(wait=False, cancel_futures=True)
            for process in _started:
                process.send_signal(signal.SIGINT)
            raise


def _end(signum: int, _frame: FrameType | None) -> None:
    """Leave through every `finally`, so that the server is stopped."""
    sys.exit(128 + signum)


if __name__ == "__main__":
    sys.exit(main())
