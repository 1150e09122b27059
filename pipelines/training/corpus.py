"""Training: the recordings that the backbone may hear, as mel power held in memory.

In: a folder with ``donateacry/``, ``speech_commands/`` and ``noise/``. Out: a :class:`Corpus` of
frames, clips with their cry units, backgrounds, and simulated infants. Guaranteed: no clip of a
held-out infant or speaker; the same folder gives the same corpus, and its manifest has a checksum.

Frames are kept as float16 decibels: 0.06 dB coarse at worst, and the whole corpus fits in memory.
A faster or slower copy of a voice (pitch and tract move together) counts as another identity.
Beside the frames stand the traits that a network shall not be blind to: the fundamental frequency
of every frame, as planted in simulated cries and as tracked in real ones, and of simulated voices
the length of the tract, jitter and breathiness.
"""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.acoustics import track_f0
from pipelines.errors import DecodeError
from pipelines.frontend import RATE_HZ, FrontEnd, mel_power, quietest_frames
from pipelines.manifest import ManifestRow, read_manifest
from pipelines.segment import find_units, segment
from pipelines.sound import Sound, decode, peak_normalise, resample
from pipelines.training.simulated import N_INFANTS, VoiceTraits, simulated_takes
from pipelines.training.split import is_held_out

ADULTS = "adults"
SIMULATED = "simulated infants"
CRY_SPEEDS = (1.0, 0.87, 1.15)
ADULT_SPEEDS = (1.0, 1.35, 1.8)
MIN_UNIT_FRAMES = 30
SURE_STRENGTH = 0.6
"""Autocorrelation from which a tracked frame is taken for a measured one."""
SIMULATED_SEED = 20_000
_AMIN = 1e-10


@dataclass(frozen=True)
class Source:
    """One file to train on: whose it is, in which group, and when it was made (adults: never)."""

    file: Path
    voice: str
    group: str
    recorded_at_s: float | None


@dataclass(frozen=True)
class Clip:
    """One recording at one speed.

    Attributes
    ----------
    voice, group, speed
        Whose it is, the group that it is compared within, and how fast it is played.
    source
        Index of its file in the training manifest; copies at other speeds share it.
    recorded_at_s
        Seconds since 1970, None where unknown.
    span
        First and last-plus-one row in :attr:`Corpus.frames_db`.
    units
        Cry units (or the whole word) in frames of this clip, shape ``(n, 2)``.
    traits
        What is known of a simulated voice; None of others.
    """

    voice: str
    group: str
    speed: float
    source: int
    recorded_at_s: float | None
    span: tuple[int, int]
    units: NDArray[np.int64]
    traits: VoiceTraits | None = None

    @property
    def identity(self) -> str:
        """Identity that the objectives tell apart."""
        return f"{self.group}/{self.voice}/{self.speed:g}"


@dataclass(frozen=True)
class Corpus:
    """All frames, the clips that point into them, and backgrounds.

    Attributes
    ----------
    frames_db
        Mel power in dB, float16, shape ``(frames, bands)``.
    f0_hz
        Fundamental frequency of every frame, NaN where unvoiced or not known, shape ``(frames,)``.
    clips
        Recordings at every speed.
    backgrounds
        Background frames in dB of each cry recording and noise, float16.
    background_source
        Source index of each background, -1 for a noise.
    own_background_power
        Mean background power of every source, shape ``(sources, bands)``.
    manifest_sha256
        Checksum of the training manifest.
    """

    frames_db: NDArray[np.float16]
    f0_hz: NDArray[np.float32]
    clips: tuple[Clip, ...]
    backgrounds: tuple[NDArray[np.float16], ...]
    background_source: NDArray[np.int64]
    own_background_power: NDArray[np.float32]
    manifest_sha256: str


def cry_rows(data_root: Path) -> list[ManifestRow]:
    """Good rows of the cry manifest under ``data_root``."""
    rows = read_manifest(data_root / "donateacry" / "manifest.csv")
    return [row for row in rows if isinstance(row, ManifestRow)]


def training_sources(data_root: Path, *, held_out: bool = False) -> list[Source]:
    """List the files to train on (or, the other way round, those held out), in a fixed order."""
    return [*_cries(data_root, held_out=held_out), *_adults(data_root, held_out=held_out)]


