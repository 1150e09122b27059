"""What of all this an installation asks for; what it does not ask for is not loaded."""

import logging

from django.conf import settings


def let_be_seen() -> None:
    """Write JSON and trace, where that is asked for; in every program."""
    if settings.LOG_FORMAT == "json":
        from celery.signals import setup_logging

        from iclas.telemetry.logs import let_workers_log_alike

        logging.captureWarnings(capture=True)
        setup_logging.connect(let_workers_log_alike)
    if settings.ICLAS_TRACES_ENDPOINT:
        from iclas.telemetry import otel

        otel.install()


def let_be_measured(**_signal: object) -> None:
    """Measure, where that is asked for; in the web process and in workers.

    Commands are not measured: each would leave a file behind, and an import is not what people wait
    for.
    """
    if settings.ICLAS_METRICS_TOKEN:
        from iclas.telemetry import measured

        measured.install()
