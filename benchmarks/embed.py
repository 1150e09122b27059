"""How quick the embedding is: the bundled network beside SpeechBrain's, all in one run.

    .venv/bin/python benchmarks/embed.py [--rounds N] [--json FILE]

One synthetic clip of five seconds goes from samples to embedding, features included on every side,
on one thread. The contenders take turns, so that whatever else the machine does meets them all
alike; figures are medians over the rounds, of processor time, which others on the machine move less
than wall time. SpeechBrain is its `EncoderClassifier.encode_batch`: of the same architecture with
the same weights, and of the full network of 1024 channels with random weights.

Quantised networks are calibrated on other synthetic cries than those that they are judged on.
Their cosine is to the network in full precision; `centred` takes the clips' mean out first, since
what all clips share would hide how they differ. Random weights forgive more than others: `settled`
are the cosines once the batch norms have seen cries, which makes every layer as busy as a trained
network's. The bundled network, which is trained, stands beside them.
"""

import argparse
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

CLIP_S = 5.0
BATCH = 16
CALIBRATION_CLIPS, TEST_CLIPS = 6, 8
GOOD_COSINE = 0.99
FULL = {"input_size": 80, "lin_neurons": 192, "channels": [1024, 1024, 1024, 1024, 3072]}
LARGE_WEIGHTS = 900_000
"""Numbers from which a convolution's weights are large: seven layers, most of the arithmetic."""
INT8 = {"full_int8_large": LARGE_WEIGHTS, "full_int8_all": 0}
LIBRARIES = ("onnxruntime", "onnx", "torch", "speechbrain", "numpy", "scipy")
ROOT = Path(__file__).resolve().parent.parent
LOAD = """
import pathlib, sys, time
started = time.perf_counter()
from pipelines.embed import load_encoder
load_encoder("bundled", threads=1, runtime=sys.argv[1]).embed([])
took_s = time.perf_counter() - started
status = pathlib.Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
peak = [line.split()[1] for line in lines if line.startswith("VmHWM")] or ["nan"]
sys.stdout.write(f"{took_s} {float(peak[0]) / 1024}")
"""

Frames = NDArray[np.float32]
Task = Callable[[], object]
Times = dict[str, NDArray[np.float64]]
Figures = dict[str, Any]


