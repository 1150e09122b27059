"""The manifests: Kubernetes' own schemas take them, and they fit each other and the code."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from django.core.management import get_commands
from django.urls import resolve

from iclas.flow import QUEUES
from tests.house import project
from tests.house.test_docs import read_by_settings

pytestmark = pytest.mark.embedded
FOLDER = project.ROOT / "docker/kubernetes"
KUBECTL = Path(sys.executable).with_name("kubectl")
VERSION = "1.37"
FOR_KEDA = {"REDIS_ADDRESS", "REDIS_PASSWORD"}
PROBE = ["python", "/usr/local/lib/iclas/probe.py", "/tmp/iclas-alive"]  # noqa: S108  its own
Thing = dict[str, Any]


def built(folder: Path) -> list[Thing]:
    """Return what kustomize makes of a folder; nothing is asked of a cluster."""
    done = subprocess.run(
        [KUBECTL, "kustomize", folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.load_all(done.stdout, yaml.CSafeLoader))


@pytest.fixture(scope="module")
def example() -> list[Thing]:
    """Return the example: the base, KEDA and the bridge."""
    return built(FOLDER / "example")


@pytest.fixture(scope="module")
def with_hpa(tmp_path_factory: pytest.TempPathFactory) -> list[Thing]:
    """Return the base with Kubernetes' own scaling."""
    folder = tmp_path_factory.mktemp("hpa")
    base, hpa = (os.path.relpath(FOLDER / name, folder.resolve()) for name in ("base", "hpa"))
    text = yaml.safe_dump({"resources": [base], "components": [hpa], "namespace": "iclas"})
    (folder / "kustomization.yaml").write_text(text)
    return built(folder)


def of_kind(things: list[Thing], *kinds: str) -> dict[str, Thing]:
    """Return the things of some kinds, by name."""
    return {one["metadata"]["name"]: one for one in things if one["kind"] in kinds}


def pods(things: list[Thing]) -> dict[str, Thing]:
    """Return what each Deployment and Job runs."""
    owners = of_kind(things, "Deployment", "Job")
    return {name: one["spec"]["template"] for name, one in owners.items()}


def containers(things: list[Thing]) -> Iterator[Thing]:
    """Yield every container, those that begin before the others too."""
    for pod in pods(things).values():
        yield from pod["spec"].get("initContainers", [])
        yield from pod["spec"]["containers"]


def queues_of(deployment: Thing) -> list[str]:
    """Return the queues that a Deployment's workers listen to."""
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    words = container.get("args", [])
    return words[words.index("--queues") + 1].split(",") if "--queues" in words else []


def test_the_schemas_take_what_is_kubernetes_own(
    example: list[Thing], with_hpa: list[Thing]
) -> None:
    own = [one for one in example if not one["apiVersion"].startswith("keda.sh/")]
    own += of_kind(with_hpa, "HorizontalPodAutoscaler").values()
    assert len(own) > 20
    for one in own:
        kubernetes_validate.validate(one, VERSION, strict=True)


