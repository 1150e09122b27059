"""Cohort: plans are what was asked for, and recordings hold what was planned."""

import datetime as dt
import itertools
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.change import NO_VARIATION
from pipelines.cohort import (
    DailyPattern,
    Deviation,
    Effect,
    Encoding,
    Growth,
    InfantVoice,
    Microphone,
    Parameter,
    PlannedRecording,
    Room,
    SimulatedInfant,
    Since,
    Variation,
    draw_infants,
    plan_recordings,
    render,
    typical_room,
    typical_voice,
)
from pipelines.errors import ConfigError
from pipelines.recordings import SESSION_GAP, session_numbers
from pipelines.segment import segment

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
QUIET = Room(signal_to_noise_db=40.0, seed=3)
THREE = DailyPattern(hours=(3.0, 10.0, 19.0), recordings_per_session=1.0)
STILL = Growth(0.0, 0.0)


def steady(key: str = "a", **changes: object) -> SimulatedInfant:
    """Return an infant to whom nothing happens but what is asked for."""
    plain = SimulatedInfant(
        key,
        InfantVoice(f0_hz=400.0),
        rooms=(Since(0.0, QUIET),),
        pattern=THREE,
        variation=NO_VARIATION,
        growth=STILL,
        duration_s=3.0,
    )
    return replace(plain, **changes)


def planned(infant: SimulatedInfant, days: int = 4, seed: int = 0) -> list[PlannedRecording]:
    return plan_recordings([infant], START, days, seed)


def heard_f0_hz(one: PlannedRecording) -> float:
    return float(np.nanmedian(render(one)[1].f0_hz))


# --- plans --------------------------------------------------------------------------------------


def test_the_same_arguments_give_the_same_plan_and_the_same_bytes() -> None:
    once, again = (plan_recordings(draw_infants(3, 5), START, 3, 7) for _ in range(2))
    assert once == again
    assert [render(one)[0] for one in once[:3]] == [render(one)[0] for one in again[:3]]
    assert plan_recordings(draw_infants(3, 5), START, 3, 8) != once


def test_neither_another_infant_nor_another_day_disturbs_a_recording() -> None:
    few = plan_recordings(draw_infants(2, 0), START, 3, 0)
    many = plan_recordings(draw_infants(5, 0), START, 6, 0)
    keys = {one.infant for one in few}
    assert few == [one for one in many if one.infant in keys and one.day < 3.0]


def test_a_deviation_changes_nothing_but_its_parameter() -> None:
    rising = steady(deviations=(Deviation(Parameter.F0, 0.25, 2.0),))
    for before, after in zip(planned(steady()), planned(rising), strict=True):
        expected = before.voice.f0_hz * (1.25 if before.day >= 2.0 else 1.0)
        assert after.voice == replace(before.voice, f0_hz=expected)
        assert (after.seed, after.recorded_at) == (before.seed, before.recorded_at)


def test_recordings_come_in_the_order_of_time_and_have_names_of_their_own() -> None:
    whole = plan_recordings(draw_infants(6, 1), START, 20, 1)
    assert [one.recorded_at for one in whole] == sorted(one.recorded_at for one in whole)
    assert len({one.file_name for one in whole}) == len(whole) > 300
    assert all(one.recorded_at.utcoffset() == dt.timedelta() for one in whole)


def test_hours_are_those_of_the_zone_in_which_it_starts() -> None:
    zone = ZoneInfo("Europe/Berlin")
    start = dt.datetime(2026, 3, 28, 15, tzinfo=zone)  # the clocks change in the night after
    found = plan_recordings([steady()], start, 3, 0)
    local = [one.recorded_at.astimezone(zone) for one in found]
    assert local[0].date() == start.date()
    for moment, hour in zip(local, [3.0, 10.0, 19.0] * 3, strict=True):
        assert moment.hour + moment.minute / 60.0 == pytest.approx(hour, abs=1.3)