def main() -> None:
    """Run the benchmark, print tables for people, write JSON for programs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    os.environ["OMP_NUM_THREADS"] = "1"  # for the fresh processes that are timed
    with threadpool_limits(1):
        figures = measure(args.rounds)
    _print(figures)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1))


def measure(rounds: int) -> Figures:
    """Return all figures."""
    import torch

    loading = {runtime: _loading(runtime) for runtime in ("onnxruntime", "torch")}
    torch.set_num_threads(1)
    torch.manual_seed(0)
    full, cosines = _full_size()
    small, cosines["bundled_int8"] = _bundled()
    cpu_s, wall_s = _timed({**small, **full}, rounds)
    cpu_ms = {name: 1000 * float(np.median(times)) for name, times in cpu_s.items()}
    return {
        **_ratios(cpu_s, ""),
        **_ratios(wall_s, "_wall"),
        **_figure("cpu_ms_per_clip", 1000 * cpu_s["bundled"], np.median),
        "n": rounds,
        "clip_s": CLIP_S,
        "cpu_ms": cpu_ms,
        "wall_ms": {name: 1000 * float(np.median(times)) for name, times in wall_s.items()},
        "least_cpu_ms": {name: 1000 * float(times.min()) for name, times in cpu_s.items()},
        "cosines": cosines,
        "full_size_best": _best(cpu_ms, cosines, "cosine"),
        "full_size_best_settled": _best(cpu_ms, cosines, "settled_cosine"),
        "loading": loading,
        "gpu_clips_per_s": _gpu_clips_per_s(),
        "versions": {name: version(name) for name in LIBRARIES},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread",
    }


def _best(cpu_ms: Mapping[str, float], cosines: Mapping[str, Figures], key: str) -> Figures:
    """Return the quickest full-size network that is near enough to full precision."""
    good = [name for name in ("full_fp32", *INT8) if cosines[name][key] >= GOOD_COSINE]
    name = min(good, key=lambda one: cpu_ms[one])
    return {"name": name, "cpu_ms": cpu_ms[name], "cosine": cosines[name][key]}


def _clip(seed: int) -> Any:  # noqa: ANN401  a Sound, whose module is imported late
    from pipelines.sound import peak_normalise
    from pipelines.synthesis import InfantVoice, synthesise_cry

    voice = InfantVoice(f0_hz=370.0 + 15.0 * (seed % 12))
    return peak_normalise(synthesise_cry(voice, seed=seed, duration_s=CLIP_S).sound)


def _item(seed: int) -> tuple[Any, list[Any]]:
    from pipelines.segment import Unit

    return _clip(seed), [Unit(0.0, CLIP_S)]


def _bundled() -> tuple[dict[str, Task], Figures]:
    """Return the bundled encoder on both runtimes, SpeechBrain with its weights, and its int8."""
    import torch
    from safetensors.numpy import load_file

    from pipelines.embed import load_encoder
    from pipelines.encoders.checkpoint import read_card
    from pipelines.encoders.loaded import widened
    from pipelines.encoders.runtime import OnnxNetwork
    from pipelines.encoders.table import BUNDLED
    from pipelines.encoders.whitening import without_whitening

    ours, reference = load_encoder("bundled", threads=1), load_encoder("bundled", runtime="torch")
    items = [_item(seed) for seed in range(BATCH)]
    arrays = without_whitening(load_file(BUNDLED))
    theirs = _speechbrain(read_card(BUNDLED)["constructor"])
    theirs.mods.embedding_model.load_state_dict(
        {name: torch.from_numpy(np.array(widened(array))) for name, array in arrays.items()}
    )
    waves = torch.from_numpy(np.stack([sound.samples for sound, _ in items]))
    graph = BUNDLED.with_suffix(".onnx").read_bytes()
    learnt, judged = _frames_of_cries(ours)
    quantised = OnnxNetwork(_quantised(graph, learnt, 0), Path("int8"))
    tasks: dict[str, Task] = {
        "bundled": lambda: ours.embed(items[:1]),
        "bundled_b16": lambda: ours.embed(items),
        "bundled_torch": lambda: reference.embed(items[:1]),
        "bundled_int8": _from_samples(ours, quantised),
        "speechbrain_same": lambda: theirs.encode_batch(waves[:1]),
        "speechbrain_same_b16": lambda: theirs.encode_batch(waves),
    }
    return tasks, _cosines(quantised, OnnxNetwork(graph, BUNDLED), judged)


def _speechbrain(constructor: Mapping[str, Any]) -> Any:  # noqa: ANN401  published without types
    """Return SpeechBrain's classifier, made of the parts of its published recipe."""
    from pipelines.encoders.ecapa import speechbrain_module

    features = speechbrain_module("speechbrain.lobes.features")
    processing = speechbrain_module("speechbrain.processing.features")
    models = speechbrain_module("speechbrain.lobes.models.ECAPA_TDNN")
    modules = {
        "compute_features": features.Fbank(n_mels=80),
        "mean_var_norm": processing.InputNormalization(norm_type="sentence", std_norm=False),
        "embedding_model": models.ECAPA_TDNN(**constructor),
        "classifier": models.Classifier(192, out_neurons=2),
    }
    inference = speechbrain_module("speechbrain.inference.speaker")
    return inference.EncoderClassifier(
        modules=modules, hparams={"label_encoder": None}, run_opts={"device": "cpu"}
    )


