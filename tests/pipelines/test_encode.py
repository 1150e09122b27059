"""Encode: files that decode to what was put into them."""

import numpy as np
import pytest

from pipelines.encode import Encoding, encode, rate_of, suffix_of
from pipelines.sound import Sound, decode
from pipelines.synthesis import InfantVoice, synthesise_cry


@pytest.mark.parametrize("encoding", list(Encoding))
def test_a_file_holds_the_sound_and_is_the_same_every_time(encoding: Encoding) -> None:
    sound = synthesise_cry(InfantVoice(), 1, 2.0, rate_of(encoding) or 22_050).sound
    content = encode(sound, encoding)
    decoded, source = decode(content)
    assert encode(sound, encoding) == content
    assert source.rate_hz == sound.rate_hz
    length = min(len(sound.samples), len(decoded.samples))
    delays = range(0, 81, 5) if encoding is Encoding.AMR else [0]
    likeness = [
        np.corrcoef(sound.samples[: length - delay], decoded.samples[delay:length])[0, 1]
        for delay in delays
    ]
    assert max(likeness) > 0.8
    assert suffix_of(encoding) in ("wav", "flac", "amr")


@pytest.mark.parametrize("encoding", [Encoding.WAV, Encoding.FLAC])
def test_what_loses_nothing_is_met_to_the_last_bit_and_clipped_at_full_scale(
    encoding: Encoding,
) -> None:
    samples = np.linspace(-1.5, 1.5, 16_000, dtype=np.float32)
    decoded, _ = decode(encode(Sound(samples, 16_000), encoding))
    np.testing.assert_allclose(decoded.samples, np.clip(samples, -1.0, 1.0), atol=1e-4)
