"""`manage.py run`: web, worker, scheduler, and a bridge, under one supervisor, from nothing."""

import configparser
import fcntl
import os
import resource
import secrets
import shlex
import shutil
import socket
import stat
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from iclas.database import ready_database
from iclas.flow import QUEUES
from infants.models import User

# The few static files of the admin and the API's pages are read quickly enough as they are.
SYNCHRONOUS_STATIC = "ignore:StreamingHttpResponse must consume synchronous iterators"
LIVE_PAGES_LET_GO_S = 5
"""Open pages keep a stream each; they come back by themselves."""
OPEN_FILES = 2**14
EVERY_PROGRAM = {
    "directory": str(settings.BASE_DIR),
    "stdout_logfile": "/dev/fd/1",
    "stdout_logfile_maxbytes": "0",
    "redirect_stderr": "true",
    # What dies is started again, the sooner the longer it has lived, and for as long as it takes.
    "autorestart": "true",
    "startsecs": "3",
    "startretries": "1000000",
    "stopwaitsecs": "10",
    "killasgroup": "true",
}


class Command(BaseCommand):
    """Bring the database up to date, create the first admin, and run until Ctrl-C.

    A process that dies is started again; what it was at is taken up by the sweeper.
    """

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1, help="worker processes")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Set up what is missing, then become the supervisor."""
        host, port = options["host"], options["port"]
        refuse_taken_port(host, port)
        ready_database()
        self._create_first_admin()
        # What was counted before is of processes that are gone.
        shutil.rmtree(settings.ICLAS_HOME.metrics, ignore_errors=True)
        self.stdout.write(f"ICLAS keeps everything under {settings.ICLAS_HOME.root}")
        self.stdout.write(f"Serving at http://{host}:{port}/   Stop with Ctrl-C.")
        self.stdout.flush()
        _become_supervisor(_configured(options))

    def _create_first_admin(self) -> None:
        if User.objects.filter(is_superuser=True).exists():
            return
        password = secrets.token_urlsafe(12)
        with transaction.atomic():  # who was never told the password is asked for another
            User.objects.create_superuser("admin", password=password)
            self.stdout.write(f"First admin: user name admin, password {password} (shown once)")
            self.stdout.flush()


def _configured(options: dict[str, Any]) -> Path:
    """Write what the supervisor shall run; return where."""
    said = configparser.RawConfigParser()
    said["supervisord"] = {
        "nodaemon": "true",
        "logfile": "/dev/null",
        "logfile_maxbytes": "0",
        "loglevel": "warn",
        "minfds": str(most_files()),
        "pidfile": _spelt(settings.ICLAS_HOME.root / "supervisor.pid"),
    }
    if os.geteuid() == 0:
        said["supervisord"]["user"] = "root"  # unless told so it complains at every start
    for name, program in _programs(options).items():
        said[f"program:{name}"] = EVERY_PROGRAM | program
    path: Path = settings.ICLAS_HOME.root / "supervisor.conf"
    with path.open("w") as stream:
        said.write(stream)
    return path


def _programs(options: dict[str, Any]) -> dict[str, dict[str, str]]:
    python = [*ends_with_its_parent(), sys.executable]
    celery = [*python, "-m", "celery", "--app", "iclas", "--quiet"]
    web = [*python, "-W", SYNCHRONOUS_STATIC, *web_words(options["host"], options["port"])]
    worker = [
        *(*celery, "worker", "--loglevel", "WARNING", "--queues", ",".join(QUEUES)),
        *("--concurrency", options["workers"], "--without-gossip", "--without-mingle"),
    ]
    scheduler = [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""]
    programs = {
        "web": {"command": _spelt(*web)},
        # Whatever it is at is taken up again, at once: nobody waits for it at the end.
        "worker": {"command": _spelt(*worker), "stopsignal": "KILL", "stopasgroup": "true"},
        "scheduler": {"command": _spelt(*scheduler)},
    }
    if settings.ICLAS_MQTT_URL:
        bridge = [*python, str(settings.BASE_DIR / "manage.py"), "bridge"]
        programs["bridge"] = {"command": _spelt(*bridge)}
    return programs


def web_words(host: str, port: int) -> list[str]:
    """Return the interpreter's words that serve the pages and the API."""
    return [
        *("-m", "uvicorn", "iclas.asgi:application", "--http", "iclas.reading:SmallPieces"),
        *("--host", host, "--port", str(port), "--no-access-log", "--lifespan", "off"),
        *("--timeout-graceful-shutdown", str(LIVE_PAGES_LET_GO_S)),
    ]


def most_files() -> int:
    """Return how many files each process may have open: two for each upload on its way in."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)


def ends_with_its_parent() -> list[str]:
    """Return what a command begins with so that it ends when its parent does, even by kill -9.

    Without util-linux it begins with nothing: what is left over then keeps its port.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []


def _spelt(*words: object) -> str:
    """Return words as one line of the configuration, in which % has a meaning."""
    return shlex.join(str(word) for word in words).replace("%", "%%")


def _become_supervisor(configuration: Path) -> None:
    # Bodies on their way in are spooled to the disk of the home folder: /tmp may be memory.
    told = {"TMPDIR": str(settings.ICLAS_HOME.uploads), "PYTHONUNBUFFERED": "1"}
    _append_to_output()
    arguments = ["-m", "supervisor.supervisord", "-c", str(configuration)]
    os.execve(  # noqa: S606  ICLAS' own interpreter, with no shell
        sys.executable, [sys.executable, *arguments], os.environ | told
    )


def _append_to_output() -> None:
    """Let every process write behind what the others wrote, where the output is a file."""
    if stat.S_ISREG(os.fstat(1).st_mode):
        fcntl.fcntl(1, fcntl.F_SETFL, fcntl.fcntl(1, fcntl.F_GETFL) | os.O_APPEND)


def refuse_taken_port(host: str, port: int) -> None:
    """Say so in words where an address cannot be served."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = (
                f"{host}:{port} cannot be served: {error.strerror}. "
                "Choose another --port (make ... PORT=8001)."
            )
            raise CommandError(message) from error
