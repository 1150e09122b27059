"""Summary: one report of what the other commands measured: ``python -m pipelines report OUT``.

In: JSON files that ``promise``, ``evaluate``, ``drift``, ``continual`` and ``verify`` wrote. Out:
``report.md`` in a folder, and its figures beside it as SVG. Guaranteed: no figure is computed here,
all of them stand in those files; every table says n, its interval, and whether it is simulated,
semi-simulated or of recordings; dummies and controls stand in the table of the results; a file
that is missing is named, with the command that makes it, and so is a part that a file lacks; a
file of another command is refused; the versions behind the figures are listed; the same files give
the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import ConfigError
from pipelines.evaluation.continual import PATTERNS, WAYS
from pipelines.evaluation.drift_tables import MOVES, WORDS
from pipelines.evaluation.evaluate_tables import COLUMNS, HEADINGS
from pipelines.evaluation.report import console, write_json
from pipelines.evaluation.summary_figures import Panel, Picture, Point, draw
from pipelines.evaluation.verify import LABELS

NOTICE = "Research use only; not a medical device."
REPORT = "report.md"
FIGURES = ("promise", "recordings", "delays", "moves", "poisoning", "verification")
DASH = "-"
SIMULATED, SEMI_SIMULATED, RECORDED = "Simulated", "Semi-simulated", "Of recordings"
OVER_INFANTS = "95 %, by drawing infants again"
OVER_SESSIONS = "95 %, by drawing sessions again (recall: infants)"
NO_INTERVAL = "none in the file"
ALPHAS = {"10": 0.10, "05": 0.05}

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A table, and what has to be known of it.

    Attributes
    ----------
    title
        What it shows.
    kind
        Whether it is simulated, semi-simulated or of recordings.
    n, interval
        How many it rests on, and what its intervals are.
    headings, rows
        Cells.
    labels
        How many of the first columns hold no figures.
    """

    title: str
    kind: str
    n: str
    interval: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    labels: int = 1

    @property
    def is_empty(self) -> bool:
        """Whether the file had none of its figures."""
        return all(cell == DASH for row in self.rows for cell in row[self.labels :])


Block = str | Table | Picture


# --- reading ------------------------------------------------------------------------------------


def number(figures: Figures, key: str) -> float | None:
    """Return a finite number, or None where there is none under a key."""
    value = figures.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def point(figures: Figures, key: str, tail: str = "") -> Point | None:
    """Return a figure with its interval; ``tail`` ends all of its keys."""
    value, lo, hi = (number(figures, f"{key}{end}{tail}") for end in ("", "_lo", "_hi"))
    return None if value is None else Point(value, lo, hi)


def cell(figures: Figures, key: str, digits: int = 2, tail: str = "") -> str:
    """Write a figure with its interval and n; without one, why, or a dash."""
    found, n = point(figures, key, tail), number(figures, f"{key}_n{tail}")
    if found is None:
        reason = figures.get(f"{key}_reason{tail}")
        return reason.partition(":")[0] if isinstance(reason, str) else DASH
    beside = []
    if found.lo is not None and found.hi is not None:
        beside.append(f"{found.lo:z.{digits}f} to {found.hi:z.{digits}f}")
    if n is not None:
        beside.append(f"n {int(n)}")
    return f"{found.value:z.{digits}f}" + (f" ({'; '.join(beside)})" if beside else "")


def count(figures: Figures, key: str) -> str:
    """Write a number of things."""
    value = figures.get(key)
    return str(value) if isinstance(value, int) else "an untold number of"


def part_of(figures: Figures, key: str) -> Figures:
    """Return the figures under a key; none where there are none."""
    found = figures.get(key)
    return found if isinstance(found, dict) else {}


def lines_of(figures: Figures, key: str) -> list[Figures]:
    """Return the lines of a list under a key."""
    found = figures.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def shown(table: Table) -> Block:
    """Return a table, or what is said in its place where the file has none of its figures."""
    return left_out(f"the table \u201c{table.title}\u201d") if table.is_empty else table


def drawn(picture: Picture) -> Block:
    """Return a picture, or what is said in its place where there is no point in it."""
    return picture if any(picture.points) else left_out(f"the figure \u201c{picture.title}\u201d")


def left_out(what: str) -> str:
    """Say that the file does not have something."""
    return f"**Left out: {what}.** The file has no such figures."


# --- scorers ------------------------------------------------------------------------------------

