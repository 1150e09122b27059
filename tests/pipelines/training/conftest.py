"""What tests of training share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.pipelines.training.small_data import write_small_data


@pytest.fixture(scope="session")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a few synthetic infants, adults and noises in folders as training reads them."""
    root = tmp_path_factory.mktemp("data")
    write_small_data(root)
    return root


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread, so that the order of sums is always the same."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
