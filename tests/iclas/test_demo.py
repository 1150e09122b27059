"""`manage.py demo` on real processes: begun, killed, gone on with, looked at, and stopped."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from iclas.demonstration import Demonstration
from tests.installation import free_port

pytestmark = pytest.mark.embedded
ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 180.0
DAYS = 2


@dataclass
class Demo:
    """A demonstration in a home of its own, begun as often as is wanted."""

    home: Path
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def begin(self) -> subprocess.Popen[bytes]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ICLAS_", "DATABASE_URL"))}
        told = kept | {"ICLAS_HOME": str(self.home), "PYTHONUNBUFFERED": "1"}
        demo = ["manage.py", "demo", "--days", str(DAYS), "--port", str(self.port)]
        # Where the tests themselves run in the background of a script, Ctrl-C is ignored there,
        # and would be by all that they start.
        hearing_ctrl_c = ["env", "--default-signal=INT", sys.executable]
        with self.log.open("wb") as stream:
            self.process = subprocess.Popen(
                [*hearing_ctrl_c, *demo], cwd=ROOT, env=told, stdout=stream, stderr=stream
            )
        return self.process

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def counted(self, what: str) -> int:
        """Return a count from its database, 0 while there is none."""
        path = self.home / "iclas.sqlite3"
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path)) as database:
            (count,) = database.execute(f"SELECT count(*) FROM {what}").fetchone()  # noqa: S608
            return int(count)
        return 0

    def wait_for(self, what: str, seen: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not seen():
            if time.monotonic() > deadline:
                pytest.fail(f"waited in vain for {what}; it said:\n{self.said()[-3000:]}")
            time.sleep(0.1)

    def is_serving(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/api/v1/health/", timeout=5).ok
        except requests.RequestException:
            return False


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """Return a demonstration that has not begun; end it in any case."""
    found = Demo(tmp_path / "home", free_port(), tmp_path / "log")
    yield found
    if found.process is not None and found.process.poll() is None:
        found.process.terminate()
        found.process.wait(60)


def _signed_in(demo: Demo, password: str) -> requests.Session:
    browser, page = requests.Session(), f"http://127.0.0.1:{demo.port}/sign-in/"
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(page).text)
    assert token is not None
    said = {"login": "demo", "password": password, "csrfmiddlewaretoken": token[1]}
    assert browser.post(page, said, headers={"Referer": page}).ok
    return browser


def test_it_survives_kill_and_goes_on_until_it_is_stopped(demo: Demo) -> None:
    demo.begin()
    demo.wait_for("the first upload", lambda: demo.counted("infants_recording"))
    assert demo.process is not None
    demo.process.send_signal(signal.SIGKILL)
    demo.process.wait()
    demo.wait_for("its server to end with it", lambda: not demo.is_serving())

    process = demo.begin()
    demo.wait_for("the end of the judging", lambda: "until Ctrl-C" in demo.said())
    planned = [one for one in Demonstration.at(demo.home).history() if one.day < DAYS]
    assert demo.counted("infants_recording") == len(planned)
    assert demo.counted("infants_recording WHERE state IN ('done', 'rejected')") == len(planned)
    assert demo.counted("infants_infant") == 3

    password = re.search(r"user name demo, password (\S+)", demo.said())
    assert password is not None
    page = _signed_in(demo, password[1]).get(f"http://127.0.0.1:{demo.port}/").text
    assert "Simulated infant A" in page
    assert "not a medical device" in page

    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert "Stopped." in demo.said()
    assert not demo.is_serving()


def test_recordings_of_a_manifest_are_served_too(demo: Demo, tmp_path: Path) -> None:
    """`--manifest` takes what `synthesise` writes, as it would take real recordings."""
    made = tmp_path / "made"
    command = [sys.executable, "-m", "pipelines", "synthesise", str(made), "--infants", "1"]
    subprocess.run([*command, "--days", "1"], cwd=ROOT, check=True, capture_output=True)
    told = {k: v for k, v in os.environ.items() if not k.startswith(("ICLAS_", "DATABASE_URL"))}
    demo_of = ["manage.py", "demo", "--once", "--port", str(demo.port)]
    done = subprocess.run(
        [sys.executable, *demo_of, "--manifest", str(made / "manifest.csv")],
        cwd=ROOT,
        env=told | {"ICLAS_HOME": str(demo.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    n_made = len(list(made.glob("**/*.wav")))
    assert n_made > 0
    assert f"all {n_made} recordings judged" in done.stdout
    assert demo.counted("infants_recording WHERE state IN ('done', 'rejected')") == n_made


def test_a_manifest_that_is_not_there_is_named_in_a_line(demo: Demo) -> None:
    told = os.environ | {"ICLAS_HOME": str(demo.home)}
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--manifest", "/nowhere/manifest.csv"],
        cwd=ROOT,
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert "/nowhere/manifest.csv does not exist" in line
