"""Tables of the drift benchmark.

In: its figures by key. Out: tables for people. Guaranteed: semi-simulated and simulated figures are
called so in the title; a figure that is not there is a dash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.table import Table

from pipelines.evaluation.drift_cohort import SHIFTS
from pipelines.evaluation.drift_delays import RIVALS
from pipelines.evaluation.drift_lead import EARLIEST_LEAD_DAYS, LATEST_LEAD_DAYS
from pipelines.evaluation.report import table

WORDS = {
    "05sd": "0.5 sd",
    "1sd": "1 sd",
    "2sd": "2 sd",
    "ramp": "14-day ramp to 1 sd",
}
MIXTURE = "mixture"
MOVES = {
    "quiet": "nothing",
    "room_change": "another room",
    "device_change": "another device",
    "growth": "growth four times the usual",
    "ill": "the infant's own voice changes",
}


def tables(figures: Mapping[str, object]) -> Iterator[Table]:
    """Make the tables of what was measured."""
    yield _delays(figures)
    yield _alarms(figures)
    yield _lead(figures)
    if "quiet_alarm_frac" in figures:
        yield _moves(figures)
        yield _after(figures)


def _delays(figures: Mapping[str, object]) -> Table:
    monitors = {MIXTURE: "", **{name: f"_{name}" for name in RIVALS}}
    rows = []
    for name in SHIFTS:
        own = [_figure(figures, f"delay_days_{name}{key}") for key in monitors.values()]
        rows.append([WORDS[name], *own, _figure(figures, f"multi_delay_days_{name}")])
    rise = _figure(figures, "delay_days_f0_plus10")
    rows.append(["pitch +10 %", *("-" for _ in monitors), rise])
    title = (
        f"Semi-simulated ({figures['residuals']}): median days until a shift is seen,"
        f" {figures['n']} infants, one false alarm per infant in 90 days"
    )
    return table(title, ["shift", *monitors, "many views"], rows)


def _alarms(figures: Mapping[str, object]) -> Table:
    columns = {MIXTURE: ("", ""), **{name: ("", f"_{name}") for name in RIVALS}}
    columns["many views"] = ("multi_", "")
    asked = {
        "threshold": "threshold",
        "false_alarms_per_90_days": "false alarms per infant in 90 days",
        "infants_with_false_alarm_frac": "share of infants with any in 90 days",
        "alarm_open_frac": "share of days under a false alarm",
    }
    rows = [
        [words, *(figures[f"{before}{key}{after}"] for before, after in columns.values())]
        for key, words in asked.items()
    ]
    return table("Semi-simulated: infants without a shift", ["", *columns], rows)


def _lead(figures: Mapping[str, object]) -> Table:
    rows = [
        ["days from opening to first symptom, median", _figure(figures, "lead_time_days")],
        ["share of illnesses preceded", _figure(figures, "illness_preceded_frac")],
    ]
    for days in range(LATEST_LEAD_DAYS, EARLIEST_LEAD_DAYS + 1):
        words = (
            f"  voice deviates {days} days ahead" if days > 1 else "  voice deviates 1 day ahead"
        )
        rows.append([words, _figure(figures, f"illness_preceded_frac_{days}_days")])
    chance = _figure(figures, "illness_preceded_by_chance_frac")
    rows.append(["  with no deviation, by chance", chance])
    vain = _figure(figures, "episodes_without_illness_frac")
    rows.append(["share of episodes without illness in 7 days", vain])
    title = "Semi-simulated: planted illness, 1.5 sd in two channels over 3 days"
    return table(title, ["", "figure"], rows)


def _moves(figures: Mapping[str, object]) -> Table:
    keys = ("alarm_frac", "alarm_frac_taught_prior", "alarm_unguarded_frac")
    rows = [
        [words, *(_figure(figures, f"{name}_{key}") for key in keys), _label(figures, name)]
        for name, words in MOVES.items()
    ]
    title = f"Simulated recordings, {figures['n_simulated']} infants a row: what came on day 25"
    return table(
        title,
        ["", "said: infant", "by a taught prior", "without the guard", "labelled rightly"],
        rows,
    )


def _after(figures: Mapping[str, object]) -> Table:
    asked = {
        "quiet_false_alarms_per_90_days": "nothing: shifts said in 90 days",
        "cold_start_alarm_frac": "nothing: a shift said in the first 18 days",
        "quiet_room_label_frac": "nothing: taken for a room",
        "ill_room_label_frac": "the infant changed: taken for a room",
        "ill_delay_days": "the infant changed: median days until it is said",
    }
    for way, words in (("quiet", "nothing"), ("room_change", "room"), ("device_change", "device")):
        for days in ("1_to_7", "8_to_15"):
            key = f"{way}_unusual_frac_day_{days}"
            asked[key] = f"{words}: sessions unusual at 0.10, days {days.replace('_', ' ')}"
    rows = [[words, _figure(figures, key)] for key, words in asked.items()]
    return table("Simulated recordings: what else was said", ["", "figure"], rows)


def _label(figures: Mapping[str, object], name: str) -> str:
    key = f"{name.removesuffix('_change')}_label_right_frac"
    return _figure(figures, key) if key in figures else "-"


def _figure(figures: Mapping[str, object], key: str) -> str:
    name, taught, _ = key.partition("_taught_prior")
    value, low, high = (figures.get(f"{name}{end}{taught}") for end in ("", "_lo", "_hi"))
    if not isinstance(value, float):
        return "-"
    between = f" [{low:.2f}, {high:.2f}]" if isinstance(low, float) else ""
    return f"{value:.2f}{between}"
