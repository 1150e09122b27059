"""Management commands as processes of their own, and what an operator may read of them."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MANAGE = (sys.executable, "manage.py")


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Return the environment of an installation in this home, with nothing else set."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ICLAS_")}
    kept.pop("DATABASE_URL", None)
    return kept | {"ICLAS_HOME": str(home)} | variables


def called(words: Sequence[str], home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the project in a home."""
    return subprocess.run(
        words,
        cwd=ROOT,
        env=environment(home, **variables),
        capture_output=True,
        text=True,
        check=False,
    )


def manage(home: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a management command in a home."""
    return called([*MANAGE, *words], home, **variables)


def assert_one_line(done: subprocess.CompletedProcess[str], told: str) -> None:
    """Hold what a command has said against what an operator is promised."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert told in done.stderr
    assert done.stdout == ""