SCORER, SHIPS, RULE, PEER = "scorer", "scorer, ships", "other rule", "PyOD"
CONTROL, DUMMY, OTHER = "control", "dummy", "other"
NAMES = {
    "autoencoder": ("autoencoder", SCORER),
    "ocsvm": ("one-class SVM", SCORER),
    "gmm": ("Gaussian mixture", SCORER),
    "likelihood": ("likelihood", SCORER),
    "acoustics": ("acoustics", SCORER),
    "combined": ("combined", SHIPS),
    "cauchy": ("Cauchy rule", RULE),
    "harmonic": ("harmonic mean", RULE),
    "e_values": ("mean of e-values", RULE),
    "pyod_autoencoder": ("AutoEncoder", PEER),
    "pyod_ocsvm": ("OCSVM", PEER),
    "pyod_gmm": ("GMM", PEER),
    "room": ("background, nearest known", CONTROL),
    "background": ("background", CONTROL),
    "background_likelihood": ("background, likelihood", CONTROL),
    "background_autoencoder": ("background, autoencoder", CONTROL),
    "background_ocsvm": ("background, one-class SVM", CONTROL),
    "background_gmm": ("background, mixture", CONTROL),
    "background_combined": ("background, combined", CONTROL),
    "always_fire": ("always fire", DUMMY),
    "never_fire": ("never fire", DUMMY),
    "level_meter": ("level meter", DUMMY),
}
"""Words for scorers, and what they are, in the order of tables."""
IN_INFANTS = (
    *("autoencoder", "ocsvm", "gmm", "combined", "background"),
    *("always_fire", "never_fire", "level_meter"),
)
"""The detectors of the method's authors, what ships, the control and the dummies."""


def in_order(names: Iterable[str]) -> list[str]:
    """Put scorers in the order of tables, those without a name of their own last."""
    there = list(names)
    return [name for name in NAMES if name in there] + [n for n in there if n not in NAMES]


def words(name: str) -> tuple[str, str]:
    """Return what a scorer is called, and what it is."""
    return NAMES.get(name, (name, OTHER))


def row_label(name: str) -> str:
    """Return a scorer's label in figures."""
    called, what = words(name)
    return called if what in (SCORER, SHIPS) else f"{called} ({what})"


def beside(names: Iterable[str]) -> Iterator[str]:
    """Say so where results stand without what they must be read beside."""
    there = {words(name)[1] for name in names}
    for what in (CONTROL, DUMMY):
        if what not in there:
            yield left_out(f"every {what}, beside which these results have to be read")


# --- promise ------------------------------------------------------------------------------------


def promise_blocks(figures: Figures) -> Iterator[Block]:
    """Tell how often usual sessions of simulated infants are called unusual."""
    scorers = {name: one for name, one in part_of(figures, "scorers").items() if _is_part(one)}
    n = (
        f"{count(figures, 'n')} infants, {count(figures, 'n_sessions')} usual sessions, "
        f"{count(figures, 'least_sessions')} or more an infant"
    )
    yield (
        "FPR is the share of usual sessions that are called unusual at 0.10 or 0.05, mean over "
        "infants; the largest is that of the worst infant. Recall is the same share of sessions in "
        "which one parameter of the voice was moved by two of its standard deviations. The "
        "promise: on average over infants, FPR is at most what it is called unusual at."
    )
    yield from beside(scorers)
    kind = simulated(figures, "simulated", SIMULATED)
    yield shown(_promise_table(scorers, kind, n))
    yield drawn(_promise_picture(scorers, f"{kind}, {count(figures, 'n')} infants"))
    moved = part_of(figures, "recall_by_parameter")
    yield shown(
        Table(
            "Recall of the combination at 0.10, by the parameter that was moved",
            kind,
            f"{count(figures, 'n')} infants, the parameters in turn",
            NO_INTERVAL,
            ("parameter", "recall at 0.10"),
            [[name, cell(moved, name, 3)] for name in moved],
        )
    )


def _is_part(value: object) -> bool:
    return isinstance(value, dict)


def simulated(figures: Figures, key: str, kind: str) -> str:
    """Return the kind of figures that the file itself says to be so."""
    return kind if figures.get(key) is True else f"not told by the file, expected: {kind.lower()}"


def _promise_table(scorers: Mapping[str, Figures], kind: str, n: str) -> Table:
    headings = ["scorer", "what it is"]
    for alpha in ALPHAS.values():
        headings += [f"FPR at {alpha:.2f}", "largest infant", f"recall at {alpha:.2f}"]
    rows = []
    for name in in_order(scorers):
        row = [*words(name)]
        for suffix in ALPHAS:
            key = f"fpr_at_alpha{suffix}"
            for own in (f"{key}_mean", f"{key}_max", f"recall_at_alpha{suffix}"):
                row.append(cell(scorers[name], own, 3))
        rows.append(row)
    title = "Usual sessions called unusual, against what is promised"
    return Table(title, kind, n, OVER_INFANTS, headings, rows, labels=2)


def _promise_picture(scorers: Mapping[str, Figures], kind: str) -> Picture:
    names = in_order(scorers)
    panels = []
    for suffix, alpha in ALPHAS.items():
        key, points = f"fpr_at_alpha{suffix}", []
        for name in names:
            found, worst = point(scorers[name], f"{key}_mean"), number(scorers[name], f"{key}_max")
            points.append(found and Point(found.value, found.lo, found.hi, worst))
        label = f"usual sessions called unusual at {alpha:.2f} (fraction)"
        series = {"mean over infants, 95 % interval": points}
        panels.append(
            Panel(label, series, (-0.1 * alpha, 3.0 * alpha), (alpha, "what is promised"))
        )
    title = f"{kind}: false alarms of usual sessions"
    return Picture("promise", title, "scorer", [*map(row_label, names)], panels)


