"""Lasting changes: what opens a span, what closes it, what it says, and that none is undone."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.familiar import EMBEDDING, ROOM
from pipelines.lasting import (
    Lasting,
    Review,
    Verdict,
    find_lasting,
    follow_sessions,
    in_units,
    severity,
    watch_of,
)
from pipelines.prior import bundled_priors
from pipelines.shift import THRESHOLD
from pipelines.spans import CloseReason, EpisodeKind, EpisodeSpan
from pipelines.timetable import WATCHED, HeardSession
from tests.pipelines.heard import (
    HOURS,
    LOUDNESS,
    PITCH,
    SPREAD,
    START,
    TILT,
    WATCH,
    Move,
    a_life,
    a_session,
    day_number,
    day_of,
    heard_by,
    without_model,
    without_room,
)

SHIFT, SURROUNDINGS = EpisodeKind.PERSISTENT_SHIFT, EpisodeKind.NEW_SURROUNDINGS
LONG_AFTER = START + timedelta(days=1_000)
ONSET = 20
HIGHER = Move(PITCH, 2.0, ONSET)
ANOTHER_ROOM = (Move(LOUDNESS, 3.0, ONSET), Move(ROOM, 4.0, ONSET))
SEEDS = (0, 1, 2)
SHORT = Lasting(max_days=10)
"""So that what lasts for long does so within a made-up history."""


def found(
    sessions: Sequence[HeardSession], now: datetime | None = None, *reviews: Review
) -> list[EpisodeSpan]:
    """Find what lasts; by default at the time of the last session."""
    at = max(one.time for one in sessions) if now is None else now
    return find_lasting(sessions, at, WATCH, reviews=reviews)


def of_kind(spans: Sequence[EpisodeSpan], kind: EpisodeKind) -> list[EpisodeSpan]:
    return [span for span in spans if span.kind is kind]


def only(spans: Sequence[EpisodeSpan], kind: EpisodeKind) -> EpisodeSpan:
    """Return the one span, which is of this kind."""
    (span,) = spans
    assert span.kind is kind
    return span


def told(span: EpisodeSpan, key: str) -> float:
    """Return a time of the evidence in days from the start."""
    return day_of(datetime.fromisoformat(span.evidence[key]))


def view(span: EpisodeSpan, name: str) -> dict[str, Any]:
    (one,) = [one for one in span.evidence["views"] if one["view"] == name]
    return dict(one)


def review(day: float, verdict: Verdict) -> Review:
    return Review(START + timedelta(days=day), verdict)


# --- nothing ------------------------------------------------------------------------------------


def test_no_sessions_no_spans() -> None:
    assert find_lasting([], LONG_AFTER, WATCH) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_of_a_steady_infant_nothing_is_said(seed: int) -> None:
    assert found(a_life(90, seed=seed)) == []


def test_sessions_without_any_value_say_nothing() -> None:
    mute = [a_session(day, 8.0, np.nan, room=np.nan) for day in range(30)]
    assert found(mute) == []
    mixed = [*a_life(30), *(replace(one, time=one.time + timedelta(hours=1)) for one in mute)]
    assert found(mixed) == []


def test_nothing_is_said_while_the_baseline_is_learnt() -> None:
    early = a_life(30, Move(PITCH, 4.0, 5))
    first = min(day_of(span.opened_at) for span in found(early))
    assert 9 <= first < 12
    silent = [one for one in early if day_number(one) not in range(6, 9)]  # three days are missing
    assert min(day_of(span.opened_at) for span in found(silent)) >= 12
    later = find_lasting(early, LONG_AFTER, WATCH, Lasting(learnt_days=30))
    assert later == []


# --- a shift ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_a_higher_pitch_is_found_and_dated_and_measured(seed: int) -> None:
    sessions = a_life(30, HIGHER, seed=seed)
    span = only(found(sessions), SHIFT)
    assert ONSET <= day_of(span.opened_at) < ONSET + 4
    assert (span.closed_at, span.close_reason) == (None, None)
    assert span.last_at == sessions[-1].time
    assert told(span, "since_earliest") <= ONSET + 1
    assert told(span, "since_latest") >= ONSET
    assert told(span, "since_earliest") <= told(span, "since") <= told(span, "since_latest")
    pitch = view(span, PITCH)
    planted = 100.0 * (2.0 ** (2.0 * SPREAD) - 1.0)
    assert pitch["unit"] == "%"
    assert pitch["low"] < planted < pitch["high"]
    assert pitch["by"] == pytest.approx(planted, rel=0.4)
    assert pitch["sd_low"] < 2.0 < pitch["sd_high"]
    assert pitch["share"] > 0.9


def test_what_is_said_of_a_shift() -> None:
    span = only(found(a_life(30, HIGHER)), SHIFT)
    evidence = span.evidence
    since = round(told(span, "since") - HOURS[0] / 24)
    assert evidence["n_days"] == 30 - since
    assert evidence["n_sessions"] == 2 * evidence["n_days"]
    assert evidence["n_recordings"] == 2 * evidence["n_sessions"]
    assert evidence["peak_statistic"] >= evidence["threshold"] == THRESHOLD
    assert evidence["severity"] == severity(evidence["peak_statistic"] - THRESHOLD, 30 - since)
    assert evidence["room"] == "unchanged"
    assert [one["view"] for one in evidence["views"]] == [*WATCHED, EMBEDDING]
    assert sum(one["share"] for one in evidence["views"]) == pytest.approx(1.0, abs=1e-4)
    assert set(view(span, EMBEDDING)) == {"view", "share", "sd", "sd_low", "sd_high"}
    assert json.loads(json.dumps(evidence)) == evidence


def test_the_room_of_a_shift_is_unknown_where_no_background_was_kept() -> None:
    span = only(found(without_room(a_life(30, HIGHER))), SHIFT)
    assert span.evidence["room"] == "unknown"


def test_only_a_more_distant_embedding_is_a_shift() -> None:
    away = only(found(a_life(30, Move(EMBEDDING, 2.0, ONSET))), SHIFT)
    assert view(away, EMBEDDING)["share"] > 0.9
    assert found(a_life(30, Move(EMBEDDING, -2.0, ONSET))) == []


def test_the_embedding_alone_is_watched_where_no_channel_was_heard() -> None:
    nothing = np.full(len(WATCHED), np.nan)
    sessions = [
        replace(one, summary=replace(one.summary, levels=nothing))
        for one in a_life(35, Move(EMBEDDING, 2.0, ONSET))
    ]
    span = only(found(sessions), SHIFT)
    assert [one["view"] for one in span.evidence["views"]] == [EMBEDDING]
    assert view(span, EMBEDDING)["share"] == 1.0


def test_the_shipped_priors_watch_as_well() -> None:
    sessions = a_life(30, HIGHER)
    watch = watch_of(bundled_priors("").views)
    span = only(find_lasting(sessions, sessions[-1].time, watch), SHIFT)
    planted = 100.0 * (2.0 ** (2.0 * watch.scales[PITCH]) - 1.0)
    assert view(span, PITCH)["low"] < planted < view(span, PITCH)["high"]


# --- how a shift ends ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("days", [4, 10])
def test_a_shift_that_ended_is_seen_to_be_back_to_usual(seed: int, days: int) -> None:
    sessions = a_life(ONSET + 45, replace(HIGHER, until=ONSET + days), seed=seed)
    span = only(found(sessions), SHIFT)
    assert span.close_reason is CloseReason.BACK_TO_USUAL
    assert span.closed_at == span.last_at
    assert ONSET + days <= day_of(span.closed_at) < ONSET + days + 20


def test_only_a_full_day_brings_it_back_to_usual() -> None:
    sessions = a_life(60, replace(HIGHER, until=ONSET + 4))
    closed = only(found(sessions), SHIFT).closed_at
    assert closed is not None
    until = [one for one in sessions if one.time <= closed]
    assert only(found(until), SHIFT).closed_at is None  # the day may not be over
    nearly = closed + timedelta(hours=23.9)
    assert only(found(until, nearly), SHIFT).closed_at is None
    assert only(found(until, closed + timedelta(hours=24)), SHIFT).closed_at == closed


def test_after_a_silent_week_it_ends() -> None:
    sessions = a_life(26, HIGHER)
    last = sessions[-1].time
    still = only(found(sessions, last + timedelta(days=6.9)), SHIFT)
    assert (still.closed_at, still.close_reason) == (None, None)
    ended = only(found(sessions, last + timedelta(days=7)), SHIFT)
    assert ended.closed_at == last + timedelta(days=7)
    assert ended.close_reason is CloseReason.NO_RECENT_SESSIONS
    assert ended.last_at == last
    assert only(found(sessions, LONG_AFTER), SHIFT) == ended


def test_sessions_after_a_silent_week_are_not_held_against_what_was_before() -> None:
    sessions = a_life(60, replace(HIGHER, until=40))
    gap = [one for one in sessions if day_number(one) not in range(25, 40)]
    span = only(found(gap), SHIFT)
    assert day_of(span.closed_at) == 24 + HOURS[1] / 24 + 7
    assert span.close_reason is CloseReason.NO_RECENT_SESSIONS


@pytest.mark.parametrize("seed", SEEDS)
def test_what_has_lasted_for_a_month_is_the_new_usual(seed: int) -> None:
    span = only(found(a_life(80, HIGHER, seed=seed)), SHIFT)
    assert span.close_reason is CloseReason.LASTED_TOO_LONG
    assert span.closed_at == span.opened_at + timedelta(days=30)


def test_a_month_ends_it_though_no_session_says_so() -> None:
    sessions = a_life(48, HIGHER)
    month = only(found(sessions), SHIFT).opened_at + timedelta(days=30)
    assert only(found(sessions, month - timedelta(hours=1)), SHIFT).closed_at is None
    ended = only(found(sessions, month), SHIFT)
    assert (ended.closed_at, ended.close_reason) == (month, CloseReason.LASTED_TOO_LONG)


def test_a_shift_from_the_new_usual_is_another_shift() -> None:
    first, second = found(a_life(80, HIGHER, Move(PITCH, 2.5, 65)))
    assert first.close_reason is CloseReason.LASTED_TOO_LONG
    assert 65 <= day_of(second.opened_at) < 69
    assert told(second, "since") == pytest.approx(65, abs=1.5)
    assert view(second, PITCH)["sd"] == pytest.approx(2.5, abs=0.8)


def test_the_next_shift_begins_after_the_last_one_has_ended() -> None:
    # Back to usual after ten days, and open for a month all the same; seen again at its end.
    sessions = a_life(70, replace(HIGHER, until=ONSET + 10))
    spans = of_kind(found(sessions), SHIFT)
    for earlier, later in itertools.pairwise(spans):
        assert earlier.closed_at is not None
        assert earlier.closed_at < later.opened_at


# --- what reviewers say -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_a_reviewer_who_calls_it_usual_ends_it_for_good(seed: int) -> None:
    sessions = a_life(75, HIGHER, seed=seed)
    span = only(found(sessions, None, review(30.5, Verdict.USUAL)), SHIFT)
    assert day_of(span.closed_at) == 30.5
    assert span.close_reason is CloseReason.REVIEWED
    assert day_of(span.last_at) == 30 + HOURS[0] / 24


def test_a_review_after_the_last_session_ends_it() -> None:
    sessions, usual = a_life(26, HIGHER), review(28.0, Verdict.USUAL)
    assert only(found(sessions, usual.at - timedelta(hours=1), usual), SHIFT).closed_at is None
    span = only(found(sessions, usual.at, usual), SHIFT)
    assert (span.closed_at, span.close_reason) == (usual.at, CloseReason.REVIEWED)


def test_what_a_reviewer_calls_unusual_lasts_longer_than_a_month() -> None:
    sessions = a_life(65, HIGHER)
    span = only(found(sessions, None, review(40.0, Verdict.UNUSUAL)), SHIFT)
    assert span.closed_at is None
    assert day_of(span.last_at) - day_of(span.opened_at) > 40


def test_a_reviewer_may_think_better_of_it() -> None:
    said = review(30.0, Verdict.UNUSUAL), review(60.25, Verdict.USUAL)
    sessions = a_life(80, HIGHER)
    for words in (said, said[::-1]):
        span = only(found(sessions, None, *words), SHIFT)
        assert (day_of(span.closed_at), span.close_reason) == (60.25, CloseReason.REVIEWED)


def test_reviews_of_other_times_change_nothing() -> None:
    sessions = a_life(60, HIGHER)
    before = review(ONSET, Verdict.USUAL), review(ONSET, Verdict.UNUSUAL)
    after = review(55.0, Verdict.UNUSUAL), review(56.0, Verdict.USUAL)
    assert found(sessions, None, *before, *after) == found(sessions)


def test_a_long_shift_is_still_told_from_its_beginning() -> None:
    sessions = a_life(100, HIGHER)
    span = only(found(sessions, None, review(40.0, Verdict.UNUSUAL)), SHIFT)
    assert told(span, "since") == pytest.approx(ONSET, abs=1.5)
    assert told(span, "since_earliest") <= told(span, "since") <= told(span, "since_latest")
    assert view(span, PITCH)["sd"] == pytest.approx(2.0, abs=0.8)


# --- new surroundings ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_another_room_is_no_shift(seed: int) -> None:
    span = only(found(a_life(60, *ANOTHER_ROOM, seed=seed)), SURROUNDINGS)
    assert ONSET <= day_of(span.opened_at) < ONSET + 5
    assert {one["label"] for one in span.evidence["changes"]} == {ROOM}
    assert told(span, "since") == pytest.approx(ONSET, abs=2.0)
    assert span.close_reason is CloseReason.SETTLED
    first = span.evidence["changes"][0]
    assert first["since_earliest"] <= first["since"] <= first["since_latest"]


def test_how_surely_the_background_must_have_moved_can_be_asked_for() -> None:
    sessions = a_life(40, *ANOTHER_ROOM)
    now = sessions[-1].time
    sure, never = (
        find_lasting(sessions, now, WATCH, Lasting(least_background=least)) for least in (2.0, 99.0)
    )
    assert sure == found(sessions)
    assert [span.kind for span in never] == [SHIFT]
    assert never[0].close_reason is not CloseReason.SURROUNDINGS


def test_another_device_is_new_surroundings_until_it_was_heard_on_seven_days() -> None:
    sessions = heard_by(a_life(50, Move(TILT, 3.0, ONSET)), "b", ONSET)
    sessions = [one for one in sessions if day_number(one) != 22]
    span = only(found(sessions), SURROUNDINGS)
    taken_over = ONSET + HOURS[1] / 24  # in the morning the old one was not silent for a day
    assert day_of(span.opened_at) == taken_over
    assert day_of(span.closed_at) == day_of(span.last_at) == 27 + HOURS[1] / 24
    assert span.close_reason is CloseReason.SETTLED
    assert [one["label"] for one in span.evidence["changes"]] == ["device"]
    assert told(span, "since") == taken_over
    assert (span.evidence["n_days"], span.evidence["n_sessions"]) == (7, 13)
    assert json.loads(json.dumps(span.evidence)) == span.evidence


def test_they_are_settled_when_the_seventh_day_is_over() -> None:
    sessions = heard_by(a_life(27, noise=0.3), "b", ONSET)
    last = sessions[-1].time
    for now, closed in ((0.0, None), (23.9, None), (24.0, last)):
        span = only(found(sessions, last + timedelta(hours=now)), SURROUNDINGS)
        assert span.closed_at == closed


def test_new_surroundings_that_are_not_heard_end_after_a_silent_week() -> None:
    sessions = heard_by(a_life(23), "b", ONSET)
    last = sessions[-1].time
    assert only(found(sessions), SURROUNDINGS).closed_at is None
    span = only(found(sessions, LONG_AFTER), SURROUNDINGS)
    assert span.closed_at == last + timedelta(days=7)
    assert span.close_reason is CloseReason.NO_RECENT_SESSIONS


def test_another_device_does_not_explain_what_it_cannot_move() -> None:
    sessions = heard_by(a_life(35, HIGHER), "b", ONSET)
    assert {span.kind for span in found(sessions)} == {SHIFT, SURROUNDINGS}


def test_two_devices_in_turn_are_no_change_of_device() -> None:
    sessions = a_life(40, hours=(6, 12, 18))
    in_turn = [replace(one, device="ab"[at % 2]) for at, one in enumerate(sessions)]
    assert found(in_turn) == []
    # What the other one hears is left out, however it sounds.
    loud = [
        replace(one, summary=replace(one.summary, levels=one.summary.levels + 5.0))
        if one.device == "b"
        else one
        for one in in_turn
    ]
    assert found(loud) == []


def test_a_device_that_came_while_the_baseline_was_learnt_is_not_told() -> None:
    assert found(heard_by(a_life(40, Move(TILT, 3.0, 5)), "b", 5)) == []


def test_changes_that_are_bridged_together_are_one_span() -> None:
    sessions = heard_by(heard_by(a_life(50), "b", ONSET), "c", ONSET + 3)
    span = only(found(sessions), SURROUNDINGS)
    assert [one["label"] for one in span.evidence["changes"]] == ["device", "device"]
    assert span.evidence["since"] == span.evidence["changes"][0]["since"]
    assert day_of(span.closed_at) == ONSET + 3 + 6 + HOURS[1] / 24


def test_changes_apart_are_two_spans() -> None:
    sessions = heard_by(heard_by(a_life(60), "b", ONSET), "c", ONSET + 12)
    first, second = found(sessions)
    assert first.close_reason is second.close_reason is CloseReason.SETTLED
    assert day_of(second.opened_at) == ONSET + 12 + HOURS[1] / 24


def test_a_device_that_comes_after_exactly_a_silent_week_is_told() -> None:
    sessions = heard_by(heard_by(a_life(45), "b", ONSET), "c", ONSET + 4)
    last_of_b = START + timedelta(days=ONSET + 3, hours=HOURS[1])
    after = last_of_b + timedelta(days=7)
    (both,) = found([one for one in sessions if not last_of_b < one.time < after])
    assert len(both.evidence["changes"]) == 2
    first, second = found([one for one in sessions if not last_of_b < one.time <= after])
    assert first.close_reason is CloseReason.NO_RECENT_SESSIONS
    assert len(first.evidence["changes"]) == len(second.evidence["changes"]) == 1


# --- a shift that turns out to be the room's ----------------------------------------------------


def in_a_room_heard_late() -> list[HeardSession]:
    """Move to a room whose background is not kept until three days later."""
    return without_room(a_life(40, *ANOTHER_ROOM), ONSET, ONSET + 3)


def test_a_shift_closes_when_the_background_shows_that_it_was_the_room() -> None:
    shift, room = found(in_a_room_heard_late())
    assert shift.kind is SHIFT
    assert shift.close_reason is CloseReason.SURROUNDINGS
    assert ONSET + 3 <= day_of(shift.closed_at) < ONSET + 5
    assert room.kind is SURROUNDINGS
    assert [one["label"] for one in room.evidence["changes"]] == [ROOM]
    assert told(room, "since") == pytest.approx(ONSET, abs=1.5)


def test_what_is_said_of_a_shift_that_was_the_rooms_is_why_it_was_opened() -> None:
    shift, _ = found(in_a_room_heard_late())
    assert shift.evidence["room"] == "changed"
    assert told(shift, "since") == pytest.approx(ONSET, abs=1.5)
    assert view(shift, LOUDNESS)["share"] > 0.5
    assert view(shift, LOUDNESS)["sd_low"] > 1.0


# --- words --------------------------------------------------------------------------------------


def test_movements_are_told_in_peoples_units() -> None:
    assert in_units(PITCH, [1.0, 0.0, -1.0]) == ("%", [100.0, 0.0, -50.0])
    assert in_units("duration_s", [0.5])[1][0] == pytest.approx(41.42, abs=0.01)
    assert in_units("jitter_frac", [-2.0]) == ("%", [-75.0])
    for name in ("harmonics_to_noise_db", "breath_noise_db", LOUDNESS):
        assert in_units(name, [-1.5, 2.0]) == ("dB", [-1.5, 2.0])
    assert in_units(TILT, [1.0]) == ("dB/octave", [1.0])


@pytest.mark.parametrize(
    ("over", "n_days", "said"),
    [
        (0.0, 30, "slight"),
        (1.4, 30, "slight"),
        (1.5, 3, "clear"),
        (1.5, 2, "slight"),
        (2.9, 30, "clear"),
        (3.0, 5, "strong"),
        (3.0, 4, "clear"),
        (9.0, 1, "slight"),
    ],
)
def test_severity_is_evidence_and_days(over: float, n_days: int, said: str) -> None:
    assert severity(over, n_days) == said


# --- nothing is undone --------------------------------------------------------------------------


def opened(spans: Sequence[EpisodeSpan], until: datetime) -> set[tuple[str, float]]:
    return {(span.kind.value, day_of(span.opened_at)) for span in spans if span.opened_at <= until}


def test_the_first_personal_model_undoes_no_shift() -> None:
    sessions = without_model(a_life(30, Move(PITCH, 1.2, 14), seed=1, noise=0.7), until=25)
    known = [one for one in sessions if day_number(one) < 25]
    now = known[-1].time
    assert opened(found(known), now) == opened(found(sessions), now)
    assert opened(found(known), now) != set()


def test_new_surroundings_open_when_they_are_known_and_not_before() -> None:
    sessions = in_a_room_heard_late()
    (room,) = of_kind(found(sessions), SURROUNDINGS)
    known = [one for one in sessions if one.time <= room.opened_at]
    assert of_kind(found(known, room.opened_at), SURROUNDINGS) != []


@dataclass(frozen=True)
class History:
    """An infant's weeks: what moves and what is missing, who listens, and silent days."""

    seed: int
    moves: tuple[Move, ...]
    hours: tuple[float, ...]
    model_from: int
    without_room: tuple[int, int]
    devices: tuple[int, ...]
    silent: tuple[tuple[int, int], ...]

    def sessions(self) -> list[HeardSession]:
        """Make them, in the order of time."""
        made = a_life(39, *self.moves, seed=self.seed, noise=0.7, hours=self.hours)
        made = without_room(without_model(made, self.model_from), *self.without_room)
        for device, since in zip("bc", sorted(self.devices), strict=False):
            made = heard_by(made, device, since)
        missing = {day for first, n in self.silent for day in range(first, first + n)}
        return [one for one in made if day_number(one) not in missing]