def test_cries_are_most_frequent_in_the_evening() -> None:
    pattern = DailyPattern(sessions_per_day=5.0, recordings_per_session=2.0)
    found = planned(steady(pattern=pattern), days=200)
    hours = np.array([one.recorded_at.hour for one in found])
    evening = np.mean((hours >= 17) & (hours < 22))
    assert evening > 2.0 * 5.0 / 24.0
    assert 1.5 * 4.0 < len(found) / 200 < 2.0 * 5.0 + 0.5


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**40),
    sessions_per_day=st.floats(0.2, 12.0),
    recordings_per_session=st.floats(1.0, 5.0),
)
def test_planned_sessions_are_those_that_the_product_would_find(
    seed: int, sessions_per_day: float, recordings_per_session: float
) -> None:
    pattern = DailyPattern((), sessions_per_day, recordings_per_session)
    found = planned(steady(pattern=pattern), days=5, seed=seed)
    if found:
        numbers = session_numbers([one.recorded_at for one in found])
        assert numbers.tolist() == [one.session for one in found]
    for earlier, later in itertools.pairwise(found):
        gap = later.recorded_at - earlier.recorded_at
        assert gap >= dt.timedelta(seconds=60)
        assert (gap < SESSION_GAP) is (later.session == earlier.session)


def test_what_cannot_be_planned_is_told_in_one_line() -> None:
    wrong = [
        (lambda: plan_recordings([steady()], START.replace(tzinfo=None), 1, 0), "offset from UTC"),
        (lambda: planned(steady(), days=0), "one day or more"),
        (lambda: plan_recordings([steady(), steady()], START, 1, 0), "same key"),
        (lambda: steady("a/b"), "no plain name"),
        (lambda: steady(rooms=()), "no room"),
        (lambda: DailyPattern(hours=(25.0,)), "hours 0 to 24"),
        (lambda: DailyPattern(recordings_per_session=0.5), "one recording or more"),
        (lambda: Variation(day_share=1.5), "share of the variance"),
        (lambda: Microphone(rate_hz=4_000), "no rate"),
        (lambda: Deviation(Parameter.F0, -1.0, 3.0), "cannot change by -1"),
        (lambda: Deviation(Parameter.F0, float("nan"), 3.0), "no finite numbers"),
        (lambda: Deviation(Parameter.F0, 0.1, 3.0, ramp_days=-1.0), "lasts -1 days"),
        (lambda: Deviation(Parameter.F0, 0.1, 3.0, end_day=3.0), "ends before it begins"),
    ]
    for asked, words in wrong:
        with pytest.raises(ConfigError, match=words) as caught:
            asked()
        assert "\n" not in str(caught.value)


# --- what happens over days ---------------------------------------------------------------------


def test_the_pitch_rises_from_the_planted_day_on() -> None:
    rising = steady(deviations=(Deviation(Parameter.F0, 0.3, 2.0),), duration_s=7.0)
    found = planned(rising)
    before = np.median([heard_f0_hz(one) for one in found if one.day < 2.0])
    after = np.median([heard_f0_hz(one) for one in found if one.day >= 2.0])
    assert after / before == pytest.approx(1.3, rel=0.05)
    assert [bool(one.active) for one in found] == [one.day >= 2.0 for one in found]


