"""Gate: what is a cry, what the baseline may learn from, and the reasons it gives."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from pipelines.acoustics import measure_unit
from pipelines.channel import coloured_noise
from pipelines.gate import (
    GateDecision,
    GateInput,
    GatePart,
    GateSettings,
    Usual,
    arousal_index,
    gate_cry,
    gate_features,
    two_sided_tail,
)
from pipelines.heads import bundled_heads
from pipelines.segment import find_units
from pipelines.sound import Sound, peak_normalise
from pipelines.synthesis import InfantVoice, synthesise_cry
from tests.pipelines.gating import USUAL_UNIT, an_input, made_up_heads

HEADS = made_up_heads()


def decide(given_: GateInput, threshold: float | None = None) -> GateDecision:
    settings = None if threshold is None else GateSettings(threshold)
    return gate_cry(given_, settings, HEADS)


def part(decision: GateDecision, name: str) -> GatePart:
    (found,) = [one for one in decision.parts if one.name == name]
    return found


def test_a_usual_cry_is_accepted_with_a_reason_from_every_part() -> None:
    decision = decide(an_input())
    assert decision.is_cry
    assert decision.accepted
    assert [one.name for one in decision.parts] == ["cry", "arousal", "embedding", "development"]
    assert all(one.reason and 0.0 <= one.confidence <= 1.0 for one in decision.parts)
    assert decision.abstained == ()
    assert decision.confidence == min(one.confidence for one in decision.parts)
    assert decision.version == "gate-made-up"


def test_what_does_not_sound_like_crying_is_judged_no_further() -> None:
    decision = decide(an_input(features=-1.0))
    assert not decision.is_cry
    assert not decision.accepted
    assert [one.name for one in decision.parts] == ["cry"]
    assert decision.cry_probability < HEADS.cry.threshold
    assert "does not sound like crying" in decision.parts[0].reason


def test_no_threshold_makes_a_sound_that_is_no_cry_acceptable() -> None:
    assert not decide(an_input(features=-1.0), threshold=0.0).accepted


def test_a_cry_with_everything_raised_is_refused_for_its_arousal() -> None:
    distressed = USUAL_UNIT | {
        "f0_median_hz": 700.0,
        "f0_range_semitones": 14.0,
        "hyperphonation_frac": 0.5,
        "intensity_over_background_db": 40.0,
    }
    decision = decide(an_input(distressed))
    assert decision.is_cry
    assert not decision.accepted
    assert part(decision, "arousal").confidence < decision.threshold
    assert "more aroused than is usual for infants of this age" in part(decision, "arousal").reason


def test_being_calmer_than_usual_is_no_reason_to_refuse() -> None:
    calm = USUAL_UNIT | {"intensity_over_background_db": 2.0, "duration_s": 0.7}
    decision = decide(an_input(calm))
    assert decision.arousal is not None
    assert decision.arousal < 0.0
    assert part(decision, "arousal").confidence == 1.0


def test_an_infant_who_always_cries_hard_is_held_against_its_own_usual() -> None:
    loud = USUAL_UNIT | {"intensity_over_background_db": 40.0, "f0_range_semitones": 12.0}
    arousal = arousal_index([loud], HEADS)
    assert arousal is not None
    stranger = decide(an_input(loud))
    known = decide(an_input(loud, usual=(arousal,) * 20))
    assert part(known, "arousal").confidence > 5.0 * part(stranger, "arousal").confidence
    assert "this infant (20 recordings)" in part(known, "arousal").reason


def test_own_history_is_drawn_towards_the_age_with_the_weight_of_four_recordings() -> None:
    # Four recordings at 2 and the age at 0 with weight four: the centre is halfway.
    halfway = gate_cry(an_input(usual=(2.0,) * 4), None, HEADS)
    assert part(halfway, "arousal").confidence == 1.0
    unit = USUAL_UNIT | {"f0_median_hz": 400.0 * 2.0**0.6}
    arousal = arousal_index([unit], HEADS)
    assert arousal == pytest.approx(1.0, abs=0.01)
    assert part(decide(an_input(unit, usual=(2.0,) * 4)), "arousal").confidence > 0.99
    assert part(decide(an_input(unit, usual=(2.0,) * 3)), "arousal").confidence < 0.99


def test_the_same_cry_is_normal_at_one_age_and_not_at_another() -> None:
    assert decide(an_input(age_days=30.0)).accepted
    older = decide(an_input(age_days=500.0))
    assert not older.accepted
    reason = part(older, "development").reason
    assert "pitch 400 Hz is above what is usual at old" in reason
    assert "150 Hz to 260 Hz" in reason or "152 Hz to 264 Hz" in reason


def test_where_the_age_is_not_known_the_widest_range_counts() -> None:
    high = USUAL_UNIT | {"f0_median_hz": 640.0}
    known, unknown = (decide(an_input(high, age_days=age)) for age in (30.0, None))
    assert part(known, "development").confidence < part(unknown, "development").confidence
    assert "any age" in part(unknown, "arousal").reason


def test_without_a_head_for_the_encoder_the_embedding_has_no_vote() -> None:
    decision = decide(an_input(first=0.99, encoder="another"))
    assert "embedding" not in [one.name for one in decision.parts]
    assert [(one.name, one.reason) for one in decision.abstained] == [
        ("embedding", "no head for this encoder")
    ]
    assert decision.accepted


def test_an_embedding_that_tells_high_arousal_refuses() -> None:
    decision = decide(an_input(first=0.9))
    assert not decision.accepted
    assert decision.confidence == part(decision, "embedding").confidence


def test_a_cry_without_any_measurable_pitch_is_as_likely_as_it_was_in_training() -> None:
    unvoiced = {name: v for name, v in USUAL_UNIT.items() if not name.startswith("f0")}
    decision = decide(an_input(unvoiced))
    assert decision.arousal is None
    assert [one.name for one in decision.abstained] == ["arousal"]
    assert part(decision, "development").confidence == HEADS.ranges.no_pitch_frac
    assert not decision.accepted


def test_the_threshold_is_a_setting_and_is_told() -> None:
    strict, lenient = (decide(an_input(first=0.5), threshold=t) for t in (0.5, 0.001))
    assert not strict.accepted
    assert lenient.accepted
    assert (strict.threshold, lenient.threshold) == (0.5, 0.001)


def test_every_refusal_has_a_part_under_the_threshold() -> None:
    decision = decide(an_input(first=0.9))
    assert [p.name for p in decision.parts if p.confidence < decision.threshold] == ["embedding"]


@given(
    values=st.fixed_dictionaries(
        {},
        optional={
            "f0_median_hz": st.floats(150.0, 2000.0),
            "f0_range_semitones": st.floats(0.0, 40.0),
            "hyperphonation_frac": st.floats(0.0, 1.0),
            "intensity_over_background_db": st.floats(-20.0, 90.0),
            "duration_s": st.floats(0.3, 60.0),
            "jitter_frac": st.floats(0.0, 1.0),
            "harmonics_to_noise_db": st.floats(-20.0, 60.0),
        },
    ),
    age_days=st.none() | st.floats(0.0, 2000.0),
    usual=st.lists(st.floats(-4.0, 4.0), max_size=12),
)
def test_whatever_was_measured_gives_a_decision_with_finite_numbers(
    values: dict[str, float], age_days: float | None, usual: list[float]
) -> None:
    decision = decide(an_input(values, age_days=age_days, usual=tuple(usual)))
    assert all(np.isfinite(one.confidence) and one.reason for one in decision.parts)
    assert decision.accepted == (decision.is_cry and decision.confidence >= decision.threshold)
    assert not decision.accepted or decision.is_cry


def test_a_decision_made_again_is_the_same() -> None:
    assert asdict(decide(an_input(usual=(0.1, 0.4)))) == asdict(decide(an_input(usual=(0.1, 0.4))))


@pytest.mark.parametrize("spreads", [0.0, 0.5, -1.0, 2.0, 2.776, -5.0, 30.0])
def test_the_tail_is_that_of_students_t_with_four_degrees_of_freedom(spreads: float) -> None:
    expected = 2.0 * scipy.stats.t.sf(abs(spreads), df=4)
    assert two_sided_tail(spreads) == pytest.approx(expected, abs=1e-12)


def test_no_word_of_any_reason_is_a_diagnosis() -> None:
    worst = USUAL_UNIT | {"f0_median_hz": 1500.0, "hyperphonation_frac": 1.0}
    decisions = [decide(an_input(m, first=f)) for m in (None, worst, {}) for f in (0.0, 0.9)]
    said = " ".join(p.reason for d in decisions for p in (*d.parts, *d.abstained)).lower()
    for word in ("ill", "sick", "pain", "disorder", "abnormal", "patholog", "diagnos", "disease"):
        assert word not in said.replace("still", "").split()


def test_arousal_rises_with_each_measure_it_is_made_of() -> None:
    calm = arousal_index([USUAL_UNIT], HEADS)
    assert calm == pytest.approx(0.0, abs=1e-6)
    for name, value in {
        "f0_median_hz": 500.0,
        "f0_range_semitones": 9.0,
        "hyperphonation_frac": 0.2,
        "intensity_over_background_db": 30.0,
        "duration_s": 2.0,
    }.items():
        raised = arousal_index([USUAL_UNIT | {name: value}], HEADS)
        assert raised is not None
        assert raised > 0.05, name


def test_a_single_wild_measure_is_bounded_by_the_median_and_the_clip() -> None:
    wild = USUAL_UNIT | {"f0_median_hz": 2000.0}
    assert arousal_index([USUAL_UNIT, USUAL_UNIT, wild], HEADS) == pytest.approx(0.0, abs=1e-6)


# --- with the heads that the project ships ----------------------------------------------------


def stored(sound: Sound, age_days: float | None = 60.0) -> GateInput:
    whole = peak_normalise(sound)
    units = find_units(whole)
    return GateInput(
        features=gate_features(whole, units),
        measures=tuple(measure_unit(whole, unit, -50.0) for unit in units),
        embeddings=np.zeros((len(units), 192), dtype=np.float32),
        encoder="none",
        age_days=age_days,
    )


@pytest.mark.parametrize("seed", range(4))
def test_synthetic_crying_passes_the_shipped_gate(seed: int) -> None:
    voice = InfantVoice(f0_hz=380.0 + 40.0 * seed)
    decision = gate_cry(stored(synthesise_cry(voice, seed=seed).sound))
    assert decision.is_cry
    assert decision.accepted, decision.parts


@pytest.mark.parametrize("seed", range(2))
def test_hyperphonated_crying_is_a_cry_but_not_learnt(seed: int) -> None:
    voice = InfantVoice(f0_hz=480.0, hyperphonation_frac=0.8)
    decision = gate_cry(stored(synthesise_cry(voice, seed=seed).sound))
    assert decision.is_cry
    assert not decision.accepted


def test_noise_and_hum_do_not_pass_the_shipped_gate() -> None:
    rng = np.random.default_rng(0)
    swell = np.repeat(rng.uniform(0.02, 1.0, 10), 8000)
    noise = coloured_noise(5.0, 16_000, 6.0, rng).samples * swell
    times_s = np.arange(80_000) / 16_000
    hum = sum(np.sin(2 * np.pi * 50 * k * times_s) / k for k in range(1, 9)) * swell
    for samples in (noise, hum):
        sound = Sound(np.asarray(samples, dtype=np.float32), 16_000)
        assert not gate_cry(stored(sound)).is_cry


def test_what_is_usual_is_a_few_numbers_whatever_the_order() -> None:
    values = [0.3, -0.1, 0.7, 0.2]
    usual = Usual.of(values)
    assert usual == Usual.of(values[::-1])
    assert (usual.n, usual.median) == (4, pytest.approx(0.25))
    assert usual.mad == pytest.approx(0.2)
    assert Usual.of([]) == Usual(0, None, None) == an_input().usual


@given(st.lists(st.floats(-4.0, 4.0), max_size=12))
def test_a_decision_comes_out_again_from_what_a_row_keeps(values: list[float]) -> None:
    first = an_input(usual=tuple(values))
    kept = json.loads(json.dumps(asdict(first.usual)))
    assert asdict(decide(replace(first, usual=Usual(**kept)))) == asdict(decide(first))


def test_the_default_threshold_is_the_shipped_one() -> None:
    assert GateSettings().threshold == bundled_heads().threshold
    assert 0.0 < GateSettings().threshold < 0.2