def up_to(most: int, of: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, max_size=most).map(tuple)


days = st.integers(0, 38)
histories = st.builds(
    History,
    seed=st.integers(0, 99),
    moves=up_to(
        4,
        st.builds(
            lambda view, by, since, length: Move(view, by, since, since + length),
            st.sampled_from([PITCH, LOUDNESS, EMBEDDING, ROOM]),
            st.sampled_from([-3.0, 1.2, 2.0, 4.0]),
            days,
            st.sampled_from([4, 10, 100]),
        ),
    ),
    hours=st.sampled_from([(8,), (8, 15), (1, 9.5, 23)]),
    model_from=st.sampled_from([9, 9, 14, 20, 26]),
    without_room=st.sampled_from([(0, 0), (18, 22), (0, 39)]),
    devices=up_to(2, days),
    silent=up_to(2, st.tuples(days, st.integers(1, 9))),
)
reviews_lists = st.lists(
    st.builds(review, st.integers(0, 160).map(lambda n: n / 4), st.sampled_from(Verdict)),
    max_size=2,
)


@settings(max_examples=50)
@given(histories, st.floats(0.0, 1.0))
def test_later_sessions_undo_nothing_and_nothing_opens_in_the_past(
    history: History, frac: float
) -> None:
    sessions = history.sessions()
    known = sessions[: round(frac * len(sessions))]
    now = known[-1].time if known else START
    early, late = (
        find_lasting(heard, at, WATCH, SHORT)
        for heard, at in ((known, now), (sessions, LONG_AFTER))
    )
    assert opened(early, now) == opened(late, now)


