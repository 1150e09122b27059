"""`make setup`, killed or broken off at any point, finishes when it is run again."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import project

DIES_HALF_WAY = """#!/bin/sh
# An interpreter that is killed over the first environment that it makes.
if [ "$2" = venv ] && [ ! -e died-once ]; then
    mkdir -p .venv/bin && ln -s /nonexistent/python3 .venv/bin/python3
    ln -s python3 .venv/bin/python
    touch died-once
    kill -9 $$
fi
exec "{python}" "$@"
"""
BUNDLES_NOTHING = """from pathlib import Path
built = Path("dashboard/static/dashboard/built")
built.mkdir(parents=True, exist_ok=True)
(built / "page.js.br").touch()
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout that requires nothing, with a bundler that bundles nothing."""
    shutil.copy(project.ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "frontend").mkdir()
    (tmp_path / "frontend/bundle.py").write_text(BUNDLES_NOTHING)
    return tmp_path


def _make(checkout: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """Run `make setup` with no index to ask."""
    # A make above this one would have its say about the one below it.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "PIP_"))}
    given = {"BASE_PYTHON": _base_python()} | given
    make = ["make", *(f"{name}={value}" for name, value in given.items()), "setup"]
    return subprocess.run(
        make,
        cwd=checkout,
        env=kept | {"PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def _base_python() -> str:
    """Return the interpreter that this one's environment was made with."""
    return str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")


def _works(checkout: Path) -> bool:
    done = subprocess.run(
        [checkout / ".venv/bin/python", "-c", "import pip"], capture_output=True, check=False
    )
    return done.returncode == 0


def _packages(checkout: Path) -> Path:
    [folder] = (checkout / ".venv/lib").glob("python3.*/site-packages")
    return folder


def _assert_one_line(done: subprocess.CompletedProcess[str], told: str) -> None:
    """Hold what make has said against what a person is promised: one line, after the program's."""
    assert done.returncode != 0
    ours = [line for line in done.stderr.splitlines() if told in line]
    assert len(ours) == 1, done.stderr
    assert "run make again" in ours[0] or "make BASE_PYTHON" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_set_up_that_is_killed_over_the_environment_finishes_the_next_time(
    checkout: Path,
) -> None:
    stand_in = checkout / "python-that-dies"
    stand_in.write_text(DIES_HALF_WAY.format(python=_base_python()))
    stand_in.chmod(0o755)
    _assert_one_line(_make(checkout, BASE_PYTHON=str(stand_in)), "cannot make .venv")
    done = _make(checkout, BASE_PYTHON=str(stand_in))
    assert done.returncode == 0, done.stderr
    assert _works(checkout)


def test_a_set_up_is_mended_where_it_was_broken_off(checkout: Path) -> None:
    """One environment, broken in turn in every way, because making one takes seconds."""
    assert _make(checkout).returncode == 0
    assert _make(checkout).stdout.strip().endswith("Nothing to be done for 'setup'.")

    (checkout / "requirements.txt").write_text("no-such-package==1.0\n")
    _assert_one_line(_make(checkout), "Packages are missing")

    half, whole = (_packages(checkout) / f"{name}-1.0.dist-info" for name in ("half", "whole"))
    for package in (half, whole):
        package.mkdir()
        (package / "METADATA").write_text("Metadata-Version: 2.1\nName: x\nVersion: 1.0\n")
    (whole / "RECORD").write_text("whole-1.0.dist-info/RECORD,,\n")
    (checkout / "requirements.txt").write_text("whole==1.0\n")
    assert _make(checkout).returncode == 0
    assert whole.exists()
    assert not half.exists()

    for name in ("python", "python3", f"python3.{sys.version_info.minor}"):
        (checkout / ".venv/bin" / name).unlink()
        (checkout / ".venv/bin" / name).symlink_to("/nonexistent/python3")
    (checkout / "requirements.txt").write_text("")
    done = _make(checkout)
    assert done.returncode == 0, done.stderr
    assert _works(checkout)
    assert not whole.exists()


def test_a_python_that_will_not_do_is_named(checkout: Path) -> None:
    _assert_one_line(_make(checkout, BASE_PYTHON="/nonexistent/python3"), "ICLAS needs Python")
