"""What holds for every test: a home of its own, no reading of the shell's settings, no gaps hidden.

Environment, read here only: `ICLAS_DATA` (a folder of real recordings; tests that need it are
listed as not run while it is unset), `ICLAS_LONG` (1: long campaigns run in full) and
`DATABASE_URL` (default: an SQLite file in the run's own home).
"""

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

KEPT = {"ICLAS_DATA", "ICLAS_LONG", "DATABASE_URL"}
SETTINGS = {
    "ALLOWED_HOSTS",
    "CELERY_BROKER_URL",
    "COOKIES_SECURE",
    "CSRF_TRUSTED_ORIGINS",
    "DEBUG",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "SECRET_KEY",
    "TIMESCALE",
}
MARK_OF_FIXTURE = {"iclas_data": "real_recordings", "campaign_scale": "long"}
NOT_RUN = pytest.StashKey[list[str]]()
CAMPAIGNS = pytest.StashKey[list[str]]()


def _start_in_a_home_of_its_own() -> Path:
    """Point everything that writes at a temporary folder, and forget the shell's settings."""
    if "iclas.settings" in sys.modules:
        raise pytest.UsageError("unset DJANGO_SETTINGS_MODULE: it loads the settings too early")
    home = Path(tempfile.mkdtemp(prefix="iclas-test-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    for name in list(os.environ):
        if name not in KEPT and (name in SETTINGS or name.startswith("ICLAS_")):
            del os.environ[name]
    os.environ["ICLAS_HOME"] = str(home / "home")
    os.environ["MPLCONFIGDIR"] = str(home / "matplotlib")
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(home / "hypothesis")
    os.environ["HF_HUB_OFFLINE"] = "1"
    # A peer's tracker compiles for half a minute to hear half a second: not longer than it must.
    os.environ["NUMBA_OPT"] = "0"
    os.environ["DJANGO_SETTINGS_MODULE"] = "iclas.settings"
    return home


RUN_HOME = _start_in_a_home_of_its_own()

import django  # noqa: E402  the settings are read when Django is set up, so the home comes first
import hypothesis  # noqa: E402  as above

django.setup()
hypothesis.settings.register_profile("iclas", deadline=None, database=None, print_blob=True)
hypothesis.settings.load_profile("iclas")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a folder of recordings that is not there: a misspelt path would look like a pass."""
    config.stash[NOT_RUN] = []
    config.stash[CAMPAIGNS] = []
    folder = os.environ.get("ICLAS_DATA")
    if folder and not Path(folder).is_dir():
        raise pytest.UsageError(f"ICLAS_DATA is not a folder: {folder}")


def _missing_here() -> dict[str, str]:
    """Return why tests with a mark cannot run here, by mark."""
    from tests.disks import may_mount
    from tests.services import chromium, mosquitto

    missing = {}
    if not os.environ.get("ICLAS_DATA"):
        missing["real_recordings"] = "needs real recordings, and ICLAS_DATA is not set"
    if not any(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        missing["postgresql_programs"] = "needs PostgreSQL, which is not installed"
    if not chromium.PROGRAM.exists():
        missing["browser"] = "needs Chromium, which is not installed"
    if not mosquitto.PROGRAM.exists():
        missing["mqtt_broker"] = "needs Mosquitto, which is not installed"
    if not may_mount():
        missing["private_mounts"] = "needs disks of its own, and may not mount any (unshare)"
    return missing


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark by fixture, and set aside what cannot run here."""
    for item in items:
        for fixture in set(MARK_OF_FIXTURE) & set(getattr(item, "fixturenames", [])):
            item.add_marker(MARK_OF_FIXTURE[fixture])
    reasons = {
        item: reason
        for mark, reason in _missing_here().items()
        for item in items
        if item.get_closest_marker(mark)
    }
    items[:] = [item for item in items if item not in reasons]
    config.stash[NOT_RUN] += [f"{item.nodeid}: {reason}" for item, reason in reasons.items()]
    config.hook.pytest_deselected(items=list(reasons))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what campaigns counted, and what was not run, and why."""
    for line in terminalreporter.config.stash[CAMPAIGNS]:
        terminalreporter.write_line(f"campaign: {line}")
    for line in sorted(terminalreporter.config.stash[NOT_RUN]):
        terminalreporter.write_line(f"NOT RUN: {line}")


@pytest.fixture(autouse=True)
def _nobody_has_tried_too_often() -> None:
    """Forget whose tries were counted: the tests all come from one address."""
    from django.core.cache import cache

    cache.clear()


@pytest.fixture(scope="session")
def iclas_data() -> Path:
    """Folder of real recordings; a test that asks for it is listed as not run without it."""
    return Path(os.environ["ICLAS_DATA"]).resolve()


@pytest.fixture(scope="session")
def campaign_scale() -> float:
    """Share of a long campaign's cases to run: a tenth, or all of them when ICLAS_LONG=1."""
    return 1.0 if os.environ.get("ICLAS_LONG") == "1" else 0.1


@pytest.fixture(scope="session")
def campaign_seed(request: pytest.FixtureRequest) -> int:
    """Seed of a campaign's chances: the run's own, which `--randomly-seed` repeats."""
    return int(request.config.getoption("randomly_seed", 0))


@pytest.fixture(scope="session")
def campaign_report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Take a line with what a campaign counted; it is shown at the end of the run."""
    return request.config.stash[CAMPAIGNS].append


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """Test on an SQLite file, as installed: threads and processes meet there as they do in use."""
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(RUN_HOME / "test.sqlite3")
    return