@settings(max_examples=40)
@given(histories, reviews_lists)
def test_every_span_closes_and_spans_of_a_kind_never_overlap_or_touch(
    history: History, reviews: list[Review]
) -> None:
    spans = find_lasting(history.sessions(), LONG_AFTER, WATCH, SHORT, reviews)
    assert spans == sorted(spans, key=lambda span: span.opened_at)
    for span in spans:
        assert span.closed_at is not None
        assert span.close_reason is not None
        assert span.opened_at <= span.last_at <= span.closed_at <= span.last_at + timedelta(days=7)
        assert told(span, "since") <= day_of(span.opened_at)
    for kind in (SHIFT, SURROUNDINGS):
        for earlier, later in itertools.pairwise(of_kind(spans, kind)):
            assert earlier.closed_at is not None
            assert earlier.closed_at < later.opened_at


@settings(max_examples=15)
@given(histories, reviews_lists, st.randoms(use_true_random=False))
def test_the_order_of_sessions_and_reviews_does_not_matter(
    history: History, reviews: list[Review], random: Any
) -> None:
    sessions = history.sessions()
    mixed, words = sessions.copy(), reviews.copy()
    random.shuffle(mixed)
    random.shuffle(words)
    again = find_lasting(mixed, LONG_AFTER, WATCH, reviews=words)
    assert again == find_lasting(sessions, LONG_AFTER, WATCH, reviews=reviews)