def every_source(data_root: Path) -> list[Source]:
    """List the files to train on and those held out: for cross-validation over all infants."""
    return [
        *_cries(data_root, held_out=False),
        *_cries(data_root, held_out=True),
        *_adults(data_root, held_out=False),
    ]


def _cries(data_root: Path, *, held_out: bool) -> Iterator[Source]:
    rows = cry_rows(data_root)
    count = Counter(row.infant for row in rows)
    for row in sorted(rows, key=lambda row: (row.infant, row.recorded_at, row.file)):
        if is_held_out(row.infant, count[row.infant]) == held_out:
            group = f"cries on {row.device or 'an unknown device'}"
            yield Source(row.file, row.infant, group, row.recorded_at.timestamp())


def _adults(data_root: Path, *, held_out: bool) -> Iterator[Source]:
    manifest = data_root / "speech_commands" / "manifest.csv"
    with manifest.open(newline="", encoding="utf-8") as handle:
        rows = sorted(csv.DictReader(handle), key=lambda row: (row["speaker"], row["file"]))
    for row in rows:
        # Adults have no personal protocol, so only the hashed share of them is held out.
        if is_held_out(row["speaker"], 0) == held_out:
            yield Source(manifest.parent / row["file"], row["speaker"], ADULTS, None)


def manifest_sha256(sources: list[Source]) -> str:
    """Checksum over one line per file: group, identity, name, and its content's own checksum."""
    digest = hashlib.sha256()
    for source in sources:
        content = hashlib.sha256(source.file.read_bytes()).hexdigest()
        line = f"{source.group}\t{source.voice}\t{source.file.name}\t{content}\n"
        digest.update(line.encode())
    return digest.hexdigest()


def played_at(sound: Sound, speed: float) -> Sound:
    """Play a sound faster (or slower): pitch and formants move together."""
    if speed == 1.0:
        return sound
    faster = resample(sound, round(sound.rate_hz / speed))
    return Sound(faster.samples, sound.rate_hz)


def _unit_frames(sound: Sound, n_frames: int) -> NDArray[np.int64]:
    spans = [
        (round(unit.onset_s * 100), min(round(unit.offset_s * 100), n_frames))
        for unit in find_units(sound)
    ]
    kept = [span for span in spans if span[1] - span[0] >= MIN_UNIT_FRAMES]
    return np.asarray(kept or [(0, n_frames)], dtype=np.int64)


def _decibel(sound: Sound) -> NDArray[np.float16]:
    power = mel_power(sound.samples, FrontEnd())
    return (10.0 * np.log10(np.maximum(power, np.float32(_AMIN)))).astype(np.float16)


def tracked_f0(sound: Sound, n_frames: int) -> NDArray[np.float32]:
    """Fundamental frequency at each mel frame, NaN where it is unvoiced or not sure."""
    track = track_f0(sound.samples, sound.rate_hz)
    result = np.full(n_frames, np.nan, dtype=np.float32)
    sure = np.isfinite(track.f0_hz) & (track.strength >= SURE_STRENGTH)
    frames = np.round(track.times_s[sure] * 100.0).astype(np.intp)
    inside = frames < n_frames
    result[frames[inside]] = track.f0_hz[sure][inside]
    return result


def at_speed(f0_hz: NDArray[np.float32], speed: float, n_frames: int) -> NDArray[np.float32]:
    """Fundamental frequency of a copy played faster, at each of its frames."""
    places = np.minimum(np.round(np.arange(n_frames) * speed).astype(np.intp), len(f0_hz) - 1)
    return (f0_hz[places] * np.float32(speed)).astype(np.float32)


