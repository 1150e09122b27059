"""The credential: which server this device belongs to, and its token there.

What comes in: what pairing gave. What goes out: the same, from a file that its owner alone may
read. Guaranteed: written whole or not at all; a file that others may read is refused; the token
goes to the server that gave it and to no other, since both stand in one file.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from monitor.config import OTHERS
from monitor.disk import Disk
from monitor.errors import ConfigError


@dataclass(frozen=True)
class Credential:
    """What a paired device has."""

    server: str
    token: str = field(repr=False)
    device: str = ""
    name: str = ""


def write_credential(path: Path, credential: Credential) -> None:
    """Keep a credential, durably."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    Disk().write_whole(path, json.dumps(asdict(credential), indent=2).encode(), 0o600)


def read_credential(path: Path) -> Credential | None:
    """Return the credential, or None where the device was never paired.

    Raises
    ------
    ConfigError
        Others may read it, or it is none.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if path.stat().st_mode & OTHERS:
            raise ConfigError(f"others may read {path}, which holds the token: chmod 600 {path}")
        return Credential(**{name: str(value) for name, value in said.items()})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} is no credential; pair the device again: {error}") from error


def changed_at(path: Path) -> int:
    """Return when the credential was last written; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
