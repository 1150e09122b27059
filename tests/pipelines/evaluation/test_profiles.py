"""Profiles: what is measured of a recording, and what is not."""

import numpy as np
import pytest

from pipelines.encode import Encoding, encode
from pipelines.evaluation.profiles import BANDS, MEASURES, band_levels, profile_of
from pipelines.segment import segment
from pipelines.sound import Sound
from pipelines.synthesis import InfantVoice, synthesise_cry


def test_bands_are_shares_of_what_the_source_could_hold() -> None:
    cry = synthesise_cry(InfantVoice(), 1, 3.0)
    wide = band_levels(segment(encode(cry.sound, Encoding.WAV)))
    narrow = band_levels(segment(encode(cry.sound, Encoding.AMR)))
    assert sum(10.0 ** (level / 10.0) for (level,) in wide.values()) == pytest.approx(1.0, abs=0.01)
    assert narrow[BANDS[-1]] == []
    assert all(len(narrow[band]) == 1 for band in BANDS[:-1])
    soft = synthesise_cry(InfantVoice(tilt_db_per_octave=18.0), 1, 3.0)
    dull = band_levels(segment(encode(soft.sound, Encoding.WAV)))
    assert dull[BANDS[3]][0] < wide[BANDS[3]][0] - 5.0


def test_what_holds_no_sound_or_no_unit_has_no_profile() -> None:
    assert profile_of("a", b"no sound") is None
    assert profile_of("a", encode(Sound(np.zeros(16_000, "f4"), 16_000), Encoding.WAV)) is None
    profile = profile_of("a", encode(synthesise_cry(InfantVoice(), 1, 3.0).sound, Encoding.WAV))
    assert profile is not None
    assert profile.is_cry
    assert set(profile.values) == set(MEASURES)