# --- recordings ---------------------------------------------------------------------------------


def evaluate_blocks(figures: Figures) -> Iterator[Block]:
    """Tell what recordings gave, as they are and with one channel added to all."""
    yield _evaluated(figures)
    yield from beside(_scorers(figures))
    matched = part_of(figures, "matched")
    yield drawn(_auc_picture(figures, matched))
    yield shown(_means(figures, "Mean over infants, recordings as they are", RECORDED))
    yield _said_of_promises()
    yield shown(_promises(figures, "Promised and realised, recordings as they are", RECORDED))
    if not matched:
        yield left_out("everything channel-matched (`evaluate` without `--no-matched` makes it)")
    else:
        yield from _matched_blocks(matched)
    yield shown(_infants(figures))


def _scorers(figures: Figures) -> dict[str, Figures]:
    found = {name: one for name, one in figures.items() if _is_part(one) and "auc" in one}
    return {name: found[name] for name in in_order(found)}


def _evaluated(figures: Figures) -> str:
    heard = "that the encoder was not trained on"
    if figures.get("counted_are_unheard") is not True:
        heard = "**some or all of whom the encoder was trained on, which flatters them**"
    return (
        f"{count(figures, 'n')} recordings were heard, {count(figures, 'n_unheard')} gave nothing; "
        f"{count(figures, 'n_infants')} infants were tried, and the file names the others with the "
        f"reasons. Means are over {count(figures, 'n_infants_counted')} infants {heard}: "
        f"{count(figures, 'n_test_normals')} recordings of their own from later sessions than the "
        f"baseline's, and {count(figures, 'n_anomalies')} of other infants on the same kind of "
        "device. The file does not name its manifest: if that was one of simulated infants, so are "
        "these figures. Every other infant also has another room: what the background reaches too "
        "is no evidence about infants."
    )


def _counted(figures: Figures) -> str:
    return (
        f"{count(figures, 'n_infants_counted')} infants, {count(figures, 'n_test_normals')} own "
        f"recordings, {count(figures, 'n_anomalies')} of other infants"
    )


def _infants(figures: Figures) -> Table:
    headings = ("infant", "device", "encoder heard it", "baseline (sessions)", "n own (sessions)")
    rows = []
    for line in lines_of(figures, "infants"):
        heard = {True: "yes", False: "no"}.get(line.get("encoder_heard_it", ""), "not told")
        facts = [
            str(line.get("infant", DASH)),
            str(line.get("device") or DASH),
            heard,
            f"{line.get('n_baseline', DASH)} ({line.get('n_baseline_sessions', DASH)})",
            f"{line.get('n', DASH)} ({line.get('n_sessions', DASH)})",
            str(line.get("n_anomalous", DASH)),
        ]
        scorers = part_of(line, "scorers")
        for name in IN_INFANTS:
            if own := part_of(scorers, name):
                rows.append([*facts, *words(name), *(cell(own, column) for column in COLUMNS)])
    return Table(
        "Every infant, in the columns of the method's authors and one more",
        f"{RECORDED}, as they are",
        f"{count(figures, 'n_infants')} infants, a line for each and each scorer",
        "none, a line is one infant",
        (*headings, "n others", "scorer", "what it is", *HEADINGS),
        rows,
        labels=8,
    )


def _means(figures: Figures, title: str, kind: str) -> Table:
    headings = ("scorer", "what it is", "AUC", "AUC over background", *HEADINGS[1:])
    keys = ("auc", "auc_minus_background", *COLUMNS[1:])
    rows = [
        [*words(name), *(cell(own, key) for key in keys)] for name, own in _scorers(figures).items()
    ]
    return Table(title, kind, _counted(figures), OVER_INFANTS, headings, rows, labels=2)


def _said_of_promises() -> str:
    return (
        "The plain threshold (at most a tenth of the left-out baseline is as anomalous) promises "
        "nothing; F1, recall and FPR above are taken at it. The columns at 0.10 and 0.05 are what "
        "p-values promise. n in a cell counts recordings, sessions or infants as its column does; "
        "it falls where few infants have the sessions that a rank of 0.10 or 0.05 needs. The "
        "largest infant is taken among those with enough own recordings, whose number stands "
        "beside it."
    )


def _promises(figures: Figures, title: str, kind: str) -> Table:
    headings = ["scorer", "what it is", "FPR at plain 0.10"]
    for alpha in ALPHAS.values():
        told = (f"FPR at {alpha:.2f}", "sessions", "largest infant", f"recall at {alpha:.2f}")
        headings += [*told, "infants able"]
    rows = []
    for name, own in _scorers(figures).items():
        row = [*words(name), cell(own, "fpr_pooled")]
        for suffix in ALPHAS:
            key = f"fpr_at_alpha{suffix}"
            row += [cell(own, key), cell(own, f"{key}_session"), _largest(own, key)]
            row += [cell(own, f"recall_at_alpha{suffix}"), str(own.get(f"{key}_infants", DASH))]
        rows.append(row)
    return Table(title, kind, _counted(figures), OVER_SESSIONS, headings, rows, labels=2)


