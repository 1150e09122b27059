"""Exports of many recordings: what is held at once does not grow with them."""

import random
import tracemalloc
from collections.abc import Iterator

import pytest

from anomaly.exports.formats import FORMATS
from tests.anomaly.exports.taking import many_recordings, taken
from tests.builders import a_device, a_model, an_infant

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
MIDDLE = 3_000
MANY = 100_000
HELD_BYTES = 12_000_000
"""Half of what the values of 3,000 recordings take, and the same for 100,000."""
BYTES_A_NAME = 1_500
"""A zip file ends with the list of its files, which has to be remembered until then."""


def _peak(pieces: Iterator[bytes]) -> tuple[int, int]:
    """Return how many bytes were held at most while these were made, and how many were made."""
    tracemalloc.start()
    try:
        n_bytes = sum(map(len, pieces))
        return tracemalloc.get_traced_memory()[1], n_bytes
    finally:
        tracemalloc.stop()


@pytest.mark.long
def test_memory_does_not_grow_with_the_recordings(
    campaign_scale: float, campaign_seed: int
) -> None:
    is_long = campaign_scale == 1.0
    n = MANY if is_long else MIDDLE
    infant = an_infant()
    many_recordings(infant, a_device(infant), a_model(infant), n)
    chosen = random.Random(campaign_seed).choice(sorted(FORMATS))  # watching memory takes long
    for name in FORMATS if is_long else [chosen]:
        held, n_bytes = _peak(FORMATS[name].write(taken()))
        names = n * BYTES_A_NAME if name == "childproject" else 0
        assert n_bytes > 50 * n, name
        assert held < HELD_BYTES + names, (name, held)
