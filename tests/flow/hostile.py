"""Files that no monitor would send: cut off, flipped, mislabelled, lying about their size.

What comes in: a seed. What goes out: as many files as are asked for, each with a name that says
how it was made. Guaranteed: the same seed gives the same files: a day in one file, then
those made by hand, as many as a third leaves room for, then sounds of every kind, each spoilt in
every way.
"""

import functools
import io
import itertools
import random
import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np

from pipelines.encode import Encoding, encode
from pipelines.sound import Sound
from pipelines.synthesis import InfantVoice, synthesise_cry

BY_AV = {"opus": ("ogg", "libopus"), "mp3": ("mp3", "libmp3lame"), "m4a": ("mp4", "aac")}
DAY_RATE_HZ, DAY_PART_S, LAST_BLOCK = 8_000, 600, 0x80
LONGEST_HALF_SECONDS = 200
DAY_S = 24 * 3600
ENDLESS = 2**32 - 1
WRAPPINGS = {
    "page": b"<!doctype html><script>alert(1)</script>",
    "archive": b"PK\x03\x04" + bytes(26),
    "picture": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "program": b"\x7fELF\x02\x01\x01" + bytes(57),
    "list": b"#EXTM3U\nfile:///etc/passwd\nhttp://127.0.0.1:1/x\n",
    "concatenation": b"ffconcat version 1.0\nfile /etc/passwd\n",
}


def hostile_files(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield so many files, with what was done to each."""
    chance = random.Random(seed)
    sound = sounds_of_every_kind()
    by_hand = list(made_by_hand().items())
    some = chance.sample(by_hand, min(count // 3, len(by_hand)))
    yield "day", _day_of_silence()
    yield from itertools.islice(itertools.chain(some, _spoilt(sound, chance)), count - 1)


@functools.cache
def made_by_hand() -> dict[str, bytes]:
    """Return the files that are the same for every seed, by name."""
    return dict(_by_hand(sounds_of_every_kind()["wav"]))


@functools.cache
def sounds_of_every_kind() -> dict[str, bytes]:
    """Return a cry in every kind of file."""
    cry = synthesise_cry(InfantVoice(), seed=3, duration_s=3.0).sound
    found = {one.value: encode(cry, one) for one in Encoding}
    whole = np.round(np.clip(cry.samples, -1.0, 1.0) * 32767.0).astype("<i2")
    return found | {name: _by_av(whole, cry.rate_hz, *way) for name, way in BY_AV.items()}


def the_longest_cry() -> bytes:
    """Return one cry that goes on for as long as a worker takes at once, and longer."""
    cry = synthesise_cry(InfantVoice(), seed=3, duration_s=3.0).sound
    steady = cry.samples[cry.rate_hz // 2 : cry.rate_hz]
    return encode(Sound(np.tile(steady, LONGEST_HALF_SECONDS), cry.rate_hz), Encoding.WAV)


def _by_av(whole: Any, rate_hz: int, container: str, codec: str) -> bytes:
    target = io.BytesIO()
    with av.open(target, "w", format=container) as opened:
        stream: Any = opened.add_stream(codec, rate=48_000 if codec == "libopus" else rate_hz)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(whole[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.time_base = rate_hz, Fraction(1, rate_hz)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            opened.mux(packet)
    return target.getvalue()


# --- made by hand ---------------------------------------------------------------------------------


def _by_hand(wav: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what is hostile by itself."""
    yield "one byte", b"R"
    yield "zeros", bytes(5_000)
    yield "header alone", wav[:44]
    for name, start in WRAPPINGS.items():
        yield f"{name} alone", start
        yield f"{name} before a sound", start + wav
        yield f"sound before {name}", wav + start
    for name, (place, form, values) in LIES.items():
        for value in values:
            yield f"{name} {value}", _lying(wav, place, form, value)


LIES: dict[str, tuple[int, str, tuple[int, ...]]] = {
    "riff size": (4, "<I", (0, 1, ENDLESS)),
    "format": (20, "<H", (0, 3, 85, 65535)),
    "channels": (22, "<H", (0, 9, 255, 65535)),
    "rate": (24, "<I", (0, 1, 7_999, 192_001, 2**31, ENDLESS)),
    "byte rate": (28, "<I", (0, ENDLESS)),
    "block": (32, "<H", (0, 1, 65535)),
    "bits": (34, "<H", (0, 1, 7, 24, 64, 65535)),
    "data size": (40, "<I", (0, 1, 2**31, ENDLESS)),
}


def _lying(wav: bytes, place: int, form: str, value: int) -> bytes:
    """Return a WAV file whose header says something else at a place."""
    changed = bytearray(wav)
    struct.pack_into(form, changed, place, value)
    return bytes(changed)


def _day_of_silence() -> bytes:
    """Return a day of silence in less than an upload may hold."""
    target = io.BytesIO()
    with av.open(target, "w", format="flac") as opened:
        stream: Any = opened.add_stream("flac", rate=DAY_RATE_HZ)
        stream.layout = "mono"
        silence = np.zeros((1, DAY_PART_S * DAY_RATE_HZ), dtype=np.int16)
        frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="mono")
        frame.sample_rate = DAY_RATE_HZ
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            opened.mux(packet)
    part = target.getvalue()
    return part + part[_end_of_flac_head(part) :] * (DAY_S // DAY_PART_S - 1)


def _end_of_flac_head(content: bytes) -> int:
    """Return where the first frame begins, behind blocks that tell their own lengths."""
    at, is_last = len(b"fLaC"), False
    while not is_last:
        is_last = content[at] >= LAST_BLOCK
        at += 4 + int.from_bytes(content[at + 1 : at + 4], "big")
    return at


# --- spoilt by chance -----------------------------------------------------------------------------


def _spoilt(sound: dict[str, bytes], chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield sounds of every kind, each spoilt in every way, for ever."""
    for number in itertools.count():
        for (kind, content), (how, spoil) in itertools.product(sound.items(), WAYS.items()):
            yield f"{kind} {how} {number}", spoil(content, chance)


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(1, len(content))]


def _flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 8, 200))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _bad_head(content: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(chance.choice((4, 16, 64))) + content[64:]


def _hole(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content) // 2)
    end = start + chance.randrange(1, len(content) // 2)
    return content[:start] + bytes(end - start) + content[end:]


def _shuffled(content: bytes, chance: random.Random) -> bytes:
    size = max(1, len(content) // 16)
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    chance.shuffle(pieces)
    return b"".join(pieces)


def _twice(content: bytes, chance: random.Random) -> bytes:
    return content + _cut(content, chance)


WAYS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "cut off": _cut,
    "flipped": _flipped,
    "under another head": _bad_head,
    "with a hole": _hole,
    "shuffled": _shuffled,
    "twice": _twice,
}