def _largest(figures: Figures, key: str) -> str:
    largest, among = cell(figures, f"{key}_max"), figures.get(f"{key}_max_infants")
    return largest if largest == DASH or among is None else f"{largest} of {among}"


def _matched_blocks(matched: Figures) -> Iterator[Block]:
    level, strongest = (cell(matched, key) for key in ("noise_level_dbfs", "background_auc"))
    verdict = (
        "What the scorers reach beyond it is the infant, or the colour that its room and "
        "microphone left on the cry itself; this table cannot tell these two apart."
    )
    if matched.get("is_matched") is not True:
        verdict = (
            "**The background did not come down to where it may be: the matched tables say nothing "
            "about infants.**"
        )
    yield (
        "Channel-matched: of every recording nothing but the cry units, laid over the same noise, "
        f"in the same room, through the same codec. Taken at {level} dBFS, where the strongest "
        f"reading of the background has an AUC of {strongest}. {verdict}"
    )
    yield from beside(_scorers(matched))
    kind = f"{RECORDED}, with one channel added to all"
    yield shown(_means(matched, "Mean over infants, channel-matched", kind))
    yield shown(_promises(matched, "Promised and realised, channel-matched", kind))
    yield shown(_sweep(matched, kind))


def _sweep(matched: Figures, kind: str) -> Table:
    lines = lines_of(matched, "sweep")
    names = in_order({name: None for one in lines for name in part_of(one, "auc_by_scorer")})
    headings = ["noise, dBFS", "background at its strongest (control)"]
    rows = []
    for line in lines:
        own = part_of(line, "auc_by_scorer")
        row = [cell(line, "noise_level_dbfs", 0), cell(line, "background_auc")]
        row += [cell(own, name) for name in names]
        rows.append([*row, cell(line, "combined_minus_background")])
    return Table(
        "AUC by level of the added noise",
        kind,
        _counted(matched),
        f"{OVER_INFANTS}, for the last column only",
        (*headings, *(words(name)[0] for name in names), "combined over background"),
        rows,
    )


def _auc_picture(figures: Figures, matched: Figures) -> Picture:
    scorers = _scorers(figures)
    names = [*scorers]
    series = {"recordings as they are, 95 %": [point(own, "auc") for own in scorers.values()]}
    if beside_it := _scorers(matched):
        label = "channel-matched, 95 %"
        if matched.get("is_matched") is not True:
            label = "channel-matched in vain, 95 %"
        series[label] = [point(beside_it.get(name, {}), "auc") for name in names]
    label = "area under the ROC curve (1: all told apart)"
    panel = Panel(label, series, line=(0.5, "chance"))
    infants = count(figures, "n_infants_counted")
    title = f"{RECORDED}, {infants} infants: own against others', scorers and controls"
    return Picture("recordings", title, "scorer", [*map(row_label, names)], [panel])


# --- drift --------------------------------------------------------------------------------------

MONITORS = {
    "one score, mixture": ("", ""),
    "cumulative sum": ("", "_cusum"),
    "moving average": ("", "_ewma"),
    "each cry by itself": ("", "_per_clip"),
    "many views, mixture": ("multi_", ""),
}
"""By monitor, how its keys begin and end; those between are what it is compared with."""
PITCH = "f0_plus10"


def drift_blocks(figures: Figures) -> Iterator[Block]:
    """Tell how late a lasting change is seen, how often in vain, and what misleads the monitor."""
    kind = simulated(figures, "semi_simulated", SEMI_SIMULATED)
    kind += f" ({figures.get('residuals', 'deviations not told')})"
    n = f"{count(figures, 'n')} infants, {count(figures, 'cries_a_day')} cries a day"
    yield (
        "Delays are medians over the infants without an alarm before the change; a change that "
        "was never seen counts with all the days that were watched. The mixtures are the monitor; "
        "the three between them are plainer ones, each at its own threshold on the same infants."
    )
    for ending, title in (
        ("", "Median days until a shift is seen"),
        ("_missed_frac", "Share of infants in whom it was never seen"),
    ):
        interval = OVER_INFANTS if not ending else NO_INTERVAL
        yield shown(Table(title, kind, n, interval, *_by_shift(figures, ending)))
    yield drawn(_delay_picture(figures, f"{kind}, {count(figures, 'n')} infants"))
    yield shown(_alarms(figures, kind, n))
    yield shown(_lead(figures, kind, n))
    yield from _moves_blocks(figures)


def _delay_keys() -> dict[str, list[str]]:
    """Return for each shift its words and the keys of every monitor's delay."""
    keys = {
        told: [f"{before}delay_days_{name}{after}" for before, after in MONITORS.values()]
        for name, told in WORDS.items()
    }
    only_many = [*([""] * (len(MONITORS) - 1)), f"delay_days_{PITCH}"]
    return keys | {"pitch +10 %": only_many}


