"""Disks of a test's own: small ones that fill up, and read-only ones, seen by nobody else.

A disk lies in memory, in a mount namespace that lives as long as its keeper does. Programs are
started in there; the test itself looks in through the keeper's entry under /proc.
"""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.commands import ROOT, environment

AS_ROOT = () if os.geteuid() == 0 else ("--map-root-user",)
ALONE = ("unshare", *AS_ROOT, "--mount", "--")
KEEP = 'mount -t tmpfs -o "size=$2" tmpfs "$1" && echo mounted && exec sleep infinity'
FILLING = "filling"
SETTLES_WITHIN_S = 30.0


def may_mount() -> bool:
    """Tell whether this machine lets us mount where nobody else sees it."""
    try:
        trial = [*ALONE, "mount", "-t", "tmpfs", "tmpfs", str(ROOT / "tests")]
        return subprocess.run(trial, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@dataclass(frozen=True)
class Disk:
    """A disk, mounted at a folder within its keeper's namespace."""

    keeper: int
    folder: Path

    @property
    def home(self) -> Path:
        """The home folder on it, as those within name it."""
        return self.folder / "home"

    def seen(self, place: Path) -> Path:
        """Return the path by which the test itself sees a place on the disk."""
        return Path(f"/proc/{self.keeper}/root{place}")

    def within(self, words: Sequence[str]) -> list[str]:
        """Return the words that start a program where it sees the disk."""
        user = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        enter = ("nsenter", "--target", str(self.keeper), *user, "--mount", f"--wd={ROOT}", "--")
        return [*enter, *words]

    def run(self, words: Sequence[str], **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the project with its home on the disk."""
        return subprocess.run(
            self.within(words),
            env=environment(self.home, **variables),
            capture_output=True,
            text=True,
            check=False,
        )

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a management command with its home on the disk."""
        return self.run([sys.executable, "manage.py", *words])

    def fill(self, leaving_bytes: int = 0) -> None:
        """Take all the room there is, or all but some of it."""
        path = self.seen(self.folder / FILLING)
        with path.open("ab", buffering=0) as stream:
            try:
                while stream.write(bytes(2**16)):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
        if leaving_bytes:
            os.truncate(path, path.stat().st_size - leaving_bytes)

    def free(self) -> None:
        """Give the room back."""
        self.seen(self.folder / FILLING).unlink()

    def make_read_only(self) -> None:
        """Let nobody write to it any more; while somebody writes, the kernel refuses."""
        words = self.within(["mount", "-o", "remount,ro", str(self.folder)])
        deadline = time.monotonic() + SETTLES_WITHIN_S
        while subprocess.run(words, capture_output=True, check=False).returncode != 0:
            assert time.monotonic() < deadline, "somebody writes to the disk all the time"
            time.sleep(0.05)


@contextmanager
def a_disk(folder: Path, size_mib: int) -> Iterator[Disk]:
    """Mount an empty disk at a folder, for nobody else to see."""
    folder.mkdir()
    keep = [*ALONE, "sh", "-c", KEEP, "keep", str(folder), f"{size_mib}m"]
    with subprocess.Popen(keep, stdout=subprocess.PIPE, text=True) as keeper:
        try:
            assert keeper.stdout is not None
            assert keeper.stdout.readline() == "mounted\n"
            yield Disk(keeper.pid, folder)
        finally:
            keeper.kill()
