"""The drift benchmark: its counting by hand, what it plants, and its whole way on few infants."""

import json
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines import guard
from pipelines.__main__ import main
from pipelines.acoustics import CHANNELS
from pipelines.cohort import SimulatedInfant
from pipelines.encode import Encoding, encode
from pipelines.errors import ConfigError
from pipelines.evaluation import drift_cohort, drift_lives, drift_moves, drift_watched
from pipelines.evaluation.drift import run
from pipelines.evaluation.drift_alarms import (
    Openings,
    Rule,
    clip_rule,
    cusum_rule,
    delays,
    ewma_rule,
    median,
    mixture_rule,
    openings,
    smallest_threshold,
    standardised,
)
from pipelines.evaluation.drift_cohort import (
    F0,
    ONSET_DAY,
    SHIFTS,
    Shift,
    draw_cohort,
    read_residuals,
    residuals_of,
)
from pipelines.evaluation.drift_delays import SHARES, Views, in_turn, score_figures
from pipelines.evaluation.drift_lead import lead_figures, leads_of, plant
from pipelines.evaluation.drift_lives import (
    CHANGE_DAY,
    DAYS,
    DEVICE,
    GROWTH,
    ILL,
    QUIET,
    ROOM,
    SICK,
    WAYS,
    Life,
    lives,
)
from pipelines.evaluation.drift_watched import (
    REFIT_DAYS,
    Judging,
    WatchedLife,
    ripe,
    watch_again,
    watch_life,
)
from pipelines.evaluation.lived import START, Lived
from pipelines.familiar import ACOUSTICS, CHANNEL_WEIGHTS
from pipelines.learn import RIPE_AFTER_DAYS
from pipelines.prior import bundled_priors
from pipelines.score import MINIMUM_DAYS, SessionScore
from pipelines.spans import EpisodeKind
from pipelines.synthesis import synthesise_cry

FloatArray = NDArray[np.float64]


# --- counting -----------------------------------------------------------------------------------


def statistic(*days: Sequence[float]) -> FloatArray:
    return np.array([days], dtype=np.float64)


def test_an_open_episode_is_one_alarm_and_closes_with_a_whole_day() -> None:
    seen = statistic([0, 3], [3, 2.5], [5, 2.4], [3, 0], [0, 0])
    found = openings(mixture_rule(seen, close_below=0.5), 3.0)
    assert found.opens[0].tolist() == [True, False, False, True, False]
    assert found.is_open[0].tolist() == [True, True, True, True, False]
    assert found.day_frac[0, [0, 3]].tolist() == [1.0, 0.5]
    assert found.per_90_days == pytest.approx(2 / 5 * 90)
    assert found.infants_frac == 1.0


def opened(*days: int, n_days: int = 80) -> Openings:
    """One infant a day; an episode opens on it at noon, none where it is negative."""
    opens = np.arange(n_days) == np.array(days)[:, None]
    return Openings(opens, np.full(opens.shape, 0.5), opens)


def test_delays_count_misses_as_sixty_and_leave_early_alarms_out() -> None:
    late = delays(opened(5, 20, 22, 79, -1), onset=20)
    assert late.tolist() == [0.5, 2.5, 59.5, 60.0]
    with pytest.raises(ConfigError):
        delays(opened(5), onset=20)


def test_the_threshold_is_the_smallest_that_is_quiet_enough() -> None:
    peaks = np.random.default_rng(0).standard_normal((200, 90, 1))
    rule = mixture_rule(peaks, close_below=0.0)
    threshold = smallest_threshold(rule)
    assert openings(rule, threshold).per_90_days <= 1.0
    assert openings(rule, threshold - 0.02).per_90_days > 1.0
    assert threshold == pytest.approx(2.29, abs=0.05)  # a normal deviate is over it once in 90


@pytest.mark.parametrize("make", [cusum_rule, ewma_rule, clip_rule])
def test_plain_monitors_alarm_after_a_shift_and_come_back(make: Any) -> None:
    quiet = np.full((1, 20, 3), -0.2)
    quiet[0, 5:10] = 2.9
    rule: Rule = make(quiet)
    found = openings(rule, 0.6)
    assert np.flatnonzero(found.opens[0]).tolist() == [5]
    assert not found.is_open[0, -1]


