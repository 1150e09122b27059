"""`manage.py run`: web, worker and scheduler under one supervisor, from nothing."""

import os
import secrets
import shlex
import signal
import socket
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from honcho.manager import Manager

from iclas.flow import QUEUES
from infants.models import User

# The few static files of the admin and the API's pages are read quickly enough as they are.
SYNCHRONOUS_STATIC = "ignore:StreamingHttpResponse must consume synchronous iterators"
# The supervisor's signal reaches the pool's processes too, after which a worker that waits for them
# waits in vain. Whatever it was at is taken up again when its lease runs out.
STOP_AT_ONCE = {"REMAP_SIGTERM": "SIGQUIT"}
STOPPED_BY_HAND = {128 + signal.SIGINT, 128 + signal.SIGTERM}


class Command(BaseCommand):
    """Bring the database up to date, create the first admin, and run until Ctrl-C."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1, help="worker processes")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Set up what is missing, then supervise."""
        host, port = options["host"], options["port"]
        _refuse_taken_port(host, port)
        call_command("migrate", interactive=False, verbosity=0)
        self._create_first_admin()
        self.stdout.write(f"ICLAS keeps everything under {settings.ICLAS_HOME.root}")
        self.stdout.write(f"Health: http://{host}:{port}/api/v1/health/   Stop with Ctrl-C.")
        self.stdout.flush()
        manager = Manager()
        where = str(settings.BASE_DIR)
        # Bodies on their way in are spooled to the disk of the home folder: /tmp may be memory.
        environment = os.environ | {"TMPDIR": str(settings.ICLAS_HOME.uploads)} | STOP_AT_ONCE
        for name, command in _processes(options).items():
            manager.add_process(name, shlex.join(command), env=environment, cwd=where)
        manager.loop()
        if manager.returncode not in STOPPED_BY_HAND:
            sys.exit(manager.returncode)

    def _create_first_admin(self) -> None:
        if User.objects.filter(is_superuser=True).exists():
            return
        password = secrets.token_urlsafe(12)
        User.objects.create_superuser("admin", password=password)
        self.stdout.write(f"First admin: user name admin, password {password} (shown this once)")


def _processes(options: dict[str, Any]) -> dict[str, list[str]]:
    python = sys.executable
    celery = [python, "-m", "celery", "--app", "iclas", "--quiet"]
    return {
        "web": [
            *(python, "-W", SYNCHRONOUS_STATIC, "-m", "uvicorn", "iclas.asgi:application"),
            *("--host", options["host"], "--port", str(options["port"])),
            *("--no-access-log", "--lifespan", "off"),
        ],
        "worker": [
            *(*celery, "worker", "--loglevel", "WARNING", "--queues", ",".join(QUEUES)),
            *("--concurrency", str(options["workers"]), "--without-gossip", "--without-mingle"),
        ],
        "scheduler": [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""],
    }


def _refuse_taken_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = f"{host}:{port} cannot be served: {error.strerror}. Choose another --port."
            raise CommandError(message) from error
