"""A disk that remembers every act, and what a power cut may leave of them.

What was not synced may be lost: of a file's bytes any beginning may be there, a name that was given
may not be, a name that was taken away may be again. `after_cuts` makes each such state of a folder.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from monitor.disk import Disk

Files = dict[str, bytes]


@dataclass(frozen=True)
class Act:
    """One change, and how many recordings were acknowledged before it."""

    kind: str
    path: Path
    content: bytes = b""
    to: Path | None = None


@dataclass
class TracingDisk(Disk):
    """A disk that does what it is told and keeps the list."""

    acts: list[Act] = field(default_factory=list)
    deaf: bool = False
    """Whether it forgets to sync, as a careless program does."""

    def create(self, path: Path, content: bytes, mode: int) -> None:
        self.acts.append(Act("create", path, content))
        super().create(path, content, mode)

    def sync(self, path: Path) -> None:
        if not self.deaf:
            self.acts.append(Act("sync", path))

    def rename(self, path: Path, to: Path) -> None:
        self.acts.append(Act("rename", path, to=to))
        super().rename(path, to)

    def unlink(self, path: Path) -> None:
        self.acts.append(Act("unlink", path))
        super().unlink(path)


@dataclass
class Platter:
    """What is certainly on the disk, and what may be."""

    files: Files = field(default_factory=dict)
    unsynced: set[str] = field(default_factory=set)
    """Files whose bytes may be there in part."""
    pending: list[Act] = field(default_factory=list)
    """Changes of names that may not have happened, in their order."""

    def do(self, act: Act) -> None:
        """Take in one change."""
        if act.kind == "create":
            self.files[str(act.path)] = act.content
            self.unsynced.add(str(act.path))
        elif act.kind == "sync":
            self.unsynced.discard(str(act.path))
            self.settle(str(act.path))
        else:
            self.pending.append(act)

    def settle(self, folder: str) -> None:
        """Make the changes of names in a folder certain."""
        for act in [one for one in self.pending if str(one.path.parent) == folder]:
            self.pending.remove(act)
            _rename(self.files, act)
            if str(act.path) in self.unsynced and act.to is not None:
                self.unsynced.add(str(act.to))

    def states(self, every_byte: bool) -> Iterator[Files]:
        """Yield what the disk may hold after a cut at this moment."""
        for happened in range(len(self.pending) + 1):
            names = dict(self.files)
            torn = set(self.unsynced)
            for act in self.pending[:happened]:
                _rename(names, act)
                if act.to is not None and str(act.path) in torn:
                    torn.add(str(act.to))
            yield names
            for path in torn & set(names):
                content = names[path]
                cuts = range(len(content)) if every_byte else (0, len(content) // 2)
                yield from (names | {path: content[:cut]} for cut in cuts)


def _rename(files: Files, act: Act) -> None:
    content = files.pop(str(act.path), None)
    if act.to is not None and content is not None:
        files[str(act.to)] = content


def laid_out(files: Files, folder: Path, copy: Path) -> None:
    """Write a state into a copy of the folder, and nothing else."""
    for old in copy.rglob("*"):
        if old.is_file():
            old.unlink()
    for path, content in files.items():
        place = copy / Path(path).relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