def test_cries_are_standardised_by_the_baseline() -> None:
    values = np.concatenate([np.tile([[4.0, 6.0]], (1, 10, 1)), np.full((1, 3, 2), 8.0)], axis=1)
    np.testing.assert_allclose(standardised(values, 10), np.full((1, 3, 2), 3.0))


def test_the_median_has_an_interval() -> None:
    found = median(np.arange(101.0))
    assert found.value == 50.0
    assert found.lo is not None
    assert found.hi is not None
    assert 30.0 < found.lo < 50.0 < found.hi < 70.0


# --- planting -----------------------------------------------------------------------------------


def test_shifts_begin_on_their_day() -> None:
    assert Shift(2.0).amounts(5, onset_day=3).tolist() == [0, 0, 0, 2, 2]
    assert Shift(1.0, 4).amounts(8, onset_day=2).tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 1, 1]
    assert SHIFTS["ramp"].amounts(ONSET_DAY + 14)[-1] == 1.0


def test_days_have_an_effect_of_their_own() -> None:
    cohort = draw_cohort(["view"], 400, 30, seed=1)
    values = (cohort.values["view"] / cohort.spread["view"][:, None, None]).copy()
    values -= values.mean(axis=(1, 2), keepdims=True)
    within = values.var(axis=2, ddof=1).mean()
    between = values.mean(axis=2).var(axis=1, ddof=1).mean() - within / values.shape[2]
    assert between / (between + within) == pytest.approx(0.3, abs=0.03)
    assert between + within == pytest.approx(1.0, abs=0.05)


def test_a_shift_moves_by_the_infants_own_spread() -> None:
    cohort = draw_cohort(["view"], 5, 50, seed=1)
    moved = cohort.moved("view", Shift(2.0).amounts(50)) - cohort.values["view"]
    assert np.all(moved[:, :ONSET_DAY] == 0.0)
    np.testing.assert_allclose(moved[:, -1, 0], 2.0 * cohort.spread["view"])


def test_every_infant_moves_in_one_view_and_the_rest_stays() -> None:
    amounts = in_turn(SHIFTS["1sd"].amounts(60), 16)
    touched = np.array([amounts[view].any(axis=1) for view in SHARES])
    assert touched.sum(axis=0).tolist() == [1] * 16
    assert touched.sum(axis=1).tolist() == [2] * len(SHARES)


def test_only_the_touched_view_is_weighed_again() -> None:
    views = Views.draw(8, 30, 1, None)
    amounts = np.zeros((8, 30))
    amounts[2, 20:] = 4.0
    plain, moved = (views.rule(one)(2.0)[0] for one in (None, {F0: amounts}))
    others = np.arange(8) != 2
    np.testing.assert_array_equal(plain[others], moved[others])
    assert moved[2, -1].all()
    assert sum(SHARES.values()) == pytest.approx(1.0)


