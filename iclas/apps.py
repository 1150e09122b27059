"""The wiring's application: joins the signal to the flow."""

from django.apps import AppConfig
from django.conf import settings


class IclasConfig(AppConfig):
    """Wiring only."""

    name = "iclas"

    def ready(self) -> None:
        """Send every received recording on its way, and let be seen what is asked for."""
        from iclas import checks  # noqa: F401  imported for what it registers
        from iclas.flow import on_received
        from infants.signals import recording_received

        recording_received.connect(on_received, dispatch_uid="iclas.flow")
        _let_be_seen()


def _let_be_seen() -> None:
    """Load what measures, traces, or writes JSON, where it is asked for."""
    if settings.LOG_FORMAT == "json":
        from celery.signals import setup_logging

        from iclas.telemetry.logs import let_workers_log_alike

        setup_logging.connect(let_workers_log_alike)
    if settings.ICLAS_METRICS_TOKEN:
        from iclas.telemetry import measured

        measured.install()
    if settings.ICLAS_TRACES_ENDPOINT:
        from iclas.telemetry import otel

        otel.install()
