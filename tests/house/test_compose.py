"""The stack on one machine: Compose itself takes it, and it is closed where it should be."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from tests.house import project
from tests.house.test_docs import read_by_settings

pytestmark = pytest.mark.embedded
FOLDER = project.ROOT / "docker"
COMPOSE = Path(sys.executable).with_name("docker-compose")
FILE = FOLDER / "compose.yaml"
EXAMPLE = (FOLDER / ".env.example").read_text()
NEEDED = ("ICLAS_HOST", "SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD")
OWN = ("migrate", "web", "worker", "scheduler", "bridge")


def told(tmp_path: Path, *left_out: str) -> Path:
    """Write what an operator would put into `.env`, every choice of the example taken."""
    names = re.findall(r"^#?([A-Z][A-Z_]+)=(.*)$", EXAMPLE, flags=re.M)
    lines = [f"{name}={value or 'drawn0123'}" for name, value in names if name not in left_out]
    env = tmp_path / "env"
    env.write_text("\n".join(lines))
    return env


def config(env: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Let Compose read the stack, check it, and say it in full."""
    command = [COMPOSE, "--env-file", env, "--file", FILE, *words]
    return subprocess.run(
        [*command, "config", "--format", "json"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(env.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the stack with every profile, as Compose understands it."""
    env = told(tmp_path_factory.mktemp("compose"))
    done = config(env, "--profile", "*")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def services(stack: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    """Return some services, or all."""
    return [stack["services"][name] for name in names or stack["services"]]


def test_up_begins_what_is_useful(tmp_path: Path) -> None:
    done = config(told(tmp_path))
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["services"]) == {
        *("caddy", "migrate", "web", "worker", "scheduler", "database", "redis"),
    }


@pytest.mark.parametrize("name", NEEDED)
def test_what_must_be_set_is_asked_for(tmp_path: Path, name: str) -> None:
    done = config(told(tmp_path, name))
    assert done.returncode != 0
    assert f"{name} is missing" in done.stderr


def test_example_lists_what_the_stack_reads() -> None:
    read = set(re.findall(r"(?<!\$)\$\{(\w+)", FILE.read_text()))
    assert read == set(re.findall(r"^#?([A-Z][A-Z_]+)=", EXAMPLE, flags=re.M))
    assert set(re.findall(r"^([A-Z_]+)=$", EXAMPLE, flags=re.M)) == set(NEEDED)


def test_variables_are_read_by_the_settings(stack: dict[str, Any]) -> None:
    for service in services(stack, *OWN):
        assert set(service["environment"]) <= read_by_settings()
        assert service["environment"]["COOKIES_SECURE"] == "true"


def test_commands_exist(stack: dict[str, Any]) -> None:
    for service in services(stack, *OWN):
        words = service.get("command") or []
        if words[:2] == ["sh", "-c"]:
            words = words[2].rpartition(" exec ")[2].split()
        if words[:2] == ["python", "manage.py"]:
            assert words[2] in get_commands()
        elif words[:1] == ["celery"]:
            assert importlib.util.find_spec(f"celery.bin.{words[4]}")
        else:
            assert words == []  # what the image runs


def test_only_caddy_is_reached_from_elsewhere(stack: dict[str, Any]) -> None:
    published = {
        name: {port.get("host_ip", "everywhere") for port in service.get("ports", [])}
        for name, service in stack["services"].items()
        if service.get("ports")
    }
    assert published.pop("caddy") == {"everywhere"}
    assert set(published) == {"minio", "mosquitto", "grafana"}
    assert {at for where in published.values() for at in where} == {"127.0.0.1"}


def test_rows_and_messages_have_no_way_out(stack: dict[str, Any]) -> None:
    assert stack["networks"]["back"]["internal"]
    for service in services(stack, "database", "redis"):
        assert set(service["networks"]) == {"back"}
    assert "back" not in stack["services"]["caddy"]["networks"]
    for service in services(stack, "worker"):
        assert "out" in service["networks"]  # people are told by messaging services


def test_every_service_is_begun_again_watched_and_limited(stack: dict[str, Any]) -> None:
    for name, service in stack["services"].items():
        assert "no-new-privileges:true" in service["security_opt"], name
        if name in ("migrate", "bucket"):
            assert service["restart"] == "no"
            continue
        assert service["restart"] == "unless-stopped", name
        assert service["deploy"]["resources"]["limits"]["memory"], name
        inherits = name in ("web", "worker")  # from the image
        assert inherits != ("healthcheck" in service), name


def test_own_services_write_to_the_home_folder_and_tmp_only(stack: dict[str, Any]) -> None:
    for service in services(stack, *OWN):
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert [volume["target"] for volume in service["volumes"]] == ["/var/lib/iclas"]
        assert service["tmpfs"][0].startswith("/tmp:")  # noqa: S108  a container's own


def test_nothing_begins_before_what_it_needs(stack: dict[str, Any]) -> None:
    for service in services(stack, "web", "worker", "scheduler", "bridge"):
        conditions = {name: need["condition"] for name, need in service["depends_on"].items()}
        assert conditions == {
            "migrate": "service_completed_successfully",
            "database": "service_healthy",
            "redis": "service_healthy",
        }


def test_images_are_of_a_named_version(stack: dict[str, Any]) -> None:
    for service in services(stack):
        name, _, tag = service["image"].rpartition(":")
        assert name
        assert tag not in ("", "latest")


def test_images_are_built_to_stages_that_exist(stack: dict[str, Any]) -> None:
    stages = set(re.findall(r" AS (\S+)$", (FOLDER / "Dockerfile").read_text(), flags=re.M))
    for service in services(stack, *OWN):
        assert service["build"]["target"] in stages
        assert service["image"].startswith(f"iclas-{service['build']['target']}:")
        context = Path(service["build"]["context"])
        assert (context / service["build"]["dockerfile"]).is_file()


def test_files_that_are_mounted_exist(stack: dict[str, Any]) -> None:
    files = [Path(given["file"]) for given in stack["configs"].values()]
    assert [path.name for path in files if not path.is_file()] == []
    used = {one["source"] for service in services(stack) for one in service.get("configs", [])}
    assert used == set(stack["configs"])


def test_volumes_are_named_and_used(stack: dict[str, Any]) -> None:
    used = {volume["source"] for one in services(stack) for volume in one.get("volumes", [])}
    assert used == set(stack["volumes"])


def test_a_machine_with_a_gpu_has_a_trainer_and_nothing_else_new(
    stack: dict[str, Any], tmp_path: Path
) -> None:
    done = config(told(tmp_path), "--file", str(FOLDER / "compose.gpu.yaml"), "--profile", "*")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["services"]
    trainer = found.pop("trainer")
    assert found == stack["services"]
    [device] = trainer["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert importlib.util.find_spec(trainer["command"][2])


def test_caddy_asks_the_web_process(stack: dict[str, Any]) -> None:
    [asked] = re.findall(r"reverse_proxy (\S+)", (FOLDER / "Caddyfile").read_text())
    name, _, port = asked.partition(":")
    assert f"EXPOSE {port}" in (FOLDER / "Dockerfile").read_text()
    both = set(stack["services"][name]["networks"]) & set(stack["services"]["caddy"]["networks"])
    assert both == {"front"}


def test_grafana_finds_what_it_is_given(stack: dict[str, Any]) -> None:
    def read(folder: str) -> dict[str, Any]:
        text = (FOLDER / f"grafana/provisioning/{folder}/iclas.yaml").read_text()
        found: dict[str, Any] = yaml.safe_load(text)
        return found

    [source] = read("datasources")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    [provider] = read("dashboards")["providers"]
    targets = [one["target"] for one in stack["services"]["grafana"]["configs"]]
    assert f"{provider['options']['path']}/iclas.json" in targets
