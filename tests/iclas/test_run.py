"""`make run` from nothing: serves, judges what README's curl example uploads, ends on Ctrl-C."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import sounds

pytestmark = pytest.mark.embedded
ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _health(port: int) -> dict[str, str] | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health/") as answer:
            found: dict[str, str] = json.load(answer)
            return found
    except urllib.error.URLError:
        return None


def _wait_for(what: str, seen: object) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if seen():  # type: ignore[operator]
            return
        time.sleep(0.5)
    pytest.fail(f"waited {PATIENCE_S} s in vain for {what}")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the environment of an installation that has nothing yet."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ICLAS_")}
    kept.pop("DATABASE_URL", None)
    return kept | {"ICLAS_HOME": str(tmp_path / "home"), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def installation(
    environment: dict[str, str], tmp_path: Path
) -> Iterator[tuple[int, subprocess.Popen[bytes], Path]]:
    """Run an installation; give its port, its supervisor and its log."""
    port, log = _free_port(), tmp_path / "log"
    command = [sys.executable, "manage.py", "run", "--port", str(port)]
    with log.open("wb") as stream:
        supervisor = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=stream, stderr=subprocess.STDOUT
        )
    try:
        _wait_for("the health page", lambda: _health(port))
        yield port, supervisor, log
    finally:
        if supervisor.poll() is None:
            supervisor.send_signal(signal.SIGTERM)
            supervisor.wait(30)


def _readme_example(port: int) -> str:
    """Return README's upload example, for this port."""
    text = (ROOT / "README.md").read_text()
    block = next(b for b in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "curl" in b)
    return block.replace("127.0.0.1:8000", f"127.0.0.1:{port}").replace(
        ".venv/bin/python manage.py", f"{sys.executable} {ROOT / 'manage.py'}"
    )


def test_readmes_example_is_judged_and_ctrl_c_ends_it_all(
    installation: tuple[int, subprocess.Popen[bytes], Path],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    port, supervisor, log = installation
    assert re.search(r"user name admin, password \S+", log.read_text())
    sounds.a_cry(tmp_path / "cry.wav")
    example = ["bash", "-euo", "pipefail", "-c", _readme_example(port)]
    answer = subprocess.run(
        example, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    recording = json.loads(answer.stdout.strip().splitlines()[-1])
    assert recording["state"] == "received"

    ask = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c"]
    ask.append("from infants.models import Recording; print(Recording.objects.get().state)")

    def state() -> str:
        return subprocess.run(
            ask, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()

    _wait_for("the recording to be done", lambda: state() == "done")
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait(30) == 0
    assert _health(port) is None
    assert "Traceback" not in log.read_text()


def test_a_taken_port_is_refused_in_words(environment: dict[str, str]) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        answer = subprocess.run(
            [sys.executable, "manage.py", "run", "--port", port],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert answer.returncode == 1
    assert "Choose another --port" in answer.stderr
