"""An installation that is served for as long as a command needs it.

What comes in: an address. What goes out: `manage.py run` behind it, answering. Guaranteed: it is
stopped when the command ends, however that comes about; what it says goes to a log in the home
folder.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from django.conf import settings
from django.core.management.base import CommandError

from iclas.management.commands.run import ends_with_its_parent

STARTS_WITHIN_S = 120.0
STOPS_WITHIN_S = 30.0
ASKED_EVERY_S = 0.3


@dataclass(frozen=True)
class Serving:
    """A server that answers."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def wait(self) -> None:
        """Wait until it ends by itself."""
        self.process.wait()


@contextmanager
def serving(host: str, port: int, workers: int) -> Iterator[Serving]:
    """Serve this installation inside.

    Raises
    ------
    CommandError
        When it does not answer; its log says why.

    """
    log = settings.ICLAS_HOME.root / "run.log"
    command = [*ends_with_its_parent(), sys.executable, str(settings.BASE_DIR / "manage.py"), "run"]
    command += ["--host", host, "--port", str(port), "--workers", str(workers)]
    with log.open("ab") as stream:
        process = subprocess.Popen(  # noqa: S603  ICLAS itself, with no shell
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
        )
    served = Serving(f"http://{host}:{port}", log, process)
    try:
        _wait_for(served)
        yield served
    finally:
        _stop(process)


def _wait_for(served: Serving) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline and served.process.poll() is None:
        if _answers(served.url):
            return
        time.sleep(ASKED_EVERY_S)
    message = f"The server does not answer at {served.url}; {served.log} says why."
    raise CommandError(message)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/api/v1/health/", timeout=5.0).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
