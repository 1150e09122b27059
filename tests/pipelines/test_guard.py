"""The guard: what the background or the device explains is no change of the infant."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.guard import (
    DEVICE,
    DEVICE_STEP,
    MOVED,
    OTHER_STEP,
    REFERENCE_AGE_DAYS,
    ROOM,
    ROOM_STEP,
    USUAL,
    USUAL_STEP,
    Days,
    Finding,
    Monitor,
    background_shift,
    device_changes,
    growth_at,
    moved_by,
    owed_to_rooms,
    steps_of,
)
from pipelines.shift import THRESHOLD, Change, Level

PITCH, LOUDNESS, TILT = (
    "f0_log2_hz",
    "intensity_over_background_db",
    "spectral_tilt_db_per_octave",
)
N_DAYS, ONSET = 40, 25
VIEWS = (PITCH, LOUDNESS, TILT)
MONITOR = Monitor(
    dict.fromkeys(VIEWS, Level(step_variance=0.0005)), {PITCH: 6.0, LOUDNESS: 2.0, TILT: 2.0}
)


def some_days(moved: str = "", by: float = 2.5, room: float = 0.0, seed: int = 0) -> Days:
    """Make an infant's days, one view and the background moved from the onset on."""
    rng = np.random.default_rng(seed)
    since = (np.arange(N_DAYS) >= ONSET)[:, None]
    values = {
        view: 0.6 * rng.standard_normal((N_DAYS, 1)) + (by * since if view == moved else 0.0)
        for view in VIEWS
    }
    return Days(
        values=values,
        variances={view: np.full((N_DAYS, 1), 0.4) for view in values},
        background=(rng.standard_normal((N_DAYS, 8)) + room * since)[:, None],
        device=np.zeros(N_DAYS, dtype=np.int64),
        growth=np.ones(N_DAYS),
        floor=np.zeros(N_DAYS, dtype=np.int64),
    )


def first_over(days: Days, moves: dict[int, str], since: int = ONSET) -> int | None:
    """Return the first day on which the statistic is over its threshold."""
    over = MONITOR.weigh(days, moves).statistic[since:, -1] >= THRESHOLD
    return since + int(np.argmax(over)) if over.any() else None


def first_finding(days: Days, moves: dict[int, str] | None = None) -> Finding:
    """Explain the first day that is over the threshold."""
    known = {} if moves is None else moves
    day = first_over(days, known)
    assert day is not None
    return MONITOR.explain(days.until(day, 0), known)


def test_a_change_of_the_infant_is_the_infants() -> None:
    for seed in range(5):
        finding = first_finding(some_days(PITCH, seed=seed))
        assert not finding.is_of_surroundings
        assert abs(finding.change.began - ONSET) <= 1
        assert finding.change.by_view[PITCH] > 0.9


def test_a_change_with_which_the_background_moved_is_the_rooms() -> None:
    for seed in range(5):
        days = some_days(LOUDNESS, room=4.0, seed=seed)
        finding = first_finding(days)
        assert finding.is_of_surroundings
        assert finding.background > MOVED
        assert abs(finding.change.began - ONSET) <= 1
        # With the room known, what it moved is learnt anew and nothing is unusual any more.
        assert first_over(days, {ONSET: ROOM}) is None


def test_what_a_room_cannot_have_moved_is_the_infants() -> None:
    both = some_days(LOUDNESS, room=4.0)
    both.values[PITCH][ONSET:] += 3.0
    assert first_finding(both).is_of_surroundings
    left = first_finding(both, {ONSET: ROOM})
    assert not left.is_of_surroundings
    assert left.change.by_view[PITCH] > 0.9


def test_a_room_that_is_known_does_not_explain_what_comes_a_week_later() -> None:
    both = some_days(LOUDNESS, room=4.0)
    both.values[PITCH][32:] += 3.0
    then = first_finding(both, {ONSET: ROOM})
    assert abs(then.change.began - 32) <= 1
    assert not then.is_of_surroundings  # the background stays where it has been since the move


def test_a_change_that_began_where_the_room_is_known_to_have_changed_is_not_the_rooms_again() -> (
    None
):
    both = some_days(PITCH, by=5.0, room=4.0)
    again = first_finding(both, {ONSET: ROOM})
    assert again.change.began == ONSET
    assert again.background > MOVED
    assert not again.is_of_surroundings


def test_a_change_is_nobodys_room_where_the_background_is_not_known() -> None:
    unheard = some_days(LOUDNESS, room=4.0)
    unheard.background[:] = np.nan
    finding = first_finding(unheard)
    assert finding.background == -np.inf
    assert not finding.is_of_surroundings


