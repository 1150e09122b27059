"""The Celery application: JSON only, late acknowledgement, no stored results.

The row is the truth and the queue only a nudge, so the default broker is a folder of small files
under `ICLAS_HOME` that may lose messages: the sweeper finds whatever stands still.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iclas.settings")

app = Celery("iclas")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["iclas"])
