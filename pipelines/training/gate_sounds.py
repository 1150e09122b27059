"""Sounds to train the gate's cry head on: cries and what is none, on the same channels.

In: the manifests of crying and of adult words, intervals marked as not crying, and noises to mix
in. Out: examples, each a sound with its kind, its source and its group, after a room, added noise
and one of the two codecs. Guaranteed: seeded; both kinds go through both codecs, so that a head
cannot tell them apart by the codec; no infant that :mod:`pipelines.training.split` holds out.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from pipelines.channel import (
    Codec,
    add_noise,
    coloured_noise,
    in_room,
    room_response,
    through_codec,
)
from pipelines.manifest import ManifestRow
from pipelines.sound import Sound, decode, resample
from pipelines.training.gate_negatives import hard_negatives
from pipelines.training.split import is_held_out

RATE_HZ = 16_000
CLIP_S = 5.0
LEAST_INTERVAL_S = 1.0
GAP_S = (0.1, 0.5)
CHILDLIKE_SPEED = (1.4, 2.0)
SNR_DB = (3.0, 30.0)


@dataclass(frozen=True)
class Raw:
    """A sound before its channel.

    Attributes
    ----------
    sound
        At its own rate.
    is_cry
        Whether it is crying.
    source
        Where it comes from: ``cry``, ``not_cry``, ``adult``, ``childlike``, ``synthetic``, or a
        kind of :mod:`pipelines.training.gate_negatives`.
    group
        Infant, speaker or noise that it must not be split from.
    """

    sound: Sound
    is_cry: bool
    source: str
    group: str


@dataclass(frozen=True)
class Example:
    """A raw sound as a codec delivered it, at the codec's rate."""

    sound: Sound
    raw: Raw
    codec: Codec


def training_rows(rows: Sequence[ManifestRow]) -> list[ManifestRow]:
    """Return the recordings of infants that are not held out."""
    count = Counter(row.infant for row in rows)
    return [row for row in rows if not is_held_out(row.infant, count[row.infant])]


def held_out_rows(rows: Sequence[ManifestRow]) -> list[ManifestRow]:
    """Return the recordings of infants that no training may see."""
    count = Counter(row.infant for row in rows)
    return [row for row in rows if is_held_out(row.infant, count[row.infant])]


def is_human_checked(row: ManifestRow) -> bool:
    """Say whether a person listened to a recording and kept it as a cry."""
    return str(row.extra.get("human_checked_cry", "")) == "1"


def cries(rows: Sequence[ManifestRow]) -> Iterator[Raw]:
    """Give every human-checked cry."""
    for row in rows:
        if is_human_checked(row):
            yield Raw(decode(row.file)[0], is_cry=True, source="cry", group=row.infant)


def not_cry_intervals(rows: Sequence[ManifestRow], intervals: Path) -> Iterator[Raw]:
    """Give, joined, what an annotator marked as not crying in each recording.

    Parameters
    ----------
    rows
        Recordings that may be used.
    intervals
        CSV with the columns ``file``, ``onset_s``, ``offset_s`` and ``label``; files are named
        relative to it.
    """
    marked: dict[Path, list[tuple[float, float]]] = defaultdict(list)
    with intervals.open(newline="") as file:
        for line in csv.DictReader(file):
            if line["label"] == "not_cry":
                span = (float(line["onset_s"]), float(line["offset_s"]))
                marked[(intervals.parent / line["file"]).resolve()].append(span)
    for row in rows:
        spans = marked.get(row.file.resolve(), [])
        if sum(offset - onset for onset, offset in spans) >= LEAST_INTERVAL_S:
            sound = _joined(decode(row.file)[0], spans)
            yield Raw(sound, is_cry=False, source="not_cry", group=row.infant)


def _joined(sound: Sound, spans: Sequence[tuple[float, float]]) -> Sound:
    rate_hz = sound.rate_hz
    parts = [sound.samples[int(a * rate_hz) : int(b * rate_hz)] for a, b in spans]
    return Sound(np.concatenate(parts), rate_hz)


