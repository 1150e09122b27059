"""Sound files for tests, synthesised: the project holds no recordings."""

import io
import wave
from pathlib import Path

import numpy as np

from pipelines.sound import Sound, write_wav
from pipelines.synthesis import InfantVoice, synthesise_cry


def a_cry(path: Path, seed: int = 0, voice: InfantVoice | None = None) -> Path:
    """Write about 5 s of crying to a WAV file and return its path."""
    cry = synthesise_cry(voice or InfantVoice(), seed=seed, duration_s=5.0)
    write_wav(path, cry.sound)
    return path


def cry_bytes(folder: Path, seed: int = 0) -> bytes:
    """Return about 5 s of crying as the bytes of a WAV file."""
    return a_cry(folder / f"cry-{seed}.wav", seed).read_bytes()


def silence_bytes(duration_s: float = 3.0, rate_hz: int = 16_000) -> bytes:
    """Return digital silence as the bytes of a WAV file."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(bytes(2 * int(duration_s * rate_hz)))
    return stream.getvalue()


def a_hum(path: Path, duration_s: float = 5.0, rate_hz: int = 16_000) -> Path:
    """Write a mains hum that comes and goes: sound with units, but no crying."""
    times = np.arange(int(duration_s * rate_hz)) / rate_hz
    hum = sum(np.sin(2 * np.pi * 50 * k * times) / k for k in range(1, 8))
    pulses = (np.sin(2 * np.pi * 0.6 * times) > 0).astype(float)
    noise = 0.001 * np.random.default_rng(0).normal(size=times.size)
    samples = (0.3 * hum * pulses + noise).astype(np.float32)
    write_wav(path, Sound(samples, rate_hz))
    return path
