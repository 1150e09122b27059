"""The wiring's application: joins the signal to the flow."""

from django.apps import AppConfig


class IclasConfig(AppConfig):
    """Wiring only."""

    name = "iclas"

    def ready(self) -> None:
        """Send every received recording on its way."""
        from iclas import checks  # noqa: F401  imported for what it registers
        from iclas.flow import on_received
        from infants.signals import recording_received

        recording_received.connect(on_received, dispatch_uid="iclas.flow")
