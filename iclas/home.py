"""`ICLAS_HOME`: the one folder under which the embedded default writes everything.

What comes in: the folder's path. What goes out: the paths of its rooms and the site's secret.
Guaranteed: two installations with different homes never touch each other's files, and the secret
is written once, readable by its owner only. What a killed set-up left half-made is completed.
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class HomeError(Exception):
    """The home folder cannot be made or written to; no part of ICLAS can do anything then."""

    def __init__(self, place: Path, reason: str) -> None:
        super().__init__(place, reason)
        self.place = place
        self.reason = reason

    def __str__(self) -> str:
        """Say it for people."""
        return (
            f"ICLAS_HOME cannot be written to: {self.place}: {self.reason}. Make it writable for "
            "the user who runs ICLAS, or set ICLAS_HOME to a folder on a disk with room."
        )


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
    def holders(self) -> Path:
        """One locked file for each process that takes recordings in hand."""
        return self.root / "holders"

    @property
    def encoders(self) -> Path:
        """Checkpoints fetched from a model hub."""
        return self.root / "encoders"

    @property
    def mail(self) -> Path:
        """Letters, where no mail server is set up: one file each."""
        return self.root / "mail"

    @property
    def metrics(self) -> Path:
        """What each process has measured, where metrics are asked for."""
        return self.root / "metrics"

    @property
    def static(self) -> Path:
        """Style sheets and scripts, where `collectstatic` has put them."""
        return self.root / "static"

    def build(self) -> None:
        """Create every room that is missing, or raise `HomeError`."""
        rooms = (self.storage, self.broker, self.uploads, self.encoders, self.static)
        for room in rooms:
            try:
                room.mkdir(parents=True, exist_ok=True, mode=0o750)
            except OSError as error:
                raise HomeError(room, error.strerror or str(error)) from error
        for room in (self.root, self.storage, self.uploads):
            if not os.access(room, os.W_OK | os.X_OK):
                raise HomeError(room, "it is read-only, or another user's")

    def secret(self, name: str = "secret-key", draw: Callable[[], str] | None = None) -> str:
        """Return the secret of this name, generating it on the first call: by `draw`, or a token.

        Two processes that start together agree on one secret: it is written in full to a file of
        its own, and only the first link to the shared name succeeds.
        """
        path = self.root / name
        if path.exists() and not _is_whole(path):
            path.unlink()
        if not path.exists():
            self._keep(path, (draw or _token)())
        return path.read_text()

    def _keep(self, path: Path, secret: str) -> None:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o750)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            draft.touch(mode=0o600)
            with draft.open("w") as stream:
                stream.write(secret)
                stream.flush()
                os.fsync(stream.fileno())
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)


def _token() -> str:
    return secrets.token_urlsafe(50)


def _is_whole(path: Path) -> bool:
    """Tell a secret from what a power cut leaves of one: nothing, or zeros."""
    return bool(path.read_text().strip("\0 \n"))
