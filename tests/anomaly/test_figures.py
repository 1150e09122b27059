"""Figures are rounded, and stand as the reader's language has them."""

from django.utils import translation

from anomaly import figures


def test_figures_are_rounded_and_not_cut() -> None:
    assert (figures.decimal(40.8, 0), figures.decimal(-0.96, 1)) == ("41", "-1.0")
    assert (figures.signed(14.2, 0), figures.signed(-0.96, 1)) == ("+14", "-1.0")
    assert figures.percent(0.144) == "14%"


def test_figures_are_those_of_the_language() -> None:
    with translation.override("de"):
        assert figures.decimal(0.0126, 3) == "0,013"
        assert figures.signed(1.25, 2) == "+1,25"


def test_signs_stay_before_their_numbers_where_lines_run_from_the_right() -> None:
    assert figures.kept_together("+41 %") == "+41 %"
    with translation.override("ar"):
        assert figures.kept_together("+41 %").strip(figures.LEFT_TO_RIGHT) == "+41 %"
        assert figures.kept_together("+41 %") != "+41 %"


def test_a_sentence_is_made_of_the_clauses_that_there_are() -> None:
    assert figures.clauses(["one", "", "two"]) == "one; two"
    assert figures.clauses(["", ""]) == ""
    assert figures.listed(name for name in ("one", "two")) == "one, two"
    assert figures.sentence("One") == "One."
