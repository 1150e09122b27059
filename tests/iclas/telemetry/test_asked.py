"""What is asked for is loaded where it is needed, and nowhere else."""

import json
from pathlib import Path

import pytest

from tests.commands import MANAGE, called
from tests.iclas.telemetry.conftest import TOKEN

CODE = """
import json, sys, django
django.setup()
from celery.signals import worker_init
from django.conf import settings
from iclas.telemetry.work import watches
as_command = [len(watches), settings.ICLAS_HOME.metrics.exists()]
import iclas.asgi
told = [as_command, len(watches), sorted(p.name[:7] for p in settings.ICLAS_HOME.metrics.iterdir())]
as_worker = [one for _id, one, *_rest in worker_init.receivers if "measure" in str(one)]
json.dump([*told, len(as_worker)], sys.stdout)
"""


@pytest.mark.embedded
def test_the_web_process_and_workers_measure_and_commands_do_not(tmp_path: Path) -> None:
    done = called(
        [MANAGE[0], "-c", CODE],
        tmp_path / "home",
        ICLAS_METRICS_TOKEN=TOKEN,
        DJANGO_SETTINGS_MODULE="iclas.settings",
    )
    assert done.returncode == 0, done.stderr
    as_command, n_watches, files, n_worker = json.loads(done.stdout)
    assert as_command == [0, False]
    assert n_watches == 1
    assert files == ["counter", "histogr"]
    assert n_worker == 1
