"""Scores: the sections of a report on promises, on recordings, and on verification.

Serves ``summary``. In: the figures of ``promise``, ``evaluate`` and ``verify``. Out: blocks of
text, tables and pictures. Guaranteed: dummies and controls stand in the table of the results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipelines.evaluation.evaluate_tables import COLUMNS, HEADINGS
from pipelines.evaluation.summary_figures import Panel, Picture, Point
from pipelines.evaluation.summary_reading import (
    ALPHAS,
    DASH,
    IN_INFANTS,
    NO_INTERVAL,
    OVER_INFANTS,
    OVER_SESSIONS,
    RECORDED,
    SIMULATED,
    Block,
    Figures,
    Table,
    beside,
    cell,
    count,
    drawn,
    in_order,
    left_out,
    lines_of,
    number,
    part_of,
    point,
    row_label,
    shown,
    simulated,
    words,
)
from pipelines.evaluation.verify import LABELS

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
    if figures.get("early"):
        yield shown(_early_table(figures["early"], kind, f"{count(figures, 'n')} infants"))


def _early_table(rows: Sequence[Figures], kind: str, n: str) -> Table:
    keys = ("fpr_at_alpha10", "fpr_at_alpha05", "recall_at_alpha10")
    headings = ["days known", "FPR at 0.10", "FPR at 0.05", "recall at 0.10"]
    lines = [[str(row["known_days"]), *(cell(row, key, 3) for key in keys)] for row in rows]
    sizes = sum(row["n_sessions"] for row in rows)
    title = "While an infant is learnt: judged by what few days and other infants teach"
    return Table(title, kind, f"{n}, {sizes} usual sessions", OVER_INFANTS, headings, lines)


def _is_part(value: object) -> bool:
    return isinstance(value, dict)


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
