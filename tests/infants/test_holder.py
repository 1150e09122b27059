"""Holders: a process that died is known to have died, one that lives is not."""

import datetime as dt
import subprocess
import sys

import pytest
from django.utils import timezone

from infants.holder import died, forget_the_long_dead, holder
from infants.leases import free_orphans
from tests.builders import a_recording, an_infant
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


def test_a_process_has_one_name_and_is_not_dead_while_it_lives() -> None:
    assert holder() == holder()
    assert holder() not in died()


def test_a_killed_process_is_known_as_dead_and_the_living_stay() -> None:
    process, name = _another()
    with process:
        assert name in _files()
        assert name != holder()
        assert not {name, holder()} & died()
        process.kill()
        process.wait()
        assert name in died()
        assert name in died()
        assert holder() in _files()


def test_the_dead_are_forgotten_only_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    process, name = _another()
    with process:
        process.kill()
        process.wait()
        died()
        forget_the_long_dead()
        assert name in died()
        monkeypatch.setattr("infants.holder.FORGOTTEN_AFTER_S", -1.0)
        forget_the_long_dead()
        assert name not in died()


def test_a_name_without_a_file_belongs_to_another_machine() -> None:
    assert "0123456789ab" not in died()


@pytest.mark.django_db
def test_what_a_dead_process_turns_out_to_hold_is_freed_though_it_was_found_before() -> None:
    process, name = _another()
    with process:
        process.kill()
        process.wait()
        assert free_orphans() == []
        until = timezone.now() + dt.timedelta(minutes=5)
        late = a_recording(an_infant(), state="gated", lease_owner=f"{name}.x", lease_until=until)
        assert free_orphans() == [late.id]
