"""The images: what they hold is there, what they start can be started, and nothing is too much."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType

import pytest

from iclas.flow import QUEUES
from iclas.management.commands.run import SYNCHRONOUS_STATIC, web_words
from tests.house import project
from tests.house.test_docs import read_by_settings

pytestmark = pytest.mark.embedded
FOLDER = project.ROOT / "docker"
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
IGNORED = (FOLDER / "Dockerfile.dockerignore").read_text()
PROBE = FOLDER / "probe.py"
HADOLINT = Path(sys.executable).with_name("hadolint")
# Refuses whatever the image of the web process would not have, and loads all that it runs there.
LOAD_WITHOUT_THE_REST = """
import json, re, sys
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()

owners = packages_distributions()
text = Path("docker/requirements-web.txt").read_text()
there = {plain(name) for name in re.findall(r"^([\\w.-]+)(?:\\[\\w+\\])?==", text, flags=re.M)}
refused = set()

class OnlyWhatIsThere:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        belongs_to = {plain(owner) for owner in owners.get(top, ())}
        if belongs_to and not belongs_to & there:
            refused.add(top)
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, OnlyWhatIsThere())
import iclas.asgi
from django.core.management import load_command_class
from django.urls import get_resolver

def load(resolver):
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            load(pattern)

load(get_resolver())
for name in ("celery.bin.beat", "iclas.tasks", "iclas.pulse", "redis", "uvicorn", "bridge.serving"):
    import_module(name)
at_once = {plain(owner) for name in sys.modules for owner in owners.get(name.partition(".")[0], ())}
for name in ("dashboard.report.pdf", "apprise.plugins", "pyarrow.parquet", "uharfbuzz"):
    import_module(name)
for app, name in (("iclas", "migrate"), ("iclas", "flow"), ("bridge", "bridge")):
    load_command_class(app, name)
json.dump({"loaded": sorted(at_once), "refused": sorted(refused)}, sys.stdout)
"""


@pytest.fixture(scope="module")
def requirements_web() -> ModuleType:
    """Return the script that writes the web process' requirements."""
    spec = importlib.util.spec_from_file_location(
        "requirements_web", FOLDER / "requirements_web.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def copied() -> list[str]:
    """Return what the images copy from the checkout."""
    words = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, flags=re.M)
    return " ".join(words).split()


def commands() -> list[list[str]]:
    """Return what the images run when nothing else is said, in the order of the file."""
    return [json.loads(words) for words in re.findall(r"^CMD (\[.*\])$", DOCKERFILE, flags=re.M)]


# --- the file ------------------------------------------------------------------------------------


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run(
        [HADOLINT, "--no-color", FOLDER / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_image_holds_every_package() -> None:
    assert set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, flags=re.M)) >= project.packages()


def test_builder_is_sent_what_the_images_copy() -> None:
    assert set(copied()) == set(re.findall(r"^!(.*)$", IGNORED, flags=re.M))


def test_what_the_images_copy_is_part_of_the_project() -> None:
    parts = {project.named(path) for path in project.files()}
    folders = {part.rpartition("/")[0] for part in parts}
    missing = [
        name
        for name in copied()
        if name not in parts and not any(folder.split("/")[0] == name for folder in folders)
    ]
    assert missing == []


def test_stages_that_are_copied_from_exist() -> None:
    stages = re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, flags=re.M)
    assert len(stages) == len(set(stages))
    assert set(re.findall(r"^COPY --from=(\S+)", DOCKERFILE, flags=re.M)) <= set(stages)
    assert {"web", "worker", "worker-gpu"} <= set(stages)
    assert stages[-1] == "web"  # the light one, where nobody says which


def test_images_run_as_nobody_in_particular() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, flags=re.M)
    assert users == ["10001:10001"]
    assert DOCKERFILE.index("USER 10001") < DOCKERFILE.index("AS worker-base")


