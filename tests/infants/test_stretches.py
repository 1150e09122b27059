"""When a monitor listened: only what its signs allow to be said."""

import datetime as dt

import pytest

from infants.stretches import SPEAKS_WITHIN, Span, inside, joined, length_s, outside
from tests.builders import START

HOUR = dt.timedelta(hours=1)


def _span(start: float, end: float) -> Span:
    return Span(START + start * HOUR, START + end * HOUR)


@pytest.mark.parametrize(
    ("apart", "n_spans"), [(SPEAKS_WITHIN, 1), (SPEAKS_WITHIN + dt.timedelta(seconds=1), 2)]
)
def test_signs_near_each_other_are_one_stretch(apart: dt.timedelta, n_spans: int) -> None:
    first, second = Span(START, START), Span(START + apart, START + apart)
    assert len(joined([second, first], SPEAKS_WITHIN)) == n_spans


def test_a_span_inside_another_does_not_shorten_it() -> None:
    assert joined([_span(0, 10), _span(2, 3), _span(10, 11)]) == [_span(0, 11)]


def test_what_overlaps_counts_once() -> None:
    assert length_s([_span(0, 2), _span(1, 3), _span(5, 6)]) == 4 * 3600


def test_spans_are_cut_at_the_edges() -> None:
    assert inside([_span(0, 5), _span(8, 9)], *_span(4, 8)) == [_span(4, 5)]


def test_the_rest_is_what_lies_in_none() -> None:
    rest = outside([_span(2, 4), _span(3, 5), _span(7, 20)], *_span(0, 10))
    assert rest == [_span(0, 2), _span(5, 7)]
    assert outside([], *_span(0, 1)) == [_span(0, 1)]
    assert outside([_span(-1, 2)], *_span(0, 1)) == []
