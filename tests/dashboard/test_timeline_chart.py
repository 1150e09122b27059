"""The chart is a pure function of its story, and everything in it can be seen."""

import datetime as dt
import itertools
import random
import re
import zoneinfo
from dataclasses import replace

import pytest

from dashboard.timeline_chart import (
    BADGE,
    CHARACTER,
    Chart,
    Mark,
    Moment,
    SessionMark,
    Span,
    Story,
    draw,
    spread,
)

END = dt.datetime(2026, 3, 31, 15, 0, tzinfo=dt.UTC)
START = END - dt.timedelta(days=30)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
EMPTY = Story(START, END, zoneinfo.ZoneInfo("UTC"))
WIDTHS = pytest.mark.parametrize("width", [352.0, 800.0])


def _full() -> Story:
    rng = random.Random(5)
    marks = [
        Mark(START + d * DAY + h * HOUR, rng.random() > 0.2, None if d < 9 else rng.random(), "m")
        for d in range(30)
        for h in (2, 9, 18)
    ]
    return replace(
        EMPTY,
        marks=marks,
        sessions=[SessionMark(m.time, m.p_value) for m in marks if m.p_value is not None],
        episodes=[
            Span(START + d * DAY, START + (d + 0.2) * DAY, "odd", "odd session")
            for d in (11, 11.3, 11.6, 29)
        ]
        + [Span(START + 25 * DAY, END, "shift", "persistent shift, open")],
        notes=[
            Span(START + 20 * DAY, START + 27 * DAY, "illness", "fever week"),
            Span(START + 24 * DAY, START + 24 * DAY, "temperature", "38.6 °C"),
            Span(END, END, "note", "written just now"),
        ],
        refits=[Moment(START + d * DAY, f"model {d}") for d in range(9, 30)],
        monitors=[Moment(START + 15 * DAY, "now the nursery")],
    )


def _places(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]


def _every_place(chart: Chart) -> list[tuple[float, float]]:
    dots = [(dot.x, dot.y) for dot in chart.accepted + chart.refused]
    bars = chart.notes + chart.monitors
    boxes = [one.box for one in [*bars, *chart.episodes]] + chart.gaps
    corners = [(box.x, box.y) for box in boxes] + [(box.right, box.bottom) for box in boxes]
    lines = _places(chart.session_path + chart.learning_path + chart.refit_path)
    return dots + corners + lines + [(tick.at, chart.dates_y) for tick in chart.dates]


@WIDTHS
def test_everything_lies_inside(width: float) -> None:
    chart = draw(_full(), width)
    assert chart.width == width
    for x, y in _every_place(chart):
        assert chart.plot.x <= x <= chart.plot.right
        assert chart.plot.y <= y <= chart.height


@WIDTHS
def test_the_same_story_gives_the_same_chart(width: float) -> None:
    assert draw(_full(), width) == draw(_full(), width)


def test_every_recording_is_drawn_once_in_its_own_way() -> None:
    story = _full()
    chart = draw(story, 800)
    scored = [mark for mark in story.marks if mark.p_value is not None]
    assert len(chart.accepted) == sum(mark.accepted for mark in scored)
    assert len(chart.refused) == sum(not mark.accepted for mark in scored)
    assert len(_places(chart.learning_path)) == len(story.marks) - len(scored)
    assert len(_places(chart.session_path)) == len(story.sessions)
    assert len(_places(chart.refit_path)) == len(story.refits)


def test_many_recordings_are_one_shape_of_each_kind_at_the_same_places() -> None:
    chart = draw(_full(), 800)
    assert not chart.is_crowded
    marks = [
        replace(mark, time=mark.time + n * HOUR / 4) for mark in _full().marks for n in (0, 1, 2)
    ]
    crowded = draw(replace(_full(), marks=marks), 800)
    assert crowded.is_crowded
    assert _places(crowded.accepted_path) == [
        (pytest.approx(dot.x - 3.8), dot.y) for dot in crowded.accepted
    ]
    assert _places(crowded.refused_path) == [
        (dot.x, pytest.approx(dot.y - 5.4)) for dot in crowded.refused
    ]


def test_an_unusual_recording_lies_above_the_threshold() -> None:
    marks = [Mark(END - DAY, accepted=True, p_value=p, label=str(p)) for p in (0.04, 0.06)]
    chart = draw(replace(EMPTY, marks=marks), 800)
    unusual, usual = chart.accepted
    assert unusual.y < chart.unusual_y < usual.y


