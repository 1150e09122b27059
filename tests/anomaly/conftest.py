"""What holds for the tests of judgement."""

from collections.abc import Iterator

import pytest

from tests import judged


@pytest.fixture(autouse=True)
def _fitted_once() -> Iterator[None]:
    """Share the fits of equal baselines, and with them the minutes."""
    with judged.fitted_once():
        yield
