"""Sources: files, folders, the standard input, microphones and cameras, as stretches of sound.

What comes in: the configuration. What goes out: stretches, each uninterrupted sound with the time
at which it began. Guaranteed: a file is heard once, also when a run was killed over it: it is noted
as heard only after all that was found in it is safe, and what it gives has the same keys each time;
a file that is still being written waits; one that is no sound is noted and disturbs none. A
microphone or camera that fails is tried again, unless it gave nothing at the very first try.
"""

import datetime as dt
import hashlib
import json
import logging
import re
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from monitor.config import Config, SourceConfig
from monitor.disk import Disk
from monitor.errors import SourceError
from monitor.intake import BLOCK_BYTES, Samples, blocks_of
from monitor.programs import microphone_command, pieces_of, read_pieces, rtsp_command

log = logging.getLogger(__name__)

SETTLED_S = 2.0
"""A file that changed later than that may still be written."""
LOOKS_EVERY_S = 1.0
TRIES_AGAIN_S = (1.0, 60.0)
TIME_IN_NAME = re.compile(r"(?<!\d)(\d{8}T\d{6})Z")
SUFFIXES = {
    *(".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".caf", ".3gp", ".amr", ".webm"),
}


def _nothing() -> None:
    """Note nothing."""


@dataclass(frozen=True)
class Stretch:
    """Uninterrupted sound; `began_at` None stands for sound that comes as it is made."""

    name: str
    blocks: Iterator[Samples]
    began_at: dt.datetime | None = None
    identity: str = ""
    """Of what can be heard again; empty where it cannot."""
    heard: Callable[[], None] = field(default=_nothing)
    """To be called when all that was found in it is safe."""


class Source(Protocol):
    """Where stretches come from."""

    def stretches(self, stop: threading.Event) -> Iterator[Stretch]:
        """Yield stretches until there are no more, or until told to stop."""


def source_of(config: Config) -> Source:
    """Return the source that a configuration names.

    Raises
    ------
    SourceError
        What it needs is not there.
    """
    asked = config.source
    match asked.kind:
        case "microphone":
            return Live(microphone_command(asked.program, asked.device), "the microphone")
        case "rtsp":
            return Live(rtsp_command(asked.url), "the camera")
        case "stdin":
            return StandardInput(asked)
        case _:
            return Files(_existing(asked), config.ledger, is_watched=asked.watch)


def _existing(asked: SourceConfig) -> Path:
    path = Path(asked.path).expanduser()
    if not asked.path or not path.exists():
        raise SourceError(f"there is no {asked.kind} {asked.path!r} to hear")
    if path.is_dir() != (asked.kind == "folder"):
        raise SourceError(f"{path} is no {asked.kind}")
    return path


# --- as it is made -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Live:
    """What a program records, until told to stop."""

    command: list[str]
    name: str

    def stretches(self, stop: threading.Event) -> Iterator[Stretch]:
        """Yield a stretch for each time that the program was started."""
        attempt = _Attempt()
        while not stop.is_set():
            yield Stretch(self.name, blocks_of(attempt.pieces(self.command, stop), 16_000))
            if attempt.error is not None and not stop.is_set():
                if not attempt.ever_heard:
                    raise attempt.error
                wait_s = attempt.wait_s()
                log.warning("%s; trying again in %.0f s", attempt.error, wait_s)
                stop.wait(wait_s)


class _Attempt:
    """How often a program failed, and whether it ever worked."""

    def __init__(self) -> None:
        self.error: SourceError | None = None
        self.ever_heard = False
        self._failures = 0

    def pieces(self, command: list[str], stop: threading.Event) -> Iterator[bytes]:
        """Yield what a program gives; how it ended stays in `error`."""
        self.error = None
        try:
            for piece in pieces_of(command, stop):
                self.ever_heard, self._failures = True, 0
                yield piece
        except SourceError as error:
            self.error = error

    def wait_s(self) -> float:
        """Return how long to wait before the next attempt, longer each time."""
        first_s, longest_s = TRIES_AGAIN_S
        self._failures += 1
        return min(longest_s, first_s * 2.0 ** (self._failures - 1))


@dataclass(frozen=True)
class StandardInput:
    """What comes through the standard input: a WAV file of 16 bits, or raw sound as configured."""

    asked: SourceConfig

    def stretches(self, stop: threading.Event) -> Iterator[Stretch]:
        """Yield one stretch, to its end."""
        pieces = read_pieces(sys.stdin.fileno(), stop)
        head = b""
        while len(head) < 12 and (piece := next(pieces, b"")):
            head += piece
        if head[:4] == b"RIFF":
            yield Stretch("the standard input", _wave_blocks(_Piped(head, pieces)))
        else:
            raw = _after(head, pieces)
            yield Stretch(
                "the standard input", blocks_of(raw, self.asked.rate_hz, self.asked.channels)
            )


def _after(head: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from pieces


class _Piped:
    """Pieces that can be read like a file, forwards only."""

    def __init__(self, head: bytes, pieces: Iterator[bytes]) -> None:
        self._held, self._pieces = head, pieces

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        while size < 0 or len(self._held) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._held += piece
        size = len(self._held) if size < 0 else size
        given, self._held = self._held[:size], self._held[size:]
        return given

    def flush(self) -> None:
        """Do nothing: `wave` asks for it."""

    def close(self) -> None:
        """Do nothing: the pipe is not ours."""


def _wave_blocks(file: "_Piped | IO[bytes]") -> Iterator[Samples]:
    """Yield what a WAV file of 16 bits becomes.

    Raises
    ------
    SourceError
        It is of another kind.
    """
    try:
        reader = wave.open(file, "rb")  # type: ignore[arg-type]  # noqa: SIM115  no file of ours
    except (wave.Error, EOFError) as error:
        raise SourceError(f"this WAV file cannot be read: {error}") from error
    if reader.getsampwidth() != 2:
        raise SourceError("a WAV file that is heard as it comes must have 16 bits")
    yield from blocks_of(_frames(reader), reader.getframerate(), reader.getnchannels())


def _frames(reader: wave.Wave_read) -> Iterator[bytes]:
    count = BLOCK_BYTES // (2 * reader.getnchannels())
    while piece := reader.readframes(count):
        yield piece


# --- as found ------------------------------------------------------------------------------------


class Ledger:
    """Which files have been heard, by name, size and time of change; a power cut costs a line."""

    def __init__(self, path: Path) -> None:
        self._path, self._disk = path, Disk()
        self._known = set(self._lines())

    def _lines(self) -> Iterator[tuple[str, int, int]]:
        if not self._path.exists():
            return
        for line in self._path.read_bytes().splitlines():
            try:
                name, size, changed_ns = json.loads(line)
            except (ValueError, TypeError):  # cut short
                continue
            yield str(name), int(size), int(changed_ns)

    def __contains__(self, path: Path) -> bool:
        """Tell whether a file was heard, as it is."""
        return self._facts(path) in self._known

    def add(self, path: Path) -> None:
        """Note a file as heard, durably."""
        facts = self._facts(path)
        self._known.add(facts)
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The line break goes before too: the last line may have been cut short.
        self._disk.append(self._path, b"\n" + json.dumps(facts).encode() + b"\n")

    @staticmethod
    def _facts(path: Path) -> tuple[str, int, int]:
        found = path.stat()
        return path.name, found.st_size, found.st_mtime_ns


@dataclass
class Files:
    """A file, or the files of a folder in the order of their names, once or as they come."""

    path: Path
    ledger_at: Path
    is_watched: bool = False

    def stretches(self, stop: threading.Event) -> Iterator[Stretch]:
        """Yield a stretch for each file that was not heard yet."""
        ledger = Ledger(self.ledger_at)
        while not stop.is_set():
            for path in self._found(ledger):
                if stop.is_set():
                    return
                yield from _stretch_of(path, ledger)
            if not self.is_watched:
                return
            stop.wait(LOOKS_EVERY_S)

    def _found(self, ledger: Ledger) -> list[Path]:
        if self.path.is_file():
            return [self.path] if self.path not in ledger else []
        files = [path for path in self.path.iterdir() if path.suffix.lower() in SUFFIXES]
        return [path for path in sorted(files) if self._is_whole(path) and path not in ledger]

    def _is_whole(self, path: Path) -> bool:
        """Tell whether a file will not change any more, as far as can be told."""
        try:
            changed = path.stat().st_mtime
        except OSError:
            return False
        return not self.is_watched or time.time() - changed >= SETTLED_S


def _stretch_of(path: Path, ledger: Ledger) -> Iterator[Stretch]:
    try:
        identity = _digest(path)
        blocks, duration_s = _opened(path)
    except OSError as error:
        log.warning("%s cannot be read: %s", path.name, error.strerror)
        return
    except SourceError as error:
        log.warning("%s is left out: %s", path.name, error)
        ledger.add(path)
        return
    began_at = _began_at(path, duration_s)
    yield Stretch(path.name, blocks, began_at, identity, lambda: ledger.add(path))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def _opened(path: Path) -> tuple[Iterator[Samples], float]:
    """Return a file's sound and its length; of what is no plain WAV file at most five minutes."""
    try:
        with wave.open(str(path), "rb") as reader:
            if reader.getsampwidth() == 2 and reader.getframerate() >= 8_000:
                return _file_blocks(path), reader.getnframes() / reader.getframerate()
    except (wave.Error, EOFError):
        pass
    return _decoded(path)


def _file_blocks(path: Path) -> Iterator[Samples]:
    with path.open("rb") as file:
        yield from _wave_blocks(file)


def _decoded(path: Path) -> tuple[Iterator[Samples], float]:
    import numpy as np

    from pipelines.errors import DecodeError
    from pipelines.sound import decode

    try:
        sound, found = decode(path)
    except DecodeError as error:
        raise SourceError(str(error)) from error
    if found.duration_s > sound.duration_s + 1.0:
        log.warning("of %s only the first %.0f s are heard", path.name, sound.duration_s)
    whole = np.round(np.clip(sound.samples, -1.0, 1.0) * 32_767.0).astype("<i2")
    return blocks_of([whole.tobytes()], sound.rate_hz), sound.duration_s


def _began_at(path: Path, duration_s: float) -> dt.datetime:
    """Return when a file's sound began: as its name says, or as long before its last change."""
    named = TIME_IN_NAME.search(path.name)
    if named is not None:
        try:
            return dt.datetime.strptime(named[1] + "+0000", "%Y%m%dT%H%M%S%z")
        except ValueError:
            pass
    changed = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    return changed - dt.timedelta(seconds=duration_s)
