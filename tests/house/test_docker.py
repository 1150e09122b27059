"""The images hold every package, and their workers listen to every queue."""

import re

from iclas.flow import QUEUES
from tests.house import project

DOCKERFILE = (project.ROOT / "docker/Dockerfile").read_text()
IGNORED = (project.ROOT / "docker/Dockerfile.dockerignore").read_text()
COMPOSE = (project.ROOT / "docker/compose.yaml").read_text()


def test_image_holds_every_package() -> None:
    assert set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, flags=re.M)) == project.packages()


def test_builder_is_sent_what_the_image_copies() -> None:
    copied = " ".join(re.findall(r"^COPY (.*) \S+$", DOCKERFILE, flags=re.M)).split()
    assert sorted(copied) == sorted(re.findall(r"^!(.*)$", IGNORED, flags=re.M))


def test_workers_listen_to_every_queue() -> None:
    listed = re.findall(r"--queues (\S+)", COMPOSE)
    assert {queue for queues in listed for queue in queues.split(",")} == set(QUEUES)