def _by_shift(figures: Figures, ending: str) -> tuple[list[str], list[list[str]]]:
    rows = [
        [told, *(cell(figures, f"{key}{ending}") for key in keys)]
        for told, keys in _delay_keys().items()
    ]
    return ["shift", *MONITORS], rows


def _delay_picture(figures: Figures, kind: str) -> Picture:
    keys = _delay_keys()
    series = {
        monitor: [point(figures, own[number]) for own in keys.values()]
        for number, monitor in enumerate(MONITORS)
    }
    panel = Panel("median delay (days, logarithmic), with its 95 % interval", series, is_log=True)
    return Picture("delays", f"{kind}: days until a shift is seen", "shift", [*keys], [panel])


def _alarms(figures: Figures, kind: str, n: str) -> Table:
    asked = {
        "threshold": "threshold",
        "false_alarms_per_90_days": "false alarms an infant in 90 days",
        "infants_with_false_alarm_frac": "share of infants with any in 90 days",
        "alarm_open_frac": "share of days under a false alarm",
    }
    rows = [
        [told, *(cell(figures, f"{before}{key}{after}") for before, after in MONITORS.values())]
        for key, told in asked.items()
    ]
    return Table("False alarms, without any shift", kind, n, NO_INTERVAL, ["", *MONITORS], rows)


def _lead(figures: Figures, kind: str, n: str) -> Table:
    asked = {
        "lead_time_days": "days from the opening to the first symptom, median",
        "illness_preceded_frac": "share of illnesses preceded by an episode",
    }
    ahead = (re.fullmatch(r"illness_preceded_frac_(\d+)_days", key) for key in figures)
    for days, key in sorted((int(found[1]), found[0]) for found in ahead if found):
        asked[key] = f"where the voice deviates {days} {'day' if days == 1 else 'days'} ahead"
    asked |= {
        "illness_preceded_by_chance_frac": "with no deviation, by chance (control)",
        "episodes_without_illness_frac": "share of episodes without illness in the week after",
        "episodes_per_90_days": "episodes an infant in 90 days",
    }
    rows = [[told, cell(figures, key)] for key, told in asked.items()]
    headings = ("", "many views, mixture")
    interval = f"{OVER_INFANTS} (the median: illnesses)"
    return Table("Lead before planted illness", kind, n, interval, headings, rows)


SAID = {
    "said: infant": ("alarm_frac", ""),
    "by a taught prior": ("alarm_frac", "_taught_prior"),
    "without the guard (control)": ("alarm_unguarded_frac", ""),
}
"""By heading of the moves, how their keys go on and end."""


def _moves_blocks(figures: Figures) -> Iterator[Block]:
    """Tell what simulated infants raise who move, grow, fall ill or stay."""
    if "quiet_alarm_frac" not in figures:
        yield left_out(
            "what another room, another device, growth and illness raise "
            "(`drift` with `--simulated` over 0 makes it)"
        )
        return
    kind, n = f"{SIMULATED} recordings", f"{count(figures, 'n_simulated')} infants a row"
    yield (
        "Each row is something that happened on one day, and the share of infants of whom it was "
        "said in the two weeks after that they themselves had changed: a false alarm in every row "
        "but that of the infant's own voice, in which it is right. Labelled rightly: the first "
        "thing said was that the room or the device had changed."
    )
    rows = []
    for name, told in MOVES.items():
        right = f"{name.removesuffix('_change')}_label_right_frac"
        said = [cell(figures, f"{name}_{key}", tail=tail) for key, tail in SAID.values()]
        rows.append([told, *said, cell(figures, right)])
    headings = ("what happened", *SAID, "labelled rightly")
    yield shown(Table("What misleads the monitor", kind, n, OVER_INFANTS, headings, rows))
    series = {
        said: [point(figures, f"{name}_{key}", tail) for name in MOVES]
        for said, (key, tail) in SAID.items()
    }
    label = "infants said to have changed (fraction), 95 % interval"
    panel = Panel(label, series, (-0.02, 1.02))
    title = f"{kind}, {n}: what is taken for a change of the infant"
    yield drawn(Picture("moves", title, "what happened", [*MOVES.values()], [panel]))
    yield shown(_after_moves(figures, kind, n))


def _after_moves(figures: Figures, kind: str, n: str) -> Table:
    asked = {
        "quiet_false_alarms_per_90_days": "nothing: changes said in 90 days",
        "quiet_room_label_frac": "nothing: taken for a room",
        "ill_room_label_frac": "the infant changed: taken for a room",
        "ill_delay_days": "the infant changed: median days until it is said",
    }
    pattern = re.compile(r"(\w+)_unusual_frac_day_(\d+)_to_(\d+)")
    for found in filter(None, (pattern.fullmatch(key) for key in figures)):
        told = MOVES.get(found[1], found[1])
        asked[found[0]] = f"{told}: sessions unusual at 0.10, days {found[2]} to {found[3]}"
    rows = [[told, cell(figures, key)] for key, told in asked.items()]
    return Table("What else was said", kind, n, OVER_INFANTS, ("", "figure"), rows)


