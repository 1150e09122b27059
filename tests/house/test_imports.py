"""Imports run one way: the contracts of pyproject.toml hold, and each of them can break."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house import project

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
PYPROJECT = project.ROOT / "pyproject.toml"
# By settings, by command lines, and speechbrain by `pipelines.encoders.ecapa.speechbrain_module`.
NAMED_NOT_IMPORTED = {"babel", "psycopg", "speechbrain", "supervisor", "uvicorn", "whitenoise"}
# Asked for by `python -m pipelines evaluate --pyod` alone, which names the file that pins it.
PEERS = {"pyod"}
# Which distributions are meant by a package of many.
NAMESPACES = {
    "opentelemetry": [
        "opentelemetry-api",
        "opentelemetry-exporter-otlp-proto-http",
        "opentelemetry-sdk",
    ]
}
CONTRACTS = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of a folder."""
    return subprocess.run(
        [LINT_IMPORTS, "--no-logo", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """Return a project of empty packages under the same contracts."""
    shutil.copy(PYPROJECT, tmp_path)
    for package in CONTRACTS["root_packages"]:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    return tmp_path


def test_contracts_hold() -> None:
    done = lint(project.ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def stated_requirements() -> set[str]:
    """Return the distributions that requirements.txt says ICLAS itself uses."""
    stated, _, _ = (project.ROOT / "requirements.txt").read_text().partition("what those need")
    return {name.lower() for name in re.findall(r"^([\w.-]+)(?:\[\w+\])?==", stated, flags=re.M)}


def test_requirements_state_what_is_imported_and_nothing_else() -> None:
    owners = {**importlib.metadata.packages_distributions(), **NAMESPACES}
    used = {
        owner.lower()
        for path, tree in project.modules().items()
        if path.relative_to(project.ROOT).parts[0] in project.packages()
        for name in project.imported(tree)
        for owner in owners.get(name, [])
    }
    assert stated_requirements() == (used - PEERS) | NAMED_NOT_IMPORTED
    dev = (project.ROOT / "requirements-dev.txt").read_text()
    assert all(re.search(rf"^{name}==", dev, flags=re.M) for name in PEERS)


def test_every_package_is_under_contract() -> None:
    assert set(CONTRACTS["root_packages"]) == project.packages()


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("infants/stages.py", "import anomaly", "Imports run one way"),
        ("pipelines/score.py", "import devices", "Imports run one way"),
        ("anomaly/selectors.py", "import anomaly.stages", "Inside an app"),
        ("pipelines/segment.py", "import django", "The maths knows no framework"),
        ("pipelines/score.py", "def f():\n    import torch", "torch and speechbrain live"),
        ("infants/models.py", "import speechbrain", "torch and speechbrain live"),
        ("pipelines/embed.py", "import speechbrain", "torch and speechbrain live"),
        ("monitor/listen.py", "import infants", "A monitor knows the maths only"),
        ("devices/models.py", "import monitor", "Nothing of the server needs the monitor"),
    ],
)
def test_contract_breaks(skeleton: Path, module: str, line: str, broken: str) -> None:
    (skeleton / "anomaly/stages.py").touch()
    (skeleton / module).write_text(line)
    done = lint(skeleton)
    assert done.returncode == 1
    assert any(
        said.startswith(broken) and said.endswith("BROKEN") for said in done.stdout.splitlines()
    ), done.stdout


@pytest.mark.parametrize(
    ("line", "broken"), [("import pipelines.segment", 0), ("import pipelines.embed", 1)]
)
def test_monitor_stays_light(skeleton: Path, line: str, broken: int) -> None:
    (skeleton / "monitor/listen.py").write_text(line)
    (skeleton / "pipelines/segment.py").touch()
    (skeleton / "pipelines/embed.py").write_text("def embed():\n    import torch")
    done = lint(skeleton)
    assert done.returncode == broken, done.stdout + done.stderr
    assert ("A monitor knows the maths only, and never torch BROKEN" in done.stdout) == broken


@pytest.mark.parametrize("room", ["pipelines/embed.py", "pipelines/detectors/autoencoder.py"])
def test_torch_has_its_rooms(skeleton: Path, room: str) -> None:
    for package in (skeleton / "pipelines/detectors", skeleton / "pipelines/encoders"):
        package.mkdir()
        (package / "__init__.py").touch()
    (skeleton / room).write_text("def fit():\n    import torch")
    (skeleton / "infants/stages.py").write_text("import pipelines.embed")
    (skeleton / "pipelines/embed.py").touch()
    done = lint(skeleton)
    assert done.returncode == 0, done.stdout
