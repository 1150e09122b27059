"""Episodes: what opens one, that every one closes, and that history can be rewritten."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.episode import (
    CloseReason,
    EpisodeKind,
    EpisodeSettings,
    EpisodeSpan,
    ScoredSession,
    find_episodes,
)
from pipelines.errors import ConfigError

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
LONG_AFTER = START + timedelta(days=1000)
STRANGE, USUAL = 0.04, 0.5
SHIFT, EXTREME = EpisodeKind.PERSISTENT_SHIFT, EpisodeKind.SINGLE_EXTREME


def at(day: float, p_value: float, n_recordings: int = 2) -> ScoredSession:
    time = START + timedelta(days=day)
    return ScoredSession(time, time.date(), p_value, n_recordings)


def daily(p_values: Sequence[float], first_day: int = 0) -> list[ScoredSession]:
    return [at(first_day + day, p) for day, p in enumerate(p_values)]


def spans(
    sessions: Sequence[ScoredSession], kind: EpisodeKind, now: datetime = LONG_AFTER
) -> list[EpisodeSpan]:
    return [span for span in find_episodes(sessions, now) if span.kind == kind]


def day_of(moment: datetime | None) -> float:
    assert moment is not None
    return (moment - START) / timedelta(days=1)


def test_no_sessions_no_episodes() -> None:
    assert find_episodes([], LONG_AFTER) == []


def test_one_odd_session_is_a_single_extreme_that_the_next_one_ends() -> None:
    (span,) = find_episodes([at(0, USUAL), at(1, 0.05), at(1.2, 0.3), at(2, USUAL)], LONG_AFTER)
    assert span.kind == EXTREME
    assert (day_of(span.opened_at), day_of(span.last_at)) == (1, 1)
    assert day_of(span.closed_at) == pytest.approx(1.2)
    assert span.close_reason == CloseReason.BACK_TO_USUAL
    assert span.evidence == {
        "smallest_p_value": 0.05,
        "alpha": 0.05,
        "n_sessions": 1,
        "room_changed_frac": None,
    }


def test_a_shift_tells_how_often_the_room_is_another_since_it_began() -> None:
    usual = [replace(one, room_p_value=0.5) for one in daily([USUAL] * 5)]
    shifted = daily([STRANGE] * 8, first_day=5)
    elsewhere = [replace(one, room_p_value=0.02) for one in shifted]
    (span,) = spans([*usual, *elsewhere], SHIFT, now=START + timedelta(days=13))
    assert span.evidence["room_changed_frac"] == 1.0
    half = [replace(one, room_p_value=0.02 + 0.5 * (at % 2)) for at, one in enumerate(shifted)]
    (span,) = spans([*usual, *half], SHIFT, now=START + timedelta(days=13))
    assert span.evidence["room_changed_frac"] == pytest.approx(0.5)
    (span,) = spans([*usual, *shifted], SHIFT, now=START + timedelta(days=13))
    assert span.evidence["room_changed_frac"] is None


def test_extremes_in_a_row_are_one_episode() -> None:
    found = spans([at(1, 0.05), at(1.1, 0.02), at(1.2, 0.6), at(3, 0.01)], EXTREME)
    assert [span.evidence["n_sessions"] for span in found] == [2, 1]
    assert found[0].evidence["smallest_p_value"] == 0.02


def test_with_fewer_than_19_sessions_known_nothing_is_extreme() -> None:
    assert spans(daily([1 / 19, 1.0, 1 / 19]), EXTREME) == []  # the smallest p of 18 sessions
    assert len(spans(daily([1 / 20, 1.0, 1 / 20]), EXTREME)) == 2


def test_a_lasting_shift_opens_though_no_session_is_extreme() -> None:
    sessions = daily([USUAL] * 10 + [0.067] * 8)
    assert spans(sessions, EXTREME) == []
    (span,) = spans(sessions, SHIFT)
    # Each shifted day adds 1.5 - 0.5, so the sum reaches 3.1 on the fourth.
    assert day_of(span.opened_at) == 13
    assert span.evidence["peak_statistic"] >= span.evidence["threshold"]
    assert span.evidence["n_days"] == span.evidence["n_sessions"] == 5
    assert span.evidence["mean_deviation"] == pytest.approx(1.4985, abs=1e-3)


def test_a_shift_names_the_day_it_began_and_not_only_the_one_it_was_noticed() -> None:
    usual = [USUAL, 0.7, 0.6, USUAL, 0.8, 0.6]
    (span,) = spans(daily([*usual, *[0.11] * 8]), SHIFT)
    assert day_of(span.opened_at) > len(usual)
    assert day_of(datetime.fromisoformat(span.evidence["since"])) == len(usual)


def test_what_a_shift_before_rose_from_is_not_what_the_next_rose_from() -> None:
    first, second = spans(daily([*[0.06] * 6, *[0.9] * 12, *[0.06] * 6]), SHIFT)
    assert day_of(datetime.fromisoformat(first.evidence["since"])) == 0
    assert day_of(datetime.fromisoformat(second.evidence["since"])) == 18


def test_many_sessions_of_one_day_are_not_many_days_of_evidence() -> None:
    one_day = [at(0.01 * i, 0.067) for i in range(8)]
    assert spans(one_day, SHIFT) == []
    assert len(spans([*one_day, *(at(1 + 0.01 * i, 0.067) for i in range(8))], SHIFT)) == 1


def test_a_shift_ends_on_the_day_that_brings_the_sum_to_zero() -> None:
    (span,) = spans(daily([0.067] * 6 + [0.7] * 10), SHIFT)
    assert span.close_reason == CloseReason.BACK_TO_USUAL
    assert 6 <= day_of(span.closed_at) <= 9
    assert span.last_at == span.closed_at


def test_after_the_last_session_an_episode_ends_by_silence() -> None:
    sessions = daily([0.067] * 6)
    (still,) = spans(sessions, SHIFT, now=START + timedelta(days=11.9))
    assert (still.closed_at, still.close_reason) == (None, None)
    (ended,) = spans(sessions, SHIFT, now=START + timedelta(days=12))
    assert day_of(ended.closed_at) == 5 + 7
    assert ended.close_reason == CloseReason.NO_RECENT_SESSIONS
    (extreme,) = spans([at(0, 0.01)], EXTREME)
    assert (day_of(extreme.closed_at), extreme.close_reason) == (7, CloseReason.NO_RECENT_SESSIONS)


def test_silence_forgets_what_had_gathered() -> None:
    before, gap = daily([0.067] * 3), 8
    assert spans([*before, *daily([0.067] * 3, first_day=2 + gap)], SHIFT) == []
    assert len(spans([*before, *daily([0.067] * 3, first_day=3)], SHIFT)) == 1


def test_what_never_goes_back_ends_after_a_month_and_may_begin_again() -> None:
    first, second = spans(daily([0.067] * 45), SHIFT)
    assert first.close_reason == CloseReason.LASTED_TOO_LONG
    assert day_of(first.closed_at) == day_of(first.opened_at) + 30
    assert second.opened_at > first.closed_at
    assert day_of(second.opened_at) == day_of(first.closed_at) + 4  # from a sum of zero again


def test_a_later_session_of_the_day_does_not_undo_the_opening() -> None:
    sessions = daily([0.067] * 4)
    (opened,) = spans(sessions, SHIFT)
    calmer = [*sessions, *(at(3.01 + 0.01 * i, 0.99) for i in range(12))]
    now = START + timedelta(days=3.4)
    (span,) = spans(calmer, SHIFT, now=now)
    assert span.opened_at == opened.opened_at
    assert span.closed_at is None  # the day may not be over
    (span,) = spans(calmer, SHIFT, now=now + timedelta(days=1))
    assert (span.close_reason, span.closed_at) == (CloseReason.BACK_TO_USUAL, calmer[-1].time)


def test_late_and_corrected_sessions_simply_recompute() -> None:
    sessions = daily([USUAL] * 5 + [0.067] * 4)
    assert spans(sessions[:-1], SHIFT) == []
    assert len(spans(sessions, SHIFT)) == 1
    corrected = [*sessions[:6], at(6, 0.9), *sessions[7:]]
    assert spans(corrected, SHIFT) == []


def test_a_local_day_counts_and_not_the_day_of_utc() -> None:
    def session(hour: float, day: date) -> ScoredSession:
        return ScoredSession(START + timedelta(hours=hour), day, 0.067, 1)

    first, second = START.date(), START.date() + timedelta(days=1)
    one_day = [session(h, first) for h in (0, 6, 14, 16, 18, 20)]
    two_days = [session(h, first if h < 10 else second) for h in (0, 6, 14, 16, 18, 20)]
    settings = EpisodeSettings(threshold=2.5)
    assert find_episodes(one_day, LONG_AFTER, settings) == []
    assert len(find_episodes(two_days, LONG_AFTER, settings)) == 1


def test_the_monitor_and_its_simulation_are_the_same_statistic() -> None:
    from pipelines import cusum

    chance = np.random.default_rng(4)
    p_values = chance.integers(1, 21, size=(40, 60, 3)) / 20 * 0.75
    settings = EpisodeSettings(max_days=10_000)
    looks = cusum.running_day_means(
        cusum.deviates(p_values), cusum.DAY_EFFECT_ICC, np.ones_like(p_values, dtype=bool)
    )
    expected = cusum.alarm_days(looks, cusum.THRESHOLD)
    for infant, days in zip(p_values, expected, strict=True):
        sessions = [at(d + 0.1 * i, float(p)) for (d, i), p in np.ndenumerate(infant)]
        found = find_episodes(sessions, LONG_AFTER, settings)
        opened = [int(day_of(s.opened_at)) for s in found if s.kind == SHIFT]
        assert opened == np.flatnonzero(days).tolist()
    assert expected.sum() > 20


sessions_lists = st.lists(
    st.builds(
        at,
        st.integers(0, 24 * 80).map(lambda hours: hours / 24),
        st.one_of(
            st.integers(1, 40).map(lambda rank: rank / 40), st.sampled_from([0.01, 0.067, 1.0])
        ),
        st.integers(1, 5),
    ),
    max_size=60,
)
long_shifts = st.integers(1, 60).map(lambda n: daily([0.03] * n))
histories = st.one_of(sessions_lists, st.builds(lambda a, b: a + b, sessions_lists, long_shifts))


@given(histories)
def test_every_episode_closes_with_a_reason(sessions: list[ScoredSession]) -> None:
    for span in find_episodes(sessions, LONG_AFTER):
        assert span.closed_at is not None
        assert span.close_reason is not None
        assert span.opened_at <= span.last_at <= span.closed_at
        assert span.closed_at <= span.opened_at + timedelta(days=30)
        assert span.closed_at <= span.last_at + timedelta(days=7)


@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_the_sessions_does_not_matter(
    sessions: list[ScoredSession], random: object
) -> None:
    mixed = sessions.copy()
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert find_episodes(mixed, LONG_AFTER) == find_episodes(sessions, LONG_AFTER)


@given(histories, st.integers(0, 100))
def test_episodes_of_a_kind_never_overlap_or_touch(sessions: list[ScoredSession], day: int) -> None:
    for kind in EpisodeKind:
        found = spans(sessions, kind, now=START + timedelta(days=day))
        for earlier, later in itertools.pairwise(found):
            assert earlier.closed_at is not None
            assert earlier.closed_at < later.opened_at


@given(histories, st.integers(0, 24 * 90), st.integers(0, 24 * 90))
def test_what_has_closed_stays_closed_as_time_goes_on(
    sessions: list[ScoredSession], hours: int, more: int
) -> None:
    now = START + timedelta(hours=hours)
    heard = [session for session in sessions if session.time <= now]
    later = now + timedelta(hours=more)
    before, after = find_episodes(heard, now), find_episodes(heard, later)
    assert len(before) == len(after)
    for earlier, same in zip(before, after, strict=True):
        assert earlier == same or (earlier.closed_at is None and same.closed_at is not None)
        assert (earlier.kind, earlier.opened_at) == (same.kind, same.opened_at)


@given(histories, st.integers(0, 24 * 90))
def test_later_sessions_undo_nothing_that_was_opened(
    sessions: list[ScoredSession], hours: int
) -> None:
    now = START + timedelta(hours=hours)
    heard = [session for session in sessions if session.time <= now]
    opened = {(s.kind, s.opened_at) for s in find_episodes(heard, now)}
    assert opened <= {(s.kind, s.opened_at) for s in find_episodes(sessions, LONG_AFTER)}


@pytest.mark.parametrize("p_value", [0.0, -0.1, 1.01, float("nan")])
def test_what_is_no_p_value_is_a_named_error(p_value: float) -> None:
    with pytest.raises(ConfigError, match="p-value"):
        find_episodes([at(0, p_value)], LONG_AFTER)


def test_times_without_a_zone_are_a_named_error() -> None:
    naive = START.replace(tzinfo=None)
    with pytest.raises(ConfigError, match="zone"):
        find_episodes([], naive)
    with pytest.raises(ConfigError, match="zone"):
        find_episodes([ScoredSession(naive, naive.date(), 0.5, 1)], LONG_AFTER)
