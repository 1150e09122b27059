"""Every reason that the gate can write is found again, and so can be translated."""

import pytest
from django.utils import translation

from dashboard.gate_reasons import BANDS, FORMS, TRAITS, reason_words
from pipelines import heads
from pipelines.training.gate_fit import AGE_BANDS, UNKNOWN_AGE

WRITTEN = [
    "no more aroused than is usual for infants of this age (0 to 4 weeks)",
    "no more aroused than is usual for this infant (12 recordings) and this age (2 to 6 months)",
    "more aroused than is usual for infants of this age (over 2 years): 3.1 spreads above",
    "more aroused than is usual for this infant (7 recordings) and this age "
    "(any age, as it is not known): 2.4 spreads above",
    "the voice's embedding is usual",
    "the voice's embedding tells more arousal than usual: 2.9 spreads above",
    "no unit has a pitch that can be measured, which is rare in crying",
    "pitch, unit length and voice are within what is usual at 4 to 8 weeks",
    "pitch 812 Hz is above what is usual at 4 to 8 weeks: 305 Hz to 640 Hz",
    "unsteadiness of pitch 0.004 is below what is usual at 0 to 4 weeks: 0.01 to 0.092",
    "pitch range 25.3 semitones is above what is usual at 0 to 4 weeks: -1.2 semitones to "
    "14.1 semitones",
    "harmonics over noise -3.1 dB is below what is usual at over 2 years: 1.2 dB to 22.4 dB",
    "sounds like crying (probability 0.98)",
    "does not sound like crying (probability 0.07)",
]


@pytest.mark.parametrize("written", WRITTEN)
def test_a_reason_reads_in_english_as_it_was_written(written: str) -> None:
    assert reason_words(written) == written


def test_every_form_is_one_that_is_written() -> None:
    found = {form for form in FORMS for text in WRITTEN if form.matches(text)}
    assert found == set(FORMS)
    assert all(sum(bool(form.matches(text)) for form in FORMS) == 1 for text in WRITTEN)


def test_figures_in_a_reason_are_those_of_the_language() -> None:
    with translation.override("de"):
        assert "3,1" in reason_words(WRITTEN[2])
        assert "0,004" in reason_words(WRITTEN[9])


def test_what_is_not_known_stands_as_it_is() -> None:
    assert reason_words("more aroused than is usual") == "more aroused than is usual"


def test_ages_and_traits_are_those_of_the_gate() -> None:
    assert set(BANDS) == {name for _, name in AGE_BANDS} | {UNKNOWN_AGE}
    assert set(TRAITS) == {trait.words for trait in heads.TRAITS}
