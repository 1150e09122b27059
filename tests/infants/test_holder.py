"""Holders: a process that died is known to have died, one that lives is not."""

import subprocess
import sys

from infants.holder import forget_the_gone, gone, holder
from tests.conftest import RUN_HOME

A_HOLDER = """
import os, django
django.setup()
from infants.holder import holder
print(holder(), flush=True)
input()
"""


def _another() -> tuple[subprocess.Popen[str], str]:
    """Return another process that holds, and its name as a holder."""
    process = subprocess.Popen(
        [sys.executable, "-c", A_HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def _files() -> set[str]:
    return {path.name for path in (RUN_HOME / "home" / "holders").iterdir()}


def test_a_process_has_one_name_and_is_not_gone_while_it_lives() -> None:
    assert holder() == holder()
    assert gone([holder()]) == set()


def test_a_killed_process_is_gone_and_forgotten_and_the_living_stay() -> None:
    process, name = _another()
    with process:
        assert name in _files()
        assert name != holder()
        assert gone([name, holder()]) == set()
        process.kill()
        process.wait()
        assert gone([name, holder()]) == {name}
        forget_the_gone()
        assert name not in _files()
        assert holder() in _files()


def test_a_name_without_a_file_belongs_to_another_machine() -> None:
    assert gone(["0123456789ab", ""]) == set()