def adult_speech(manifest: Path, count: int, rng: np.random.Generator) -> Iterator[Raw]:
    """Give clips of adults saying several words; every second one sped up towards a child's voice.

    Parameters
    ----------
    manifest
        CSV with the columns ``file`` and ``speaker``.
    count
        How many clips, each of another speaker.
    rng
        Chooses speakers, words and speeds.
    """
    spoken: dict[str, list[Path]] = defaultdict(list)
    with manifest.open(newline="") as file:
        for line in csv.DictReader(file):
            spoken[line["speaker"]].append(manifest.parent / line["file"])
    speakers = sorted(spoken)
    chosen = rng.choice(len(speakers), size=min(count, len(speakers)), replace=False)
    for index, number in enumerate(chosen):
        speaker = speakers[number]
        words = [resample(decode(path)[0], RATE_HZ) for path in spoken[speaker][:4]]
        clip = _said(words, rng)
        if index % 2:
            clip = _sped(clip, float(rng.uniform(*CHILDLIKE_SPEED)))
        source = "childlike" if index % 2 else "adult"
        yield Raw(clip, is_cry=False, source=source, group=speaker)


def _said(words: Sequence[Sound], rng: np.random.Generator) -> Sound:
    parts: list[NDArray[np.float32]] = []
    for word in words:
        parts += [word.samples, np.zeros(int(rng.uniform(*GAP_S) * RATE_HZ), dtype=np.float32)]
    return Sound(np.concatenate(parts), RATE_HZ)


def _sped(sound: Sound, speed: float) -> Sound:
    """Raise pitch and formants together by playing faster."""
    slower = resample(sound, int(sound.rate_hz / speed))
    return Sound(slower.samples, sound.rate_hz)


def synthetic_sounds(count: int, rng: np.random.Generator) -> Iterator[Raw]:
    """Give noises, hums, tones, sweeps, chords, clicks and bursts made in code, in turn."""
    makers = (_noise, _hum, _tones, _sweeps, _clicks, _bursts)
    for index in range(count):
        made = makers[index % len(makers)](rng)
        peak = max(float(np.max(np.abs(made))), 1e-9)
        sound = Sound((0.7 * made / peak).astype(np.float32), RATE_HZ)
        group = f"{makers[index % len(makers)].__name__}-{index}"
        yield Raw(sound, is_cry=False, source="synthetic", group=group)


def hard_sounds(count: int, rng: np.random.Generator) -> Iterator[Raw]:
    """Give so many of every kind of sound that is easily taken for crying, made in code."""
    for number, (kind, samples) in enumerate(hard_negatives(count, rng)):
        peak = max(float(np.max(np.abs(samples))), 1e-9)
        sound = Sound((0.7 * samples / peak).astype(np.float32), RATE_HZ)
        yield Raw(sound, is_cry=False, source=kind, group=f"{kind}-{number}")


def _times_s() -> NDArray[np.float64]:
    return np.arange(int(CLIP_S * RATE_HZ)) / RATE_HZ


