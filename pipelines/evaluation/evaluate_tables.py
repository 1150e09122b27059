"""Tables of the per-infant evaluation, for people.

In: the figures of :mod:`pipelines.evaluation.evaluate`. Out: tables on a console. Guaranteed:
nothing is computed here, so that people and programs read the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from pipelines.evaluation import report
from pipelines.evaluation.peers import PYOD

SHOWN = (
    "autoencoder",
    "ocsvm",
    "gmm",
    "likelihood",
    "acoustics",
    "combined",
    "background",
    "background_likelihood",
)
DUMMIES = ("always_fire", "never_fire", "level_meter")
COLUMNS = ("auc", "ap", "f1", "recall", "fpr", "recall_at_fpr10")
HEADINGS = ("AUC", "AP", "F1", "recall", "FPR", "recall at FPR<=0.10")


def show(console: Console, figures: Mapping[str, Any]) -> None:
    """Print every table, the channel-matched one last."""
    _counts(console, figures)
    for scorer in ("combined", "autoencoder", "background"):
        _infants(console, figures, scorer)
    _scorers(console, figures, "Mean over infants, and 95 % over infants")
    _promises(console, figures)
    matched = figures.get("matched")
    if matched is not None:
        _matched(console, matched)


def _counts(console: Console, figures: Mapping[str, Any]) -> None:
    n_tried, n_counted = figures["n_infants"], figures["n_infants_counted"]
    heard = "that the encoder was not trained on"
    if not figures["counted_are_unheard"]:
        heard = "ALL of whom the encoder was trained on, for want of others"
    console.print(
        f"{figures['n']} recordings heard, {figures['n_unheard']} gave nothing. "
        f"{n_tried} infants tried, {len(figures['not_tried'])} listed as not tried. "
        f"Means are over {n_counted} infants {heard}: {figures['n_test_normals']} normal tests, "
        f"{figures['n_anomalies']} recordings of other infants on the same kind of device.",
        markup=False,
    )


def _infants(console: Console, figures: Mapping[str, Any], scorer: str) -> None:
    columns = ("infant", "device", "heard", "baseline (sessions)", "n (sessions)", *HEADINGS)
    rows = []
    for line in figures["infants"]:
        values = line["scorers"][scorer]
        rows.append(
            (
                line["infant"],
                line["device"] or "-",
                {True: "yes", False: "no", None: "?"}[line["encoder_heard_it"]],
                f"{line['n_baseline']} ({line['n_baseline_sessions']})",
                f"{line['n']} ({line['n_sessions']})",
                *(values[column] for column in COLUMNS),
            )
        )
    console.print(report.table(f"Per infant, {scorer}", columns, rows))


def _scorers(console: Console, figures: Mapping[str, Any], title: str) -> None:
    headings = ("scorer", "AUC", "over background", *HEADINGS[1:])
    keys = ("auc", "auc_minus_background", *COLUMNS[1:])
    rows = [
        (name, *(_with_interval(figures[name], key) for key in keys)) for name in _names(figures)
    ]
    console.print(report.table(title, headings, rows))


def _names(figures: Mapping[str, Any]) -> list[str]:
    """Name the scorers to show: ours, peers where there are any, dummies."""
    return [*SHOWN, *(name for name in PYOD if name in figures), *DUMMIES]


def _with_interval(figures: Mapping[str, Any], key: str) -> str:
    value, lo, hi = (figures.get(f"{key}{end}") for end in ("", "_lo", "_hi"))
    if value is None:
        return "-"
    interval = "" if lo is None or hi is None else f"\n{lo:.2f} to {hi:.2f}"
    return f"{value:.2f}{interval}"


def _promises(console: Console, figures: Mapping[str, Any]) -> None:
    headings = (
        "scorer",
        "at plain 0.10",
        "at alpha 0.10",
        "sessions at 0.10",
        "recall at 0.10",
        "at alpha 0.05",
        "infants able",
    )
    keys = ("fpr_pooled", "fpr_at_alpha10", "fpr_at_alpha10_session", "recall_at_alpha10")
    rows = []
    for name in _names(figures):
        own = figures[name]
        able = f"{own['fpr_at_alpha10_infants']} / {own['fpr_at_alpha05_infants']}"
        values = [_promise(own, key) for key in (*keys, "fpr_at_alpha05")]
        rows.append((name, *values, able))
    title = "False positives, realised against promised (pooled), and 95 % over sessions"
    console.print(report.table(title, headings, rows))
    combined = figures["combined"]
    able, full = (combined[f"fpr_at_alpha10{end}"] for end in ("_infants", "_max_infants"))
    console.print(
        "Ranks of 0.10 need nine baseline sessions, 0.05 nineteen; fewer cannot promise it. What "
        "knows the population (likelihood, acoustics, combined) can say it of any infant, and "
        f"promises it on average over infants. {able} of {figures['n_infants_counted']} are "
        f"judged at 0.10; {full} with eight normal tests or more count for a maximum. The plain "
        "threshold promises nothing.",
        markup=False,
    )


def _promise(figures: Mapping[str, Any], key: str) -> str:
    return "not reachable" if figures.get(key) is None else _with_interval(figures, key)


def _matched(console: Console, matched: Mapping[str, Any]) -> None:
    console.print(
        "Channel-matched: of every recording nothing but the cry units, laid over the same noise, "
        "in the same room, through AMR. The table is taken at the first of three noise levels in a "
        "row at which even the strongest reading of the background is at 0.60 or under.",
        markup=False,
    )
    _sweep(console, matched)
    if matched["is_matched"]:
        verdict = (
            "What the others reach beyond it is the infant, or the colour that its room and "
            "microphone left on the cry itself; this table cannot tell these two apart."
        )
    else:
        verdict = (
            "The background does not come down to 0.60: THIS TABLE SAYS NOTHING ABOUT INFANTS."
        )
    console.print(
        f"Taken at {matched['noise_level_dbfs']:g} dBFS, background AUC "
        f"{matched['background_auc']:.2f}. {verdict}",
        markup=False,
    )
    _scorers(console, matched, "Channel-matched: mean over infants, and 95 % over infants")
    _promises(console, matched)


def _sweep(console: Console, matched: Mapping[str, Any]) -> None:
    scorers = ("autoencoder", "ocsvm", "gmm", "likelihood", "acoustics", "combined")
    headings = ("noise", "background at its strongest", *scorers, "combined over background")
    rows = [
        (
            f"{line['noise_level_dbfs']:g} dBFS",
            line["background_auc"],
            *(line["auc_by_scorer"][name] for name in scorers),
            _with_interval(line, "combined_minus_background"),
        )
        for line in matched["sweep"]
    ]
    console.print(report.table("AUC by level of the added noise", headings, rows))