def some_recordings(n: int = 60) -> tuple[FloatArray, NDArray[np.int64]]:
    rng = np.random.default_rng(3)
    infant = np.repeat(np.arange(n // 3), 3)
    values = 5.0 * rng.standard_normal((n // 3, len(CHANNELS)))[infant]
    return values + 0.2 * rng.standard_normal((n, len(CHANNELS))), infant


def test_real_residuals_are_those_within_infants() -> None:
    values, infant = some_recordings()
    values[4] = np.nan
    found = residuals_of(values, infant, 20)
    assert set(found.rows) == set(CHANNEL_WEIGHTS)
    assert found.f0_sd_octaves == pytest.approx(0.2, rel=0.3)
    assert np.isnan(found.rows[F0][4])
    assert np.nanstd(found.rows[F0]) == pytest.approx(1.0)


def test_channels_of_one_recording_are_drawn_together() -> None:
    values, infant = some_recordings()
    found = residuals_of(values, infant, 20)
    same = replace(found, rows={**found.rows, "jitter_frac": found.rows[F0]})
    cohort = draw_cohort([F0, "jitter_frac", "other"], 20, 10, 1, same)
    flat = [
        cohort.values[view] - cohort.values[view].mean(axis=(1, 2), keepdims=True)
        for view in cohort.values
    ]
    assert np.corrcoef(flat[0].ravel(), flat[1].ravel())[0, 1] > 0.9
    assert abs(np.corrcoef(flat[0].ravel(), flat[2].ravel())[0, 1]) < 0.2


# --- lead ---------------------------------------------------------------------------------------


def test_leads_are_counted_from_the_opening_to_the_symptom() -> None:
    leads, infant = leads_of(opened(10, 2, 30), np.array([[12, 40], [12, 40], [12, 40]]))
    assert infant.tolist() == [0, 0, 1, 1, 2, 2]
    np.testing.assert_array_equal(leads, [1.5, np.nan, np.nan, np.nan, np.nan, np.nan])


def test_illness_deviates_before_its_symptom_and_not_for_ever() -> None:
    ill = plant(30, 149, seed=1)
    total = np.sum([np.abs(one) for one in ill.amounts.values()], axis=0)
    for infant in range(30):
        for first, lead in zip(ill.symptom[infant], ill.lead[infant], strict=True):
            day = 14 + first
            assert total[infant, day - lead] == pytest.approx(2 * 0.5)
            assert total[infant, day - lead - 1] == 0.0
            assert total[infant, day + 7] == 0.0
    assert {1, 2, 3, 4, 5} == set(ill.lead.ravel().tolist())


def test_illness_is_preceded_more_often_than_by_chance() -> None:
    found = lead_figures(40, 1, 3.3, None)
    preceded, chance = found["illness_preceded_frac"], found["illness_preceded_by_chance_frac"]
    assert isinstance(preceded, float)
    assert isinstance(chance, float)
    assert preceded > chance + 0.05


# --- lives --------------------------------------------------------------------------------------

PITCH, LOUDNESS, TILT = F0, "intensity_over_background_db", "spectral_tilt_db_per_octave"
MOVED_BY = {ROOM: (LOUDNESS, 4.0), DEVICE: (TILT, 4.0), ILL: (PITCH, 3.0)}
"""What moves from the day of the change on, in standard deviations within infants."""
SHIPPED = bundled_priors("").views
TILT_AT = [channel.name for channel in CHANNELS].index(TILT)


def a_life(key: str, days: int) -> Lived:
    """Make up what was heard of an infant, four recordings a day; it lies where most infants do."""
    rng = np.random.default_rng(int.from_bytes(key.encode()))
    n, way = 4 * days, key.split("-")[-1]
    levels = 0.5 * rng.standard_normal((n, len(CHANNELS)))
    if way in MOVED_BY:
        name, by = MOVED_BY[way]
        levels[:, [channel.name for channel in CHANNELS].index(name)] += by
    channels, room = SHIPPED[ACOUSTICS], SHIPPED[guard.ROOM]
    places = np.repeat(rng.uniform(-1.0, 1.0, (days, guard.ROOM_DIRECTIONS)), 4, axis=0)
    places += rng.uniform(-0.5, 0.5, places.shape) + 4.0 * (way == ROOM)
    heard = places @ np.linalg.pinv(room.turn[:, : guard.ROOM_DIRECTIONS])
    hours = np.arange(n) % 4 * 5.0 + 3.0
    return Lived(
        embeddings=rng.standard_normal((2 * n, 192)).astype(np.float32),
        unit_recording=np.repeat(np.arange(n), 2),
        channels=channels.mean + levels / np.diag(channels.turn),
        room=(room.mean + heard + 0.001 * rng.standard_normal(heard.shape)).astype(np.float32),
        time_s=START.timestamp() + np.repeat(np.arange(days), 4) * 86_400.0 + hours * 3_600.0,
        day=np.repeat(np.arange(days), 4),
        session=np.arange(n),
        age_days=np.full(n, np.nan),
        deviated=np.zeros(n, dtype=bool),
    )


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[SimulatedInfant]:
    """Hear made-up recordings in place of simulated ones; return whom was listened to."""
    asked: list[SimulatedInfant] = []

    def hear(infants: Sequence[SimulatedInfant], days: int, *_: object) -> list[Lived]:
        asked.extend(infants)
        return [a_life(one.key, days) for one in infants]

    monkeypatch.setattr(drift_lives, "hear_infants", hear)
    return asked


@pytest.fixture
def learnt(monkeypatch: pytest.MonkeyPatch) -> list[NDArray[np.bool_]]:
    """Judge by what is dull, in place of by a personal model; return what each version learnt."""
    versions: list[NDArray[np.bool_]] = []

    def learn(_: Life, chosen: NDArray[np.bool_]) -> object:
        versions.append(chosen)
        return object()

    def judge(_: object, lived: Lived, recordings: NDArray[np.int64]) -> SessionScore:
        channels = SHIPPED[ACOUSTICS]
        dull = (lived.channels[recordings] - channels.mean)[:, TILT_AT].mean()
        p_value = 0.05 if dull * channels.turn[TILT_AT, TILT_AT] > 2.0 else 0.5
        return SessionScore(0.0, p_value, len(recordings), {"gmm": 0.5})

    def pool(workers: int, **_: object) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(workers)

    monkeypatch.setattr(drift_watched, "learnt", learn)
    monkeypatch.setattr(drift_watched, "judged_session", judge)
    monkeypatch.setattr(drift_moves, "ProcessPoolExecutor", pool)
    monkeypatch.setattr(drift_moves, "TEACHERS", 8)
    return versions


def test_infants_live_in_five_ways(heard: list[SimulatedInfant], tmp_path: Path) -> None:
    found = lives(2, 1, tmp_path)
    assert set(found) == set(WAYS) == {QUIET, ROOM, DEVICE, GROWTH, ILL}
    by_key = {one.key: one for one in heard}
    plain, moved = by_key["sim-0000"], by_key["sim-0000-room"]
    assert moved.rooms != plain.rooms
    assert moved.microphones == plain.microphones
    other = by_key["sim-0001-device"]
    assert other.rooms == by_key["sim-0001"].rooms
    assert other.microphones[0].what.name != by_key["sim-0001"].microphones[0].what.name
    assert moved.age_days == plain.age_days + CHANGE_DAY
    assert by_key["sim-0000-growth"].growth.f0_frac_per_month > 0.0
    assert by_key["sim-0001-growth"].growth.f0_frac_per_month < 0.0
    assert by_key["sim-0000-quiet"].rooms == plain.rooms


def test_the_ill_change_in_their_own_voice_and_in_nothing_else(
    heard: list[SimulatedInfant], tmp_path: Path
) -> None:
    lives(4, 1, tmp_path, ways=(ILL,))
    by_key = {one.key: one for one in heard}
    ill = [by_key[f"sim-000{number}-ill"] for number in range(4)]
    planted = [{one.parameter.value for one in infant.deviations} for infant in ill]
    assert planted == [{"f0"}, {"breathiness", "jitter"}, {"intensity", "unit"}, {"f0"}]
    for infant in ill:
        plain = by_key[infant.key.removesuffix("-ill")]
        assert plain.deviations == ()
        assert (infant.rooms, infant.microphones) == (plain.rooms, plain.microphones)
        assert all(one.onset_day == 0.0 for one in infant.deviations)  # of the later days
        assert all(one.amount != 0.0 for one in infant.deviations)
    weaker = {one.parameter.value: one.amount for one in ill[2].deviations}
    assert max(weaker.values()) < 0.0


def test_only_the_ways_that_are_asked_for_are_heard(
    heard: list[SimulatedInfant], tmp_path: Path
) -> None:
    assert set(lives(1, 1, tmp_path, ways=(QUIET, SICK))) == {QUIET, SICK}
    assert [one.key for one in heard] == ["sim-0000", "sim-0000-quiet", "sim-0000-sick"]
    assert {one.parameter.value for one in heard[-1].deviations} == {"f0", "breathiness", "jitter"}


def test_the_parts_of_a_life_follow_each_other(
    heard: list[SimulatedInfant], tmp_path: Path
) -> None:
    life = lives(1, 1, tmp_path)[DEVICE][0]
    for order in (life.heard.time_s, life.heard.day, life.heard.session):
        assert np.all(np.diff(order) >= 0)
    assert life.heard.day.max() == DAYS - 1
    assert np.all(life.device == (life.heard.day >= CHANGE_DAY))
    assert life.heard.unit_recording.max() == len(life.heard.day) - 1


def test_other_infants_teach_than_are_judged(heard: list[SimulatedInfant], tmp_path: Path) -> None:
    drift_lives.lessons(2, 2001, tmp_path)
    taught = {one.voice.f0_hz for one in heard}
    heard.clear()
    lives(2, 1, tmp_path)
    assert not taught & {one.voice.f0_hz for one in heard}


# --- lives watched ------------------------------------------------------------------------------

PLAIN = Judging(SHIPPED)


def one_life(way: str, folder: Path) -> Life:
    (life,) = lives(1, 1, folder, ways=(way,))[way]
    return life


def openings_of(watched: WatchedLife) -> list[EpisodeKind]:
    return [span.kind for span in watched.spans]


@pytest.mark.usefixtures("heard")
def test_a_life_is_judged_by_real_models_from_the_day_there_are_some(tmp_path: Path) -> None:
    life = one_life(QUIET, tmp_path).within(12)
    judged = watch_life(life, PLAIN, 12)
    assert len(judged.sessions) == len(judged.day) == len(judged.p_value) == 4 * 12
    known = judged.day >= MINIMUM_DAYS
    assert np.isnan(judged.p_value[~known]).all()
    assert np.all((judged.p_value[known] > 0.0) & (judged.p_value[known] <= 1.0))
    deviate = np.array([one.deviate for one in judged.sessions])
    assert np.array_equal(np.isfinite(deviate), known)
    times = [one.time for one in judged.sessions]
    assert times == sorted(times)


@pytest.mark.usefixtures("heard", "learnt")
def test_without_the_guard_neither_background_nor_device_is_known(tmp_path: Path) -> None:
    life = one_life(DEVICE, tmp_path)
    guarded = watch_life(life, PLAIN, DAYS)
    assert openings_of(guarded) == [EpisodeKind.NEW_SURROUNDINGS]
    bare = watch_again(life, guarded, Judging(SHIPPED, is_guarded=False))
    assert EpisodeKind.PERSISTENT_SHIFT in openings_of(bare)
    assert EpisodeKind.NEW_SURROUNDINGS not in openings_of(bare)
    assert {one.device for one in bare.sessions} == {""}
    assert all(np.isnan(one.summary.room).all() for one in bare.sessions)


@pytest.mark.usefixtures("heard", "learnt")
def test_watching_again_keeps_what_was_judged(tmp_path: Path) -> None:
    life = one_life(ILL, tmp_path)
    judged = watch_life(life, PLAIN, DAYS)
    again = watch_again(life, judged, PLAIN)
    assert again.spans == judged.spans
    np.testing.assert_array_equal(again.p_value, judged.p_value)
    for one, same in zip(judged.sessions, again.sessions, strict=True):
        np.testing.assert_equal((one.time, one.deviate), (same.time, same.deviate))


@pytest.mark.usefixtures("heard")
def test_versions_learn_no_days_of_a_shift(learnt: list[NDArray[np.bool_]], tmp_path: Path) -> None:
    life = one_life(ILL, tmp_path)
    newest = {}
    for holds_back in (True, False):
        learnt.clear()
        watch_life(life, Judging(SHIPPED, holds_back=holds_back), DAYS)
        newest[holds_back] = set(life.heard.day[learnt[-1]].tolist())
    last = (DAYS - 1 - MINIMUM_DAYS) // REFIT_DAYS * REFIT_DAYS + MINIMUM_DAYS
    assert max(newest[True]) < CHANGE_DAY
    assert max(newest[False]) == last - RIPE_AFTER_DAYS


@pytest.mark.usefixtures("heard")
def test_versions_learn_new_surroundings_from_the_next_day_on(
    learnt: list[NDArray[np.bool_]], tmp_path: Path
) -> None:
    life = one_life(DEVICE, tmp_path).within(CHANGE_DAY + 6)
    newest = {}
    for bridges in (True, False):
        learnt.clear()
        watch_life(life, Judging(SHIPPED, bridges=bridges), CHANGE_DAY + 6)
        newest[bridges] = int(life.heard.day[learnt[-1]].max())
    assert newest == {True: CHANGE_DAY + 4, False: CHANGE_DAY + 5 - RIPE_AFTER_DAYS}


@pytest.mark.usefixtures("heard", "learnt")
def test_surroundings_that_are_known_are_learnt_as_slowly_as_ever(tmp_path: Path) -> None:
    life = one_life(DEVICE, tmp_path)
    judged = watch_life(life, PLAIN, DAYS)
    (span,) = judged.spans
    assert span.closed_at is not None
    settled = (span.closed_at - START).days
    today = settled + RIPE_AFTER_DAYS
    known = [one for one in judged.sessions if (one.time - START).days < today]
    chosen = ripe(life, known, today, PLAIN)
    assert life.heard.day[chosen].max() == settled


@pytest.mark.usefixtures("heard", "learnt")
def test_moves_are_told_from_changes(tmp_path: Path) -> None:
    found = drift_moves.moves_figures(2, 1, tmp_path, 1)
    assert found["device_label_right_frac"] == found["room_label_right_frac"] == 1.0
    for way in ("quiet", "room_change", "device_change", "growth"):
        assert found[f"{way}_alarm_frac"] == 0.0
    assert found["device_change_alarm_unguarded_frac"] == 1.0
    assert found["room_change_alarm_unguarded_frac"] == 1.0
    assert found["ill_alarm_frac"] == found["ill_alarm_unguarded_frac"] == 1.0
    assert found["quiet_room_label_frac"] == found["ill_room_label_frac"] == 0.0
    assert found["quiet_false_alarms_per_90_days"] == 0.0
    delay = found["ill_delay_days"]
    assert isinstance(delay, float)
    assert 0.0 < delay < 4.0
    for days in ("1_to_7", "8_to_15"):
        assert found[f"device_change_unusual_frac_day_{days}"] == 1.0
        assert found[f"quiet_unusual_frac_day_{days}"] == 0.0
    moved = found["moved_variance"]
    assert isinstance(moved, dict)
    assert moved[ROOM][LOUDNESS] > 3.0 > moved[ROOM][TILT]
    assert moved[DEVICE][TILT] > 3.0 > moved[DEVICE][LOUDNESS]


@pytest.mark.usefixtures("heard", "learnt")
def test_every_figure_has_its_interval_and_is_in_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "drift.json"
    cache = ["--cache", str(tmp_path / "cache"), "--json", str(file)]
    assert main(["drift", "--infants", "20", "--simulated", "2", *cache]) == 0
    found, shown = json.loads(file.read_text()), capsys.readouterr().out
    for way in ("quiet", "room_change", "device_change", "growth", "ill"):
        for key in ("alarm_frac", "alarm_unguarded_frac"):
            assert found[f"{way}_{key}_lo"] <= found[f"{way}_{key}"] <= found[f"{way}_{key}_hi"]
        assert 0.0 <= found[f"{way}_alarm_frac_taught_prior"] <= 1.0
        assert f"{way}_alarm_frac_lo_taught_prior" in found
    for words in ("another room", "another device", "own voice changes", "by a taught prior"):
        assert words in shown
    after = shown[shown.index("what else was said") :]
    figures = [line for line in after.splitlines() if "[" in line or "nothing: shifts" in line]
    assert len(figures) == 5 + 2 * 3
    assert " - " not in after


# --- the whole ----------------------------------------------------------------------------------


def test_the_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "drift.json"
    assert main(["drift", "--infants", "30", "--simulated", "0", "--json", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "Semi-simulated" in shown
    found = json.loads(file.read_text())
    for key in ("05sd", "1sd", "2sd", "ramp"):
        for name in (f"delay_days_{key}", f"multi_delay_days_{key}", f"delay_days_{key}_cusum"):
            assert found[f"{name}_lo"] <= found[name] <= found[f"{name}_hi"]
    assert found["false_alarms_per_90_days"] <= 1.0
    assert found["delay_days_2sd"] < found["delay_days_05sd"]
    assert found["delay_days_f0_plus10"] <= 60.0
    assert "room_change_alarm_frac" not in found


def test_the_same_seed_gives_the_same_figures() -> None:
    assert score_figures(20, 3, None) == score_figures(20, 3, None)


def test_too_few_infants_are_refused() -> None:
    with pytest.raises(ConfigError):
        run(None, n=5)


def test_real_recordings_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["file,infant,recorded_at"]
    for number in range(8):
        sound = synthesise_cry(drift_lives.drawn(2, 1)[number % 2].voice, number, 3.0, 16_000).sound
        (tmp_path / f"{number}.wav").write_bytes(encode(sound, Encoding.WAV))
        lines.append(f"{number}.wav,inf{number % 2},2026-01-0{number + 1}T10:00:00+00:00")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(drift_cohort, "chosen_rows", lambda rows, _: rows)
    found = read_residuals(manifest)
    assert found.n_infants == 2
    assert len(found.rows[F0]) == 8
    assert math.isfinite(found.f0_sd_octaves)
