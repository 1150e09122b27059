"""Sound: files of any common kind in, mono samples out.

In: a file or its bytes: WAV, FLAC, Ogg, Opus, MP3, M4A, AAC, CAF, 3GP, AMR and kin, told apart by
content and never by name. Out: a `Sound`, channels averaged, at the file's own rate, and what the
file was. Guaranteed: a `DecodeError` and nothing else for whatever is no audio; damaged files give
what could be decoded; no file, however long, fills the memory; no file makes the decoder open
another file or an address.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import av
import av.audio.frame
import av.audio.stream
import av.container
import numpy as np
import soxr
from numpy.typing import NDArray

from pipelines.errors import DecodeError, DecodeReason

Samples = NDArray[np.float32]

RATE_HZ = 16_000
"""Rate at which everything after decoding works."""

LIMIT_S = 301.0
"""Decoding stops here: a little over the longest recording that is of use."""

LOWEST_RATE_HZ = 8_000
HIGHEST_RATE_HZ = 192_000
NOTHING = 1e-6  # peak that counts as nothing: below it, scaling would only blow up rounding errors
MOST_CHANNELS = 8
SAMPLE_TYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
LOUDEST = 32_768.0  # some programs write floating-point files at the scale of 16-bit integers

# Only containers that hold their own sound: playlists and the like could name other files.
CONTAINERS = (
    "wav,w64,flac,ogg,mp3,mov,mp4,m4a,3gp,3g2,mj2,caf,amr,amrnb,amrwb,aac,aiff,au,matroska,webm"
)


@dataclass(frozen=True)
class Sound:
    """Mono sound: samples, shape ``(n,)``, float32, full scale 1, and their rate."""

    samples: Samples
    rate_hz: int

    @property
    def duration_s(self) -> float:
        """Duration in seconds."""
        return len(self.samples) / self.rate_hz


@dataclass(frozen=True)
class SourceFormat:
    """What a file was; `duration_s` is what was decoded, or what it states if that was cut."""

    codec: str
    container: str
    rate_hz: int
    channels: int
    duration_s: float


def decode(source: Path | bytes) -> tuple[Sound, SourceFormat]:
    """Decode a recording.

    Parameters
    ----------
    source
        A file, or the bytes of one.

    Returns
    -------
    Sound
        Channels averaged, at the file's own rate, at most `LIMIT_S` long.
    SourceFormat
        What the file was.

    Raises
    ------
    DecodeError
        ``empty``: no bytes, or an audio track without a sample. ``undecodable``: no audio that can
        be decoded, or at a rate outside 8 to 192 kHz, or of more than 8 channels.
    OSError
        The path cannot be read.
    """
    if isinstance(source, bytes):
        return _decode_stream(io.BytesIO(source))
    with source.open("rb") as stream:
        return _decode_stream(stream)


def _decode_stream(stream: BinaryIO) -> tuple[Sound, SourceFormat]:
    if not stream.read(1):
        raise DecodeError("empty", "the file holds no bytes")
    stream.seek(0)
    try:
        with _opened(stream) as container:
            return _decode_container(container)
    except av.error.FFmpegError as error:
        raise DecodeError("undecodable", error.strerror or type(error).__name__) from error


def _opened(stream: BinaryIO) -> av.container.InputContainer:
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "none"}
    container = av.open(stream, container_options=options, metadata_errors="ignore")
    return cast(av.container.InputContainer, container)


def _decode_container(container: av.container.InputContainer) -> tuple[Sound, SourceFormat]:
    reader = _Reader(container)
    parts = list(reader.parts())
    if not parts:
        reason: DecodeReason = "undecodable" if reader.damaged else "empty"
        raise DecodeError(reason, "the audio track gave no sample")
    sound = Sound(np.concatenate(parts), reader.rate_hz)
    return sound, reader.source_format(sound.duration_s)


class _Reader:
    """Reads one audio track packet by packet, so that a damaged packet costs only itself."""

    def __init__(self, container: av.container.InputContainer) -> None:
        # A track whose codec is not known has no decoder, whatever the types promise.
        tracks = [stream for stream in container.streams.audio if stream.codec_context is not None]
        if not tracks:
            raise DecodeError("undecodable", "the file has no audio track that can be decoded")
        self.container = container
        self.stream = tracks[0]
        self.stream.codec_context.thread_count = 1
        self.rate_hz = 0
        self.channels = 0
        self.damaged = False
        self.cut_short = False

    def parts(self) -> Iterator[Samples]:
        """Yield mono samples until the end, the limit, or where the file changes its form."""
        taken = 0
        for frame in self._frames():
            if not self.rate_hz:
                self._begin(frame)
            if (frame.sample_rate, frame.layout.nb_channels) != (self.rate_hz, self.channels):
                return
            yield _mono(frame)
            taken += frame.samples
            if taken >= LIMIT_S * self.rate_hz:
                self.cut_short = True
                return

    def _begin(self, frame: av.AudioFrame) -> None:
        self.rate_hz = frame.sample_rate
        self.channels = frame.layout.nb_channels
        if not LOWEST_RATE_HZ <= self.rate_hz <= HIGHEST_RATE_HZ:
            raise DecodeError("undecodable", f"{self.rate_hz} Hz is no rate for a recording")
        if self.channels > MOST_CHANNELS:
            raise DecodeError("undecodable", f"{self.channels} channels are none of a microphone")

    def _frames(self) -> Iterator[av.AudioFrame]:
        for packet in self._packets():
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self.damaged = True
                continue
            yield from (frame for frame in frames if frame.samples)

    def _packets(self) -> Iterator[av.Packet[av.audio.stream.AudioStream]]:
        """Yield packets as far as the container can be followed."""
        try:
            yield from self.container.demux(self.stream)
        except av.error.FFmpegError:
            self.damaged = True

    def source_format(self, decoded_s: float) -> SourceFormat:
        stated_s = (self.container.duration or 0) / av.time_base
        return SourceFormat(
            codec=self.stream.codec_context.name,
            container=self.container.format.name,
            rate_hz=self.rate_hz,
            channels=self.channels,
            duration_s=max(decoded_s, stated_s) if self.cut_short else decoded_s,
        )


def _mono(frame: av.AudioFrame) -> Samples:
    scaled = _to_full_scale(_values(frame))
    return scaled[0] if len(scaled) == 1 else np.asarray(scaled.mean(axis=0), dtype=np.float32)


def _values(frame: av.AudioFrame) -> NDArray[Any]:
    """Return what a frame holds, shape ``(channels, n)``.

    Taken plane by plane: with eight planes or more, `AudioFrame.to_ndarray` of PyAV 18 counts
    planes that are not there, and reads memory that is not its own.
    """
    channels = frame.layout.nb_channels
    kind = SAMPLE_TYPES[frame.format.packed.name]
    planes: Sequence[Any] = frame.planes  # buffers, which their types do not tell
    if not frame.format.is_planar:
        interleaved: NDArray[Any] = np.frombuffer(planes[0], kind, frame.samples * channels)
        return interleaved.reshape(-1, channels).T
    return np.stack([np.frombuffer(plane, kind, frame.samples) for plane in planes[:channels]])


def _to_full_scale(values: NDArray[Any]) -> Samples:
    """Return float32 with full scale 1; what is no number becomes silence."""
    if values.dtype == np.uint8:
        return np.asarray((values.astype(np.float32) - 128.0) / 128.0, dtype=np.float32)
    if values.dtype.kind == "i":
        full_scale = 2.0 ** (8 * values.dtype.itemsize - 1)
        return np.asarray(values.astype(np.float32) / np.float32(full_scale), dtype=np.float32)
    finite = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    return np.asarray(np.clip(finite, -LOUDEST, LOUDEST), dtype=np.float32)


def resample(sound: Sound, rate_hz: int = RATE_HZ) -> Sound:
    """Change the rate of a sound (soxr, high quality: linear phase, no aliasing).

    Parameters
    ----------
    sound
        Any sound.
    rate_hz
        The rate wanted.

    Returns
    -------
    Sound
        The same sound at that rate; the very same object where it already has it.
    """
    if sound.rate_hz == rate_hz:
        return sound
    samples = soxr.resample(sound.samples, sound.rate_hz, rate_hz, quality="HQ")
    return Sound(np.asarray(samples, dtype=np.float32), rate_hz)


def peak_normalise(sound: Sound) -> Sound:
    """Remove the mean and scale the largest sample to 1.

    Parameters
    ----------
    sound
        Any sound.

    Returns
    -------
    Sound
        Within [-1, 1]; a sound that is nothing but its mean (peak under 1e-6) becomes zeros.
    """
    if not len(sound.samples):
        return sound
    centred = sound.samples - np.float32(sound.samples.mean(dtype=np.float64))
    peak = float(np.max(np.abs(centred)))
    if peak < NOTHING:
        return Sound(np.zeros_like(centred), sound.rate_hz)
    return Sound(centred / np.float32(peak), sound.rate_hz)


def write_wav(path: Path, sound: Sound) -> None:
    """Write a sound as a mono WAV file of 16 bits; what exceeds full scale is clipped.

    Parameters
    ----------
    path
        Where; a file already there is replaced.
    sound
        Full scale 1.
    """
    path.write_bytes(wav_bytes(sound))


def wav_bytes(sound: Sound) -> bytes:
    """Return a sound as the bytes of a mono WAV file of 16 bits, as `write_wav` writes it.

    Parameters
    ----------
    sound
        Full scale 1; what exceeds it is clipped.
    """
    whole = np.round(np.clip(sound.samples, -1.0, 1.0) * 32767.0).astype("<i2")
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sound.rate_hz)
        file.writeframes(whole.tobytes())
    return stream.getvalue()