@settings(max_examples=15)
@given(histories, st.integers(0, 24 * 60))
def test_time_alone_closes_shifts_and_opens_none(history: History, hours: int) -> None:
    sessions = history.sessions()
    last = sessions[-1].time
    before, after = found(sessions, last), found(sessions, last + timedelta(hours=hours))
    shifts = of_kind(before, SHIFT), of_kind(after, SHIFT)
    for earlier, same in zip(*shifts, strict=True):
        assert earlier.opened_at == same.opened_at
        assert earlier == same or earlier.closed_at is None


def test_each_day_tells_the_statistic_that_it_was_found_by() -> None:
    sessions = a_life(40, HIGHER)
    followed = follow_sessions(sessions, sessions[-1].time, WATCH)
    opened = next(span for span in followed.spans if span.kind is SHIFT)
    over = [one.day for one in followed.days if one.highest >= THRESHOLD]
    assert over
    assert over[0] == opened.opened_at.date()
    assert max(one.highest for one in followed.days) == pytest.approx(
        opened.evidence["peak_statistic"], abs=1e-3
    )
    assert all(one.last <= one.highest for one in followed.days)


def test_days_before_the_baseline_is_learnt_are_not_told() -> None:
    sessions = a_life(40)
    days = follow_sessions(sessions, sessions[-1].time, WATCH).days
    heard = sorted({one.day for one in sessions})
    assert [one.day for one in days] == heard[Lasting().learnt_days :]


def test_a_later_session_does_not_change_what_earlier_days_tell() -> None:
    sessions = a_life(40, HIGHER)
    whole = follow_sessions(sessions, sessions[-1].time, WATCH).days
    part = [one for one in sessions if day_of(one.time) < ONSET + 3]
    until = follow_sessions(part, part[-1].time, WATCH).days
    assert [(one.day, one.highest) for one in until] == [
        (one.day, one.highest) for one in whole[: len(until)]
    ]


def test_another_room_marks_the_day_on_which_it_began() -> None:
    sessions = a_life(40, *ANOTHER_ROOM)
    days = follow_sessions(sessions, LONG_AFTER, WATCH).days
    assert {one.surroundings for one in days} == {"", "room"}
