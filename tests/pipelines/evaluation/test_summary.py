"""The report: nothing that is not in the files, everything with its n, nothing missing unsaid."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

from pipelines.__main__ import main
from pipelines.errors import ConfigError
from pipelines.evaluation import continual, drift, evaluate, promise, report, verify
from pipelines.evaluation.drift_tables import MOVES
from pipelines.evaluation.matched import Rung
from pipelines.evaluation.metrics import Absent, Estimate, json_keys
from pipelines.evaluation.pairs import Pairs
from pipelines.evaluation.protocol import make_trials
from pipelines.evaluation.summary import (
    FIGURES,
    NOTICE,
    PARTS,
    REPORT,
    Missing,
    Source,
    file_of,
    read_source,
    run,
    written,
)
from pipelines.evaluation.summary_figures import STYLES, Panel, Picture, Point, draw
from pipelines.evaluation.summary_reading import DASH, Table, cell, in_order
from pipelines.evaluation.summary_watch import MONITORS
from pipelines.score import SCORERS
from tests.pipelines.evaluation.recordings_made_up import a_corpus, a_recording

Figures = dict[str, Any]


# --- figures of every command, by its own code --------------------------------------------------


def of_promise() -> Figures:
    chance = np.random.default_rng(0)

    def p_values(n: int) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
        return {name: chance.uniform(size=n) for name in (*SCORERS, promise.COMBINED, "room")}

    return promise.figures_of([promise.Judged(p_values(40), p_values(6)) for _ in range(8)])


def of_evaluate() -> Figures:
    infants = a_corpus(infants=4, days=8)
    infants["long"] = [a_recording("long", n, float(n)) for n in range(24)]
    trials = make_trials(infants, {"inf00": True})[0]
    judged = evaluate.evaluate(trials)
    rung = Rung(
        -46.0, tuple(trials), {"gmm": 0.55}, {"combined": 0.71}, Estimate(0.16, 0.02, 0.3, 4, 4)
    )
    matched = {"noise_level_dbfs": -46.0, "background_auc": 0.55, "is_matched": True}
    return judged | {
        "n": 56,
        "n_unheard": 0,
        "not_tried": [],
        "encoder": {"name": "made up", "fingerprint": "0123456789abcdef"},
        "versions": report.versions(),
        "matched": judged | matched | {"sweep": [evaluate.rung_line(rung)]},
    }


def of_drift() -> Figures:
    figures = drift.run(None, n=20, simulated=0) | {"n_simulated": 24}
    for number, name in enumerate(MOVES):
        for key in ("alarm_frac", "alarm_unguarded_frac"):
            figures |= json_keys(f"{name}_{key}", Estimate(0.02 * number, 0.0, 0.5, 24, 24))
        taught = json_keys(f"{name}_alarm_frac", Estimate(0.11, 0.01, 0.31, 24, 24))
        figures |= {f"{key}_taught_prior": one for key, one in taught.items()}
    figures |= json_keys("room_label_right_frac", Estimate(0.95, 0.86, 1.0, 21, 21))
    figures |= json_keys("device_label_right_frac", Absent("nothing to pool"))
    figures |= json_keys("room_change_unusual_frac_day_1_to_7", Estimate(0.4, 0.3, 0.5, 99, 24))
    return figures | {"quiet_false_alarms_per_90_days": 0.625}


def of_continual() -> Figures:
    chance = np.random.default_rng(0)

    def flags() -> dict[str, list[bool]]:
        return {way: (chance.uniform(size=12) < 0.4).tolist() for way in continual.WAYS}

    found = [continual.Poisoned(flags(), flags()) for _ in range(5)]
    figures: Figures = {"n": 5, "seed": 2, "simulated": True, "versions": report.versions()}
    for pattern in continual.PATTERNS:
        figures |= continual.poison_figures(found, pattern)
    for name in ("1sd", "2sd"):
        figures |= {f"noticed_frac_{name}": 0.9, f"alarm_over_days_median_{name}": 20.5}
        figures[f"alarm_over_days_95_percent_{name}"] = 41.25
    return figures | {"n_frozen": 7}


def of_verify(*, is_apart: bool = True) -> Figures:
    infant = np.repeat(np.arange(8), 3)
    first, second = np.triu_indices(len(infant), k=1)
    same = infant[first] == infant[second]
    pairs = Pairs(first, second, same, np.full(len(same), is_apart), infant)
    chance = np.random.default_rng(0)
    scored = {name: same + chance.normal(size=len(same)) for name in ("", "background", "chance")}
    return {
        **verify.all_figures(scored, pairs),
        "same_device_only": True,
        "held_out_only": True,
        "n_recordings": 24,
        "n_infants": 8,
        "n_infants_heard_in_training": 0,
        "n_infants_training_unknown": 0,
        "encoder": "made up",
        "encoder_fingerprint": "0123456789abcdef",
        "versions": report.versions(),
    }


@pytest.fixture(scope="module")
def made() -> dict[str, Figures]:
    """Return figures by command, as they come out of a file."""
    figures = {
        "promise": of_promise(),
        "evaluate": of_evaluate(),
        "drift": of_drift(),
        "continual": of_continual(),
        "verify": of_verify(),
    }
    told: dict[str, Figures] = json.loads(json.dumps(figures, allow_nan=False))
    return told


@pytest.fixture
def files(made: dict[str, Figures], tmp_path: Path) -> dict[str, Path | None]:
    """Write the figures to files."""
    paths: dict[str, Path | None] = {}
    for command, figures in made.items():
        path = paths[command] = tmp_path / f"of_{command}.json"
        report.write_json(path, figures)
    return paths


def tables(figures: Figures, command: str) -> list[Table]:
    return [one for one in PARTS[command].blocks(figures) if isinstance(one, Table)]


def pictures(figures: Figures, command: str) -> list[Picture]:
    return [one for one in PARTS[command].blocks(figures) if isinstance(one, Picture)]


def said(figures: Figures, command: str) -> str:
    return "\n".join(one for one in PARTS[command].blocks(figures) if isinstance(one, str))


def titled(found: list[Table], part: str) -> Table:
    (one,) = [table for table in found if part in table.title]
    return one


def leaves(figures: object) -> Iterator[float]:
    """Yield every number of a file."""
    if isinstance(figures, dict | list):
        for one in figures.values() if isinstance(figures, dict) else figures:
            yield from leaves(one)
    elif isinstance(figures, int | float) and not isinstance(figures, bool):
        yield figures


# --- what is guaranteed ---------------------------------------------------------------------------


@pytest.mark.parametrize("command", list(PARTS))
def test_no_table_holds_a_number_that_is_not_in_the_file(
    made: dict[str, Figures], command: str
) -> None:
    numbers = list(leaves(made[command]))
    known = {f"{one:z.{digits}f}" for one in numbers for digits in range(4)}
    shown = {
        number
        for table in tables(made[command], command)
        for row in table.rows
        for text in row[table.labels :]
        for number in re.findall(r"-?\d+(?:\.\d+)?", text)
    }
    assert len(shown) > 20
    assert shown <= known


@pytest.mark.parametrize("command", list(PARTS))
def test_no_picture_holds_a_point_that_is_not_in_the_file(
    made: dict[str, Figures], command: str
) -> None:
    known = set(leaves(made[command]))
    points = [one for picture in pictures(made[command], command) for one in picture.points]
    assert points
    for one in points:
        assert {value for value in vars(one).values() if value is not None} <= known


@pytest.mark.parametrize("command", list(PARTS))
def test_every_table_says_what_it_is_of_its_n_and_its_interval(
    made: dict[str, Figures], command: str
) -> None:
    for table in tables(made[command], command):
        assert table.kind.startswith(("Simulated", "Semi-simulated (", "Of recordings"))
        assert re.search(r"\d", table.n)
        assert "untold" not in table.n
        has_intervals = any(" to " in text for row in table.rows for text in row[table.labels :])
        assert ("95 %" in table.interval) == has_intervals
        assert all(len(row) == len(table.headings) for row in table.rows)


def test_what_is_simulated_is_said_only_where_the_file_says_it(made: dict[str, Figures]) -> None:
    silent = {key: one for key, one in made["promise"].items() if key != "simulated"}
    assert {table.kind for table in tables(silent, "promise")} == {
        "not told by the file, expected: simulated"
    }


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("promise", "called unusual"),
        ("evaluate", "Mean over infants, recordings"),
        ("evaluate", "Promised and realised, recordings"),
        ("evaluate", "Mean over infants, channel-matched"),
        ("evaluate", "Promised and realised, channel-matched"),
    ],
)
def test_dummies_and_controls_stand_in_the_table_of_the_results(
    made: dict[str, Figures], command: str, part: str
) -> None:
    kinds = {row[1] for row in titled(tables(made[command], command), part).rows}
    assert {"scorer", "scorer, ships", "control", "dummy"} <= kinds


def test_every_infant_stands_beside_its_background_and_the_dummies(
    made: dict[str, Figures],
) -> None:
    table = titled(tables(made["evaluate"], "evaluate"), "Every infant")
    for infant in made["evaluate"]["infants"]:
        own = {row[6]: row for row in table.rows if row[0] == infant["infant"]}
        assert {"autoencoder", "combined", "background", "always fire"} <= set(own)
        for column, key in enumerate(("auc", "ap", "f1", "recall", "fpr", "recall_at_fpr10"), 8):
            expected = infant["scorers"]["autoencoder"][key]
            assert own["autoencoder"][column] == f"{expected:.2f}"


def test_results_without_what_they_stand_beside_are_said_to_be_so(
    made: dict[str, Figures],
) -> None:
    scorers = made["promise"]["scorers"]
    bare = made["promise"] | {"scorers": {"combined": scorers["combined"]}}
    assert re.findall(r"Left out: every (\w+)", said(bare, "promise")) == ["control", "dummy"]
    assert "Left out" not in said(made["promise"], "promise")


def test_a_file_that_says_nothing_of_infants_is_said_to_say_nothing(
    made: dict[str, Figures],
) -> None:
    matched = made["evaluate"]["matched"] | {"is_matched": False}
    in_vain = made["evaluate"] | {"matched": matched}
    assert "say nothing about infants" in said(in_vain, "evaluate")
    assert "in vain" in " ".join(pictures(in_vain, "evaluate")[0].panels[0].series)
    assert "say nothing about infants" not in said(made["evaluate"], "evaluate")


def test_infants_that_the_encoder_heard_are_named_as_flattering(made: dict[str, Figures]) -> None:
    assert "flatters" not in said(made["evaluate"], "evaluate") + said(made["verify"], "verify")
    assert "flatters" in said(made["evaluate"] | {"counted_are_unheard": False}, "evaluate")
    assert "flatters" in said(made["verify"] | {"n_infants_heard_in_training": 3}, "verify")


# --- parts and files that are not there ---------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "key", "told"),
    [
        ("evaluate", "matched", "everything channel-matched"),
        ("evaluate", "infants", "Every infant"),
        ("drift", "quiet_alarm_frac", "another room, another device, growth"),
        ("promise", "recall_by_parameter", "by the parameter that was moved"),
    ],
)
def test_a_part_that_a_file_lacks_is_left_out_and_said_so(
    made: dict[str, Figures], command: str, key: str, told: str
) -> None:
    without = {name: one for name, one in made[command].items() if name != key}
    found = re.findall(r"\*\*Left out: (.*?)\.\*\*", said(without, command))
    assert len(found) == 1
    assert told in found[0]


@pytest.mark.parametrize("command", list(PARTS))
def test_a_file_of_nothing_but_its_marks_makes_no_figure_up(
    made: dict[str, Figures], command: str
) -> None:
    bare = {mark: made[command][mark] for mark in PARTS[command].marks if mark != "scorers"}
    bare |= {"infants": [], "scorers": {}}
    assert tables(bare, command) == []
    assert pictures(bare, command) == []
    assert said(bare, command).count("Left out") >= 2


def test_a_missing_file_is_named_with_the_command_that_makes_it(
    files: dict[str, Path | None], tmp_path: Path
) -> None:
    files |= {"drift": tmp_path / "absent.json", "verify": None}
    run(tmp_path / "out", files)
    text = (tmp_path / "out" / REPORT).read_text()
    assert (
        "**Missing: `absent.json`** (it is not there). It is made by "
        "`python -m pipelines drift --json absent.json`." in text
    )
    assert (
        "**Missing: `verify.json`** (`--verify` was not given). It is made by "
        "`python -m pipelines verify MANIFEST --held-out --json verify.json`." in text
    )
    assert not (tmp_path / "out" / file_of("delays")).exists()


@pytest.mark.parametrize("command", list(PARTS))
def test_a_file_of_another_command_is_refused(
    files: dict[str, Path | None], tmp_path: Path, command: str
) -> None:
    other = next(name for name in PARTS if name != command)
    path = files[other]
    assert path is not None
    with pytest.raises(ConfigError, match=f"no file of {command}: it looks like one of {other}"):
        run(tmp_path / "out", {command: path})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is no JSON"),
        (b"\xff\xfe\x00\xd8", "is no JSON"),
        ('{"scorers": NaN}', "is no JSON: it holds NaN"),
        ("[]", "holds no figures by key"),
        ('{"scorers": {}}', "it lacks least_sessions"),
    ],
)
def test_what_is_no_file_of_figures_is_refused(
    tmp_path: Path, content: str | bytes, told: str
) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError, match=rf"broken\.json .*{told}"):
        read_source("promise", path)


def test_without_any_file_there_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not one file"):
        run(tmp_path / "out", {"promise": tmp_path / "absent.json"})
    assert not (tmp_path / "out").exists()


# --- cells --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figures", "text"),
    [
        ({"a": 0.123, "a_lo": 0.1, "a_hi": 0.2, "a_n": 9}, "0.12 (0.10 to 0.20; n 9)"),
        ({"a": 0.5, "a_lo": None, "a_hi": None, "a_n": 1}, "0.50 (n 1)"),
        ({"a": -0.001}, "0.00"),
        ({"a": None, "a_reason": "not reachable: why", "a_n": 0}, "not reachable"),
        ({"a": True}, DASH),
        ({"a": "0.5"}, DASH),
        ({}, DASH),
    ],
)
def test_cells(figures: Figures, text: str) -> None:
    assert cell(figures, "a") == text


def test_keys_that_go_on_after_their_bounds_are_found() -> None:
    figures = {"a_frac_b": 0.4, "a_frac_lo_b": 0.3, "a_frac_hi_b": 0.5, "a_frac_n_b": 24}
    assert cell(figures, "a_frac", tail="_b") == "0.40 (0.30 to 0.50; n 24)"


def test_scorers_without_words_of_their_own_come_last() -> None:
    assert in_order(["new", "never_fire", "gmm"]) == ["gmm", "never_fire", "new"]


def test_delays_stand_under_their_monitors(made: dict[str, Figures]) -> None:
    table = titled(tables(made["drift"], "drift"), "Median days")
    rows = {row[0]: row[1:] for row in table.rows}
    keys = ["", "_cusum", "_ewma", "_per_clip"]
    expected = [cell(made["drift"], f"delay_days_05sd{key}") for key in keys]
    assert rows["0.5 sd"] == [*expected, cell(made["drift"], "multi_delay_days_05sd")]
    pitch = cell(made["drift"], "delay_days_f0_plus10")
    assert rows["pitch +10 %"] == [DASH] * (len(MONITORS) - 1) + [pitch]


def test_moves_stand_with_those_who_changed_and_those_who_did_not(
    made: dict[str, Figures],
) -> None:
    table = titled(tables(made["drift"], "drift"), "misleads")
    assert [row[0] for row in table.rows] == [*MOVES.values()]
    room = {row[0]: row for row in table.rows}["another room"]
    assert room[2:] == [
        "0.11 (0.01 to 0.31; n 24)",
        cell(made["drift"], "room_change_alarm_unguarded_frac"),
        "0.95 (0.86 to 1.00; n 21)",
    ]


def test_baselines_stand_beside_the_never_sick_and_the_unprotected(
    made: dict[str, Figures],
) -> None:
    table = titled(tables(made["continual"], "continual"), "Poisoning")
    assert [row[0].partition(": ")[2] for row in table.rows[:3]] == [
        "never sick (control)",
        "protected, as it ships",
        "everything learnt (control)",
    ]
    expected = cell(made["continual"], "in_a_row_fnr_rise_protected", 3)
    assert table.rows[1][3] == expected != DASH
    assert table.rows[0][3] == DASH


def test_without_pairs_an_hour_apart_their_reason_stands_in_the_table() -> None:
    figures = of_verify(is_apart=False)
    table = titled(tables(figures, "verify"), "Equal")
    assert table.rows[0][3] == figures["eer_hour_apart_reason"]
    assert table.n.endswith("genuine pairs, of 8 infants (all pairs)")


# --- pictures -----------------------------------------------------------------------------------


def a_picture(point: Point) -> Picture:
    panel = Panel("share (fraction)", {"one": [point]}, (0.0, 0.3), (0.1, "promised"))
    return Picture("made_up", "made up", "scorer", ["combined"], [panel])


def test_a_picture_is_the_same_every_time_and_has_no_date(made: dict[str, Figures]) -> None:
    picture = pictures(made["drift"], "drift")[0]
    once = draw(picture)
    with mpl.rc_context({"font.size": 20, "svg.hashsalt": None}):
        assert draw(picture) == once
    assert mpl.rcParams["svg.hashsalt"] is None
    assert b"<dc:date>" not in once
    assert ET.fromstring(once).tag.endswith("svg")  # noqa: S314 - drawn just now


def test_series_differ_in_shape(made: dict[str, Figures]) -> None:
    shapes = [shape for shape, _ in STYLES]
    assert len(set(shapes)) == len(shapes)
    for command in PARTS:
        for picture in pictures(made[command], command):
            assert all(len(panel.series) <= len(STYLES) for panel in picture.panels)


def test_nothing_in_a_picture_is_coloured(made: dict[str, Figures]) -> None:
    for command in PARTS:
        for picture in pictures(made[command], command):
            for colour in re.findall(rb"#([0-9a-f]{6})\b", draw(picture)):
                assert colour[:2] == colour[2:4] == colour[4:]


@pytest.mark.parametrize(
    ("point", "told"),
    [
        (Point(1.0, 1.0, 1.0, 1.0), b"1.00 \xe2\x86\x92"),
        (Point(0.2, 0.1, 0.25, 0.75), b"largest 0.75 \xe2\x86\x92"),
        (Point(0.2, 0.1, 0.45, 0.75), b"up to 0.45, largest 0.75 \xe2\x86\x92"),
    ],
)
def test_what_lies_beyond_an_axis_stands_at_its_edge(point: Point, told: bytes) -> None:
    assert told in draw(a_picture(point))
    assert b"\xe2\x86\x92" not in draw(a_picture(Point(0.1, 0.05, 0.2, 0.25)))


# --- the command --------------------------------------------------------------------------------


def command_line(out: Path, files: Mapping[str, Path | None]) -> list[str]:
    return [
        "report",
        str(out),
        *(word for name in files for word in (f"--{name}", str(files[name]))),
    ]


def test_the_command_writes_a_report_and_its_figures(
    files: dict[str, Path | None], made: dict[str, Figures], tmp_path: Path
) -> None:
    out = tmp_path / "some" / "out"
    gathered = tmp_path / "gathered.json"
    assert main([*command_line(out, files), "--json", str(gathered)]) == 0
    text = (out / REPORT).read_text()
    assert text.count(NOTICE) == 2
    assert sorted(re.findall(r"\]\((figure-\w+\.svg)\)", text)) == sorted(map(file_of, FIGURES))
    assert {path.name for path in out.iterdir()} == {REPORT, *map(file_of, FIGURES)}
    for name, version in report.versions().items():
        assert f"| {name} | {' | '.join([version] * len(PARTS))} |" in text
    assert "0123456789abcdef" in text
    assert "Missing" not in text
    assert str(tmp_path) not in text
    assert json.loads(gathered.read_text()) == made


def test_the_same_files_give_the_same_bytes_and_leave_nothing_old(
    files: dict[str, Path | None], tmp_path: Path
) -> None:
    both = tmp_path / "one", tmp_path / "two"
    for out in both:
        run(out, files)
    once, again = ({path.name: path.read_bytes() for path in out.iterdir()} for out in both)
    assert once == again
    run(both[0], {"promise": files["promise"]})
    assert {path.name for path in both[0].iterdir()} == {REPORT, file_of("promise")}


def test_what_is_missing_is_said_on_the_terminal(
    files: dict[str, Path | None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command_line(tmp_path / "out", {"promise": files["promise"]})) == 0
    shown = capsys.readouterr().out
    assert "Missing: continual.json (--continual was not given)" in shown
    assert "promise.json" not in shown


def test_a_refused_file_ends_the_command(
    files: dict[str, Path | None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command_line(tmp_path / "out", {"drift": files["promise"]})) == 1
    assert "of_promise.json is no file of drift" in capsys.readouterr().err


def test_what_a_file_says_is_not_read_as_markdown(made: dict[str, Figures]) -> None:
    odd = made["evaluate"]["infants"][0] | {"infant": "a|b\n<i>"}
    figures = made["evaluate"] | {"infants": [odd]}
    nothing = dict.fromkeys(PARTS, Missing("x.json", is_given=False))
    text, _ = written({**nothing, "evaluate": Source("e.json", "0", figures)})
    assert "| a\\|b &lt;i> |" in text


def test_versions_that_a_file_does_not_tell_are_said_to_be_untold(
    made: dict[str, Figures],
) -> None:
    silent = {key: one for key, one in made["continual"].items() if key != "versions"}
    nothing = dict.fromkeys(PARTS, Missing("x.json", is_given=False))
    text, _ = written({**nothing, "continual": Source("c.json", "0", silent)})
    assert "**Versions are not told by `c.json`.**" in text
