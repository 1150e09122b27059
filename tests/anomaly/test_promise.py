"""What is promised grows with what is known, and never past it."""

import pytest

from anomaly.promise import LASTING, NOT_ELSEWHERE, promised
from pipelines.score import Learning
from tests.builders import a_model, an_infant


def test_an_infant_still_learnt_is_told_when_sessions_are_compared() -> None:
    said = promised(Learning(2, 9))
    assert said[0] == (
        "No session is compared yet: crying was heard on 2 days. A first comparison takes 3, one "
        "by the infant's own measure 9."
    )
    assert LASTING in said[1]


def test_an_infant_compared_by_what_others_teach_is_told_so() -> None:
    said = promised(Learning(4, 9, has_numbers=True))
    assert said[0].startswith("Crying was heard on 4 of 9 days; until then sessions are")
    assert LASTING in said[1]
    assert said[2] == NOT_ELSEWHERE


@pytest.mark.django_db
def test_a_known_infant_is_told_how_fine_its_numbers_are() -> None:
    model = a_model(an_infant(), n_sessions=31, facts={"smallest_p_value": 0.0204})
    said = promised(model)
    assert "With 31 sessions known, no p-value is below 0.020." in said[0]
    assert said[1:] == [LASTING, NOT_ELSEWHERE]


@pytest.mark.django_db
def test_where_the_finest_number_is_not_known_none_is_promised() -> None:
    assert "no p-value is below" not in promised(a_model(an_infant()))[0]
