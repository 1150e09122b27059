"""Build: one line, the same whatever has been loaded, without loading torch."""

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pytest

from pipelines import build as room
from pipelines.build import LONGEST, build
from tests.house import project

SAY_IT_TWICE = """
import sys
from pipelines.build import build
before = build()
assert not {"torch", "onnxruntime"} & set(sys.modules)
import onnxruntime, scipy.linalg, sklearn.svm, torch
build.cache_clear()
assert build() == before, (before, build())
sys.stdout.write(before)
"""


def test_it_names_what_decides_the_bits_in_one_short_line() -> None:
    said = build()
    assert f"python {platform.python_version()}" in said
    for library in ("numpy", "scipy", "scikit-learn", "torch", "onnxruntime"):
        assert f"{library} {version(library)}" in said
    assert platform.machine() in said
    assert str(np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]) in said
    assert "\n" not in said
    assert len(said) <= LONGEST


def test_another_code_is_another_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def said(**files: str) -> str:
        for name, text in files.items():
            (tmp_path / name.replace("__", "/")).with_suffix(".py").write_text(text)
        return build.__wrapped__()

    (tmp_path / "training").mkdir()
    monkeypatch.setattr(room, "_PACKAGE", tmp_path)
    first = said(score="a = 1", training__fit="b = 1")
    assert said(training__fit="b = 2") == first  # it judges nothing
    assert said(score="a = 2") != first


def test_another_process_that_has_loaded_more_says_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SAY_IT_TWICE],
        cwd=project.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == build()


def test_a_library_that_is_not_there_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(library: str) -> str:
        raise PackageNotFoundError(library)

    monkeypatch.setattr(room, "version", missing)
    assert "torch none" in build.__wrapped__()
