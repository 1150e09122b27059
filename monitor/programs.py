"""Programs that bring sound: arecord, parec or ffmpeg, whichever is installed.

What comes in: a microphone's name or a camera's address. What goes out: raw sound, as the program
gives it. Guaranteed: nothing compiled is needed beside the program; one that is missing, ends or
falls silent is an error that says so in its own last words, never with a camera's password; it is
ended with the block that started it.
"""

import contextlib
import fcntl
import os
import re
import select
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from monitor.errors import SourceError
from monitor.intake import BLOCK_BYTES, RATE_HZ

SILENT_FOR_S = 30.0
"""A program that gives nothing for so long hangs."""
LOOKS_EVERY_S = 0.5
PIPE_BYTES = 2**20
"""Half a minute of sound: a memory card may take seconds over a write, and a microphone none."""
ENDS_WITHIN_S = 2.0
MICROPHONE_PROGRAMS = ("arecord", "parec", "ffmpeg")
SECRET = re.compile(r"://[^/@\s]*@")


def _arecord(device: str) -> list[str]:
    asked = ["arecord", "-q", "-t", "raw", "-f", "S16_LE", "-r", str(RATE_HZ), "-c", "1"]
    return [*asked, "-D", device] if device else asked


def _parec(device: str) -> list[str]:
    asked = ["parec", "--raw", "--format=s16le", f"--rate={RATE_HZ}", "--channels=1"]
    return [*asked, f"--device={device}"] if device else asked


def _ffmpeg(*source: str) -> list[str]:
    quiet = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error"]
    return [*quiet, *source, "-vn", "-ac", "1", "-ar", str(RATE_HZ), "-f", "s16le", "-"]


def microphone_command(program: str = "", device: str = "") -> list[str]:
    """Return the command that records from a microphone, 16 kHz, mono.

    Raises
    ------
    SourceError
        The program, or any that would do, is not installed.
    """
    wanted = [program] if program else list(MICROPHONE_PROGRAMS)
    found = next((name for name in wanted if shutil.which(name)), None)
    if found is None:
        raise SourceError(
            f"{' or '.join(wanted)} is needed to hear a microphone, and is not installed: "
            "install Debian's package alsa-utils (arecord), pulseaudio-utils (parec) or ffmpeg"
        )
    if found == "arecord":
        return _arecord(device)
    return _parec(device) if found == "parec" else _ffmpeg("-f", "alsa", "-i", device or "default")


def rtsp_command(url: str) -> list[str]:
    """Return the command that takes the sound of a camera, 16 kHz, mono.

    Raises
    ------
    SourceError
        There is no address, or ffmpeg is not installed.
    """
    if not url.startswith(("rtsp://", "rtsps://")):
        raise SourceError("source.url must be a camera's address and begin with rtsp://")
    if shutil.which("ffmpeg") is None:
        raise SourceError("ffmpeg is needed to hear a camera: install Debian's package ffmpeg")
    return _ffmpeg("-rtsp_transport", "tcp", "-i", url)


def pieces_of(command: Sequence[str], stop: threading.Event) -> Iterator[bytes]:
    """Yield what a program gives, as it comes, until told to stop.

    Raises
    ------
    SourceError
        It cannot be started, ended, or hangs.
    """
    with tempfile.TemporaryFile() as said, _started(command, said) as process:
        if process.stdout is None:
            raise SourceError(f"{command[0]} has no output")
        with contextlib.suppress(OSError):  # a user may have used up what is granted
            fcntl.fcntl(process.stdout.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        yield from read_pieces(process.stdout.fileno(), stop, SILENT_FOR_S)
        if not stop.is_set():
            raise SourceError(f"{command[0]} ended: {_last_words(said)}")


def read_pieces(
    handle: int, stop: threading.Event, silent_for_s: float | None = None
) -> Iterator[bytes]:
    """Yield what comes through a pipe until its end, or until told to stop.

    Raises
    ------
    SourceError
        Nothing has come for too long.
    """
    waited_s = 0.0
    while not stop.is_set():
        ready, _, _ = select.select([handle], [], [], LOOKS_EVERY_S)
        if not ready:
            waited_s += LOOKS_EVERY_S
            if silent_for_s is not None and waited_s >= silent_for_s:
                raise SourceError(f"no sound came for {silent_for_s:g} s")
            continue
        waited_s = 0.0
        piece = os.read(handle, BLOCK_BYTES)
        if not piece:
            return
        yield piece


@contextmanager
def _started(command: Sequence[str], said: IO[bytes]) -> Iterator["subprocess.Popen[bytes]"]:
    try:
        process = subprocess.Popen(  # noqa: S603  the list above, never a shell
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said
        )
    except OSError as error:
        raise SourceError(f"{command[0]} cannot be started: {error.strerror}") from error
    with process:
        try:
            yield process
        finally:
            _ended(process)


def _ended(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _last_words(said: IO[bytes]) -> str:
    """Return the last line that a program said, without a camera's password."""
    said.seek(0)
    lines = said.read()[-2_000:].decode("utf-8", "replace").strip().splitlines()
    return SECRET.sub("://", lines[-1]) if lines else "it said nothing"
