"""Which topics there are, and which of them are ours; pure but for the settings' key.

Guaranteed: no topic holds a name, nor an id by which ICLAS itself knows an infant or a device; what
is derived from such an id is derived with the installation's secret.
"""

import re
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

ID_LETTERS = 12
STATE_TOPIC = re.compile(rf".+/[0-9a-f]{{{ID_LETTERS}}}/state")


@dataclass(frozen=True)
class Topics:
    """The topics of one installation."""

    discovery: str
    prefix: str
    installation: str

    @classmethod
    def of_settings(cls) -> "Topics":
        """Return those of this installation."""
        return cls(settings.ICLAS_MQTT_DISCOVERY, settings.ICLAS_MQTT_TOPIC, opaque_id("here"))

    @property
    def node(self) -> str:
        """The name under which Home Assistant keeps what is ours apart."""
        return f"iclas_{self.installation}"

    @property
    def status(self) -> str:
        """Where it stands whether the bridge is there."""
        return f"{self.prefix}/bridge/{self.installation}/status"

    @property
    def birth(self) -> str:
        """Where Home Assistant says that it has started."""
        return f"{self.discovery}/status"

    @property
    def own_configs(self) -> str:
        """A filter for everything that we ever described to Home Assistant."""
        return f"{self.discovery}/+/{self.node}/+/config"

    @property
    def commands(self) -> str:
        """A filter for what is asked of any infant."""
        return f"{self.prefix}/+/suspend/set"

    def config(self, component: str, object_id: str) -> str:
        """Return where an entity is described."""
        return f"{self.discovery}/{component}/{self.node}/{object_id}/config"

    def state(self, opaque: str) -> str:
        """Return where an infant's state stands."""
        return f"{self.prefix}/{opaque}/state"

    def command(self, opaque: str) -> str:
        """Return where it may be asked to hold messages about an infant."""
        return f"{self.prefix}/{opaque}/suspend/set"

    def commanded(self, topic: str) -> str:
        """Return whom a command is about."""
        return topic.removeprefix(f"{self.prefix}/").removesuffix("/suspend/set")


def opaque_id(of: UUID | str) -> str:
    """Return what stands for a thing at the broker; always the same in one installation."""
    return salted_hmac("bridge.topics", str(of), algorithm="sha256").hexdigest()[:ID_LETTERS]