def test_variables_of_the_images_are_read_by_the_settings() -> None:
    named = set(re.findall(r"^(?:ENV| {4}) *(ICLAS_\w+)=", DOCKERFILE, flags=re.M))
    assert named == {"ICLAS_HOME", "ICLAS_ALIVE_FILE"}
    assert named <= read_by_settings()


# --- what they start -----------------------------------------------------------------------------


def test_web_is_served_as_the_supervisor_serves_it() -> None:
    expected = ["python", "-W", SYNCHRONOUS_STATIC, *web_words("0.0.0.0", 8000)]  # noqa: S104
    assert commands()[-1] == expected
    assert "EXPOSE 8000" in DOCKERFILE


def test_worker_listens_to_every_queue() -> None:
    [worker] = [words for words in commands() if "worker" in words]
    assert worker[worker.index("--queues") + 1].split(",") == list(QUEUES)


def test_images_ask_the_probe_that_they_hold() -> None:
    [held] = re.findall(r"^COPY docker/probe.py (\S+)$", DOCKERFILE, flags=re.M)
    [sign] = re.findall(r"ICLAS_ALIVE_FILE=(\S+)", DOCKERFILE)
    checks = re.findall(r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", DOCKERFILE, flags=re.M)
    assert [json.loads(words) for words in checks] == [
        ["python", held, sign],
        ["python", held, "http://localhost:8000/api/v1/health/"],
    ]


# --- what they install ---------------------------------------------------------------------------


def test_web_requirements_are_what_the_script_writes(requirements_web: ModuleType) -> None:
    assert requirements_web.PART.read_text() == requirements_web.web_requirements(), (
        "run .venv/bin/python docker/requirements_web.py"
    )


def test_web_process_scheduler_and_bridge_need_these_and_no_more(
    requirements_web: ModuleType,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD_WITHOUT_THE_REST],
        cwd=project.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    asked = {requirements_web.canonicalize_name(name) for name in requirements_web.IMPORTED}
    assert asked <= set(found["loaded"]), "not imported by any of them: take it out of IMPORTED"
    assert {"torch", "onnxruntime", "matplotlib"} & set(found["loaded"]) == set()


def test_torch_of_the_worker_is_the_pinned_one() -> None:
    names = re.search(r"grep --extended-regexp '\^\((.*)\)=='", DOCKERFILE)
    assert names is not None
    pinned = (project.ROOT / "requirements.txt").read_text()
    for name in names.group(1).split("|"):
        assert re.search(rf"^{name}==", pinned, flags=re.M)


# --- the probe -----------------------------------------------------------------------------------


def ask(what: str | Path) -> tuple[int, str]:
    """Ask the probe as a container's health check does."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", PROBE, what], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


def test_a_file_that_is_kept_up_is_a_sign_of_life(tmp_path: Path) -> None:
    sign = tmp_path / "alive"
    status, said = ask(sign)
    assert status == 1
    assert "No such file" in said
    sign.touch()
    assert ask(sign) == (0, "")


def test_a_file_that_nobody_touches_any_more_is_none(tmp_path: Path) -> None:
    sign = tmp_path / "alive"
    sign.touch()
    long_ago = time.time() - 200
    os.utime(sign, (long_ago, long_ago))
    status, said = ask(sign)
    assert status == 1
    assert "no sign of life for 20" in said


class Answering(BaseHTTPRequestHandler):
    """A server that is well at one address, and says at any other that it is not."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/well" else 503)
        self.end_headers()

    def log_message(self, *_given: object) -> None:
        """Say nothing."""


def test_an_address_that_answers_well_is_a_sign_of_life() -> None:
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        at = f"http://127.0.0.1:{server.server_port}"
        assert ask(f"{at}/well") == (0, "")
        status, said = ask(f"{at}/ill")
        server.shutdown()
    assert status == 1
    assert "503" in said
    assert ask(f"{at}/well")[0] == 1  # refused, now that it is gone