def _full_size() -> tuple[dict[str, Task], dict[str, Figures]]:
    """Return SpeechBrain's full network, and the same in ONNX Runtime, plain and quantised."""
    import torch

    from pipelines.embed import load_encoder

    bundled = load_encoder("bundled")
    learnt, judged = _frames_of_cries(bundled)
    theirs = _speechbrain(FULL)
    wave = torch.from_numpy(_clip(0).samples[None])
    cosines: dict[str, Figures] = {}
    for prefix in ("", "settled_"):
        if prefix:
            _settle(theirs.mods.embedding_model, learnt)
        networks = _full_networks(theirs.mods.embedding_model, learnt)
        for name, network in networks.items():
            found = _cosines(network, networks["full_fp32"], judged)
            cosines.setdefault(name, {}).update({prefix + key: found[key] for key in found})
    tasks: dict[str, Task] = {"speechbrain_full": lambda: theirs.encode_batch(wave)}
    for name, network in networks.items():
        tasks[name] = _from_samples(bundled, network)
    return tasks, cosines


def _full_networks(module: Any, learnt: Sequence[Frames]) -> dict[str, Any]:  # noqa: ANN401
    from pipelines.encoders.graph import onnx_graph
    from pipelines.encoders.runtime import OnnxNetwork

    arrays = {name: value.detach().numpy() for name, value in module.state_dict().items()}
    graphs = {"full_fp32": onnx_graph(arrays, FULL, Path("full"))}
    for name, least in INT8.items():
        graphs[name] = _quantised(graphs["full_fp32"], learnt, least)
    return {name: OnnxNetwork(graph, Path(name)) for name, graph in graphs.items()}


def _frames_of_cries(encoder: Any) -> tuple[list[Frames], list[Frames]]:  # noqa: ANN401
    """Return frames of cries to calibrate on, and of others to judge on."""
    seeds = range(100, 100 + CALIBRATION_CLIPS), range(200, 200 + TEST_CLIPS)
    learnt, judged = ([_frames(encoder, seed) for seed in some] for some in seeds)
    return learnt, judged


def _frames(encoder: Any, seed: int) -> Frames:  # noqa: ANN401  imported late
    return np.stack(encoder._frames(*_item(seed)))


def _from_samples(encoder: Any, network: Any) -> Task:  # noqa: ANN401
    """Return what turns a clip into an embedding, features included."""
    sound, units = _item(0)
    return lambda: network(np.stack(encoder._frames(sound, units)))


def _settle(network: Any, batches: Sequence[Frames]) -> None:  # noqa: ANN401  a module
    """Let random weights' batch norms see the cries, as a trained network's have."""
    import torch

    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.momentum = None  # the plain average of all that is seen
    with torch.no_grad():
        network.train()(torch.from_numpy(np.concatenate(batches)))
    network.eval()


