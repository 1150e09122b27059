"""A month as small as a line of text."""

import datetime as dt

from dashboard.sparkline import HEIGHT, WIDTH, draw
from dashboard.timeline_chart import SessionMark

END = dt.datetime(2026, 3, 31, 15, 0, tzinfo=dt.UTC)
START = END - dt.timedelta(days=30)


def test_unusual_sessions_stand_apart_and_everything_fits() -> None:
    p_values = (1.0, 0.4, 0.05, 0.0001)
    sessions = [SessionMark(END - n * dt.timedelta(days=9), p) for n, p in enumerate(p_values)]
    picture = draw(START, END, sessions, [])
    assert (len(picture.usual), len(picture.unusual)) == (2, 2)
    assert max(dot.y for dot in picture.unusual) <= picture.unusual_y
    assert min(dot.y for dot in picture.usual) > picture.unusual_y
    for dot in picture.usual + picture.unusual:
        assert 0 < dot.x < WIDTH
        assert 0 < dot.y < HEIGHT


def test_days_of_learning_are_strokes() -> None:
    days = [END - n * dt.timedelta(days=1) for n in range(4)]
    picture = draw(START, END, [], days)
    assert picture.learning_path.count("M") == 4
    assert picture.usual == picture.unusual == []