def test_a_gap_is_shaded_and_breaks_the_line() -> None:
    times = [END - 6 * DAY, END - 5.5 * DAY, END - 2 * DAY, END - DAY]
    story = replace(
        EMPTY,
        start=END - 6 * DAY,
        marks=[Mark(time, accepted=True, p_value=0.5, label="") for time in times],
        sessions=[SessionMark(time, 0.5) for time in times],
    )
    chart = draw(story, 800)
    assert re.sub(r"[^ML]", "", chart.session_path) == "MLML"
    [gap] = chart.gaps
    assert (gap.x, gap.right) == (chart.accepted[1].x, chart.accepted[2].x)


@WIDTHS
def test_badges_are_numbered_in_order_and_never_hide_each_other(width: float) -> None:
    chart = draw(_full(), width)
    assert [bar.number for bar in chart.episodes] == [1, 2, 3, 4, 5]
    badges = [badge.x for badge in chart.episodes]
    gaps = [later - earlier for earlier, later in itertools.pairwise(badges)]
    assert min(gaps) >= BADGE - 0.11
    assert max(badges) + BADGE / 2 <= chart.plot.right


def test_an_episodes_words_stand_on_the_side_that_has_room() -> None:
    episodes = [Span(END - n * DAY, END, "shift", "persistent shift") for n in (20, 3)]
    first, last = draw(replace(EMPTY, episodes=episodes), 800).episodes
    assert (first.anchor, last.anchor) == ("start", "end")
    assert first.x < first.text_x < last.text_x < last.x
    narrow = draw(replace(EMPTY, episodes=episodes), 200).episodes
    assert [badge.text for badge in narrow] == ["", ""]


def test_spreading_moves_nothing_that_has_room() -> None:
    assert spread([10.0, 50.0], 20.0, 100.0) == [10.0, 50.0]
    assert spread([10.0, 12.0], 20.0, 100.0) == [10.0, 30.0]
    assert spread([88.0, 90.0], 20.0, 100.0) == [70.0, 90.0]
    assert spread([], 20.0, 100.0) == []


def test_diary_entries_hide_nothing_of_each_other() -> None:
    notes = [
        Span(END - 8 * DAY, END - DAY, "illness", "a week of fever"),
        Span(END - 7 * DAY, END - 7 * DAY, "temperature", "38.6 °C"),
        Span(END - 6.9 * DAY, END - 6.9 * DAY, "medicine", "paracetamol"),
    ]
    bars = draw(replace(EMPTY, notes=notes), 800).notes
    assert len({bar.box.y for bar in bars}) == 3
    assert [bar.text for bar in bars] == [note.label for note in notes]


def test_an_entry_without_room_keeps_its_words_for_the_pointer() -> None:
    notes = [
        Span(END - h * HOUR, END - h * HOUR, "note", f"entry {h} of this day") for h in range(9)
    ]
    bars = draw(replace(EMPTY, notes=notes), 352).notes
    assert all(bar.label for bar in bars)
    assert any(not bar.text for bar in bars)


def test_lanes_are_there_for_what_there_is() -> None:
    assert draw(EMPTY, 800).lanes == []
    assert [lane.name for lane in draw(_full(), 800).lanes] == [
        "learning",
        "diary",
        "model",
        "monitor",
    ]


def test_a_stretch_without_anything_is_one_gap() -> None:
    chart = draw(EMPTY, 800)
    assert [(gap.x, gap.right) for gap in chart.gaps] == [(chart.plot.x, chart.plot.right)]
    assert (chart.session_path, chart.accepted, chart.episodes) == ("", [], [])


@WIDTHS
def test_no_entry_lies_on_the_words_of_another(width: float) -> None:
    starts = [START + 20 * n * HOUR for n in range(20)]
    notes = [Span(start, start + HOUR, "temperature", "38.4 °C") for start in starts]
    drawn = draw(replace(EMPTY, notes=notes), width).notes
    for bar in drawn:
        end = bar.text_x + len(bar.text) * CHARACTER
        same_row = [other.box.x for other in drawn if other.box.y == bar.box.y]
        assert not any(bar.box.x < x < end for x in same_row if bar.text)


def test_entries_with_room_keep_their_words() -> None:
    notes = [Span(START + n * DAY, START + n * DAY, "temperature", "38.4 °C") for n in (1, 9, 20)]
    assert [bar.text for bar in draw(replace(EMPTY, notes=notes), 800.0).notes] == ["38.4 °C"] * 3
