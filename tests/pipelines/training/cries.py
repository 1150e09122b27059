"""Small corpora of simulated cries, and small encoders, for the tests of fine-tuning."""

import hashlib
from pathlib import Path

import torch

from pipelines.encoders.checkpoint import ARCHITECTURE, save_checkpoint
from pipelines.encoders.ecapa import build_ecapa
from pipelines.encoders.hub import read_constructor
from pipelines.frontend import FrontEnd
from pipelines.sound import Sound, write_wav
from pipelines.synthesis import InfantVoice, synthesise_cry
from pipelines.training.split import is_held_out

TINY = {
    "input_size": 80,
    "lin_neurons": 192,
    "channels": [16, 16, 16, 16, 48],
    "attention_channels": 8,
    "se_channels": 8,
}
HYPERPARAMETERS = """\
embedding_model: !new:speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN
    input_size: 80
    channels: [16, 16, 16, 16, 48]
    kernel_sizes: [5, 3, 3, 3, 1]
    dilations: [1, 2, 3, 4, 1]
    attention_channels: 8
    lin_neurons: 192
"""
TRAINING, VALIDATION, TEST = 6, 3, 3


def cry(infant: int, take: int, duration_s: float = 2.5) -> Sound:
    """Simulate a cry of one of many infants, each with a pitch and a tract of its own."""
    voice = InfantVoice(f0_hz=330.0 + 25.0 * infant, tract_length_cm=7.0 + 0.2 * infant)
    return synthesise_cry(voice, seed=100 * infant + take, duration_s=duration_s).sound


def names_of(part: str, count: int) -> list[str]:
    """Find identifiers that the rules of parting put into a part."""
    candidates = (f"infant{number}" for number in range(10_000))
    return [next(name for name in candidates if part_by_rule(name) == part) for _ in range(count)]


def part_by_rule(infant: str) -> str:
    """Say what the rules make of an infant of few recordings, written out once more."""
    if is_held_out(infant, 2):
        return "test"
    digest = hashlib.sha256(f"validation {infant}".encode()).hexdigest()
    return "validation" if int(digest[:16], 16) < 0.2 * 2**64 else "training"


def a_corpus(folder: Path) -> Path:
    """Write a manifest of twelve infants with two recordings each, two hours apart."""
    sizes = {"training": TRAINING, "validation": VALIDATION, "test": TEST}
    infants = [name for part, count in sizes.items() for name in names_of(part, count)]
    lines = ["file,infant,recorded_at,device"]
    for number, infant in enumerate(infants):
        for take in range(2):
            name = f"{infant}-{take}.wav"
            write_wav(folder / name, cry(number, take))
            lines.append(f"{name},{infant},2024-01-01T1{2 * take}:00:00+00:00,ios")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder / "manifest.csv"


def a_checkpoint(folder: Path) -> Path:
    """Write a small encoder of random weights, globally normalised."""
    torch.manual_seed(0)
    arrays = {name: value.numpy() for name, value in build_ecapa(TINY).state_dict().items()}
    card = {
        "name": "tiny",
        "license": "none",
        "architecture": ARCHITECTURE,
        "constructor": TINY,
        "front_end": FrontEnd(global_mel_mean_db=(0.0,) * 80).to_card(),
        "figures_on_held_out_infants": {"eer_any": 1.0},
        "heard_infants": ["0" * 16],
    }
    save_checkpoint(folder / "tiny.safetensors", arrays, card)
    return folder / "tiny.safetensors"


def a_hub_folder(folder: Path) -> Path:
    """Write a small encoder of random weights in the layout that SpeechBrain publishes."""
    (folder / "hyperparams.yaml").write_text(HYPERPARAMETERS)
    torch.manual_seed(1)
    network = build_ecapa(read_constructor(folder / "hyperparams.yaml"))
    torch.save(network.state_dict(), folder / "embedding_model.ckpt")
    return folder
