"""Episodes: single extremes, what lasts beside them, and that history can be rewritten."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.episode import (
    ALPHA_EXTREME,
    CloseReason,
    EpisodeKind,
    EpisodeSettings,
    EpisodeSpan,
    HeardSession,
    Review,
    ScoredSession,
    Verdict,
    find_episodes,
    find_extremes,
)
from pipelines.errors import ConfigError
from pipelines.lasting import Lasting, find_lasting
from tests.pipelines import heard
from tests.pipelines.heard import PITCH, WATCH, Move, a_life, heard_by

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
LONG_AFTER = START + timedelta(days=1000)
USUAL = 0.5
EXTREME, SHIFT = EpisodeKind.SINGLE_EXTREME, EpisodeKind.PERSISTENT_SHIFT


def at(day: float, p_value: float, n_recordings: int = 2) -> ScoredSession:
    time = START + timedelta(days=day)
    return ScoredSession(time, time.date(), p_value, n_recordings)


def daily(p_values: Sequence[float], first_day: int = 0) -> list[ScoredSession]:
    return [at(first_day + day, p) for day, p in enumerate(p_values)]


def extremes(sessions: Sequence[ScoredSession], now: datetime = LONG_AFTER) -> list[EpisodeSpan]:
    return find_extremes(sessions, now)


def day_of(moment: datetime | None) -> float:
    assert moment is not None
    return (moment - START) / timedelta(days=1)


# --- single extremes ----------------------------------------------------------------------------


def test_no_sessions_no_episodes() -> None:
    assert extremes([]) == []
    assert find_episodes([], [], LONG_AFTER, WATCH) == []


def test_one_odd_session_is_a_single_extreme_that_the_next_one_ends() -> None:
    (span,) = extremes([at(0, USUAL), at(1, 0.02), at(1.2, 0.3), at(2, USUAL)])
    assert span.kind == EXTREME
    assert (day_of(span.opened_at), day_of(span.last_at)) == (1, 1)
    assert day_of(span.closed_at) == pytest.approx(1.2)
    assert span.close_reason == CloseReason.BACK_TO_USUAL
    assert span.evidence == {
        "smallest_p_value": 0.02,
        "alpha": ALPHA_EXTREME,
        "n_sessions": 1,
        "room_changed_frac": None,
    }


def test_extremes_in_a_row_are_one_episode() -> None:
    found = extremes([at(1, 0.02), at(1.1, 0.01), at(1.2, 0.6), at(3, 0.005)])
    assert [span.evidence["n_sessions"] for span in found] == [2, 1]
    assert found[0].evidence["smallest_p_value"] == 0.01


def test_an_extreme_tells_how_often_the_room_was_another() -> None:
    def frac(*room_p_values: float | None) -> float | None:
        sessions = [
            replace(at(0.1 * number, 0.01), room_p_value=p)
            for number, p in enumerate(room_p_values)
        ]
        (span,) = extremes(sessions)
        told: float | None = span.evidence["room_changed_frac"]
        return told

    assert frac(0.05, 0.01) == 1.0
    assert frac(0.02, 0.06) == 0.5
    assert frac(0.02, 0.5, None, 0.9) == pytest.approx(1 / 3, abs=1e-6)
    assert frac(None, None) is None


def test_with_fewer_than_49_sessions_known_nothing_is_extreme() -> None:
    assert extremes(daily([1 / 49, 1.0, 1 / 49])) == []  # the smallest p of 48 sessions
    assert len(extremes(daily([1 / 50, 1.0, 1 / 50]))) == 2


def test_how_small_a_p_value_must_be_can_be_set() -> None:
    sessions = daily([0.04, USUAL, 0.001])
    assert len(find_extremes(sessions, LONG_AFTER, EpisodeSettings(alpha_extreme=0.05))) == 2
    assert find_extremes(sessions, LONG_AFTER, EpisodeSettings(alpha_extreme=0.0005)) == []


def test_after_the_last_session_an_extreme_ends_by_silence() -> None:
    session = [at(0, 0.01)]
    (still,) = extremes(session, now=START + timedelta(days=6.9))
    assert (still.closed_at, still.close_reason) == (None, None)
    (ended,) = extremes(session, now=START + timedelta(days=7))
    assert (day_of(ended.closed_at), ended.close_reason) == (7, CloseReason.NO_RECENT_SESSIONS)
    quicker = EpisodeSettings(lasting=Lasting(quiet_days=2))
    (early,) = find_extremes(session, LONG_AFTER, quicker)
    assert day_of(early.closed_at) == 2


def test_a_session_just_when_time_runs_out_still_counts() -> None:
    (one,) = extremes([at(0, 0.01), at(7, 0.01)])
    assert (one.evidence["n_sessions"], day_of(one.closed_at)) == (2, 14)
    assert len(extremes([at(0, 0.01), at(7.01, 0.01)])) == 2
    (ended,) = extremes([at(0, 0.01), at(7, USUAL)])
    assert ended.close_reason == CloseReason.BACK_TO_USUAL


def test_late_and_corrected_sessions_simply_recompute() -> None:
    sessions = daily([USUAL, 0.01, 0.01, USUAL])
    assert len(extremes(sessions)) == 1
    assert len(extremes([*sessions, at(1.5, USUAL)])) == 2
    assert extremes([sessions[0], at(1, 0.9), at(2, 0.9), sessions[3]]) == []


session_lists = st.lists(
    st.builds(
        at,
        st.integers(0, 24 * 80).map(lambda hours: hours / 24),
        st.one_of(
            st.integers(1, 60).map(lambda rank: rank / 60), st.sampled_from([0.01, 0.02, 1.0])
        ),
        st.integers(1, 5),
    ),
    max_size=60,
)
long_rows = st.integers(1, 40).map(lambda n: daily([0.01] * n))
histories = st.one_of(session_lists, st.builds(lambda a, b: a + b, session_lists, long_rows))


@given(histories)
def test_every_extreme_closes_with_a_reason(sessions: list[ScoredSession]) -> None:
    for span in extremes(sessions):
        assert span.closed_at is not None
        assert span.close_reason in (CloseReason.BACK_TO_USUAL, CloseReason.NO_RECENT_SESSIONS)
        assert span.opened_at <= span.last_at <= span.closed_at
        assert span.closed_at <= span.last_at + timedelta(days=7)


@given(histories)
def test_every_extreme_session_belongs_to_one_extreme(sessions: list[ScoredSession]) -> None:
    found = extremes(sessions)
    counted = sum(span.evidence["n_sessions"] for span in found)
    assert counted == sum(session.p_value <= ALPHA_EXTREME for session in sessions)
    for span in found:
        assert span.evidence["smallest_p_value"] <= ALPHA_EXTREME


@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_the_sessions_does_not_matter(
    sessions: list[ScoredSession], random: Any
) -> None:
    mixed = sessions.copy()
    random.shuffle(mixed)
    assert extremes(mixed) == extremes(sessions)


@given(histories, st.integers(0, 100))
def test_extremes_never_overlap_or_touch(sessions: list[ScoredSession], day: int) -> None:
    found = extremes(sessions, now=START + timedelta(days=day))
    for earlier, later in itertools.pairwise(found):
        assert earlier.closed_at is not None
        assert earlier.closed_at < later.opened_at


@given(histories, st.integers(0, 24 * 90), st.integers(0, 24 * 90))
def test_what_has_closed_stays_closed_as_time_goes_on(
    sessions: list[ScoredSession], hours: int, more: int
) -> None:
    now = START + timedelta(hours=hours)
    known = [session for session in sessions if session.time <= now]
    before, after = extremes(known, now), extremes(known, now + timedelta(hours=more))
    for earlier, same in zip(before, after, strict=True):
        assert earlier == same or (earlier.closed_at is None and same.closed_at is not None)
        assert earlier.opened_at == same.opened_at


@given(histories, st.integers(0, 24 * 90))
def test_later_sessions_undo_nothing_that_was_opened(
    sessions: list[ScoredSession], hours: int
) -> None:
    now = START + timedelta(hours=hours)
    known = [session for session in sessions if session.time <= now]
    opened = {span.opened_at for span in extremes(known, now)}
    assert opened <= {span.opened_at for span in extremes(sessions)}


# --- beside what lasts --------------------------------------------------------------------------


def scored_as(
    sessions: Sequence[HeardSession], p_value: float, since: int = 0
) -> list[ScoredSession]:
    """Score sessions from a day on."""
    return [
        ScoredSession(one.time, one.day, p_value, one.n_recordings)
        for one in sessions
        if heard.day_number(one) >= since
    ]


def kinds(spans: Sequence[EpisodeSpan]) -> list[EpisodeKind]:
    return [span.kind for span in spans]


def test_episodes_are_what_lasts_and_what_does_not() -> None:
    sessions = a_life(30, Move(PITCH, 2.0, 20))
    odd = scored_as(sessions[20:21], 0.01)
    usual = scored_as(sessions[21:], USUAL)
    found = find_episodes([*odd, *usual], sessions, sessions[-1].time, WATCH)
    assert kinds(found) == [EXTREME, SHIFT]
    assert found[0] == find_extremes([*odd, *usual], LONG_AFTER)[0]
    assert found[1:] == find_lasting(sessions, sessions[-1].time, WATCH)


def test_while_a_shift_lasts_no_session_opens_an_extreme() -> None:
    sessions = a_life(30, Move(PITCH, 2.0, 20))
    (shift,) = find_lasting(sessions, sessions[-1].time, WATCH)
    scored = scored_as(sessions, 0.01, since=20)
    assert scored[0].time < shift.opened_at
    early, same = find_episodes(scored, sessions, sessions[-1].time, WATCH)
    assert same == shift
    assert early.last_at < shift.opened_at  # what came before it was said stays said


def test_in_new_surroundings_no_session_opens_an_extreme_until_they_are_known() -> None:
    sessions = heard_by(a_life(40), "b", 20)
    (new,) = find_lasting(sessions, sessions[-1].time, WATCH)
    assert new.closed_at is not None
    scored = scored_as(sessions, 0.01, since=22)
    found = find_episodes(scored, sessions, sessions[-1].time, WATCH)
    assert kinds(found) == [EpisodeKind.NEW_SURROUNDINGS, EXTREME]
    assert found[1].opened_at > new.closed_at


def test_an_extreme_stays_said_when_the_next_session_continues_a_shift() -> None:
    # Two monitors: one is listening, and the other hears a cry of its own in the night.
    sessions = a_life(30, Move(PITCH, 2.0, 20))
    night = replace(sessions[-1], time=sessions[-2].time + timedelta(hours=1), device="b")
    scored = scored_as([night], 0.01)
    before = find_episodes(scored, [*sessions[:-1], night], night.time, WATCH)
    after = find_episodes(scored, [*sessions, night], sessions[-1].time, WATCH)
    assert kinds(before) == kinds(after)


def test_settings_and_reviews_reach_what_lasts() -> None:
    sessions = a_life(30, Move(PITCH, 2.0, 20))
    now = sessions[-1].time
    (shift,) = find_episodes([], sessions, now, WATCH)
    usual = Review(shift.opened_at + timedelta(days=2), Verdict.USUAL)
    (reviewed,) = find_episodes([], sessions, now, WATCH, reviews=[usual])
    assert reviewed.close_reason == CloseReason.REVIEWED
    later = EpisodeSettings(lasting=Lasting(learnt_days=30))
    assert find_episodes([], sessions, now, WATCH, later) == []


@settings(max_examples=15)
@given(st.integers(0, 50), st.integers(10, 24), st.integers(0, 200), st.randoms())
def test_episodes_of_a_kind_never_overlap_and_order_does_not_matter(
    seed: int, onset: int, every: int, random: Any
) -> None:
    sessions = a_life(30, Move(PITCH, 2.0, onset, onset + 5), seed=seed)
    scored = [
        replace(one, p_value=0.01 if number % (every % 7 + 2) == 0 else USUAL)
        for number, one in enumerate(scored_as(sessions, USUAL, since=9))
    ]
    found = find_episodes(scored, sessions, LONG_AFTER, WATCH)
    for kind in EpisodeKind:
        for earlier, later in itertools.pairwise(span for span in found if span.kind is kind):
            assert earlier.closed_at is not None
            assert earlier.closed_at < later.opened_at
    random.shuffle(scored)
    random.shuffle(sessions)
    assert find_episodes(scored, sessions, LONG_AFTER, WATCH) == found


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("p_value", [0.0, -0.1, 1.01, float("nan")])
def test_what_is_no_p_value_is_a_named_error(p_value: float) -> None:
    with pytest.raises(ConfigError, match="p-value"):
        find_extremes([at(0, p_value)], LONG_AFTER)


def test_what_is_no_p_value_is_refused_while_a_shift_lasts_too() -> None:
    sessions = a_life(30, Move(PITCH, 2.0, 20))
    with pytest.raises(ConfigError, match="p-value"):
        find_episodes(scored_as(sessions[-2:-1], 0.0), sessions, LONG_AFTER, WATCH)


def test_times_without_a_zone_are_a_named_error() -> None:
    naive = START.replace(tzinfo=None)
    one = heard.a_session(0, 8.0)
    without = replace(one, time=one.time.replace(tzinfo=None))
    session = ScoredSession(naive, naive.date(), 0.5, 1)
    with pytest.raises(ConfigError, match="zone"):
        find_extremes([], naive)
    with pytest.raises(ConfigError, match="zone"):
        find_extremes([session], LONG_AFTER)
    with pytest.raises(ConfigError, match="zone"):
        find_episodes([], [without], LONG_AFTER, WATCH)
    with pytest.raises(ConfigError, match="zone"):
        find_episodes([], [one], LONG_AFTER, WATCH, reviews=[Review(naive, Verdict.USUAL)])


def test_a_naive_time_is_a_named_error_while_a_shift_lasts_too() -> None:
    sessions = a_life(30, Move(PITCH, 2.0, 20))
    naive = replace(scored_as(sessions[-1:], 0.5)[0], time=START.replace(tzinfo=None))
    with pytest.raises(ConfigError, match="zone"):
        find_episodes([naive], sessions, LONG_AFTER, WATCH)
