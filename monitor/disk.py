"""The few acts by which the monitor changes its disk.

What comes in: a path and bytes. What goes out: files. Guaranteed: when `write_whole` or `append`
returns, the bytes survive a power cut; a file that `write_whole` wrote is there whole or not at
all, under whatever moment the power is cut; what it leaves half-made ends in `PART`, and
`sweep` deletes it.
"""

import os
from pathlib import Path

PART = ".part"


class Disk:
    """Durable writing, in single steps that a test can record and cut off."""

    def write_whole(self, path: Path, content: bytes, mode: int = 0o600) -> None:
        """Write a file that appears whole or not at all; durable."""
        draft = path.with_name(path.name + PART)
        self.create(draft, content, mode)
        self.sync(draft)
        self.rename(draft, path)
        self.sync(path.parent)

    def append(self, path: Path, line: bytes) -> None:
        """Add a line to a file; durable, and whoever reads it must bear with half a last line."""
        is_new = not path.exists()
        with path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            self.sync(path.parent)

    def sweep(self, folder: Path) -> int:
        """Delete what a power cut left half-made; return how many files."""
        halves = list(folder.glob(f"*{PART}"))
        for half in halves:
            self.unlink(half)
        return len(halves)

    def create(self, path: Path, content: bytes, mode: int) -> None:
        """Write a file, readable by its owner alone; not durable yet."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(content)

    def sync(self, path: Path) -> None:
        """Put one file, or a folder's list of names, on the disk."""
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def rename(self, path: Path, to: Path) -> None:
        """Give a file its name, in the place of whatever has it."""
        path.replace(to)

    def unlink(self, path: Path) -> None:
        """Delete a file; after a power cut it may be there again."""
        path.unlink(missing_ok=True)