def test_the_schemas_refuse_what_is_wrong(example: list[Thing]) -> None:
    web = of_kind(example, "Deployment")["web"]
    wrong = web | {"spec": web["spec"] | {"replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


def test_every_queue_has_its_workers(example: list[Thing]) -> None:
    listened = [
        queue for one in of_kind(example, "Deployment").values() for queue in queues_of(one)
    ]
    assert sorted(listened) == sorted(QUEUES)


def test_there_is_one_scheduler_and_never_two(example: list[Thing]) -> None:
    scheduler = of_kind(example, "Deployment")["scheduler"]
    assert scheduler["spec"]["replicas"] == 1
    assert scheduler["spec"]["strategy"] == {"type": "Recreate"}


def test_pods_are_confined(example: list[Thing]) -> None:
    for pod in pods(example).values():
        assert pod["spec"]["securityContext"]["runAsNonRoot"]
        assert pod["spec"]["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
        assert pod["spec"]["automountServiceAccountToken"] is False
    for one in containers(example):
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= set(one["resources"]["requests"])
        assert "memory" in one["resources"]["limits"]
        writable = {mount["mountPath"] for mount in one["volumeMounts"]}
        assert writable == {"/var/lib/iclas", "/tmp"}  # noqa: S108  a container's own


def test_commands_exist_and_images_have_a_stage(example: list[Thing]) -> None:
    stages = re.findall(r" AS (\S+)$", (FOLDER.parent / "Dockerfile").read_text(), flags=re.M)
    for one in containers(example):
        name = one["image"].partition(":")[0].rpartition("/")[2]
        assert name.removeprefix("iclas-") in stages
        words = one.get("args", [])
        assert words[:1] in ([], ["python"], ["celery"])
        assert words[:2] != ["python", "manage.py"] or words[2] in get_commands()


def test_nothing_works_on_a_database_that_is_not_up_to_date(example: list[Thing]) -> None:
    for one in of_kind(example, "Deployment").values():
        [before] = one["spec"]["template"]["spec"]["initContainers"]
        assert before["args"] == ["python", "manage.py", "migrate", "--check"]


def test_probes_ask_what_answers(example: list[Thing]) -> None:
    for name, deployment in of_kind(example, "Deployment").items():
        [one] = deployment["spec"]["template"]["spec"]["containers"]
        if name == "web":
            assert resolve(one["readinessProbe"]["httpGet"]["path"])
            assert resolve(one["livenessProbe"]["httpGet"]["path"])
        else:
            assert one["livenessProbe"]["exec"]["command"] == PROBE
            assert one["startupProbe"]["exec"]["command"] == PROBE


def test_variables_are_read_by_the_settings(example: list[Thing]) -> None:
    [configuration] = of_kind(example, "ConfigMap").values()
    assert set(configuration["data"]) <= read_by_settings()
    secret = (FOLDER / "secrets.env.example").read_text()
    named = set(re.findall(r"^#?([A-Z_]+)=", secret, flags=re.M))
    assert named - FOR_KEDA <= read_by_settings()
    assert {"SECRET_KEY", "DATABASE_URL", "CELERY_BROKER_URL"} <= named


def test_no_secret_is_applied_with_the_manifests(
    example: list[Thing], with_hpa: list[Thing]
) -> None:
    assert of_kind([*example, *with_hpa], "Secret") == {}


def test_selectors_find_pods(example: list[Thing], with_hpa: list[Thing]) -> None:
    names = {pod["metadata"]["labels"]["app.kubernetes.io/name"] for pod in pods(example).values()}
    for one in of_kind(example, "Service").values():
        assert one["spec"]["selector"]["app.kubernetes.io/name"] in names
    for one in of_kind(example, "PodDisruptionBudget").values():
        assert one["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] in names
    for one in of_kind(example, "NetworkPolicy").values():
        selector = one["spec"]["podSelector"]
        asked = set(selector.get("matchLabels", {}).values())
        for expression in selector.get("matchExpressions", []):
            asked |= set(expression["values"])
        assert asked <= names
    [ingress] = of_kind(with_hpa, "Ingress").values()
    [path] = ingress["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"]["name"] in of_kind(with_hpa, "Service")


def test_keda_scales_the_workers_of_the_list_it_reads(example: list[Thing]) -> None:
    """No schema of KEDA's is at hand: its few fields are held against its documents by hand."""
    deployments = of_kind(example, "Deployment")
    known = {"scaleTargetRef", "minReplicaCount", "maxReplicaCount", "pollingInterval"}
    for one in of_kind(example, "ScaledObject").values():
        assert one["apiVersion"] == "keda.sh/v1alpha1"
        assert set(one["spec"]) == known | {"cooldownPeriod", "triggers"}
        target = deployments[one["spec"]["scaleTargetRef"]["name"]]
        [trigger] = one["spec"]["triggers"]
        assert trigger["type"] == "redis"
        assert set(trigger["metadata"]) == {"listName", "listLength"}
        assert all(isinstance(value, str) for value in trigger["metadata"].values())
        assert queues_of(target) == [trigger["metadata"]["listName"]]
        assert "replicas" not in target["spec"]  # each apply would undo what was scaled
        assert trigger["authenticationRef"]["name"] in of_kind(example, "TriggerAuthentication")


def test_hpa_scales_the_same(example: list[Thing], with_hpa: list[Thing]) -> None:
    deployments = of_kind(with_hpa, "Deployment")
    scaled = of_kind(with_hpa, "HorizontalPodAutoscaler")
    assert set(scaled) == set(of_kind(example, "ScaledObject"))
    for name, one in scaled.items():
        [metric] = one["spec"]["metrics"]
        queue = metric["external"]["metric"]["selector"]["matchLabels"]["key"]
        assert queues_of(deployments[name]) == [queue]
        assert one["spec"]["scaleTargetRef"]["name"] == name
