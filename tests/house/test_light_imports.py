"""The web process stays light, and Django has nothing to complain about."""

import json
import subprocess
import sys

import pytest

from tests.house import project

HEAVY = {"torch", "torchaudio", "speechbrain", "transformers", "scipy.signal", "scipy.stats"}
ASKED_FOR = {"opentelemetry", "prometheus_client", "pythonjsonlogger"}
LOAD_THE_WEB_PROCESS = """
import json, sys
import iclas.asgi, iclas.tasks
from iclas.telemetry.work import watches
from django.urls import get_resolver

def load(resolver):
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            load(pattern)

load(get_resolver())
json.dump([sorted(sys.modules), watches], sys.stdout)
"""


def python(*words: str) -> subprocess.CompletedProcess[str]:
    """Run Python at the project's root, as a process of its own."""
    return subprocess.run(
        [sys.executable, *words], cwd=project.ROOT, capture_output=True, text=True, check=False
    )


def test_web_process_loads_no_network() -> None:
    done = python("-c", LOAD_THE_WEB_PROCESS)
    assert done.returncode == 0, done.stderr
    modules, watches = json.loads(done.stdout)
    loaded = set(modules)
    assert {"iclas.urls", "iclas.flow", "rest_framework"} <= loaded
    assert not HEAVY & loaded
    assert not ASKED_FOR & loaded
    assert watches == []


@pytest.mark.parametrize(
    "command",
    [("check", "--fail-level", "WARNING"), ("makemigrations", "--check", "--dry-run")],
    ids=lambda command: command[0],
)
def test_django_finds_nothing_wrong(command: tuple[str, ...]) -> None:
    done = python("manage.py", *command)
    assert done.returncode == 0, done.stdout + done.stderr
