"""The wiring's application: joins the signal to the flow."""

from django.apps import AppConfig


class IclasConfig(AppConfig):
    """Wiring only."""

    name = "iclas"

    def ready(self) -> None:
        """Send every received recording on its way, and let be seen what is asked for."""
        from iclas import checks  # noqa: F401  imported for what it registers
        from iclas.flow import on_received
        from iclas.telemetry.asked import let_be_seen
        from infants.signals import recording_received

        recording_received.connect(on_received, dispatch_uid="iclas.flow")
        let_be_seen()