class _Builder:
    """Collects clips while files are read one by one."""

    def __init__(self) -> None:
        self.frames: list[NDArray[np.float16]] = []
        self.f0: list[NDArray[np.float32]] = []
        self.rows = 0
        self.clips: list[Clip] = []
        self.backgrounds: list[NDArray[np.float16]] = []
        self.background_source: list[int] = []
        self.own_background: list[NDArray[np.float32]] = []

    def add(self, number: int, source: Source, sound: Sound) -> None:
        """Add a recording at every speed."""
        adult = source.group == ADULTS
        f0_hz = np.full(1, np.nan, dtype=np.float32)
        if not adult:
            f0_hz = tracked_f0(sound, len(sound.samples) // 160 + 1)
        for speed in ADULT_SPEEDS if adult else CRY_SPEEDS:
            copy = played_at(sound, speed)
            frames = self._add_clip(number, source, copy, speed)
            self.f0.append(at_speed(f0_hz, speed, len(frames)))
            if speed == 1.0:
                self._add_background(number, frames, keep=not adult)

    def add_simulated(self, first_number: int, infants: int) -> None:
        """Add simulated infants, with their truth."""
        for number, take in enumerate(simulated_takes(infants, SIMULATED_SEED), first_number):
            source = Source(Path(take.infant), take.infant, SIMULATED, None)
            frames = self._add_clip(number, source, take.sound, 1.0, take.traits)
            known = np.full(len(frames), np.nan, dtype=np.float32)
            length = min(len(known), len(take.f0_hz))
            known[:length] = take.f0_hz[:length]
            self.f0.append(known)
            self._add_background(number, frames, keep=False)

    def _add_clip(
        self,
        number: int,
        source: Source,
        sound: Sound,
        speed: float,
        traits: VoiceTraits | None = None,
    ) -> NDArray[np.float16]:
        frames = _decibel(sound)
        span = (self.rows, self.rows + len(frames))
        units = _unit_frames(sound, len(frames))
        who = (source.voice, source.group, speed, number, source.recorded_at_s)
        self.clips.append(Clip(*who, span, units, traits))
        self.frames.append(frames)
        self.rows += len(frames)
        return frames

    def _add_background(self, number: int, frames: NDArray[np.float16], *, keep: bool) -> None:
        quiet = quietest_frames(frames.astype(np.float32))
        power = np.power(10.0, quiet / 10.0).mean(axis=0)
        missing = number + 1 - len(self.own_background)
        self.own_background += [np.zeros_like(power)] * (missing - 1) + [power]
        if keep:
            self.backgrounds.append(quiet.astype(np.float16))
            self.background_source.append(number)

    def add_noise(self, sound: Sound) -> None:
        self.backgrounds.append(_decibel(sound))
        self.background_source.append(-1)

    def build(self, checksum: str) -> Corpus:
        return Corpus(
            frames_db=np.concatenate(self.frames),
            f0_hz=np.concatenate(self.f0),
            clips=tuple(self.clips),
            backgrounds=tuple(self.backgrounds),
            background_source=np.asarray(self.background_source, dtype=np.int64),
            own_background_power=np.stack(self.own_background).astype(np.float32),
            manifest_sha256=checksum,
        )


def _usable_sound(source: Source) -> Sound | None:
    """Sound at 16 kHz, peak-normalised; None where the file gives nothing to train on."""
    try:
        if source.group != ADULTS:
            found = segment(source.file)
            return None if found.unusable else found.sound
        sound = peak_normalise(resample(decode(source.file)[0], RATE_HZ))
    except DecodeError:
        return None
    return sound if sound.samples.size >= RATE_HZ // 2 else None


def load_corpus(
    data_root: Path, sources: Sequence[Source] | None = None, simulated: int = N_INFANTS
) -> Corpus:
    """Read every file that may be trained on; about two minutes for the full data.

    Parameters
    ----------
    data_root
        Folder with ``donateacry/``, ``speech_commands/`` and ``noise/``.
    sources
        Files to read; None means :func:`training_sources`.
    simulated
        How many simulated infants to add.

    Raises
    ------
    ManifestError, OSError
        A manifest is missing or lacks its columns.
    """
    chosen = training_sources(data_root) if sources is None else list(sources)
    builder = _Builder()
    for number, source in enumerate(chosen):
        sound = _usable_sound(source)
        if sound is not None:
            builder.add(number, source, sound)
    builder.add_simulated(len(chosen), simulated)
    for file in sorted((data_root / "noise").glob("*.*")):
        builder.add_noise(peak_normalise(resample(decode(file)[0], RATE_HZ)))
    return builder.build(manifest_sha256(chosen))


def counts(corpus: Corpus) -> Mapping[str, int]:
    """How many recordings and voices there are, per group."""
    result: Counter[str] = Counter()
    voices: dict[str, set[str]] = {}
    for clip in corpus.clips:
        if clip.speed == 1.0:
            result[f"{clip.group}: recordings"] += 1
            voices.setdefault(clip.group, set()).add(clip.voice)
    result.update({f"{group}: voices": len(names) for group, names in voices.items()})
    return dict(sorted(result.items()))
