"""The nearest recordings by the direction of their embeddings."""

import numpy as np
import pytest

from pipelines.similar import nearest


def test_the_nearest_come_first_with_their_cosine_distances() -> None:
    others = np.array([[0.0, 1.0], [1.0, 0.0], [-1.0, 0.0], [0.6, 0.8]])
    found = nearest(np.array([1.0, 0.0]), others, 3)
    assert [row for row, _ in found] == [1, 3, 0]
    assert [distance for _, distance in found] == pytest.approx([0.0, 0.4, 1.0])


def test_the_opposite_is_two_away_and_ties_keep_their_order() -> None:
    others = np.array([[-1.0, 0.0], [-1.0, 0.0]])
    assert nearest(np.array([1.0, 0.0]), others, 5) == [(0, 2.0), (1, 2.0)]