# --- learning on --------------------------------------------------------------------------------

WAYS_TOLD = {
    "clean": "never sick (control)",
    "protected": "protected, as it ships",
    "unprotected": "everything learnt (control)",
}


def continual_blocks(figures: Figures) -> Iterator[Block]:
    """Tell whether baselines are poisoned by sick days or frozen by caution."""
    kind = simulated(figures, "simulated", SIMULATED)
    rows = [
        (f"sick days {pattern.replace('_', ' ')}: {WAYS_TOLD.get(way, way)}", f"{pattern}_", way)
        for pattern in PATTERNS
        for way in WAYS
    ]
    asked = {
        "fnr": "sick sessions missed at 0.10",
        "fpr": "usual sessions called unusual at 0.10",
        "fnr_rise": "sick sessions missed more than by the never sick",
    }
    yield (
        "A baseline is learnt on days of which some are those of an infant whose voice has "
        "changed much. Then it judges sessions of more such days, and usual ones; beside it stand "
        "the same infant never sick, and with every sick day learnt."
    )
    yield shown(
        Table(
            "Poisoning: what sick days in the baseline do",
            f"{kind} recordings",
            f"{count(figures, 'n')} infants; n in a cell: sessions, in the last column infants",
            OVER_INFANTS,
            ("baseline", *asked.values()),
            [
                [told, *(cell(figures, f"{before}{key}_{way}", 3) for key in asked)]
                for told, before, way in rows
            ],
        )
    )
    yield drawn(_poison_picture(figures, f"{kind} recordings, {count(figures, 'n')} infants"))
    yield shown(_freezing(figures, kind))


def _poison_picture(figures: Figures, kind: str) -> Picture:
    panels = []
    for key, label in (
        ("fnr", "sick sessions missed at 0.10 (fraction)"),
        ("fpr", "usual sessions called unusual at 0.10 (fraction)"),
    ):
        series = {
            WAYS_TOLD.get(way, way): [point(figures, f"{p}_{key}_{way}") for p in PATTERNS]
            for way in WAYS
        }
        panels.append(Panel(label, series))
    rows = [pattern.replace("_", " ") for pattern in PATTERNS]
    title = f"{kind}: sick days in the baseline, with 95 % intervals"
    return Picture("poisoning", title, "sick days", rows, panels)


def _freezing(figures: Figures, kind: str) -> Table:
    asked = {
        "noticed_frac": "share of infants in whom it was noticed",
        "alarm_over_days_median": "days until the alarm is over, median",
        "alarm_over_days_95_percent": "the same, 95 of 100",
    }
    sizes = [
        key.removeprefix("noticed_frac_") for key in figures if key.startswith("noticed_frac_")
    ]
    rows = [
        [WORDS.get(size, size), *(cell(figures, f"{key}_{size}") for key in asked)]
        for size in sizes
    ]
    return Table(
        "Freezing: a voice changes for good",
        f"{kind}, days that are drawn, without sound",
        f"{count(figures, 'n_frozen')} infants a row",
        NO_INTERVAL,
        ("change", *asked.values()),
        rows,
    )


# --- verification -------------------------------------------------------------------------------

APART = {"any": "all pairs", "hour_apart": "more than an hour apart"}


def verify_blocks(figures: Figures) -> Iterator[Block]:
    """Tell how well two cries of one infant are known as such, beside what the room tells."""
    yield _verified(figures)
    whose = ", ".join(
        f"{count(figures, key)} infants ({told})"
        for suffix, told in APART.items()
        if (key := f"eer_{suffix}_groups") in figures
    )
    n = f"{count(figures, 'n_recordings')} recordings; n in a cell: genuine pairs, of {whose}"
    keys = {name: "_".join(filter(None, ("eer", name))) for name in LABELS}
    there = {name: key for name, key in keys.items() if f"{key}_any" in figures}
    if "background" not in there or "chance" not in there:
        yield left_out("the background or chance, beside which these results have to be read")
    headings = ["heard"]
    for told in APART.values():
        headings += [f"EER, {told}, percent", f"AUC, {told}"]
    rows = []
    for name, key in there.items():
        row = [LABELS[name]]
        for suffix in APART:
            row.append(cell(figures, f"{key}_{suffix}", 1))
            row.append(cell(figures, f"{key.replace('eer', 'auc', 1)}_{suffix}"))
        rows.append(row)
    yield shown(Table("Equal error rates", RECORDED, n, OVER_INFANTS, headings, rows))
    yield shown(_beyond(figures, n))
    series = {
        f"{told}, 95 %": [point(figures, f"{key}_{suffix}") for key in there.values()]
        for suffix, told in APART.items()
    }
    panel = Panel("equal error rate (percent)", series)
    labels = [LABELS[name] for name in there]
    title = f"{RECORDED}, {count(figures, 'n_infants')} infants: verification, and its controls"
    yield drawn(Picture("verification", title, "heard", labels, [panel]))


