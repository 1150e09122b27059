"""Time of a night's refits: whole ones, and autoencoders stacked against one after the other.

    .venv/bin/python benchmarks/refit.py [--infants N] [--rounds N] [--json FILE]

One thread, CPU time. So many infants of 14 days and about 150 units are fitted by the same code
in stacks and one by one, and by a plain training loop of torch, the peer; the three take turns, so
that whatever else the machine does meets them alike, and the least of the rounds counts, which is
what is left when it does least. The three detectors are then calibrated and fitted for one infant,
each and together, and a few infants are refitted whole, as a worker does at night.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parent.parent
UNITS, SESSIONS, WIDTH = 150, 14, 192
WHOLE = 8
"""So many infants are refitted whole, each by itself: more would only take longer."""

Units = np.ndarray[Any, Any]


def main() -> int:
    """Run the benchmark, print a table for people, write JSON for programs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--infants", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    with threadpool_limits(1):
        import torch

        torch.set_num_threads(1)
        figures = {**_autoencoders(args.infants, args.rounds), **_detectors(args.rounds)}
        figures |= _refits(args.infants, args.rounds)
    figures |= {"n": args.infants, "machine": f"{platform.machine()}, {os.cpu_count()} cores"}
    figures |= _versions()
    _print(figures)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1))
    return 0


def _autoencoders(infants: int, rounds: int) -> dict[str, Any]:
    """Time the infants' autoencoders in stacks, one by one and by torch's plain loop."""
    from pipelines.detectors.autoencoder import STACKED, Autoencoder, fit_many

    baselines = [_infant(number) for number in range(infants)]

    def stacked() -> object:
        return fit_many([units for units, _ in baselines], range(infants))

    def sequential() -> object:
        return [Autoencoder().fit(*own, seed) for seed, own in enumerate(baselines)]

    def plain() -> object:
        return [_plain_fit(units) for units, _ in baselines]

    taken = _least((stacked, sequential, plain), rounds)
    return {
        "ratio_stacked_to_sequential": taken[1] / taken[0],
        "ratio_stacked_to_plain": taken[2] / taken[0],
        "autoencoder_stacked_cpu_s": taken[0] / infants,
        "autoencoder_sequential_cpu_s": taken[1] / infants,
        "autoencoder_plain_cpu_s": taken[2] / infants,
        "n_stacked_at_once": STACKED,
    }


def _plain_fit(units: Units) -> object:
    """Train the same net as torch's tutorials do: a module, autograd and Adam."""
    from itertools import pairwise

    import torch

    from pipelines.detectors.autoencoder import HIDDEN_WIDTHS, LEARNING_RATE, STEPS

    net = torch.nn.Sequential()
    for n_in, n_out in pairwise((WIDTH, *HIDDEN_WIDTHS, WIDTH)):
        net.extend([torch.nn.Linear(n_in, n_out), torch.nn.ReLU()])
    net.pop(-1)
    inputs = torch.from_numpy((units - units.mean(axis=0)) * WIDTH**0.5)
    optimiser = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)
    for _ in range(STEPS):
        optimiser.zero_grad()
        torch.autograd.backward(torch.nn.functional.mse_loss(net(inputs), inputs))
        optimiser.step()
    return net


def _detectors(rounds: int) -> dict[str, Any]:
    """Time calibration and fit of the three detectors for one infant, together and each."""
    from pipelines.calibration import calibrate
    from pipelines.detectors import DETECTORS

    units, session = _infant(0)
    recording = _recordings(session)

    def fit_of(names: tuple[str, ...]) -> Callable[[], object]:
        def fit() -> object:
            unfitted = {name: DETECTORS[name]() for name in names}
            calibrate(unfitted, units, recording, session, session, 0)
            return [detector.fit(units, session, 0) for detector in unfitted.values()]

        return fit

    together, *each = _least((fit_of(tuple(DETECTORS)), *(fit_of((n,)) for n in DETECTORS)), rounds)
    apart = {f"{name}_cpu_s": taken for name, taken in zip(DETECTORS, each, strict=True)}
    return {"detectors_cpu_s": together, **apart}


def _refits(infants: int, rounds: int) -> dict[str, Any]:
    """Time whole refits of a few infants."""
    from pipelines.baseline import Baseline
    from pipelines.score import PersonalModel

    baselines = []
    for number in range(min(infants, WHOLE)):
        units, session = _infant(number)
        baselines.append(Baseline(units, _recordings(session), session=session, day=session))

    def whole() -> object:
        return [PersonalModel.fit(baseline, "bench", seed=0) for baseline in baselines]

    (taken,) = _least((whole,), rounds)
    return {"refit_cpu_s": taken / len(baselines), "n_refitted": len(baselines)}


def _recordings(session: Units) -> Units:
    """Return recordings of units: two a session."""
    return 2 * session + np.arange(len(session)) % 2


def _least(calls: tuple[Callable[[], object], ...], rounds: int) -> list[float]:
    """Return the least CPU seconds of each call, which take turns; the first turn warms up."""
    taken = [[_cpu_s(call) for call in calls] for _ in range(rounds + 1)]
    return [float(least) for least in np.min(taken[1:], axis=0)]


def _cpu_s(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def _infant(number: int) -> tuple[Units, Units]:
    """Return made-up unit embeddings of an infant, about 150, and their sessions."""
    chance = np.random.default_rng(number)
    count = UNITS + int(chance.integers(-10, 11)) if number else UNITS
    session = np.arange(count) * SESSIONS // count
    centre, drift = chance.normal(size=WIDTH), 0.3 * chance.normal(size=(SESSIONS, WIDTH))
    units = centre + drift[session] + 0.3 * chance.normal(size=(count, WIDTH))
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    return units.astype(np.float32), session


def _versions() -> dict[str, Any]:
    from pipelines.evaluation.report import versions

    return {"versions": versions()}


def _print(figures: dict[str, Any]) -> None:
    from pipelines.evaluation.report import console, table

    out, n = console(), figures["n"]
    autoencoders = [
        (how, 1000 * figures[f"autoencoder_{key}_cpu_s"], ratio)
        for how, key, ratio in (
            (f"in stacks of {figures['n_stacked_at_once']}", "stacked", None),
            ("one after the other", "sequential", figures["ratio_stacked_to_sequential"]),
            ("torch's modules and autograd", "plain", figures["ratio_stacked_to_plain"]),
        )
    ]
    headings = (f"autoencoders of {n} infants", "CPU ms an infant", "times the stacked")
    out.print(table("One net an infant", headings, autoencoders))
    refits = [
        (what, 1000 * figures[key])
        for what, key in (
            *((name, f"{name}_cpu_s") for name in ("autoencoder", "ocsvm", "gmm")),
            ("the three together", "detectors_cpu_s"),
            (f"a whole refit, mean of {figures['n_refitted']}", "refit_cpu_s"),
        )
    ]
    title = f"Calibrate and fit, {UNITS} units of {SESSIONS} days"
    out.print(table(title, ("what", "CPU ms an infant"), refits))
    out.print(f"{figures['machine']}, one thread, the least of the rounds", style="dim")


if __name__ == "__main__":
    sys.exit(main())
