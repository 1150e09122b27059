"""Sound: every kind of file that the decoder promises, and everything that is no sound."""

import io
import struct
import wave
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.errors import DecodeError
from pipelines.sound import (
    LIMIT_S,
    Sound,
    decode,
    peak_normalise,
    resample,
    write_wav,
)
from pipelines.synthesis import InfantVoice, synthesise_cry

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Kind:
    """A kind of file, what it does to the samples, and what the decoder calls it."""

    container: str
    encoder: str
    rate_hz: int
    likeness: float = 0.98
    channels: tuple[int, ...] = (1, 2)
    options: dict[str, str] = field(default_factory=dict)


KINDS = {
    "wav 16 bit": Kind("wav", "pcm_s16le", 16_000, 0.9999),
    "wav 8 bit": Kind("wav", "pcm_u8", 8_000, 0.99),
    "wav 24 bit": Kind("wav", "pcm_s24le", 44_100, 0.9999),
    "wav 32 bit": Kind("wav", "pcm_s32le", 22_050, 0.9999),
    "wav float": Kind("wav", "pcm_f32le", 48_000, 0.9999),
    "wav double": Kind("wav", "pcm_f64le", 96_000, 0.9999),
    "wav a-law": Kind("wav", "pcm_alaw", 8_000),
    "wav adpcm": Kind("wav", "adpcm_ima_wav", 16_000),
    "flac": Kind("flac", "flac", 32_000, 0.9999),
    "flac 96 kHz": Kind("flac", "flac", 96_000, 0.9999),
    "ogg opus": Kind("ogg", "libopus", 48_000),
    "ogg vorbis": Kind("ogg", "vorbis", 44_100, channels=(2,), options={"strict": "-2"}),
    "webm opus": Kind("webm", "libopus", 48_000),
    "mp3": Kind("mp3", "libmp3lame", 44_100),
    "m4a aac": Kind("ipod", "aac", 44_100),
    "m4a alac": Kind("ipod", "alac", 44_100, 0.9999),
    "aac": Kind("adts", "aac", 16_000),
    "caf adpcm": Kind("caf", "adpcm_ima_qt", 16_000),
    "caf pcm": Kind("caf", "pcm_s16be", 16_000, 0.9999),
    "3gp amr": Kind("3gp", "libopencore_amrnb", 8_000, 0.85, channels=(1,)),
    "3gp aac": Kind("3gp", "aac", 16_000),
    "amr": Kind("amr", "libopencore_amrnb", 8_000, 0.85, channels=(1,)),
    "aiff": Kind("aiff", "pcm_s16be", 44_100, 0.9999),
}


def encode(samples: Samples, kind: Kind, channels: int = 1) -> bytes:
    """Encode mono samples, the same in every channel."""
    buffer = io.BytesIO()
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[channels]
    with av.open(buffer, "w", format=kind.container) as container:
        stream = container.add_stream(kind.encoder, rate=kind.rate_hz, options=kind.options)
        assert isinstance(stream, av.AudioStream)
        stream.layout = layout
        formats = stream.codec_context.codec.audio_formats or [av.AudioFormat("s16")]
        interleaved = np.repeat(samples.astype(np.float32), channels)[None, :]
        frame = av.AudioFrame.from_ndarray(interleaved, format="flt", layout=layout)
        frame.sample_rate = kind.rate_hz
        frame.time_base = Fraction(1, kind.rate_hz)
        frame.pts = 0
        to_format = av.AudioResampler(formats[0].name, layout, kind.rate_hz)
        for part in (*to_format.resample(frame), *to_format.resample(None)):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def a_cry(rate_hz: int, duration_s: float = 2.0) -> Samples:
    return synthesise_cry(
        InfantVoice(), seed=1, duration_s=duration_s, rate_hz=rate_hz
    ).sound.samples


def likeness(one: Samples, other: Samples) -> float:
    """Return the highest normalised cross-correlation: codecs may delay."""
    length = 2 * max(len(one), len(other))
    cross = np.fft.irfft(np.fft.rfft(one, length) * np.conj(np.fft.rfft(other, length)), length)
    return float(np.max(cross) / np.linalg.norm(one) / np.linalg.norm(other))


