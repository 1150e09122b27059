"""A full disk, a read-only home: said in one line, nothing half-done, and on it goes afterwards."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infants.storage import RESERVE_BYTES
from tests.commands import assert_one_line, environment
from tests.disks import Disk, a_disk
from tests.uploads import MULTIPART, UPLOAD, form

pytestmark = [pytest.mark.private_mounts, pytest.mark.embedded]

SIZE_MIB = 64
PATIENCE_S = 60
SPOOLED = b"s" * 3 * 2**20
"""More than the web process keeps of a body in memory."""
A_TOKEN = """
from devices.models import issue_token
from tests.builders import a_device, an_infant
print(issue_token(a_device(an_infant())))
"""
RECEIVE = """
from pathlib import Path
from tempfile import TemporaryDirectory
from tests import received, sounds
with TemporaryDirectory() as folder:
    received.a_received_recording(sounds.cry_bytes(Path(folder)))
"""
TRY_TO_SEGMENT = """
from django.db import OperationalError
from infants.models import Recording
from infants.stages.segment import segment_recordings
for _ in range(8):
    try:
        segment_recordings([Recording.objects.get().id])
    except (OSError, OperationalError) as error:
        print(type(error).__name__)
"""
FREE = """
from infants.leases import free_orphans
free_orphans()
"""
WHERE_IT_STANDS = """
from infants.models import Recording
recording = Recording.objects.get()
print(recording.state, recording.attempts)
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Return an empty disk."""
    with a_disk(tmp_path / "disk", SIZE_MIB) as mounted:
        yield mounted


@pytest.fixture
def installed(disk: Disk, up_to_date: Path) -> Disk:
    """Return a disk with an installation on it that is up to date."""
    shutil.copytree(up_to_date, disk.seen(disk.home))
    return disk


def _said(disk: Disk, code: str) -> list[str]:
    """Run some code in the installation; return what it prints."""
    done = disk.manage("shell", "--verbosity", "0", "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


# --- commands ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [("check",), ("migrate",), ("run", "--port", "0"), ("import_recordings", "README.md")],
    ids=lambda words: words[0],
)
def test_a_read_only_home_is_named_in_one_line(installed: Disk, words: tuple[str, ...]) -> None:
    installed.make_read_only()
    assert_one_line(installed.manage(*words), f"ICLAS_HOME cannot be written to: {installed.home}")


def test_a_read_only_disk_has_no_place_for_a_home(disk: Disk) -> None:
    disk.make_read_only()
    assert_one_line(disk.manage("check"), "set ICLAS_HOME")


@pytest.mark.parametrize("leaving_bytes", [0, 2**15, 2**18], ids=lambda left: f"{left}-left")
def test_setting_up_on_a_full_disk_says_so_and_goes_on_when_there_is_room(
    disk: Disk, leaving_bytes: int
) -> None:
    disk.fill(leaving_bytes)
    assert_one_line(disk.manage("migrate", "--verbosity", "0"), "make room")
    disk.free()
    done = disk.manage("migrate", "--verbosity", "0")
    assert done.returncode == 0, done.stderr


def test_a_command_that_writes_on_a_full_disk_says_so(installed: Disk) -> None:
    installed.fill()
    words = ("create_infant", "Ada")
    assert_one_line(installed.manage(*words), "make room")
    installed.free()
    assert installed.manage(*words).returncode == 0


# --- uploads -------------------------------------------------------------------------------------


class Server:
    """The web process of an installation on a disk, and a device that talks to it."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.token = _said(disk, A_TOKEN)[0]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"http://127.0.0.1:{probe.getsockname()[1]}"
        port = self.address.rpartition(":")[2]
        words = [sys.executable, "-m", "uvicorn", "iclas.asgi:application", "--port", port]
        self.process = subprocess.Popen(
            disk.within([*words, "--lifespan", "off", "--log-level", "critical"]),
            env=environment(disk.home, TMPDIR=str(disk.home / "uploads")),
        )

    def ask(self, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
        """Send a request; return the answer's status and document."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": MULTIPART}
        request = urllib.request.Request(self.address + path, body, headers)  # noqa: S310  loopback
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310  as above
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def health(self) -> int | None:
        """Return the status of the health page, or None while there is none."""
        try:
            return self.ask("/api/v1/health/")[0]
        except urllib.error.URLError:
            return None

    def upload(self, content: bytes) -> tuple[int, dict[str, Any]]:
        """Upload a recording."""
        return self.ask(UPLOAD, form(content))

    def files(self) -> set[Path]:
        """Return what lies in the storage and among the uploads on their way in."""
        home = self.disk.seen(self.disk.home)
        rooms = (home / "storage", home / "uploads")
        return {path for room in rooms for path in room.rglob("*") if path.is_file()}

    def stop(self) -> None:
        """End the process."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE_S)


@pytest.fixture
def server(installed: Disk) -> Iterator[Server]:
    """Return a web process that answers."""
    web = Server(installed)
    deadline = time.monotonic() + PATIENCE_S
    try:
        while web.health() != 200:
            assert time.monotonic() < deadline, "the web process does not answer"
            time.sleep(0.1)
        yield web
    finally:
        web.stop()


def test_uploads_on_a_full_disk_are_kept_by_the_device_and_taken_afterwards(
    server: Server,
) -> None:
    assert server.upload(b"before")[0] == 201
    before = server.files()
    server.disk.fill()
    for content in (b"small", SPOOLED):
        status, said = server.upload(content)
        assert (status, said["code"], said["retry"]) == (503, "storage_full", "later")
        assert said["retry_after_s"] > 0
        assert str(server.disk.folder) not in str(said)
    assert server.health() == 503
    assert server.files() == before
    server.disk.free()
    assert server.health() == 200
    assert len(server.ask(UPLOAD)[1]["results"]) == 1
    assert [server.upload(content)[0] for content in (b"small", SPOOLED)] == [201, 201]


def test_audio_never_takes_the_room_that_rows_need(server: Server) -> None:
    server.disk.fill(leaving_bytes=RESERVE_BYTES // 2)
    status, said = server.upload(b"sound")
    assert (status, said["code"]) == (503, "storage_full")
    assert server.health() == 200
    assert server.disk.manage("create_infant", "Ada").returncode == 0


def test_uploads_to_a_read_only_disk_are_kept_by_the_device(server: Server) -> None:
    server.disk.make_read_only()
    status, said = server.upload(b"sound")
    assert (status, said["retry"]) == (503, "later")
    assert server.health() == 503


# --- workers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("leaving_bytes", [0, 2**16])
def test_a_full_disk_is_not_counted_against_a_recording(
    installed: Disk, leaving_bytes: int
) -> None:
    _said(installed, RECEIVE)
    installed.fill(leaving_bytes)
    assert set(_said(installed, TRY_TO_SEGMENT)) <= {"OSError", "OperationalError"}
    installed.free()
    state, attempts = _said(installed, WHERE_IT_STANDS)
    assert (state, attempts) == ("received", "0")
    assert _said(installed, FREE + TRY_TO_SEGMENT) == []
    assert _said(installed, WHERE_IT_STANDS)[0] == "segmented"