def _verified(figures: Figures) -> str:
    told = (
        f"{count(figures, 'n_infants')} infants; the encoder heard "
        f"{count(figures, 'n_infants_heard_in_training')} of them in training, and of "
        f"{count(figures, 'n_infants_training_unknown')} it is not known. "
        "The file does not name its manifest. "
    )
    if figures.get("n_infants_heard_in_training") != 0:
        told += "**On infants heard in training the embedding flatters itself.** "
    return told + "An embedding that is no better than the background tells rooms, not infants."


def _beyond(figures: Figures, n: str) -> Table:
    rows = []
    for name in ("background", "random"):
        for suffix, told in APART.items():
            chance = number(figures, f"prob_better_than_{name}_{suffix}")
            better = DASH if chance is None else f"{chance:.2f}"
            difference = cell(figures, f"eer_minus_{name}_{suffix}", 1)
            rows.append([LABELS[name], told, difference, better])
    headings = ("against", "pairs", "EER of the embedding less it, percent", "P(better)")
    return Table("The embedding against its controls", RECORDED, n, OVER_INFANTS, headings, rows, 2)


# --- files --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """One command whose figures the report takes.

    Attributes
    ----------
    title
        Heading of its section.
    makes
        The words of its command line, before ``--json``.
    marks
        Keys that its figures have, and together no other command's.
    blocks
        Makes its section.
    """

    title: str
    makes: str
    marks: tuple[str, ...]
    blocks: Callable[[Figures], Iterator[Block]]

    def made_by(self, name: str) -> str:
        """Return the command line that makes a file."""
        return f"python -m pipelines {self.makes} --json {name}"


PARTS = {
    "promise": Part(
        "Promise: false alarms of simulated infants",
        "promise",
        ("scorers", "least_sessions"),
        promise_blocks,
    ),
    "evaluate": Part(
        "Recordings: own against other infants'",
        "evaluate MANIFEST --pyod",
        ("infants", "n_infants_counted", "n_anomalies"),
        evaluate_blocks,
    ),
    "drift": Part("Lasting changes", "drift", ("semi_simulated", "residuals"), drift_blocks),
    "continual": Part("Learning on", "continual", ("simulated", "n_frozen"), continual_blocks),
    "verify": Part(
        "Verification of infants",
        "verify MANIFEST --held-out",
        ("same_device_only", "held_out_only"),
        verify_blocks,
    ),
}


@dataclass(frozen=True)
class Source:
    """A file of figures.

    Attributes
    ----------
    name
        The file's, without its folder.
    digest
        Beginning of its SHA-256.
    figures
        What it holds.
    """

    name: str
    digest: str
    figures: Figures


@dataclass(frozen=True)
class Missing:
    """A file that is not there, or was not given."""

    name: str
    is_given: bool


def read_source(command: str, path: Path) -> Source | Missing:
    """Read the figures of a command.

    Parameters
    ----------
    command
        One of ``PARTS``.
    path
        The file.

    Returns
    -------
    Source or Missing
        Missing where there is no such file.

    Raises
    ------
    ConfigError
        The file is no JSON, or of another command.
    OSError
        The file is there and cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Missing(path.name, is_given=True)
    try:
        figures = json.loads(content, parse_constant=_refused)
    except ValueError as error:
        raise ConfigError(f"{path.name} is no JSON: {error}") from error
    if not isinstance(figures, dict):
        raise ConfigError(f"{path.name} holds no figures by key, and is not made by {command}")
    lacks = [mark for mark in PARTS[command].marks if mark not in figures]
    if lacks:
        others = [name for name, part in PARTS.items() if all(m in figures for m in part.marks)]
        like = f"it looks like one of {others[0]}" if others else f"it lacks {', '.join(lacks)}"
        raise ConfigError(f"{path.name} is no file of {command}: {like}")
    return Source(path.name, hashlib.sha256(content).hexdigest()[:16], figures)


def _refused(constant: str) -> None:
    """Refuse what is no number, though Python reads it."""
    raise ValueError(f"it holds {constant}")


# --- writing ------------------------------------------------------------------------------------


def file_of(figure: str) -> str:
    """Return the name of a figure's file."""
    return f"figure-{figure}.svg"


def written(sources: Mapping[str, Source | Missing]) -> tuple[str, dict[str, bytes]]:
    """Write a report.

    Parameters
    ----------
    sources
        For each of ``PARTS`` its file.

    Returns
    -------
    str
        The report, as Markdown.
    dict
        By name, the files of its figures.
    """
    parts, pictures = [_heading(sources)], {}
    for command, source in sources.items():
        parts.append(f"## {PARTS[command].title}")
        if isinstance(source, Missing):
            parts.append(_said_missing(command, source))
            continue
        parts.append(f"From `{source.name}`.")
        for block in PARTS[command].blocks(source.figures):
            parts.append(_markdown(block))
            if isinstance(block, Picture):
                pictures[file_of(block.name)] = draw(block)
    parts += ["## Versions behind the figures", _versions(sources), NOTICE]
    return "\n\n".join(parts) + "\n", pictures


