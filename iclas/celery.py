"""The Celery application: JSON only, late acknowledgement, no stored results.

The row is the truth and the queue only a nudge, so the default broker is a folder of small files
under `ICLAS_HOME` that may lose messages: the sweeper finds whatever stands still.
"""

import os
from typing import Any

import django
from celery import Celery
from celery.signals import import_modules, worker_init, worker_ready

from iclas import broker, pool, pulse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iclas.settings")


@import_modules.connect
def refuse_newer_database(**_signal: Any) -> None:
    """Let no worker of an older version work on a database of a newer one.

    It is the first to be called when a worker starts, so it stands before Celery's own for Django.
    """
    django.setup()
    from iclas.database import refuse_to_start_on_newer

    refuse_to_start_on_newer()


broker.install()
pool.install()
app = Celery("iclas", task_cls="iclas.telemetry.tasks:WatchedTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
# A worker waits so long for what a dead process of its pool may have answered, and takes nothing
# else on in its place: nobody here waits for answers.
app.conf.worker_lost_wait = 0.5
# A queue of their own, beside those that may be long: a sweep that waits is soon not wanted.
app.conf.task_routes = {
    "iclas.tasks.sweep": {"queue": "sweep"},
    "iclas.tasks.close_what_ended": {"queue": "sweep"},
    "iclas.tasks.tell": {"queue": "tell"},
}
app.steps["consumer"].add(pulse.Pulse)
app.autodiscover_tasks(["iclas"])


@worker_init.connect
def measure_workers(**_signal: Any) -> None:
    """Count what workers do, where that is asked for."""
    from iclas.telemetry.asked import let_be_measured

    let_be_measured()


@worker_ready.connect
def sweep_at_once(**_signal: Any) -> None:
    """Take up what the worker before this one left when it was killed, if it was."""
    app.send_task("iclas.tasks.sweep")
