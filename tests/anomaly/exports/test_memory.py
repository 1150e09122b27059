"""Exports of many recordings: what is held at once does not grow with them."""

import datetime as dt
import random
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from anomaly.exports.formats import FORMATS
from tests.anomaly.exports.taking import many_recordings, taken
from tests.builders import START, a_device, a_model, an_infant

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
MIDDLE = 3_000
MANY = 100_000
HELD_BYTES = 12_000_000
"""Half of what the values of 3,000 recordings take."""
GROWN_BYTES = 64_000_000
"""A tenth of what those of 100,000 take; what a process takes from the system comes in lumps."""
BYTES_A_NAME = 1_500
"""A zip file ends with the list of its files, which has to be remembered until then."""


def _held(pieces: Iterator[bytes]) -> tuple[int, int]:
    """Return how many bytes were held at most while these were made, and how many were made."""
    tracemalloc.start()
    try:
        n_bytes = sum(map(len, pieces))
        return tracemalloc.get_traced_memory()[1], n_bytes
    finally:
        tracemalloc.stop()


def _grown(pieces: Iterator[bytes]) -> int:
    """Return by how many bytes the process grew meanwhile: to watch each takes too long here."""
    process = psutil.Process()
    start = highest = process.memory_info().rss
    for number, _ in enumerate(pieces):
        if number % 100 == 0:
            highest = max(highest, process.memory_info().rss)
    return highest - start


def _names_bytes(name: str, n: int) -> int:
    return n * BYTES_A_NAME if name == "childproject" else 0


@pytest.mark.long
def test_memory_does_not_grow_with_the_recordings(
    campaign_scale: float, campaign_seed: int
) -> None:
    is_long = campaign_scale == 1.0
    infant = an_infant()
    device, model = a_device(infant), a_model(infant)
    many_recordings(infant, device, model, MIDDLE)
    chosen = random.Random(campaign_seed).choice(sorted(FORMATS))
    for name in FORMATS if is_long else [chosen]:
        few = replace(taken(), end=START + dt.timedelta(hours=1))
        assert list(FORMATS[name].write(few))  # what is loaded now is kept, and not counted
        held, n_bytes = _held(FORMATS[name].write(taken()))
        assert n_bytes > 50 * MIDDLE, name
        assert held < HELD_BYTES + _names_bytes(name, MIDDLE), (name, held)
    if is_long:
        infant.recordings.all().delete()
        many_recordings(infant, device, model, MANY)
        grown = _grown(FORMATS[chosen].write(taken()))
        assert grown < GROWN_BYTES + _names_bytes(chosen, MANY), (chosen, grown)