def wav_bytes(samples: NDArray[np.int16], rate_hz: int = 16_000, channels: int = 1) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(samples.astype("<i2").tobytes())
    return buffer.getvalue()


def float_wav_bytes(samples: Samples, rate_hz: int = 16_000) -> bytes:
    data = samples.astype("<f4").tobytes()
    form = struct.pack("<HHIIHH", 3, 1, rate_hz, 4 * rate_hz, 4, 32)
    body = (
        b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


# --- what is sound ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file_gives_back_the_sound_that_went_in(name: str) -> None:
    kind = KINDS[name]
    samples = a_cry(kind.rate_hz)
    for channels in kind.channels:
        sound, source = decode(encode(samples, kind, channels))
        assert sound.rate_hz == source.rate_hz == kind.rate_hz
        assert source.channels == channels
        assert sound.samples.dtype == np.float32
        assert sound.samples.ndim == 1
        assert sound.duration_s == pytest.approx(2.0, abs=0.13)  # codecs pad to whole frames
        assert likeness(sound.samples, samples) > kind.likeness
        assert np.max(np.abs(sound.samples)) == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_every_rate_from_8_to_96_khz_is_kept(rate_hz: int) -> None:
    ramp = np.linspace(-30_000, 30_000, rate_hz, dtype=np.int16)
    sound, source = decode(wav_bytes(ramp, rate_hz))
    assert (sound.rate_hz, source.rate_hz, len(sound.samples)) == (rate_hz, rate_hz, rate_hz)
    np.testing.assert_allclose(sound.samples, ramp / 32768.0, atol=1e-7)


def test_channels_are_averaged() -> None:
    left = np.full(4_000, 8_000, dtype=np.int16)
    right = np.full(4_000, 2_000, dtype=np.int16)
    sound, source = decode(wav_bytes(np.stack([left, right], axis=1).reshape(-1), channels=2))
    assert source.channels == 2
    np.testing.assert_allclose(sound.samples, 5_000 / 32768.0, atol=1e-7)


@pytest.mark.parametrize("name", ["wav 16 bit", "flac", "m4a aac"])
@pytest.mark.parametrize("channels", [6, 8])
def test_many_channels_interleaved_or_in_planes(name: str, channels: int) -> None:
    samples = a_cry(KINDS[name].rate_hz)
    sound, source = decode(encode(samples, KINDS[name], channels))
    assert source.channels == channels
    assert likeness(sound.samples, samples) > 0.95


def test_kind_is_told_by_content_and_not_by_name(tmp_path: Path) -> None:
    path = tmp_path / "cry.mp3"
    path.write_bytes(encode(a_cry(16_000), KINDS["wav 16 bit"]))
    sound, source = decode(path)
    assert (source.container, source.codec) == ("wav", "pcm_s16le")
    assert sound.duration_s == pytest.approx(2.0)


def test_path_and_bytes_give_the_same(tmp_path: Path) -> None:
    path = tmp_path / "cry"
    path.write_bytes(encode(a_cry(16_000), KINDS["flac"]))
    from_path, from_bytes = decode(path), decode(path.read_bytes())
    assert from_path[1] == from_bytes[1]
    np.testing.assert_array_equal(from_path[0].samples, from_bytes[0].samples)


def test_a_file_cut_short_keeps_what_can_be_decoded() -> None:
    for name in ("wav 16 bit", "flac", "mp3", "amr", "ogg opus", "aac"):
        whole = encode(a_cry(KINDS[name].rate_hz), KINDS[name])
        sound, source = decode(whole[: len(whole) * 2 // 3])
        assert 0.5 < sound.duration_s < 2.0, name
        assert source.duration_s == pytest.approx(sound.duration_s)


def test_a_damaged_packet_costs_only_itself() -> None:
    whole = bytearray(encode(a_cry(44_100), KINDS["mp3"]))
    middle = len(whole) // 2
    whole[middle : middle + 300] = bytes(300)
    sound, _ = decode(bytes(whole))
    assert sound.duration_s > 1.5


def test_a_file_of_twenty_minutes_is_not_decoded_to_its_end() -> None:
    rate_hz = 8_000
    noise = np.random.default_rng(0).integers(-50, 50, 60 * rate_hz).astype(np.float32) / 32768.0
    content = encode(np.tile(noise, 20), Kind("flac", "flac", rate_hz))
    sound, source = decode(content)
    assert LIMIT_S <= sound.duration_s < LIMIT_S + 2.0
    assert source.duration_s == pytest.approx(1_200.0)


def test_values_that_are_no_numbers_become_silence() -> None:
    samples = np.full(1_600, 0.25, dtype=np.float32)
    samples[[3, 5, 7]] = np.nan, np.inf, -np.inf
    sound, _ = decode(float_wav_bytes(samples))
    assert sound.samples[[3, 5, 7]].tolist() == [0.0, 0.0, 0.0]
    assert sound.samples[0] == np.float32(0.25)
    loud, _ = decode(float_wav_bytes(np.full(1_600, 1e38, dtype=np.float32)))
    assert np.isfinite(np.square(loud.samples)).all()


# --- what is none -------------------------------------------------------------------------------


def an_image() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="image2pipe") as container:
        _add_picture(container, "png", "rgb24")
    return buffer.getvalue()


def a_video_without_sound() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        _add_picture(container, "mpeg4", "yuv420p")
    return buffer.getvalue()


def _add_picture(container: av.container.OutputContainer, codec: str, pixels: str) -> None:
    stream = container.add_stream(codec, rate=25)
    assert isinstance(stream, av.VideoStream)
    stream.width, stream.height, stream.pix_fmt = 64, 64, pixels
    picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), dtype=np.uint8), format="rgb24")
    container.mux(stream.encode(picture))
    container.mux(stream.encode(None))


