"""A few synthetic infants, adults and noises in the folders that training reads."""

from pathlib import Path

import numpy as np

from pipelines.sound import Sound, write_wav
from pipelines.training.split import is_held_out

RATE_HZ = 16_000


def voice(pitch_hz: float, seed: int, duration_s: float) -> Sound:
    rng = np.random.default_rng(seed)
    times_s = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * pitch_hz * times_s
    tones = sum(np.sin(k * phase) / k for k in range(1, 6))
    samples = 0.2 * tones * (np.sin(2 * np.pi * 0.7 * times_s) > -0.2)
    samples = samples + 0.003 * rng.normal(size=times_s.size)
    return Sound(samples.astype(np.float32), RATE_HZ)


def named(prefix: str, count: int, n_recordings: int, *, held_out: bool) -> list[str]:
    """Find identifiers that the rule of the split holds out, or does not."""
    candidates = (f"{prefix}{number}" for number in range(10_000))
    found = (name for name in candidates if is_held_out(name, n_recordings) == held_out)
    return [next(found) for _ in range(count)]


def write_small_data(root: Path) -> None:
    """Write five infants that training may hear and five that it may not, two recordings or three.

    Beside them lie four adults, one of them held out, and a noise.
    """
    for folder in ("donateacry", "speech_commands", "noise"):
        (root / folder).mkdir()
    heard = named("i", 5, 2, held_out=False)
    lines = ["file,infant,recorded_at,device"]
    for number, infant in enumerate([*heard, *named("o", 5, 3, held_out=True)]):
        for take in range(2 if infant in heard else 3):
            name = f"{infant}-{take}.wav"
            write_wav(root / "donateacry" / name, voice(350 + 40 * number, 10 * number + take, 2.5))
            device = "ios" if number < 3 else "android"
            lines.append(f"{name},{infant},2024-01-01T1{2 * take}:00:00+00:00,{device}")
    (root / "donateacry" / "manifest.csv").write_text("\n".join(lines) + "\n")
    lines = ["file,speaker,word,take"]
    speakers = [*named("s", 3, 0, held_out=False), *named("t", 1, 0, held_out=True)]
    for number, speaker in enumerate(speakers):
        for take in range(2):
            name = f"{speaker}-{take}.wav"
            write_wav(root / "speech_commands" / name, voice(120 + 20 * number, 90 + number, 1.0))
            lines.append(f"{name},{speaker},word,{take}")
    (root / "speech_commands" / "manifest.csv").write_text("\n".join(lines) + "\n")
    rng = np.random.default_rng(0)
    noise = (0.1 * rng.normal(size=RATE_HZ)).astype(np.float32)
    write_wav(root / "noise" / "hiss.wav", Sound(noise, RATE_HZ))
