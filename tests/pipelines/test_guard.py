"""The guard: what the background or the device explains is no change of the infant."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.guard import (
    DEVICE,
    DEVICE_STEP,
    ROOM,
    ROOM_STEP,
    Days,
    Monitor,
    background_shift,
    device_changes,
    moved_by,
    steps_of,
)
from pipelines.shift import Level

PITCH, LOUDNESS = "f0_log2_hz", "intensity_over_background_db"
N_DAYS, ONSET = 40, 25
MONITOR = Monitor(dict.fromkeys((PITCH, LOUDNESS), Level()), {PITCH: 6.0, LOUDNESS: 2.0})


def some_days(moved: str = "", by: float = 2.5, room: float = 0.0, seed: int = 0) -> Days:
    """Make an infant's days, one view and the background moved from the onset on."""
    rng = np.random.default_rng(seed)
    since = (np.arange(N_DAYS) >= ONSET)[:, None]
    values = {
        view: 0.6 * rng.standard_normal((N_DAYS, 1)) + (by * since if view == moved else 0.0)
        for view in (PITCH, LOUDNESS)
    }
    background = rng.standard_normal((N_DAYS, 8)) + room * since
    variances = {view: np.full((N_DAYS, 1), 0.4) for view in values}
    return Days(values, variances, background, np.zeros(N_DAYS, dtype=np.int64))


def labels(days: Days) -> list[str | None]:
    return [one.label for one in MONITOR.find(days)]


def test_a_change_of_the_infant_is_the_infants() -> None:
    for seed in range(5):
        found = MONITOR.find(some_days(PITCH, seed=seed))
        first = next(one for one in found if one.day >= ONSET)
        assert first.label is None
        assert first.change is not None
        assert abs(first.change.began - ONSET) <= 1


def test_a_change_with_which_the_background_moved_is_the_rooms() -> None:
    for seed in range(5):
        found = MONITOR.find(some_days(LOUDNESS, room=4.0, seed=seed))
        assert {one.label for one in found if one.day >= ONSET} == {ROOM}


def test_a_change_that_a_room_cannot_make_is_told_after_it() -> None:
    both = some_days(LOUDNESS, room=4.0)
    both.values[PITCH][32:] += 3.0
    found = MONITOR.find(both)
    assert found[0].label == ROOM
    assert found[-1].label is None
    assert found[-1].change is not None
    assert abs(found[-1].change.began - 32) <= 1


def test_a_new_device_is_known() -> None:
    days = some_days("", by=0.0)
    tilt = "spectral_tilt_db_per_octave"
    device = (np.arange(N_DAYS) >= ONSET).astype(np.int64)
    moved = replace(
        days,
        values=days.values | {tilt: days.values[PITCH] + 3.0 * device[:, None]},
        variances=days.variances | {tilt: days.variances[PITCH]},
        device=device,
    )
    monitor = Monitor(dict.fromkeys(moved.values, Level()), dict.fromkeys(moved.values, 1.0))
    assert [one.label for one in monitor.find(moved)] == [DEVICE]
    same = replace(moved, device=np.zeros(N_DAYS, dtype=np.int64))
    assert None in [one.label for one in monitor.find(same)]


def test_findings_rest_on_what_was_heard_until_then() -> None:
    days = some_days(PITCH)
    found = MONITOR.find(days)[0]
    later = days.until(found.day, found.look)
    assert MONITOR.find(later)[0] == found


def test_days_without_anything_are_no_finding() -> None:
    days = some_days()
    for view in days.values:
        days.values[view][10:20] = np.nan
    days.background[10:20] = np.nan
    assert labels(days) == labels(days)
    assert len(labels(days)) <= 1


def test_a_look_within_a_day_sees_no_more_than_that() -> None:
    days = some_days()
    three = replace(
        days,
        values={view: one + np.arange(3.0) for view, one in days.values.items()},
        variances={view: np.tile(one, (1, 3)) for view, one in days.variances.items()},
    )
    known = three.until(7, 1)
    assert known.values[PITCH].shape == (8, 3)
    assert known.values[PITCH][7, 2] == known.values[PITCH][7, 1] == three.values[PITCH][7, 1]
    assert known.background.shape == (8, 8)


@pytest.mark.parametrize(
    ("device", "changed"),
    [([0, 0, 1, 1], [2]), ([0, -1, 0, -1, 1], [4]), ([-1, -1], []), ([3, 4, 3], [1, 2])],
)
def test_device_changes(device: list[int], changed: list[int]) -> None:
    assert device_changes(np.array(device)) == changed


def test_the_background_moves_or_stays() -> None:
    rng = np.random.default_rng(0)
    still: NDArray[np.float64] = rng.standard_normal((30, 8))
    moved = still + 3.0 * (np.arange(30) >= 20)[:, None]
    assert background_shift(still, 20) < 0.8
    assert background_shift(moved, 20) > 2.0
    assert moved_by(moved, 21) > 2.0
    assert background_shift(moved, 3) == -np.inf


def test_one_loud_day_moves_no_background() -> None:
    days = np.random.default_rng(1).standard_normal((30, 8))
    days[22] += 50.0
    assert background_shift(days, 20) < 0.9


def test_steps_are_those_of_what_changed() -> None:
    steps = steps_of(LOUDNESS, {3: ROOM, 5: DEVICE, 99: ROOM}, 8)
    assert steps[3] == ROOM_STEP[LOUDNESS]
    assert steps[5] == DEVICE_STEP[LOUDNESS]
    assert np.count_nonzero(steps) == 2
    assert steps_of("another", {1: ROOM}, 3)[1] > 0.0