def wav_of(rate_hz: int) -> bytes:
    return wav_bytes(np.zeros(1_000, dtype=np.int16), rate_hz)


UNDECODABLE = {
    "text": b"not a recording at all\n" * 50,
    "one byte": b"\x00",
    "zeros": bytes(5_000),
    "noise": np.random.default_rng(0).bytes(50_000),
    "image": an_image(),
    "video without sound": a_video_without_sound(),
    "header cut within": encode(a_cry(16_000), KINDS["flac"])[:20],
    "m4a without its index": encode(a_cry(44_100), KINDS["m4a aac"])[:2_000],
    "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
    "list of files": b"ffconcat version 1.0\nfile /etc/hostname\n",
    "rate too low": wav_of(4_000),
    "rate too high": wav_of(1_000_000),
    "more channels than a microphone has": wav_bytes(np.zeros(1_700, dtype=np.int16), channels=17),
}


@pytest.mark.parametrize("name", UNDECODABLE)
def test_what_is_no_audio_is_undecodable(name: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(UNDECODABLE[name])
    assert caught.value.reason == "undecodable"
    assert caught.value.detail


def test_no_bytes_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    path.touch()
    for source in (b"", path):
        with pytest.raises(DecodeError) as caught:
            decode(source)
        assert caught.value.reason == "empty"


def test_a_file_that_ends_with_its_header_is_empty() -> None:
    for content in (
        wav_bytes(np.zeros(0, dtype=np.int16)),
        wav_bytes(np.zeros(1_000, dtype=np.int16))[:44],
    ):
        with pytest.raises(DecodeError) as caught:
            decode(content)
        assert caught.value.reason == "empty"


def test_a_missing_file_is_no_decode_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        decode(tmp_path / "none.wav")


def test_an_error_names_no_path(tmp_path: Path) -> None:
    path = tmp_path / "ada-lovelace.wav"
    path.write_bytes(UNDECODABLE["text"])
    with pytest.raises(DecodeError) as caught:
        decode(path)
    assert "lovelace" not in str(caught.value)


VICTIMS = [
    encode(a_cry(KINDS[name].rate_hz, 1.0), KINDS[name])
    for name in ("wav float", "flac", "ogg opus", "mp3", "m4a aac", "caf adpcm", "3gp amr", "amr")
]


@st.composite
def damaged_files(draw: st.DrawFn) -> bytes:
    """Draw a file of which a piece is missing and some bytes are others."""
    content = bytearray(draw(st.sampled_from(VICTIMS)))
    reach = draw(st.sampled_from([200, len(content)]))  # headers are where damage hurts most
    places = st.integers(0, reach - 1)
    for place, value in draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=20)):
        content[place] = value
    start, end = sorted(draw(st.tuples(places, st.integers(0, len(content)))))
    return bytes(draw(st.sampled_from([content[:end], content[:start] + content[end:], content])))