def test_a_deviation_comes_by_and_by_and_goes_again() -> None:
    one = Deviation(Parameter.F0, 0.2, onset_day=10.0, ramp_days=4.0, end_day=20.0)
    days = (9.99, 10.0, 12.0, 14.0, 19.99, 20.0)
    assert [one.strength(day) for day in days] == [0.0, 0.0, 0.5, 1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("parameter", "amount", "field", "expected"),
    [
        (Parameter.F0, 0.2, "f0_hz", 480.0),
        (Parameter.TRACT, -0.1, "tract_length_cm", 7.65),
        (Parameter.BREATHINESS, 0.3, "breathiness_frac", 0.35),
        (Parameter.JITTER, 1.0, "jitter_frac", 0.016),
        (Parameter.INTENSITY, -6.0, "intensity_db", -6.0),
        (Parameter.UNIT, 0.5, "unit_s", 1.35),
        (Parameter.HYPERPHONATION, 0.4, "hyperphonation_frac", 0.4),
    ],
)
def test_every_parameter_deviates_in_its_own_unit(
    parameter: Parameter, amount: float, field: str, expected: float
) -> None:
    found = planned(steady(deviations=(Deviation(parameter, amount, 0.0),)), days=1)
    assert getattr(found[0].voice, field) == pytest.approx(expected)


def test_no_deviation_leads_out_of_what_can_be_synthesised() -> None:
    wild = tuple(
        Deviation(parameter, amount, 0.0)
        for parameter in Parameter
        for amount in ((9.0,) if parameter is not Parameter.INTENSITY else (40.0,))
    )
    content, cry = render(planned(steady(deviations=wild), days=1)[0])
    assert np.isfinite(cry.sound.samples).all()
    assert segment(content).source.duration_s == pytest.approx(3.0)


def test_an_infant_grows() -> None:
    growing = steady(growth=Growth(f0_frac_per_month=-0.02, tract_cm_per_month=0.1))
    found = planned(growing, days=61)
    first, last = found[0].voice, found[-1].voice
    assert last.f0_hz / first.f0_hz == pytest.approx(0.98**2, rel=0.01)
    assert last.tract_length_cm - first.tract_length_cm == pytest.approx(0.2, rel=0.05)
    assert found[-1].age_days - found[0].age_days == pytest.approx(60.7, abs=0.5)
    assert Growth().f0_frac_per_month < 0.0 < Growth().tract_cm_per_month


@pytest.mark.parametrize("day_share", [0.0, 0.3, 0.8])
def test_days_have_the_share_of_the_variance_that_was_asked_for(day_share: float) -> None:
    varying = Variation(Effect(f0_log=0.1), day_share)
    found = planned(steady(variation=varying), days=600)
    log_f0 = np.log([one.voice.f0_hz for one in found]).reshape(-1, 3)
    within = float(np.mean(np.var(log_f0, axis=1, ddof=1)))
    between = float(np.var(log_f0.mean(axis=1), ddof=1)) - within / 3.0
    assert between / (between + within) == pytest.approx(day_share, abs=0.07)
    assert between + within == pytest.approx(0.01, rel=0.12)


def test_another_device_codes_otherwise_from_its_day_on() -> None:
    devices = (
        Since(0.0, Microphone("old")),
        Since(2.0, Microphone("new", Encoding.AMR, lead_in_s=0.5)),
    )
    found = planned(steady(microphones=devices))
    for one in found:
        source = segment(render(one)[0]).source
        is_new = one.day >= 2.0
        assert one.device == ("new" if is_new else "old")
        assert (source.codec, source.rate_hz) == (
            ("amrnb", 8_000) if is_new else ("pcm_s16le", 16_000)
        )


def test_another_room_holds_from_its_day_on_and_the_earliest_before() -> None:
    moved = steady(rooms=(Since(3.0, Room(seed=9)), Since(1.0, Room(seed=8))))
    assert [one.room.seed for one in planned(moved)] == [8] * 9 + [9] * 3


def test_a_louder_background_leaves_the_voice_as_it_was() -> None:
    varying = Variation(Effect(background_db=10.0), 0.0)
    found = planned(steady(variation=varying))
    assert len({one.room.signal_to_noise_db for one in found}) == len(found)
    assert {one.voice for one in found} == {InfantVoice(f0_hz=400.0)}


