"""A worker whose free processes begin nothing is noticed, and no other."""

import pytest

from iclas.pool import STUCK_AFTER_S, Progress

LONG = STUCK_AFTER_S + 1.0


@pytest.mark.parametrize(("taken_on", "begun"), [(0, 0), (1, 1), (2, 2), (3, 2), (1, 2)], ids=str)
def test_who_waits_for_nothing_or_for_the_busy_is_not_stuck(taken_on: int, begun: int) -> None:
    progress = Progress(processes=2)
    assert not any(progress.is_stuck(taken_on, begun, now) for now in (0.0, LONG, 2 * LONG))


@pytest.mark.parametrize(("taken_on", "begun"), [(1, 0), (2, 0), (2, 1)], ids=str)
def test_what_waits_although_one_is_free_is_noticed_after_a_while(
    taken_on: int, begun: int
) -> None:
    progress = Progress(processes=2)
    assert not progress.is_stuck(taken_on, begun, 100.0)
    assert not progress.is_stuck(taken_on, begun, 100.0 + STUCK_AFTER_S)
    assert progress.is_stuck(taken_on, begun, 100.0 + LONG)


def test_whatever_begins_begins_the_time_anew() -> None:
    progress = Progress(processes=2)
    assert not progress.is_stuck(1, 0, 0.0)
    assert not progress.is_stuck(1, 1, 10.0)
    assert not progress.is_stuck(2, 1, LONG)
    assert progress.is_stuck(2, 1, 2 * LONG)
