"""Time of single calls, each beside a named peer and against the time it was designed for.

    .venv/bin/python benchmarks/calls.py [--rounds N] [--json FILE]

One thread, CPU time, the median of the rounds; call and peer take turns, so that whatever else the
machine does meets both alike. The exit status is 1 where a call takes longer than it was designed
for, which on a busy or slow machine says more about the machine than about the call: the ratio to
the peer travels better.
"""

import argparse
import datetime as dt
import io
import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parent.parent
DURATION_S = 7.0
UNITS, SESSIONS, WIDTH = 150, 14, 192


@dataclass(frozen=True)
class Call:
    """Something timed, what it stands beside, and the milliseconds it was designed for."""

    name: str
    run: Callable[[], object]
    peer_name: str
    peer: Callable[[], object]
    budget_ms: float


@dataclass(frozen=True)
class Taken:
    """What a call and its peer took, medians of CPU time."""

    name: str
    ms: float
    peer_name: str
    peer_ms: float
    budget_ms: float

    @property
    def ratio(self) -> float:
        """How many times the peer's time the call takes."""
        return self.ms / self.peer_ms

    @property
    def late(self) -> bool:
        """Whether it takes longer than it was designed for."""
        return self.ms > self.budget_ms


def main() -> int:
    """Run the benchmark, print a table for people, write JSON for programs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peers did not converge: they were told when to stop
        import torch

        torch.set_num_threads(1)
        calls = (*_sound_calls(), *_simulation_calls(), *_model_calls())
        taken = [_taken(call, args.rounds) for call in calls]
    _print(taken, args.rounds)
    if args.json:
        figures = [asdict(one) | {"ratio": one.ratio} for one in taken]
        args.json.write_text(json.dumps(figures, indent=1))
    return int(any(one.late for one in taken))


def _taken(call: Call, rounds: int) -> Taken:
    ours, theirs = [], []
    for _ in range(rounds + 1):  # the first one warms up
        ours.append(_cpu_ms(call.run))
        theirs.append(_cpu_ms(call.peer))
    medians = (float(np.median(times[1:])) for times in (ours, theirs))
    return Taken(call.name, next(medians), call.peer_name, next(medians), call.budget_ms)


def _cpu_ms(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return 1000 * (time.process_time() - start)


def _sound_calls() -> list[Call]:
    """Return what is done with one recording of seven seconds at 16 kHz."""
    import librosa
    import soundfile

    from pipelines.acoustics import hear_unit
    from pipelines.embed import load_encoder
    from pipelines.segment import find_units, segment
    from pipelines.sound import decode
    from pipelines.synthesis import InfantVoice, synthesise_cry

    sound = synthesise_cry(InfantVoice(), 0, duration_s=DURATION_S).sound
    samples, rate_hz = sound.samples, sound.rate_hz
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format="FLAC")
    flac, units, encoder = file.getvalue(), find_units(sound), load_encoder("bundled", threads=1)
    effects, feature = librosa.effects, librosa.feature

    def read() -> object:
        return soundfile.read(io.BytesIO(flac))

    def load() -> object:
        return librosa.load(io.BytesIO(flac), sr=rate_hz)

    def split() -> object:
        return effects.split(samples)

    def yin() -> object:
        return librosa.yin(samples, fmin=150.0, fmax=2000.0, sr=rate_hz)

    def mel() -> object:
        return feature.melspectrogram(y=samples, sr=rate_hz)

    def embed() -> object:
        return encoder.embed([(sound, units)])

    def hear() -> object:
        return hear_unit(sound, units[0], -50.0)

    return [
        Call("decode a FLAC of 7 s", lambda: decode(flac), "soundfile.read", read, 10.0),
        Call("find its units", lambda: find_units(sound), "librosa.effects.split", split, 10.0),
        Call("segment it, quality included", lambda: segment(flac), "librosa.load", load, 20.0),
        Call("hear a unit", hear, "librosa.yin, pitch alone", yin, 60.0),
        Call("embed its units", embed, "librosa.feature.melspectrogram", mel, 35.0),
    ]


def _simulation_calls() -> list[Call]:
    """Return what it takes to make a recording."""
    import pyworld

    from pipelines.cohort import draw_infants, plan_recordings, render
    from pipelines.synthesis import InfantVoice, synthesise_cry

    def synthesise() -> Any:  # noqa: ANN401  a cry, whose module is imported late
        return synthesise_cry(InfantVoice(), 0, duration_s=DURATION_S)

    sound = synthesise().sound
    samples = np.asarray(sound.samples, dtype=np.float64)
    analysed = pyworld.wav2world(samples, sound.rate_hz, None, 5.0)
    voice = [np.ascontiguousarray(part) for part in analysed]
    plan = plan_recordings(draw_infants(3, 0), dt.datetime(2026, 1, 1, tzinfo=dt.UTC), 2, 0)[0]

    def world() -> object:
        return pyworld.synthesize(*voice, sound.rate_hz, 5.0)

    return [
        Call("synthesise a cry of 7 s", synthesise, "pyworld.synthesize", world, 50.0),
        Call("render a planned recording", lambda: render(plan), "pyworld.synthesize", world, 60.0),
    ]


def _model_calls() -> list[Call]:
    """Return what is done with an infant's baseline, and with one recording's measures."""
    from sklearn.mixture import GaussianMixture
    from sklearn.neural_network import MLPRegressor
    from sklearn.svm import OneClassSVM

    from pipelines.baseline import Baseline
    from pipelines.detectors.autoencoder import HIDDEN_WIDTHS, STEPS, Autoencoder
    from pipelines.score import PersonalModel

    units, session = _units()
    recording = 2 * session + np.arange(UNITS) * 2 * SESSIONS // UNITS % 2
    baseline = Baseline(units, recording, session=session, day=session + 100)

    def net() -> object:
        peer = MLPRegressor(hidden_layer_sizes=HIDDEN_WIDTHS, max_iter=STEPS, batch_size=UNITS)
        return peer.fit(units, units)

    def three() -> None:
        net()
        OneClassSVM(nu=0.1, gamma="scale").fit(units)
        for number in range(2, 6):
            GaussianMixture(number, covariance_type="diag").fit(units)

    return [
        Call(
            f"fit an autoencoder on {UNITS} units",
            lambda: Autoencoder().fit(units, session, 0),
            "sklearn's MLPRegressor",
            net,
            500.0,
        ),
        Call(
            f"fit and calibrate a personal model on {SESSIONS} days",
            lambda: PersonalModel.fit(baseline, "bench", seed=0),
            "sklearn's three, once, uncalibrated",
            three,
            500.0,
        ),
        _score_call(baseline),
        _gate_call(),
    ]


def _score_call(baseline: Any) -> Call:  # noqa: ANN401  a Baseline, whose module is imported late
    """Return scoring one recording of five cries by all scorers, beside scikit-learn's three."""
    from sklearn.mixture import GaussianMixture
    from sklearn.neural_network import MLPRegressor
    from sklearn.svm import OneClassSVM

    from pipelines.score import PersonalModel

    units, recording = baseline.embeddings, baseline.embeddings[:5]
    model = PersonalModel.fit(baseline, "bench", seed=0)
    net = MLPRegressor(hidden_layer_sizes=(128, 64, 32, 64, 128), max_iter=30).fit(units, units)
    svm = OneClassSVM(nu=0.1, gamma="scale").fit(units)
    mixture = GaussianMixture(3, covariance_type="diag").fit(units)

    def theirs() -> None:
        ((net.predict(recording) - recording) ** 2).mean()
        svm.score_samples(recording)
        mixture.score_samples(recording)

    name = "score a recording by all scorers"
    return Call(name, lambda: model.score_recording(recording), "sklearn's three", theirs, 5.0)


