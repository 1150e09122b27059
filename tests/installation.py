"""A running installation of its own: `manage.py run` in a temporary home, seen from outside.

What comes in: a folder and settings. What goes out: its address, its processes and, under another
database alias of the test's Django, its rows. Guaranteed: its database is on the server that the
test run uses, or in its home; nothing of it is left running when the block ends, nor when the test
run is killed (the kernel then sends its supervisor the signal that ends it).
"""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import requests
from django.db import connection, connections
from django.db.models import Model, QuerySet
from django.db.utils import load_backend

ROOT = Path(__file__).resolve().parents[1]
ALIAS = "installation"
PATIENCE_S = 120.0
STOP_LIMIT_S = 30.0
WORD_OF = {"web": "uvicorn", "worker": "worker", "scheduler": "beat"}
"""A word of the command line by which each of the supervisor's processes is known."""


@dataclass(frozen=True)
class Installation:
    """A supervisor and what it runs."""

    home: Path
    port: int
    environment: dict[str, str]
    supervisor: psutil.Popen

    @property
    def url(self) -> str:
        """Where its web process answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Everything that its processes have said."""
        return (self.home / "log").read_text(errors="replace")

    def rows(self, model: type[Model]) -> QuerySet[Any]:
        """Return the rows of its own database, not of the test's."""
        return model._default_manager.using(ALIAS)

    def processes(self, kind: str) -> list[psutil.Process]:
        """Return its processes of a kind: web, worker, scheduler, or pool (the worker's own)."""
        if kind == "pool":
            return [child for main in self.processes("worker") for child in _children(main)]
        return [child for child in _children(self.supervisor) if WORD_OF[kind] in _words(child)]

    def manage(self, *words: str) -> str:
        """Run one management command in it and return what it said."""
        return manage(self.environment, *words)

    def wait_for(
        self, what: str, seen: Callable[[], object], patience_s: float = PATIENCE_S
    ) -> None:
        """Wait until it is seen; where it is not, fail with the last words of the log."""
        deadline = time.monotonic() + patience_s
        while not seen():
            if time.monotonic() > deadline or self.supervisor.poll() is not None:
                pytest.fail(f"waited in vain for {what}; the log ends:\n{self.log[-6000:]}")
            time.sleep(0.02)

    def is_healthy(self) -> bool:
        """Tell whether its health page says that all is well."""
        try:
            return requests.get(f"{self.url}/api/v1/health/", timeout=5).ok
        except requests.RequestException:
            return False


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [child for child in process.children() if _words(child)]
    except psutil.NoSuchProcess:
        return []


def _words(process: psutil.Process) -> list[str]:
    """Return the command line; nothing of a process that has died."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []


def manage(environment: dict[str, str], *words: str) -> str:
    """Run one management command and return what it said."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"manage.py {' '.join(words)}: {done.stderr}")
    return done.stdout.strip()


@contextmanager
def installed(folder: Path, *, workers: int = 1, **settings: str) -> Iterator[Installation]:
    """Run an installation with these settings for the length of the block."""
    home = folder / "home"
    home.mkdir()
    with _a_database(home) as of_database:
        environment = _environment() | of_database | settings | {"ICLAS_HOME": str(home)}
        port = free_port()
        with _supervised(environment, home, port, workers) as supervisor:
            found = Installation(home, port, environment, supervisor)
            found.wait_for("the health page", found.is_healthy)
            yield found


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment() -> dict[str, str]:
    """Return the environment without what the test run has set for itself."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ICLAS_", "DATABASE_URL"))}
    return kept | {"OMP_NUM_THREADS": "1"}


@contextmanager
def _supervised(
    environment: dict[str, str], home: Path, port: int, workers: int
) -> Iterator[psutil.Popen]:
    run = [sys.executable, "manage.py", "run", "--port", str(port), "--workers", str(workers)]
    with (home / "log").open("wb") as log:
        supervisor = psutil.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *run],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield supervisor
    finally:
        _stop(supervisor)


def _stop(supervisor: psutil.Popen) -> None:
    """Kill everything, the supervisor being held first so that it starts nothing anew."""
    with suppress(psutil.NoSuchProcess):
        supervisor.suspend()
        everything = [supervisor, *supervisor.children(recursive=True)]
        for process in everything:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(everything, timeout=STOP_LIMIT_S)
    supervisor.wait()


# --- its database ------------------------------------------------------------------------------


@contextmanager
def _a_database(home: Path) -> Iterator[dict[str, str]]:
    """Give it a database of its own, known to the test as `ALIAS`; yield what names it to it."""
    if connection.vendor == "sqlite":
        with _known_as_alias(str(home / "iclas.sqlite3")):
            yield {}
        return
    name = f"iclas_{secrets.token_hex(6)}"
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    _on_the_server(f'CREATE DATABASE "{name}"')
    try:
        with _known_as_alias(name):
            yield {"DATABASE_URL": f"{server}/{name}"}
    finally:
        _on_the_server(f'DROP DATABASE "{name}" WITH (FORCE)')


def _on_the_server(statement: str) -> None:
    """Execute what no transaction may hold."""
    address = connection.get_connection_params()
    keys = ("host", "port", "user", "password")
    words = {key: address[key] for key in keys if address.get(key)}
    with psycopg.connect(**words, dbname="postgres", autocommit=True) as client:
        client.execute(statement)


@contextmanager
def _known_as_alias(name: str) -> Iterator[None]:
    described = connection.settings_dict | {"NAME": name}
    # Not among the settings: there Django's tests would forbid it.
    connections[ALIAS] = load_backend(described["ENGINE"]).DatabaseWrapper(described, ALIAS)
    try:
        yield
    finally:
        connections[ALIAS].close()
        del connections[ALIAS]
