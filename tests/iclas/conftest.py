"""What the tests of the wiring share: an installation, set up once for all of them."""

from pathlib import Path

import pytest

from tests.commands import manage


@pytest.fixture(scope="session")
def up_to_date(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home whose database is up to date; copy it, and leave it as it is."""
    home = tmp_path_factory.mktemp("up-to-date") / "home"
    done = manage(home, "migrate", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    return home
