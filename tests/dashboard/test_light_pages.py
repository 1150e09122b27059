"""The pages draw for themselves: no plotting library and no network is loaded for them."""

import json
import subprocess
import sys

import pytest

from tests.house import project

pytestmark = pytest.mark.embedded
LOAD_THE_PAGES = """
import json, sys
import iclas.asgi
from django.urls import reverse, resolve
resolve(reverse("dashboard:home"))
json.dump(sorted(sys.modules), sys.stdout)
"""


def test_pages_load_neither_matplotlib_nor_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD_THE_PAGES],
        cwd=project.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert "dashboard.timeline_chart" in loaded
    assert not {"matplotlib", "torch"} & loaded
