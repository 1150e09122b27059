"""Population: what infants, rooms and devices are like, as far as simulated ones can be.

In: a generator. Out: a voice, a room or a device as they occur. Guaranteed: the same generator
gives the same; every number is inside what the literature and real recordings allow.

The numbers were fitted by hand so that simulated and real recordings, heard through the same
segmentation and measures, have like distributions: `python -m pipelines likeness MANIFEST` on the
Donate-a-Cry recordings prints how near they are. They describe recordings by parents' telephones
in 2015, uploaded from an app, and no clinic's. Fundamental frequencies centre where these
recordings do; newborns measured in quiet rooms lie higher, 496 Hz with a deviation of 95 Hz
(Michelsson, Eklund, Leppanen and Lyytinen, "Cry characteristics of 172 healthy 1- to 7-day-old
infants", Folia Phoniatr. Logop. 54 (2002)).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from pipelines.encode import Encoding
from pipelines.microphone import Microphone
from pipelines.synthesis import Room
from pipelines.voice import InfantVoice, Melody

F0_HZ = (300.0, 600.0)
LEAST_TILT_DB = 2.5
MELODY_SHARES = {
    Melody.RISING_FALLING: 0.65,
    Melody.FALLING: 0.12,
    Melody.DOUBLE: 0.08,
    Melody.FLAT: 0.05,
    Melody.RISING: 0.10,
}

# Fitted with `python -m pipelines likeness` on Donate-a-Cry, as told above.
_TYPICAL = InfantVoice(
    f0_hz=430.0,
    tract_length_cm=8.0,
    jitter_frac=0.011,
    shimmer_frac=0.04,
    breathiness_frac=0.03,
    tilt_db_per_octave=5.0,
    melody_semitones=5.5,
    hyperphonation_frac=0.015,
    subharmonic_frac=0.14,
    subharmonic_share=0.4,
    unit_s=0.55,
    unit_spread=0.85,
    pause_s=0.2,
    pause_spread=1.2,
    unit_f0_semitones=1.4,
    melody_variety_frac=0.3,
    melody_spread=0.5,
    break_frac=0.15,
    dysphonation_frac=0.3,
    unit_level_db=4.0,
    formant_offsets=(-0.1, 0.0, 0.0, 0.0),
    formant_spread=0.08,
    damping=1.8,
    softening_frac=0.7,
    inspiration_db=-20.0,
    inspiration_voiced_frac=0.25,
)
_ROOM = Room(
    decay_s=0.25,
    direct_to_reverberant_db=10.0,
    signal_to_noise_db=29.0,
    noise_db_per_octave=4.0,
    peak_dbfs=-5.0,
    flutter_db=3.0,
    knocks_per_s=0.4,
    knock_db=-18.0,
)


def typical_voice(**changes: Any) -> InfantVoice:
    """Return the voice of a typical infant, irregular as real ones are.

    Parameters
    ----------
    changes
        Fields of `pipelines.voice.InfantVoice` that are to be others.
    """
    return dataclasses.replace(_TYPICAL, **changes)


def typical_room(**changes: Any) -> Room:
    """Return a typical room, with changes to the fields of `pipelines.synthesis.Room`."""
    return dataclasses.replace(_ROOM, **changes)


def draw_voice(rng: np.random.Generator) -> InfantVoice:
    """Draw the voice of an infant."""
    melodies, shares = list(MELODY_SHARES), list(MELODY_SHARES.values())
    normal = rng.standard_normal(16)
    place = float(rng.beta(1.6, 3.6))
    return typical_voice(
        f0_hz=F0_HZ[0] * (F0_HZ[1] / F0_HZ[0]) ** place,
        tract_length_cm=_TYPICAL.tract_length_cm + 0.6 * float(np.clip(normal[0], -2.0, 2.0)),
        jitter_frac=_TYPICAL.jitter_frac * float(np.exp(0.65 * normal[1])),
        shimmer_frac=_TYPICAL.shimmer_frac * float(np.exp(0.3 * normal[2])),
        breathiness_frac=_TYPICAL.breathiness_frac * float(np.exp(1.2 * normal[3])),
        tilt_db_per_octave=max(LEAST_TILT_DB, _TYPICAL.tilt_db_per_octave + 4.5 * float(normal[4])),
        melody=melodies[int(rng.choice(len(melodies), p=shares))],
        melody_semitones=_TYPICAL.melody_semitones * float(np.exp(0.3 * normal[5])),
        hyperphonation_frac=float(rng.beta(0.15, 7.0)),
        subharmonic_frac=_TYPICAL.subharmonic_frac * float(np.exp(1.2 * normal[6])),
        unit_s=_TYPICAL.unit_s * float(np.exp(0.35 * normal[7])),
        pause_s=_TYPICAL.pause_s * float(np.exp(0.35 * normal[8])),
        break_frac=float(rng.beta(1.0, 6.0)),
        dysphonation_frac=float(rng.beta(0.8, 1.8)),
        formant_offsets=tuple(
            float(rest + 0.18 * draw)
            for rest, draw in zip(_TYPICAL.formant_offsets, normal[9:13], strict=True)
        ),
        inspiration_db=_TYPICAL.inspiration_db + 4.0 * float(normal[13]),
    )


def draw_room(rng: np.random.Generator) -> Room:
    """Draw a room in which an infant is recorded."""
    normal = rng.standard_normal(6)
    return typical_room(
        decay_s=float(np.clip(_ROOM.decay_s * np.exp(0.4 * normal[0]), 0.1, 1.0)),
        direct_to_reverberant_db=_ROOM.direct_to_reverberant_db + 7.0 * float(normal[1]),
        signal_to_noise_db=_ROOM.signal_to_noise_db + 16.0 * float(normal[2]),
        noise_db_per_octave=float(np.clip(4.0 + 1.5 * normal[3], 0.0, 7.0)),
        peak_dbfs=float(np.clip(_ROOM.peak_dbfs + 6.0 * normal[4], -26.0, -0.5)),
        knocks_per_s=float(rng.exponential(_ROOM.knocks_per_s)),
        hum_db=float(rng.uniform(-15.0, 0.0)) if rng.uniform() < 0.2 else None,
        seed=int(rng.integers(2**31)),
    )


_PHONES = {
    Encoding.WAV: Microphone("monitor"),
    Encoding.FLAC: Microphone("monitor-flac", Encoding.FLAC),
    Encoding.AMR: Microphone("android", Encoding.AMR, 8_000, low_cut_hz=150.0, lead_in_s=0.3),
    Encoding.ADPCM: Microphone("ios", Encoding.ADPCM),
}


def draw_microphone(encoding: Encoding, rng: np.random.Generator) -> Microphone:
    """Draw a device that uploads files of a kind."""
    typical = _PHONES[encoding]
    return dataclasses.replace(
        typical,
        low_cut_hz=float(80.0 * 5.0 ** rng.uniform()),
        presence_hz=float(rng.uniform(800.0, 3_200.0)),
        presence_db=float(rng.normal(1.0, 8.0)),
        noise_dbfs=float(rng.uniform(-85.0, -65.0)),
        lead_in_s=float(typical.lead_in_s * rng.uniform(0.5, 1.5)),
    )
