"""Watch: the sections of a report on lasting changes, and on baselines that learn on.

Serves ``summary``. In: the figures of ``drift`` and ``continual``. Out: blocks of text, tables and
pictures. Guaranteed: comparators and what goes unprotected stand beside what is shipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.evaluation.continual import PATTERNS, WAYS
from pipelines.evaluation.drift_tables import MOVES, WORDS
from pipelines.evaluation.summary_figures import Panel, Picture
from pipelines.evaluation.summary_reading import (
    NO_INTERVAL,
    OVER_INFANTS,
    SEMI_SIMULATED,
    SIMULATED,
    Block,
    Figures,
    Table,
    cell,
    count,
    drawn,
    left_out,
    point,
    shown,
    simulated,
)

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
