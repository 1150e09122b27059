"""Replay buffer: bounded, newest kept, spread, steady as it grows; and what of it is learnt."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.baseline import Baseline
from pipelines.errors import ConfigError
from pipelines.guard import DEVICE, ROOM
from pipelines.lasting import Verdict, find_lasting
from pipelines.learn import (
    BUFFER_CAPACITY,
    DAY_S,
    FOREVER,
    SUSPICION,
    choose_buffer,
    choose_ripe,
    device_spans,
    held_spans,
    is_held_back,
    within,
)
from pipelines.score import MINIMUM_DAYS, PersonalModel
from pipelines.spans import CloseReason, EpisodeKind, EpisodeSpan
from tests.pipelines.heard import PITCH, START, WATCH, Move, a_life, day_number, without_room

START_S = 1_772_352_000.0  # midnight of a day in 2026


def days_of(times: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.floor(times / DAY_S).astype(np.int64)


def a_history(n_days: int, a_day: int, seed: int = 0) -> NDArray[np.float64]:
    """Return recording times, rising, so many at random hours of each day."""
    chance = np.random.default_rng(seed)
    offsets = chance.integers(0, DAY_S, size=(n_days, a_day))
    return np.sort((START_S + np.arange(n_days)[:, None] * DAY_S + offsets).ravel())


times_lists = st.lists(
    st.integers(0, 40 * DAY_S).map(lambda s: START_S + s), min_size=1, max_size=120, unique=True
)


@given(times_lists, st.integers(1, 60))
def test_bounded_rising_unique_and_with_the_newest(times: list[float], capacity: int) -> None:
    kept = choose_buffer(times, capacity)
    assert len(kept) == min(len(times), capacity)
    assert (np.diff(kept) > 0).all()
    assert int(np.argmax(times)) in kept


@given(times_lists, st.integers(1, 60), st.randoms(use_true_random=False))
def test_the_order_of_the_entries_does_not_matter(
    times: list[float], capacity: int, random: object
) -> None:
    mixed = times.copy()
    random.shuffle(mixed)  # type: ignore[attr-defined]
    first = {times[i] for i in choose_buffer(times, capacity)}
    assert {mixed[i] for i in choose_buffer(mixed, capacity)} == first


@given(times_lists, st.integers(1, 60), st.integers(1, 3 * DAY_S))
def test_one_recording_more_changes_few(times: list[float], capacity: int, later: int) -> None:
    before = {times[i] for i in choose_buffer(times, capacity)}
    grown = [*times, max(times) + later]
    after = {grown[i] for i in choose_buffer(grown, capacity)}
    assert len(before - after) <= 2
    assert len(after - before) <= 3


@given(times_lists, st.integers(1, 60))
def test_no_day_gives_two_more_than_another_that_had_more_to_give(
    times: list[float], capacity: int
) -> None:
    day = days_of(np.array(times))
    kept = choose_buffer(times, capacity)
    names, offered = np.unique(day, return_counts=True)
    taken = np.array([(day[kept] == name).sum() for name in names])
    could_give_more = taken < offered
    if could_give_more.any():
        assert taken.max() - taken[could_give_more].min() <= 1 + (names[taken.argmax()] == max(day))


def test_everything_stays_while_it_fits() -> None:
    times = a_history(20, 20)
    assert len(times) == BUFFER_CAPACITY
    assert choose_buffer(times).tolist() == list(range(BUFFER_CAPACITY))
    assert choose_buffer([], 5).tolist() == []


def test_more_days_than_room_are_thinned_evenly() -> None:
    times = a_history(365, 3)
    kept = days_of(times[choose_buffer(times, 90)]) - days_of(times[:1])
    assert len(set(kept.tolist())) >= 89
    quarters = np.bincount(kept * 4 // 365, minlength=4)
    assert quarters.min() >= 18
    assert np.diff(np.sort(kept)).max() <= 8


def test_no_hour_is_favoured() -> None:
    times = a_history(60, 12)
    hours = times[choose_buffer(times, 120)] % DAY_S / 3600
    assert abs(hours.mean() - 12) < 1.5
    assert np.bincount((hours // 6).astype(int), minlength=4).min() >= 20


def test_a_buffer_kept_day_by_day_stays_spread() -> None:
    buffer: list[float] = []
    for time in a_history(120, 4):
        buffer.append(float(time))
        buffer = [buffer[i] for i in choose_buffer(buffer, 100)]
    day = days_of(np.array(buffer)) - days_of(np.array([START_S]))
    assert len(buffer) == 100
    assert len(set(day.tolist())) >= 95
    assert np.bincount(day * 4 // 121, minlength=4).min() >= 15


@pytest.mark.parametrize("capacity", [0, -3])
def test_a_buffer_without_room_is_a_named_error(capacity: int) -> None:
    with pytest.raises(ConfigError):
        choose_buffer([1.0], capacity)


def test_times_that_are_none_are_a_named_error() -> None:
    for wrong in ([float("nan")], [float("inf")], np.zeros((2, 2))):
        with pytest.raises(ConfigError):
            choose_buffer(wrong, 1)


def test_the_first_days_are_ripe_at_once_and_later_ones_after_a_week() -> None:
    days = [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]  # nine days, then two more
    assert choose_ripe(days[:8], today=8).tolist() == list(range(8))
    assert choose_ripe(days, today=13).tolist() == list(range(10))
    assert choose_ripe(days, today=17).tolist() == list(range(11))
    assert choose_ripe(days[::-1], today=17).tolist() == list(range(1, 12))
    assert choose_ripe(days, today=19).tolist() == list(range(12))
    assert choose_ripe([], today=19).tolist() == []


def flags(n: int, *chosen: int) -> NDArray[np.bool_]:
    return np.isin(np.arange(n), chosen)


def test_what_a_shift_holds_back_is_not_ripe_however_old() -> None:
    days = list(range(1, 21))
    ripe = choose_ripe(days, today=40, held=flags(20, 12, 13, 14))
    assert ripe.tolist() == [*range(12), *range(15, 20)]
    assert choose_ripe(days, today=40, held=~flags(20)).tolist() == list(range(MINIMUM_DAYS))


def test_the_first_days_are_ripe_whatever_is_said_of_them() -> None:
    days = list(range(1, 13))
    assert choose_ripe(days, today=13).tolist() == list(range(MINIMUM_DAYS))
    ripe = choose_ripe(days, today=25, held=flags(12, 0, 4, 9))
    assert ripe.tolist() == [*range(MINIMUM_DAYS), 10, 11]


def test_new_surroundings_are_learnt_from_the_next_day_on() -> None:
    days = list(range(1, 21))
    bridged = flags(20, 17, 18, 19)
    assert choose_ripe(days, today=20).tolist() == list(range(13))
    assert choose_ripe(days, today=20, bridged=bridged).tolist() == [*range(13), 17, 18]
    assert choose_ripe(days, today=21, bridged=bridged).tolist() == [*range(14), 17, 18, 19]


def test_a_shift_in_new_surroundings_is_held_back_all_the_same() -> None:
    days = list(range(1, 21))
    ripe = choose_ripe(days, today=21, held=flags(20, 18), bridged=flags(20, 17, 18, 19))
    assert ripe.tolist() == [*range(14), 17, 19]


def test_nothing_held_and_nothing_bridged_are_as_not_said() -> None:
    days = [3, 1, 9, 14, 22, 2]
    for today in (10, 15, 22, 30):
        said = choose_ripe(days, today, held=flags(6), bridged=flags(6))
        assert said.tolist() == choose_ripe(days, today).tolist()


@pytest.mark.parametrize(
    ("reason", "held"),
    [
        (None, True),
        (CloseReason.BACK_TO_USUAL, True),
        (CloseReason.NO_RECENT_SESSIONS, True),
        (CloseReason.LASTED_TOO_LONG, False),
        (CloseReason.SURROUNDINGS, False),
        (CloseReason.REVIEWED, False),
    ],
)
def test_a_shift_is_held_back_until_it_is_the_new_usual(
    reason: CloseReason | None, held: bool
) -> None:
    assert is_held_back(reason) == held
    assert is_held_back(reason, Verdict.UNUSUAL)
    assert not is_held_back(reason, Verdict.USUAL)


def a_span(
    kind: EpisodeKind, since: int, closed: int | None, reason: CloseReason | None, *labels: str
) -> EpisodeSpan:
    """Make a span that began a day before it was opened."""
    at = [START + timedelta(days=day) for day in (since, since + 1)]
    evidence = {"since": at[0].isoformat(), "changes": [{"label": label} for label in labels]}
    until = None if closed is None else START + timedelta(days=closed)
    return EpisodeSpan(kind, at[1], at[1], until, reason, evidence)


def held_days(*spans: EpisodeSpan) -> list[int]:
    times = [START + timedelta(days=day) for day in range(30)]
    return np.flatnonzero(within(times, held_spans(spans))).tolist()


def test_days_are_held_back_from_when_a_shift_began_until_it_ended() -> None:
    shift, back = EpisodeKind.PERSISTENT_SHIFT, CloseReason.BACK_TO_USUAL
    assert held_days() == []
    assert held_days(a_span(shift, 4, 7, back)) == [4, 5, 6, 7]
    assert held_days(a_span(shift, 26, None, None)) == [26, 27, 28, 29]
    assert held_days(a_span(shift, 4, 7, CloseReason.REVIEWED)) == []
    assert held_days(a_span(shift, 1, 2, back), a_span(shift, 5, 6, back)) == [1, 2, 5, 6]
    surroundings = a_span(EpisodeKind.NEW_SURROUNDINGS, 4, 7, CloseReason.SETTLED, ROOM)
    assert held_days(surroundings, a_span(EpisodeKind.SINGLE_EXTREME, 1, 2, back)) == []


def test_a_new_device_is_learnt_from_the_next_day_on_and_a_new_room_is_not() -> None:
    new, settled = EpisodeKind.NEW_SURROUNDINGS, CloseReason.SETTLED
    device = a_span(new, 3, 9, settled, DEVICE)
    both = a_span(new, 12, None, None, ROOM, DEVICE)
    found = device_spans([device, both, a_span(new, 20, 25, settled, ROOM)])
    assert found == [
        (START + timedelta(days=3), START + timedelta(days=9)),
        (START + timedelta(days=12), FOREVER),
    ]


def test_what_is_held_back_lies_within_spans_their_ends_included() -> None:
    times = [START + timedelta(hours=hour) for hour in range(5)]
    assert within(times, []).tolist() == [False] * 5
    assert within(times, [(times[1], times[2]), (times[4], FOREVER)]).tolist() == [
        *(False, True, True),
        *(False, True),
    ]
    assert within([], [(times[0], FOREVER)]).shape == (0,)


def test_a_mere_suspicion_holds_days_back_that_nobody_is_told_of() -> None:
    slight = without_room(a_life(30, Move(PITCH, 0.8, 20)))
    now = slight[-1].time
    assert find_lasting(slight, now, WATCH) == []
    spans = held_spans(find_lasting(slight, now, WATCH, SUSPICION))
    held = {day_number(one) for one in slight if within([one.time], spans)[0]}
    assert held == set(range(20, 30))
    steady = a_life(30)
    assert held_spans(find_lasting(steady, now, WATCH, SUSPICION)) == []


def test_learning_only_what_is_ripe_keeps_a_shift_visible() -> None:
    def units(day: int) -> NDArray[np.float64]:
        voice = np.random.default_rng(1)
        centre, direction = voice.normal(size=(2, 192))
        here = np.random.default_rng([1, day])
        shift = 2.1 * direction if day >= 14 else 0.0
        vectors = centre + shift + 0.35 * here.normal(size=192) + 0.35 * here.normal(size=(8, 192))
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def p_value_on_day_16(known: list[int]) -> float:
        day = np.repeat(known, 8)
        embeddings = np.concatenate([units(d) for d in known]).astype(np.float32)
        model = PersonalModel.fit(Baseline(embeddings, day, day, day), "encoder", seed=0)
        assert isinstance(model, PersonalModel)
        return model.score_recording(units(16).astype(np.float32)).p_value

    all_days = list(range(16))  # two of them shifted
    ripe = [all_days[i] for i in choose_ripe(all_days, today=16)]
    assert p_value_on_day_16(all_days) > 0.3
    assert p_value_on_day_16(ripe) < 0.05