def _heading(sources: Mapping[str, Source | Missing]) -> str:
    rows = []
    for command, source in sources.items():
        told = (f"`{PARTS[command].made_by(source.name)}`", source.name)
        rows.append([*told, "missing" if isinstance(source, Missing) else source.digest])
    return "\n\n".join(
        [
            "# What was measured",
            f"**{NOTICE}**",
            "Nothing is computed in this report: every figure stands in one of the files below. A "
            "figure is followed by its interval and by n, where the file has them; a dash in a "
            "table, or a row without a point in a picture, says that it has no such figure. Where "
            "all agree, the interval is the exact one. Controls hear no infant, and dummies hear "
            "nothing: what they reach too is no result.",
            _grid(("made by", "file", "SHA-256 begins with"), rows),
        ]
    )


def _said_missing(command: str, source: Missing) -> str:
    why = "it is not there" if source.is_given else f"`--{command}` was not given"
    return (
        f"**Missing: `{source.name}`** ({why}). It is made by "
        f"`{PARTS[command].made_by(source.name)}`."
    )


def _markdown(block: Block) -> str:
    if isinstance(block, Picture):
        axes = "; ".join(panel.label for panel in block.panels)
        return f"![{block.title}: {axes}]({file_of(block.name)})"
    if isinstance(block, Table):
        facts = f"{block.kind}. n: {block.n}. Interval: {block.interval}."
        return f"**{block.title}.** {facts}\n\n{_grid(block.headings, block.rows)}"
    return block


def _grid(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(headings)
    return "\n".join(f"| {' | '.join(map(_plain, row))} |" for row in (headings, rule, *rows))


def _plain(text: str) -> str:
    """Keep what a file says from being read as Markdown's own signs."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _versions(sources: Mapping[str, Source | Missing]) -> str:
    there = {name: one.figures for name, one in sources.items() if isinstance(one, Source)}
    facts = {name: _facts(figures) for name, figures in there.items()}
    known = list(dict.fromkeys(fact for own in facts.values() for fact in own))
    rows = [[fact, *(own.get(fact, DASH) for own in facts.values())] for fact in known]
    silent = [f"`{sources[name].name}`" for name in there if not part_of(there[name], "versions")]
    told = f"\n\n**Versions are not told by {', '.join(silent)}.**" if silent else ""
    return _grid(("", *facts), rows) + told


def _facts(figures: Figures) -> dict[str, str]:
    """Return versions, encoder and seed."""
    facts = {name: str(one) for name, one in part_of(figures, "versions").items()}
    encoder = part_of(figures, "encoder")
    named = {
        "encoder": encoder.get("name", figures.get("encoder")),
        "encoder's fingerprint": encoder.get("fingerprint", figures.get("encoder_fingerprint")),
        "seed": figures.get("seed"),
    }
    return facts | {name: str(one) for name, one in named.items() if isinstance(one, str | int)}


# --- the command --------------------------------------------------------------------------------


def run(folder: Path, files: Mapping[str, Path | None]) -> dict[str, Source | Missing]:
    """Read files, and write the report and its figures.

    Parameters
    ----------
    folder
        Where; it is made where there is none. What an earlier report left in it is replaced.
    files
        For some of ``PARTS`` the file, or None.

    Returns
    -------
    dict
        For each of ``PARTS`` what was read.

    Raises
    ------
    ConfigError
        A file is no JSON or of another command, or not one file is there. Nothing is written then.
    OSError
        A file cannot be read, or the report not be written.
    """
    sources = {}
    for command in PARTS:
        path = files.get(command)
        nothing = Missing(f"{command}.json", is_given=False)
        sources[command] = nothing if path is None else read_source(command, path)
    if all(isinstance(one, Missing) for one in sources.values()):
        makes = PARTS["promise"].made_by("promise.json")
        raise ConfigError(f"not one file of figures is there; `{makes}` makes one")
    text, pictures = written(sources)
    folder.mkdir(parents=True, exist_ok=True)
    for name in FIGURES:
        (folder / file_of(name)).unlink(missing_ok=True)
    for name, content in pictures.items():
        (folder / name).write_bytes(content)
    (folder / REPORT).write_text(text, encoding="utf-8")
    return sources


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the report")
    for command in PARTS:
        told = f"figures that {command} wrote with --json"
        parser.add_argument(f"--{command}", type=Path, metavar="FILE", help=told)


def main(args: argparse.Namespace) -> int:
    """Write the report, and say what is missing in it."""
    sources = run(args.out, {command: getattr(args, command) for command in PARTS})
    out = console()
    out.print(f"written: {args.out / REPORT}", markup=False, soft_wrap=True)
    for command, source in sources.items():
        if isinstance(source, Missing):
            told = _said_missing(command, source).replace("*", "").replace("`", "")
            out.print(told, markup=False, soft_wrap=True)
    if args.json is not None:
        there = {name: one for name, one in sources.items() if isinstance(one, Source)}
        write_json(args.json, {name: dict(one.figures) for name, one in there.items()})
    return 0