def test_a_new_device_explains_what_devices_move_and_nothing_else() -> None:
    duller = some_days(TILT, by=3.0)
    assert first_over(duller, {}) is not None
    assert first_over(duller, {ONSET: DEVICE}) is None
    higher = some_days(PITCH, by=3.0)
    assert first_over(higher, {ONSET: DEVICE}) is not None


def test_what_is_taken_for_usual_is_not_unusual_any_more() -> None:
    for view in VIEWS:
        assert first_over(some_days(view, by=3.0), {ONSET: USUAL}) is None


def test_what_grows_quickly_may_move_more() -> None:
    slow = some_days()
    slow.values[PITCH] += 0.06 * np.arange(N_DAYS)[:, None]
    quick = replace(slow, growth=np.full(N_DAYS, 40.0))
    statistic = [MONITOR.weigh(one, {}).statistic[-1, 0] for one in (slow, quick)]
    assert statistic[1] < statistic[0] - 0.5


def test_what_was_over_before_the_floor_is_not_found_after_it() -> None:
    past = some_days()
    past.values[PITCH][ONSET : ONSET + 8] += 3.0
    floored = replace(past, floor=np.where(np.arange(N_DAYS) < 34, 0, 34))
    assert first_over(past, {}, since=34) == 34
    assert first_over(floored, {}, since=34) is None
    assert first_over(floored, {}) == first_over(past, {})


def test_findings_rest_on_what_was_heard_until_then() -> None:
    days = some_days(PITCH)
    day = first_over(days, {})
    assert day is not None
    known = days.until(day, 0)
    later, then = (MONITOR.weigh(one, {}).statistic[: day + 1] for one in (days, known))
    np.testing.assert_array_equal(later, then)
    assert len(known.growth) == len(known.floor) == len(known.device) == day + 1


def test_a_view_of_which_nothing_is_heard_has_no_part() -> None:
    days = some_days(PITCH)
    days.values[TILT][:] = np.nan
    finding = first_finding(days)
    assert finding.change.by_view[TILT] == pytest.approx(0.0, abs=1e-12)
    assert set(finding.change.movements) == {PITCH, LOUDNESS}


def test_days_without_anything_are_no_evidence() -> None:
    days = some_days()
    for view in days.values:
        days.values[view][10:20] = np.nan
    days.background[10:20] = np.nan
    assert np.isfinite(MONITOR.weigh(days, {}).statistic).all()
    assert first_over(days, {}, since=0) is None


def test_a_look_within_a_day_sees_no_more_than_that() -> None:
    days = some_days()
    three = replace(
        days,
        values={view: one + np.arange(3.0) for view, one in days.values.items()},
        variances={view: np.tile(one, (1, 3)) for view, one in days.variances.items()},
        background=days.background + np.arange(3.0)[:, None],
    )
    known = three.until(7, 1)
    assert known.values[PITCH].shape == (8, 3)
    assert known.values[PITCH][7, 2] == known.values[PITCH][7, 1] == three.values[PITCH][7, 1]
    assert known.background.shape == (8, 3, 8)
    np.testing.assert_array_equal(known.background[7, 2], three.background[7, 1])
    np.testing.assert_array_equal(known.background[6, 2], three.background[6, 2])


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
    assert steps_of("another", {1: ROOM}, 3)[1] == OTHER_STEP
    assert steps_of(PITCH, {1: USUAL}, 3).tolist() == [0.0, USUAL_STEP, 0.0]


def test_growth_is_even_on_the_logarithm_of_the_age() -> None:
    ages = np.array([60.0, 120.0, 30.0, 15.0, 0.0, np.nan])
    assert growth_at(ages).tolist() == [1.0, 0.5, 2.0, 4.0, 4.0, 1.0]
    days = np.arange(60.0, 240.0)
    halves = growth_at(days)[:60].sum(), growth_at(days)[60:].sum()
    assert halves[0] == pytest.approx(halves[1], rel=0.02)
    assert halves[0] == pytest.approx(REFERENCE_AGE_DAYS * np.log(2.0), rel=0.02)


def test_the_more_rooms_move_a_view_the_more_is_owed_to_them() -> None:
    def owed(view: str) -> float:
        return owed_to_rooms(Change(0, 0, 0, {view: 1.0}, {}))

    assert 0.0 < owed(PITCH) < owed("another") < owed(LOUDNESS) < 1.0
    half = owed_to_rooms(Change(0, 0, 0, {PITCH: 0.5, LOUDNESS: 0.5}, {}))
    assert half == pytest.approx((owed(PITCH) + owed(LOUDNESS)) / 2)