def _quantised(graph: bytes, calibration: Sequence[Frames], least: int) -> bytes:
    """Quantise the convolutions whose weights have at least so many numbers, statically."""
    import onnx
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):
        """Hands out the calibration clips one by one."""

        def __init__(self) -> None:
            self._left = iter(calibration)

        def get_next(self) -> dict[str, Frames] | None:
            frames = next(self._left, None)
            return None if frames is None else {"frames": frames}

    model = onnx.load_from_string(graph)
    sizes = {tensor.name: int(np.prod(tensor.dims)) for tensor in model.graph.initializer}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    with tempfile.TemporaryDirectory() as folder, _quiet():
        before, after = Path(folder) / "before.onnx", Path(folder) / "after.onnx"
        before.write_bytes(graph)
        quantization.quantize_static(
            str(before),
            str(after),
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            nodes_to_quantize=[node.name for node in convolutions if sizes[node.input[1]] >= least],
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
        return after.read_bytes()


class _quiet:  # noqa: N801  reads as a verb
    """Keeps the quantiser's advice off the screen."""

    def __enter__(self) -> None:
        logging.disable(logging.WARNING)

    def __exit__(self, *error: object) -> None:
        logging.disable(logging.NOTSET)


def _cosines(network: Any, exact: Any, judged: Sequence[Frames]) -> Figures:  # noqa: ANN401
    """Return how near a network's embeddings are to those of another one."""
    found, wanted = (np.concatenate([one(frames) for frames in judged]) for one in (network, exact))
    mean = wanted.mean(axis=0)
    plain, centred = _cosine(found, wanted), _cosine(found - mean, wanted - mean)
    return {
        "cosine": float(plain.mean()),
        "cosine_least": float(plain.min()),
        "cosine_centred": float(centred.mean()),
        "cosine_centred_least": float(centred.min()),
        "n_clips": len(wanted),
    }


def _cosine(one: Frames, other: Frames) -> Frames:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    result: Frames = (one * other).sum(axis=1) / lengths
    return result


def _timed(tasks: Mapping[str, Task], rounds: int) -> tuple[Times, Times]:
    """Run all tasks in turns, each once uncounted right before: nobody pays for others' caches."""
    cpu_s: dict[str, list[float]] = {name: [] for name in tasks}
    wall_s: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            task()
            cpu, wall = time.process_time(), time.perf_counter()
            task()
            cpu_s[name].append(time.process_time() - cpu)
            wall_s[name].append(time.perf_counter() - wall)
    return _per_clip(cpu_s), _per_clip(wall_s)


def _per_clip(times: Mapping[str, Sequence[float]]) -> Times:
    clips = {name: BATCH if name.endswith("_b16") else 1 for name in times}
    return {name: np.array(values) / clips[name] for name, values in times.items()}


def _ratios(times: Times, suffix: str) -> Figures:
    figures: Figures = {}
    for key, theirs, ours in (
        ("ratio_bundled_to_speechbrain", "speechbrain_full", "bundled"),
        ("ratio_same_architecture", "speechbrain_same", "bundled"),
        ("ratio_same_architecture_b16", "speechbrain_same_b16", "bundled_b16"),
        ("ratio_full_size_fp32", "speechbrain_full", "full_fp32"),
        ("ratio_full_size_int8", "speechbrain_full", "full_int8_all"),
    ):
        both = np.stack([times[theirs], times[ours]], axis=1)
        figures |= _figure(key + suffix, both, lambda some: np.divide(*np.median(some, axis=0)))
    return figures


def _figure(
    key: str, rounds: NDArray[np.float64], statistic: Callable[[NDArray[np.float64]], Any]
) -> Figures:
    """Return a statistic over rounds with its 95 % interval, rounds drawn again and again."""
    rng = np.random.default_rng(0)
    drawn = [
        float(statistic(rounds[rng.integers(0, len(rounds), len(rounds))])) for _ in range(1000)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    value = float(statistic(rounds))
    return {key: value, f"{key}_lo": float(low), f"{key}_hi": float(high)}


def _loading(runtime: str) -> Figures:
    """Time a fresh process until the bundled encoder is there, and its memory by then."""
    done = subprocess.run(  # noqa: S603  this interpreter, and words of this file
        [sys.executable, "-c", LOAD, runtime],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, mebibytes = done.stdout.split()
    return {"wall_s": float(seconds), "memory_mib": float(mebibytes)}


def _gpu_clips_per_s(batch: int = 256) -> float | None:
    """Clips a second through the bundled network on an accelerator; None where there is none."""
    import torch

    from pipelines.embed import load_encoder
    from pipelines.encoders.checkpoint import network_with, read_card
    from pipelines.encoders.table import BUNDLED

    if not torch.cuda.is_available():
        return None
    from safetensors.numpy import load_file

    network = network_with(load_file(BUNDLED), read_card(BUNDLED)["constructor"], BUNDLED).cuda()
    clip = torch.from_numpy(_frames(load_encoder("bundled"), 0))
    clips = clip.repeat(batch, 1, 1).cuda()
    with torch.inference_mode():
        times = [_gpu_seconds(lambda: network(clips)) for _ in range(12)]
    return batch / float(np.median(times[2:]))


def _gpu_seconds(task: Task) -> float:
    import torch

    torch.cuda.synchronize()
    started = time.perf_counter()
    task()
    torch.cuda.synchronize()
    return time.perf_counter() - started


ROWS = {
    "bundled": "ICLAS, bundled, ONNX Runtime",
    "bundled_b16": f"  {BATCH} clips, per clip",
    "bundled_torch": "  the same in torch",
    "bundled_int8": "  all layers int8",
    "speechbrain_same": "SpeechBrain, same network",
    "speechbrain_same_b16": f"  batch of {BATCH}, per clip",
    "speechbrain_full": "SpeechBrain, 1024 channels",
    "full_fp32": "  in ONNX Runtime, fp32",
    "full_int8_large": "  large layers int8",
    "full_int8_all": "  all layers int8",
}
COSINES = {
    "cosine": "cosine",
    "cosine_centred": "centred",
    "settled_cosine": "settled",
}
RATIOS = {
    "ratio_bundled_to_speechbrain": "bundled, to SpeechBrain's full network",
    "ratio_same_architecture": "same architecture and weights",
    "ratio_same_architecture_b16": f"the same, {BATCH} clips",
    "ratio_full_size_fp32": "1024 channels, fp32",
    "ratio_full_size_int8": "1024 channels, int8",
}


def _print(figures: Figures) -> None:
    from rich.console import Console

    console = Console()
    console.print(_times_table(figures))
    console.print(_ratios_table(figures))
    for runtime, load in figures["loading"].items():
        memory = f"{load['memory_mib']:.0f} MiB"
        console.print(f"loading in {runtime}: {load['wall_s']:.2f} s, then {memory} of memory")
    for key, weights in (("full_size_best", "random"), ("full_size_best_settled", "settled")):
        best = figures[key]
        said = f"{ROWS[best['name']].strip()}: {best['cpu_ms']:.1f} ms, cosine {best['cosine']:.4f}"
        console.print(f"1024 channels at cosine {GOOD_COSINE} or more, {weights} weights: {said}")
    per_s = figures["gpu_clips_per_s"]
    console.print("no accelerator here" if per_s is None else f"accelerator: {per_s:.0f} clips/s")
    versions = ", ".join(f"{name} {number}" for name, number in figures["versions"].items())
    console.print(f"{figures['machine']}; {versions}", style="dim")


def _times_table(figures: Figures) -> Any:  # noqa: ANN401  imported late
    from rich.table import Table

    title = f"A clip of {CLIP_S:g} s, features included; medians of {figures['n']} rounds"
    table = Table(title=title, title_justify="left")
    for heading in ("", "CPU ms", "wall ms", *COSINES.values()):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for name, words in ROWS.items():
        times = (figures[key][name] for key in ("cpu_ms", "wall_ms"))
        table.add_row(words, *(f"{ms:.1f}" for ms in times), *_cosine_cells(figures, name))
    return table


def _cosine_cells(figures: Figures, name: str) -> Iterator[str]:
    found = figures["cosines"].get(name, {})
    for key in COSINES:
        yield f"{found[key]:.3f}" if key in found else ""


def _ratios_table(figures: Figures) -> Any:  # noqa: ANN401  imported late
    from rich.table import Table

    table = Table(title="How many times as quick, with 95 % interval", title_justify="left")
    for heading in ("", "CPU time", "wall time"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, words in RATIOS.items():
        cells = []
        for key in (name, f"{name}_wall"):
            low, high = figures[f"{key}_lo"], figures[f"{key}_hi"]
            cells.append(f"{figures[key]:.1f} [{low:.1f}, {high:.1f}]")
        table.add_row(words, *cells)
    return table


if __name__ == "__main__":
    main()
