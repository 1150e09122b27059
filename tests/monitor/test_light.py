"""The monitor is light: neither torch nor Django, and nothing that a command does not need."""

import importlib.metadata
import json
import re
import subprocess
import sys
from functools import cache

import pytest

from tests.house import project

HEAVY = {"torch", "torchaudio", "speechbrain", "django", "rest_framework", "celery", "sklearn"}
SERVER = {"iclas", "dashboard", "bridge", "notify", "anomaly", "infants", "devices"}
SLOW = {"scipy.signal", "scipy.stats", "librosa", "onnxruntime", "matplotlib", "numba"}
LOADED = """
import importlib, json, pkgutil, sys
{code}
json.dump(sorted(sys.modules), sys.stdout)
"""
EVERYTHING = """
import monitor
for found in pkgutil.walk_packages(monitor.__path__, "monitor."):
    importlib.import_module(found.name)
"""
HEARS = """
import numpy as np, threading
from pathlib import Path
import tempfile
import monitor.uploader, monitor.server, monitor.station
from monitor.recorder import Recorder
from monitor.config import CutConfig
from monitor.sources import Stretch
from monitor.spool import Spool
from monitor.wishes import Wishes
from tests.monitor.nights import a_night
samples = a_night(0)
before = set(sys.modules)
spool = Spool(Path(tempfile.mkdtemp()), 10**6)
recorder = Recorder(spool, CutConfig(), Wishes())
recorder.record(Stretch("a night", iter([samples])), threading.Event())
assert recorder.done.takes == 1
"""


@cache
def loaded(code: str) -> set[str]:
    """Return the modules of a process that ran this."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(code=code)],
        cwd=project.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_all_of_it_loads_neither_torch_nor_django_nor_the_server() -> None:
    found = {name.split(".")[0] for name in loaded(EVERYTHING)}
    assert {"monitor", "pipelines", "numpy"} <= found
    assert not found & (HEAVY | SERVER)


@pytest.mark.parametrize("command", ["status", "spool", "pair"])
def test_what_hears_nothing_loads_no_maths(command: str) -> None:
    found = loaded(f"import monitor.__main__, monitor.commands.{command}")
    assert not found & {"numpy", "scipy", "av"}


def test_hearing_loads_nothing_slow() -> None:
    found = loaded("import monitor.recorder, monitor.station, monitor.server, monitor.uploader")
    assert not found & SLOW
    assert "monitor.listen" in found


def test_what_is_heard_is_heard_without_torch_and_without_django() -> None:
    found = {name.split(".")[0] for name in loaded(HEARS)}
    assert not found & (HEAVY | SERVER)


def test_its_requirements_are_what_it_loads_at_the_versions_of_the_server() -> None:
    whole, own = (
        set(re.findall(r"^[\w.-]+==[\w.]+$", (project.ROOT / name).read_text(), flags=re.M))
        for name in ("requirements.txt", "monitor/requirements.txt")
    )
    assert own <= whole
    owners = importlib.metadata.packages_distributions()
    # setuptools is not needed; it hooks into every process of its environment.
    found = {name.split(".")[0] for name in loaded(EVERYTHING)}
    needed = {owner.lower() for name in found for owner in owners.get(name, [])} - {"setuptools"}
    assert {line.partition("==")[0] for line in own} == needed