@settings(max_examples=250)
@given(damaged_files())
def test_whatever_happened_to_a_file_it_is_sound_or_a_decode_error(content: bytes) -> None:
    try:
        sound, source = decode(content)
    except DecodeError:
        return
    assert len(sound.samples) > 0
    assert np.isfinite(sound.samples).all()
    assert source.rate_hz == sound.rate_hz


# --- resampling, scale, writing -----------------------------------------------------------------


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 44_100, 48_000, 96_000])
def test_a_tone_keeps_frequency_level_and_time(rate_hz: int) -> None:
    times_s = np.arange(rate_hz) / rate_hz
    tone = Sound((0.5 * np.sin(2 * np.pi * 1_000 * times_s)).astype(np.float32), rate_hz)
    at_16 = resample(tone)
    assert at_16.rate_hz == 16_000
    assert abs(len(at_16.samples) - 16_000) <= 1
    expected = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000)
    np.testing.assert_allclose(at_16.samples[500:15_000], expected[500:15_000], atol=2e-3)


def test_what_lies_over_the_new_nyquist_frequency_is_gone() -> None:
    times_s = np.arange(48_000) / 48_000
    whistle = Sound(np.sin(2 * np.pi * 12_000 * times_s).astype(np.float32), 48_000)
    assert np.max(np.abs(resample(whistle).samples[1_000:-1_000])) < 1e-3


def test_the_same_rate_is_the_same_sound() -> None:
    sound = Sound(a_cry(16_000), 16_000)
    assert resample(sound) is sound


@given(scale=st.floats(1e-4, 1e4), offset=st.floats(-10.0, 10.0), seed=st.integers(0, 1_000))
def test_normalised_is_centred_and_reaches_one(scale: float, offset: float, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(size=800)
    sound = Sound((scale * (noise + offset)).astype(np.float32), 16_000)
    before = sound.samples.copy()
    normal = peak_normalise(sound)
    assert np.max(np.abs(normal.samples)) == pytest.approx(1.0, abs=1e-6)
    assert np.mean(normal.samples) == pytest.approx(0.0, abs=1e-4)
    np.testing.assert_array_equal(sound.samples, before)


@pytest.mark.parametrize("constant", [0.0, 0.1, -0.7, 1e-9])
def test_silence_and_nothing_but_an_offset_become_zeros(constant: float) -> None:
    sound = peak_normalise(Sound(np.full(1_600, constant, dtype=np.float32), 16_000))
    assert not sound.samples.any()
    assert sound.samples.shape == (1_600,)


def test_no_samples_stay_none() -> None:
    nothing = Sound(np.empty(0, dtype=np.float32), 16_000)
    assert len(peak_normalise(nothing).samples) == 0
    assert nothing.duration_s == 0.0


def test_written_sound_reads_back_and_clips(tmp_path: Path) -> None:
    samples = np.array([0.0, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0] * 100, dtype=np.float32)
    write_wav(tmp_path / "x.wav", Sound(samples, 22_050))
    sound, source = decode(tmp_path / "x.wav")
    assert (source.codec, source.rate_hz, source.channels) == ("pcm_s16le", 22_050, 1)
    np.testing.assert_allclose(sound.samples, np.clip(samples, -1.0, 1.0), atol=1e-4)
