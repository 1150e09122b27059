"""`ICLAS_HOME`: the one folder under which the embedded default writes everything.

What comes in: the folder's path. What goes out: the paths of its rooms and the site's secret.
Guaranteed: two installations with different homes never touch each other's files, and the secret
is written once, readable by its owner only.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The rooms of one installation's home folder."""

    root: Path

    @property
    def database(self) -> Path:
        """The embedded SQLite database."""
        return self.root / "iclas.sqlite3"

    @property
    def storage(self) -> Path:
        """Audio and model artefacts, through Django's storage interface."""
        return self.root / "storage"

    @property
    def broker(self) -> Path:
        """Messages of the embedded broker."""
        return self.root / "broker"

    @property
    def uploads(self) -> Path:
        """Uploads on their way in; on the same disk as the storage."""
        return self.root / "uploads"

    @property
    def encoders(self) -> Path:
        """Checkpoints fetched from a model hub."""
        return self.root / "encoders"

    @property
    def static(self) -> Path:
        """Style sheets and scripts, where `collectstatic` has put them."""
        return self.root / "static"

    def build(self) -> None:
        """Create every room that is missing."""
        for room in (self.storage, self.broker, self.uploads, self.encoders, self.static):
            room.mkdir(parents=True, exist_ok=True, mode=0o750)

    def secret(self, name: str = "secret-key") -> str:
        """Return the secret of this name, generating it on the first call.

        Two processes that start together agree on one secret: it is written in full to a file of
        its own, and only the first link to the shared name succeeds.
        """
        path = self.root / name
        if not path.exists():
            self.root.mkdir(parents=True, exist_ok=True, mode=0o750)
            draft = path.with_name(f"{name}.{os.getpid()}.{secrets.token_hex(4)}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(50))
            try:
                path.hardlink_to(draft)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path.read_text()