def _gate_call() -> Call:
    from pipelines.acoustics import measure_unit
    from pipelines.gate import GateInput, gate_cry, gate_features
    from pipelines.heads import bundled_heads
    from pipelines.segment import find_units
    from pipelines.sound import peak_normalise
    from pipelines.synthesis import InfantVoice, synthesise_cry

    whole = peak_normalise(synthesise_cry(InfantVoice(), 0).sound)
    units, heads = find_units(whole), bundled_heads()
    given = GateInput(
        features=gate_features(whole, units),
        measures=tuple(measure_unit(whole, unit, -50.0) for unit in units),
        embeddings=np.zeros((len(units), WIDTH), dtype=np.float32),
        encoder="none",
        age_days=60.0,
    )
    return Call(
        "gate a recording that was measured",
        lambda: gate_cry(given, None, heads),
        "measuring it for the gate",
        lambda: gate_features(whole, units),
        2.0,
    )


def _units() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return made-up unit embeddings of one infant, ``(UNITS, WIDTH)``, and their sessions."""
    chance = np.random.default_rng(0)
    session = np.arange(UNITS) * SESSIONS // UNITS
    centre, drift = chance.normal(size=WIDTH), 0.3 * chance.normal(size=(SESSIONS, WIDTH))
    units = centre + drift[session] + 0.3 * chance.normal(size=(UNITS, WIDTH))
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    return units.astype(np.float32), session


def _print(taken: list[Taken], rounds: int) -> None:
    from pipelines.evaluation.report import console, table

    headings = ("call", "CPU ms", "designed for", "peer", "its CPU ms", "ratio")
    rows = [
        (one.name, one.ms, f"{one.budget_ms:.0f}", one.peer_name, one.peer_ms, one.ratio)
        for one in taken
    ]
    out = console()
    out.print(table(f"One call, median of {rounds} rounds", headings, rows))
    for one in taken:
        if one.late:
            out.print(f"longer than designed for: {one.name}", style="red")
    out.print(f"{platform.machine()}, {os.cpu_count()} cores, one thread", style="dim")


if __name__ == "__main__":
    sys.exit(main())
