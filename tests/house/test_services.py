"""The test run itself: nothing left out in silence, and a server that leaves nothing behind."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import psycopg
import pytest
from environ import Env

from tests.house import project
from tests.services import postgresql, suite

TESTS_OF_A_TEST = """
    import os
    import pytest

    def test_plain():
        assert os.environ["ICLAS_HOME"] and "SECRET_KEY" not in os.environ

    def test_on_recordings(iclas_data):
        assert iclas_data.is_dir()

    @pytest.mark.real_recordings
    def test_marked():
        assert True

    def test_campaign(campaign_scale):
        assert campaign_scale == (1.0 if "ICLAS_LONG" in os.environ else 0.1)
"""


@pytest.fixture
def tests_of_a_test(tmp_path: Path) -> Path:
    """Return a module of four tests, two of which need recordings."""
    path = tmp_path / "test_small.py"
    path.write_text(textwrap.dedent(TESTS_OF_A_TEST))
    return path


def run(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a module under this suite's own configuration."""
    unset = {"ICLAS_DATA", "ICLAS_LONG", "DJANGO_SETTINGS_MODULE", "PYTEST_ADDOPTS"}
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    words = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", "pyproject.toml", str(path)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=project.ROOT,
        env=kept | {"SECRET_KEY": "the shell's"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_not_run_is_listed(tests_of_a_test: Path) -> None:
    done = run(tests_of_a_test)
    assert "2 passed, 2 deselected" in done.stdout, done.stdout + done.stderr
    listed = [line for line in done.stdout.splitlines() if line.startswith("NOT RUN")]
    assert [line.partition("::")[2].split(":")[0] for line in listed] == [
        "test_marked",
        "test_on_recordings",
    ]
    assert all(line.endswith("ICLAS_DATA is not set") for line in listed)


def test_everything_runs_with_recordings(tests_of_a_test: Path) -> None:
    done = run(tests_of_a_test, ICLAS_DATA=str(tests_of_a_test.parent), ICLAS_LONG="1")
    assert "4 passed" in done.stdout, done.stdout + done.stderr
    assert "NOT RUN" not in done.stdout


def test_misspelt_folder_of_recordings_is_refused(tests_of_a_test: Path) -> None:
    done = run(tests_of_a_test, ICLAS_DATA=str(tests_of_a_test.parent / "misspelt"))
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "ICLAS_DATA is not a folder" in done.stderr


def test_summary_line_is_recognised() -> None:
    assert suite.SUMMARY.fullmatch("=== 1 failed, 2 passed, 3 deselected in 61.20s (0:01:01) ===")
    assert not suite.SUMMARY.fullmatch("=========== short test summary info ===========")


def test_lines_on_what_failed_are_recognised() -> None:
    said = ["____ test_kept ____", "E   assert 1 == 2", "FAILED tests/x.py::test_kept - assert 1"]
    assert all(suite.FAILURE.match(line) for line in said)
    assert not any(suite.FAILURE.match(line) for line in ("    assert x", "tests/x.py .F.  [ 9%]"))


def test_folders_without_database_are_there() -> None:
    assert {"tests/house", "tests/pipelines"}.isdisjoint(suite.database_folders())
    assert {"tests/flow", "tests/infants", "tests/anomaly"} <= set(suite.database_folders())
    assert suite.program_folders() == ["tests/flow", "tests/iclas"]


def test_every_folder_of_tests_is_run_once_on_the_embedded_database() -> None:
    folders = {path.parent for path in suite.TESTS.rglob("test_*.py")}
    top = sorted({f"tests/{folder.relative_to(suite.TESTS).parts[0]}" for folder in folders})
    apart = [*suite.database_folders(), *suite.other_folders(), suite.IN_BROWSER]
    assert sorted(apart) == top


def test_missing_postgresql_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "INSTALLED", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    found = postgresql.programs_or_install()
    assert isinstance(found, postgresql.Unavailable)
    assert "not installed" in found.reason


def test_newest_version_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("9.6", "15", "16"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin/postgres").touch()
    monkeypatch.setattr(postgresql, "INSTALLED", tmp_path)
    assert postgresql.programs() == tmp_path / "16/bin"


@pytest.mark.postgresql_programs
def test_server_comes_and_goes() -> None:
    bin_dir = postgresql.programs()
    assert bin_dir is not None
    with postgresql.running(bin_dir) as url:
        found = Env.db_url_config(url)
        folder = Path(found["HOST"])
        with psycopg.connect(host=found["HOST"], user=found["USER"], dbname="postgres") as client:
            assert client.execute("show listen_addresses").fetchone() == ("",)
        process = int((folder / "data/postmaster.pid").read_text().split()[0])
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
