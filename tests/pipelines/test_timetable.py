"""The timetable: what a session says, what a look has seen, and which device is listening."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.cusum import DAY_EFFECT_ICC, Z_LIMITS, deviates
from pipelines.familiar import ACOUSTICS, EMBEDDING, ROOM, Views
from pipelines.guard import ROOM_DIRECTIONS
from pipelines.prior import SESSION_FRAC, ViewPrior
from pipelines.room import ROOM_WIDTH
from pipelines.timetable import (
    COLUMNS,
    WATCHED,
    HeardSession,
    Timetable,
    embedding_deviate,
    summarise,
    timetable,
)
from tests.pipelines.heard import (
    N_CHANNELS,
    PITCH,
    PRIOR,
    SPREAD,
    a_life,
    a_session,
    heard_by,
)

FloatArray = NDArray[np.float64]
QUIET_DAYS = 7
ROOM_PRIOR = ViewPrior(
    np.zeros(ROOM_WIDTH),
    np.zeros(ROOM_WIDTH),
    np.eye(ROOM_WIDTH, ROOM_DIRECTIONS + 2),
    np.ones(ROOM_DIRECTIONS + 2),
)
PRIORS = {ACOUSTICS: PRIOR, ROOM: ROOM_PRIOR}


def table_of(sessions: Sequence[HeardSession]) -> Timetable:
    found = timetable(sessions, QUIET_DAYS)
    assert found is not None
    return found


# --- sessions -----------------------------------------------------------------------------------


def some_views(channels: FloatArray, room: FloatArray, age_days: float = 60.0) -> Views:
    n = len(channels)
    return Views(np.zeros((n, 192)), channels, room, np.full(n, age_days))


def test_a_session_lies_where_its_recordings_lie_on_the_mean() -> None:
    channels = np.zeros((3, N_CHANNELS))
    channels[:, COLUMNS[0]] = [0.25, 0.5, 0.75]
    room = np.arange(3.0)[:, None] ** 2 * np.ones(ROOM_WIDTH)
    found = summarise(some_views(channels, room), PRIORS)
    assert found.levels[0] == pytest.approx(0.5 / SPREAD)
    assert np.all(found.levels[1:] == 0.0)
    assert found.counts.tolist() == [3] * len(WATCHED)
    assert found.room.tolist() == [1.0] * ROOM_DIRECTIONS  # the median: one loud one moves nothing


def test_a_channel_that_is_missing_is_that_of_the_others() -> None:
    channels = np.full((3, N_CHANNELS), 0.5)
    channels[1, COLUMNS[0]] = np.nan
    channels[:, COLUMNS[2]] = np.nan
    found = summarise(some_views(channels, np.zeros((3, ROOM_WIDTH))), PRIORS)
    assert found.counts[:4].tolist() == [2, 3, 0, 3]
    assert found.levels[0] == pytest.approx(0.5 / SPREAD)
    assert np.isnan(found.levels[2])


def test_a_background_that_was_not_kept_counts_for_nothing() -> None:
    room = np.stack([np.full(ROOM_WIDTH, np.nan), np.full(ROOM_WIDTH, 3.0)])
    both = summarise(some_views(np.zeros((2, N_CHANNELS)), room), PRIORS)
    assert both.room.tolist() == [3.0] * ROOM_DIRECTIONS
    none = summarise(some_views(np.zeros((1, N_CHANNELS)), room[:1]), PRIORS)
    assert none.room.shape == (ROOM_DIRECTIONS,)
    assert np.isnan(none.room).all()


def test_a_session_is_compared_with_infants_of_its_age() -> None:
    slope = np.zeros(N_CHANNELS)
    slope[COLUMNS[0]] = -0.1
    aged = PRIORS | {ACOUSTICS: replace(PRIOR, age_slope=slope)}
    channels, room = np.zeros((1, N_CHANNELS)), np.zeros((1, ROOM_WIDTH))
    levels = [
        summarise(some_views(channels, room, age), aged).levels[0] for age in (60.0, 120.0, np.nan)
    ]
    assert levels == pytest.approx([0.0, 0.1 / SPREAD, 0.0])


def test_the_embeddings_deviate_is_the_mean_of_its_scorers() -> None:
    p_values = {"autoencoder": 0.1, "ocsvm": 0.3, "gmm": 0.5, "room": 0.001, "acoustics": 0.001}
    expected = deviates(np.array([0.1, 0.3, 0.5])).mean()
    assert embedding_deviate(p_values) == pytest.approx(expected)
    assert embedding_deviate({"gmm": 0.1}) == pytest.approx(deviates(np.array([0.1]))[0])
    assert embedding_deviate({"gmm": 1e-12}) == Z_LIMITS[1]
    assert np.isnan(embedding_deviate({"acoustics": 0.5}))
    assert np.isnan(embedding_deviate({}))


# --- days and looks -----------------------------------------------------------------------------


def test_without_a_session_there_is_no_table() -> None:
    assert timetable([], QUIET_DAYS) is None


def test_sessions_come_by_day_and_a_day_without_one_is_there() -> None:
    sessions = [a_session(3, 9.0), a_session(0, 8.0), a_session(0, 20.0)]
    found = table_of(sessions)
    assert [len(own) for own in found.sessions] == [2, 0, 0, 1]
    assert found.heard == [0, 3]
    assert found.sessions[0] == (sessions[1], sessions[2])
    expected = [[True, True], [False, False], [False, False], [True, False]]
    assert found.is_session.tolist() == expected


def test_the_infants_local_day_counts_and_not_the_day_of_utc() -> None:
    late = a_session(0, 23.0)
    tomorrow = replace(late, day=late.day + timedelta(days=1))
    found = table_of([a_session(0, 8.0), tomorrow])
    assert [len(own) for own in found.sessions] == [1, 1]


def test_a_look_sees_the_mean_of_the_day_so_far() -> None:
    found = table_of([a_session(0, 8.0, 1.0), a_session(0, 9.0, 4.0), a_session(1, 8.0, 2.0)])
    values, variances = found.days.values[PITCH], found.days.variances[PITCH]
    np.testing.assert_allclose(values, [[1.0, 2.5], [2.0, 2.0]])
    own = SESSION_FRAC - DAY_EFFECT_ICC + (1.0 - SESSION_FRAC) / 1
    both = DAY_EFFECT_ICC + own / 2
    np.testing.assert_allclose(
        variances, [[DAY_EFFECT_ICC + own, both], [DAY_EFFECT_ICC + own] * 2]
    )


def test_more_recordings_make_a_session_more_precise() -> None:
    one = a_session(0, 8.0)
    many = replace(one.summary, counts=np.full(len(WATCHED), 8, dtype=np.int64))
    few, precise = table_of([one]), table_of([replace(one, summary=many)])
    assert precise.days.variances[PITCH][0, 0] < few.days.variances[PITCH][0, 0]
    # What a session's recordings have in common no number of them takes away.
    assert precise.days.variances[PITCH][0, 0] > SESSION_FRAC


def test_what_is_missing_is_no_evidence() -> None:
    first, second = a_session(0, 8.0, np.nan, deviate=1.0), a_session(0, 9.0, 3.0)
    days = table_of([first, second]).days
    assert np.isnan(days.values[PITCH][0, 0])
    assert days.values[PITCH][0, 1] == 3.0
    assert days.values[EMBEDDING].tolist() == [[1.0, 1.0]]
    assert np.isfinite(days.variances[PITCH]).all()


def test_the_background_of_a_look_is_the_median_of_the_day_so_far() -> None:
    rooms = [1.0, np.nan, 9.0, 2.0]
    found = table_of([a_session(0, hour, room=room) for hour, room in enumerate(rooms)])
    assert found.days.background.shape == (1, 4, ROOM_DIRECTIONS)
    assert found.days.background[0, :, 0].tolist() == [1.0, 1.0, 5.0, 2.0]
    silent = table_of([a_session(0, 8.0, room=np.nan), a_session(2, 8.0)])
    assert np.isnan(silent.days.background[:2]).all()


@given(st.integers(0, 1000), st.integers(1, 12))
def test_what_a_look_has_seen_rests_on_the_sessions_until_then(seed: int, cut: int) -> None:
    sessions = a_life(4, seed=seed, hours=(3, 9, 21))
    whole, known = table_of(sessions), table_of(sessions[:cut])
    day, look = (cut - 1) // 3, (cut - 1) % 3
    for view, values in known.days.values.items():
        later = whole.days.values[view], whole.days.variances[view]
        np.testing.assert_array_equal(values[day, look], later[0][day, look])
        np.testing.assert_array_equal(known.days.variances[view][day, look], later[1][day, look])
    np.testing.assert_array_equal(
        known.days.background[day, look], whole.days.background[day, look]
    )


@given(st.permutations(range(9)))
def test_the_order_of_the_sessions_does_not_matter(order: list[int]) -> None:
    sessions = heard_by(a_life(3, hours=(1, 2, 3)), "b", 2)
    mixed = table_of([sessions[i] for i in order])
    assert mixed.sessions == table_of(sessions).sessions
    assert mixed.new_devices == table_of(sessions).new_devices


# --- devices ------------------------------------------------------------------------------------


def test_another_device_is_the_new_one_when_the_old_one_is_silent_for_a_day() -> None:
    sessions = [a_session(0, 8.0), a_session(0, 20.0), a_session(1, 21.0, device="b")]
    found = table_of(sessions)
    assert found.new_devices == (1,)
    assert found.days.device.tolist() == [0, 1]
    assert found.sessions[1] == (sessions[2],)


def test_what_another_device_hears_meanwhile_is_left_out() -> None:
    old = [a_session(day, 8.0) for day in range(3)]
    other = [a_session(day, 20.0, 9.0, device="b") for day in range(3)]
    found = table_of(old + other)
    assert found.new_devices == ()
    assert [own for day in found.sessions for own in day] == old
    assert found.days.values[PITCH].max() == 0.0


def test_a_device_that_takes_over_within_a_day_is_heard_from_the_next_one_on() -> None:
    old = [a_session(0, 8.0), a_session(1, 8.0)]
    new = [a_session(day, hour, device="b") for day in (1, 2) for hour in (7.5, 9.0)]
    found = table_of(old + new)
    assert found.new_devices == (2,)
    assert found.sessions[1] == (old[1],)
    assert found.sessions[2] == (new[3],)  # at half past seven the old one was not silent for long


def test_devices_that_come_back_are_new_again_and_silent_days_have_none() -> None:
    names = {0: "a", 2: "b", 4: "a"}
    found = table_of([a_session(day, 8.0, device=name) for day, name in names.items()])
    assert found.new_devices == (2, 4)
    assert found.days.device.tolist() == [0, -1, 1, -1, 2]


# --- what is looked for, and growth --------------------------------------------------------------


def test_after_a_silent_week_no_change_is_looked_for_that_began_before() -> None:
    heard = [0, 1, 9, 10, 16, 24]
    found = table_of([a_session(day, 8.0) for day in heard])
    floor = found.days.floor
    assert floor[:9].tolist() == [0] * 9
    assert floor[9:24].tolist() == [9] * 15
    assert floor[24] == 24
    just = table_of([a_session(0, 8.0), a_session(7, 8.0)])
    assert not just.days.floor.any()


def test_growth_follows_the_age_through_silent_days() -> None:
    sessions = [replace(a_session(day, 8.0), age_days=30.0 + day) for day in (0, 3)]
    np.testing.assert_allclose(table_of(sessions).days.growth, 60.0 / np.arange(30.0, 34.0))


def test_an_infant_of_unknown_age_grows_as_most_do() -> None:
    sessions = [replace(a_session(day, 8.0), age_days=np.nan) for day in (0, 2)]
    assert table_of(sessions).days.growth.tolist() == [1.0, 1.0, 1.0]
    newborn = table_of([replace(a_session(0, 8.0), age_days=0.0)])
    assert newborn.days.growth.tolist() == [4.0]
