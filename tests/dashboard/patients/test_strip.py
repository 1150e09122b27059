"""Fourteen days as a few paths: every session once, the unusual ones of another shape."""

import datetime as dt

from dashboard.patients.strip import HEIGHT, WIDTH, draw
from dashboard.timeline_chart import SessionMark

END = dt.datetime(2026, 3, 20, tzinfo=dt.UTC)
START = END - dt.timedelta(days=14)


def test_every_session_shows_once() -> None:
    sessions = [SessionMark(START + dt.timedelta(days=n), p) for n, p in enumerate((0.5, 0.01, 1))]
    strip = draw(START, END, sessions, [START])
    assert strip.usual_path.count("M") == 2
    assert strip.unusual_path.count("M") == 1
    assert strip.learning_path.count("M") == 1
    assert (strip.n_sessions, strip.n_unusual) == (3, 1)
    assert (strip.width, strip.height) == (WIDTH, HEIGHT)


def test_nothing_heard_is_an_empty_picture() -> None:
    strip = draw(START, END, [], [])
    assert (strip.usual_path, strip.unusual_path, strip.learning_path) == ("", "", "")