# --- recordings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "codec", "rate_hz"),
    [
        (Encoding.WAV, "pcm_s16le", 22_050),
        (Encoding.FLAC, "flac", 22_050),
        (Encoding.AMR, "amrnb", 8_000),
        (Encoding.ADPCM, "adpcm_ima_wav", 16_000),
    ],
)
def test_a_device_uploads_the_kind_of_file_that_it_makes(
    encoding: Encoding, codec: str, rate_hz: int
) -> None:
    device = Microphone("d", encoding, 22_050)
    one = planned(steady(microphones=(Since(0.0, device),)), days=1)[0]
    content, cry = render(one)
    source = segment(content).source
    assert (source.codec, source.rate_hz) == (codec, rate_hz)
    assert source.duration_s == pytest.approx(3.0, abs=0.07)  # ADPCM comes in whole blocks
    assert cry.sound.rate_hz == rate_hz


def test_a_device_hears_through_its_response_gain_and_noise() -> None:
    def power_db(device: Microphone, low: float, high: float) -> float:
        one = planned(steady(microphones=(Since(0.0, device),)), days=1)[0]
        samples = segment(render(one)[0]).sound.samples
        power = np.abs(np.fft.rfft(samples)) ** 2
        hertz = np.fft.rfftfreq(len(samples), 1.0 / 16_000)
        return float(10.0 * np.log10(np.sum(power[(hertz > low) & (hertz < high)])))

    plain = Microphone("d", low_cut_hz=None, noise_dbfs=-200.0)
    cut, humped = replace(plain, high_cut_hz=2_000.0), replace(plain, presence_db=12.0)
    noisy = replace(plain, noise_dbfs=-20.0)
    assert power_db(cut, 4_000.0, 8_000.0) < power_db(plain, 4_000.0, 8_000.0) - 20.0
    assert power_db(humped, 2_000.0, 3_000.0) > power_db(plain, 2_000.0, 3_000.0) + 3.0
    assert power_db(noisy, 6_000.0, 8_000.0) > power_db(plain, 6_000.0, 8_000.0) + 10.0


def test_an_amplified_device_clips_at_full_scale() -> None:
    loud = Microphone("d", gain_db=20.0)
    quality = segment(render(planned(steady(microphones=(Since(0.0, loud),)))[0])[0]).quality
    assert quality.peak_dbfs > -0.5
    assert quality.clipped_frac > 0.01


# --- the population -----------------------------------------------------------------------------


def test_infants_of_a_population_differ_and_are_plausible() -> None:
    voices = [infant.voice for infant in draw_infants(100, 3)]
    f0_hz = np.array([voice.f0_hz for voice in voices])
    assert 300.0 <= f0_hz.min() < 340.0
    assert 480.0 < f0_hz.max() <= 600.0
    assert all(5.5 < voice.tract_length_cm < 11.0 for voice in voices)
    assert all(0.0 < voice.jitter_frac < 0.1 for voice in voices)
    assert len({voice.melody for voice in voices}) > 3
    assert len(set(voices)) == 100
    assert len({infant.rooms[0].what.seed for infant in draw_infants(100, 3)}) == 100


def test_a_larger_population_begins_with_the_same_infants() -> None:
    assert draw_infants(9, 4)[:3] == draw_infants(3, 4)
    assert draw_infants(3, 5) != draw_infants(3, 4)
    kinds = tuple(Encoding)
    drawn = [one.microphones[0].what.encoding for one in draw_infants(8, 0, kinds)]
    assert drawn == [*kinds, *kinds]


def test_nearly_every_recording_of_a_population_holds_units() -> None:
    found = plan_recordings(draw_infants(25, 2), START, 1, 0)
    usable = [segment(render(one)[0]).unusable is None for one in found]
    assert np.mean(usable) > 0.9


def test_typical_voices_and_rooms_take_changes() -> None:
    assert typical_voice(f0_hz=333.0) == replace(typical_voice(), f0_hz=333.0)
    assert typical_room(seed=4) == replace(typical_room(), seed=4)