def _swell(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a slow rise and fall, so that a sound has louder and quieter stretches."""
    knots = rng.uniform(0.05, 1.0, size=int(rng.integers(3, 12)))
    return np.interp(_times_s(), np.linspace(0.0, CLIP_S, len(knots)), knots)


def _noise(rng: np.random.Generator) -> NDArray[np.float64]:
    slope = float(rng.choice([0.0, 3.0, 6.0, 9.0]))
    return coloured_noise(CLIP_S, RATE_HZ, slope, rng).samples * _swell(rng)


def _hum(rng: np.random.Generator) -> NDArray[np.float64]:
    base_hz = float(rng.uniform(45.0, 140.0))
    orders = np.arange(1, int(rng.integers(4, 30)))
    phases = rng.uniform(0.0, 2.0 * np.pi, len(orders))
    angle = 2.0 * np.pi * base_hz * np.outer(orders, _times_s()) + phases[:, None]
    gains = orders ** -float(rng.uniform(0.3, 1.5))
    return (gains @ np.sin(angle)) * _swell(rng) + 0.02 * rng.standard_normal(angle.shape[1])


def _gate(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw an on-off pattern with soft edges."""
    period_s, share = rng.uniform(0.15, 1.5), rng.uniform(0.3, 0.9)
    on = ((_times_s() + rng.uniform(0.0, 1.0)) % period_s < share * period_s).astype(float)
    return scipy.signal.sosfiltfilt(scipy.signal.butter(2, 40.0, fs=RATE_HZ, output="sos"), on)


def _tones(rng: np.random.Generator) -> NDArray[np.float64]:
    """Make a steady chord, as of music, alarms and appliances, switched on and off."""
    pitches_hz = rng.uniform(200.0, 3000.0) * 2.0 ** (rng.choice([0, 3, 4, 7, 12], size=3) / 12.0)
    times_s = _times_s()
    made = sum(
        scipy.signal.sawtooth(2.0 * np.pi * hz * times_s, width=rng.uniform(0.3, 1.0))
        for hz in pitches_hz[: int(rng.integers(1, 4))]
    )
    return made * _gate(rng) + 0.01 * rng.standard_normal(len(times_s))


def _sweeps(rng: np.random.Generator) -> NDArray[np.float64]:
    """Make siren-like and chirping glides, faster or higher than a cry's melody."""
    times_s = _times_s()
    rate_hz, depth = rng.uniform(0.2, 12.0), rng.uniform(0.1, 0.6)
    pitch_hz = rng.uniform(900.0, 4000.0) * (1.0 + depth * np.sin(2.0 * np.pi * rate_hz * times_s))
    return np.sin(2.0 * np.pi * np.cumsum(pitch_hz) / RATE_HZ) * _gate(
        rng
    ) + 0.01 * rng.standard_normal(len(times_s))


def _struck(times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Let a resonance ring at each of the times."""
    impulses = np.zeros(int(CLIP_S * RATE_HZ))
    impulses[(times * RATE_HZ).astype(int) % len(impulses)] = rng.uniform(0.3, 1.0, len(times))
    ring_s = np.arange(int(0.3 * RATE_HZ)) / RATE_HZ
    decay_s = rng.uniform(0.003, 0.08)
    ring = np.exp(-ring_s / decay_s) * np.sin(2.0 * np.pi * rng.uniform(200, 5000) * ring_s)
    ring += 0.5 * np.exp(-ring_s / decay_s) * rng.standard_normal(len(ring_s))
    made = scipy.signal.fftconvolve(impulses, ring)[: len(impulses)]
    return made + 0.003 * rng.standard_normal(len(made))


def _clicks(rng: np.random.Generator) -> NDArray[np.float64]:
    return _struck(rng.uniform(0.0, CLIP_S, int(rng.integers(5, 60))), rng)


def _bursts(rng: np.random.Generator) -> NDArray[np.float64]:
    """Make band noise in a quick rhythm, as of clapping, panting and sawing."""
    low_hz = rng.uniform(100.0, 3000.0)
    band = scipy.signal.butter(
        2, [low_hz, min(low_hz * rng.uniform(1.5, 6.0), 7500.0)], "band", fs=RATE_HZ, output="sos"
    )
    made = scipy.signal.sosfilt(band, rng.standard_normal(int(CLIP_S * RATE_HZ)))
    return made * _gate(rng) + 0.002 * rng.standard_normal(len(made))


def read_noises(folder: Path) -> dict[str, Sound]:
    """Read every sound in a folder at 16 kHz, by name in alphabetical order."""
    return {
        path.stem: resample(decode(path)[0], RATE_HZ)
        for path in sorted(folder.iterdir())
        if path.suffix in {".opus", ".wav", ".flac", ".ogg"}
    }


def on_channel(
    raw: Raw, codec: Codec, noises: Mapping[str, Sound], rng: np.random.Generator
) -> Example:
    """Put a raw sound, at random, into a room and under noise, and always through the codec.

    Parameters
    ----------
    raw
        The sound.
    codec
        The path it goes.
    noises
        Noises to mix in at 16 kHz; pink noise is made where there are none.
    rng
        Draws room, noise and ratios.
    """
    sound = resample(raw.sound, RATE_HZ)
    if rng.random() < 0.5:
        sound = in_room(
            sound, room_response(RATE_HZ, rng.uniform(0.1, 0.6), rng.uniform(0, 12), rng)
        )
    if rng.random() < 0.7:
        sound = add_noise(sound, _drawn_noise(noises, rng), float(rng.uniform(*SNR_DB)), rng)
    return Example(through_codec(sound, codec), raw, codec)


def _drawn_noise(noises: Mapping[str, Sound], rng: np.random.Generator) -> Sound:
    names = sorted(noises)
    if not names or rng.random() < 0.25:
        return coloured_noise(CLIP_S, RATE_HZ, float(rng.uniform(0.0, 6.0)), rng)
    return noises[names[int(rng.integers(len(names)))]]
