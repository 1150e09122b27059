"""Vocoder: real cries taken apart into pitch, envelope and aperiodicity, and put together again.

In: a sound. Out: its parts, and a sound made of the same or of altered parts. Guaranteed: what is
put together again has exactly the pitch that was asked for, so that the pitch of a real voice is
known; the same parts always give the same samples.

Source: Morise, Yokomori and Ozawa, "WORLD: a vocoder-based high-quality speech synthesis system for
real-time applications", IEICE Trans. Inf. & Syst. E99-D (2016).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pyworld
from numpy.typing import NDArray

from pipelines.acoustics.pitch import HIGHEST_F0_HZ, LOWEST_F0_HZ, track_f0
from pipelines.sound import Sound

Values = NDArray[np.float64]

STEP_S = 0.005
STEP_MS = 1_000.0 * STEP_S
AGREEING_FRAC = 0.06  # a semitone: so near are two trackers that agree
LONGEST_GAP_S = 0.05  # shorter silences of the trackers are bridged
SHORTEST_VOICED_S = 0.04
ALL_FRAMES_VOICED = 0.0  # the vocoder's own test of voicing was made for adults


@dataclass(frozen=True)
class Parts:
    """What a sound is made of, every 5 ms.

    Attributes
    ----------
    f0_hz
        Fundamental frequency, shape ``(n,)``, 0 where unvoiced.
    envelope, aperiodicity
        Power spectrum without harmonics, and the share of noise in it, shape ``(n, bins)``.
    rate_hz
        Sampling rate.
    length
        How many samples the sound had.
    """

    f0_hz: Values
    envelope: Values
    aperiodicity: Values
    rate_hz: int
    length: int


def agreed_f0(sound: Sound) -> Values:
    """Track the pitch of a sound by three trackers, and keep what two of them agree on.

    Returns
    -------
    ndarray
        Shape ``(n,)``, every 5 ms from the start, in Hz, 0 where unvoiced.
    """
    samples = sound.samples.astype(np.float64)
    harvested, times_s = pyworld.harvest(
        samples, sound.rate_hz, LOWEST_F0_HZ, HIGHEST_F0_HZ, frame_period=STEP_MS
    )
    rough, _ = pyworld.dio(
        samples, sound.rate_hz, LOWEST_F0_HZ, HIGHEST_F0_HZ, frame_period=STEP_MS
    )
    refined = pyworld.stonemask(samples, rough, times_s, sound.rate_hz)
    track = track_f0(sound.samples, sound.rate_hz)
    ours = on_grid(track.times_s, np.nan_to_num(track.f0_hz), times_s)
    return _tidied(_majority(np.stack([harvested, refined, ours])))


def shipped_f0(sound: Sound) -> Values:
    """Track the pitch of a sound by the product's tracker alone, which is ten times as quick.

    Returns
    -------
    ndarray
        As :func:`agreed_f0` gives it.
    """
    times_s = np.arange(int(sound.duration_s / STEP_S) + 1, dtype=np.float64) * STEP_S
    track = track_f0(sound.samples, sound.rate_hz)
    return _tidied(on_grid(track.times_s, np.nan_to_num(track.f0_hz), times_s))


def on_grid(times_s: Values, values: Values, wanted_s: Values) -> Values:
    """Take at each wanted time the value of the nearest frame; 0 before and after all frames."""
    if not len(times_s):
        return np.zeros(len(wanted_s))
    nearest = np.clip(np.searchsorted(times_s, wanted_s), 1, max(1, len(times_s) - 1))
    earlier = np.maximum(nearest - 1, 0)
    nearest = np.minimum(nearest, len(times_s) - 1)
    is_earlier = np.abs(times_s[earlier] - wanted_s) <= np.abs(times_s[nearest] - wanted_s)
    place = np.where(is_earlier, earlier, nearest)
    near = np.abs(times_s[place] - wanted_s) <= 2.0 * STEP_S + 1e-9
    return np.asarray(np.where(near, values[place], 0.0))


def _majority(tracks: Values) -> Values:
    """Return the mean of the two tracks that are nearest to each other, where they agree."""
    agreed, best = np.zeros(tracks.shape[1]), np.full(tracks.shape[1], np.log(1.0 + AGREEING_FRAC))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        voiced = (tracks[one] > 0.0) & (tracks[other] > 0.0)
        ratio = np.divide(tracks[one], tracks[other], where=voiced, out=np.full(len(best), 1e9))
        apart = np.abs(np.log(ratio))
        nearer = voiced & (apart < best)
        agreed[nearer] = 0.5 * (tracks[one] + tracks[other])[nearer]
        best[nearer] = apart[nearer]
    return agreed


def _tidied(f0_hz: Values) -> Values:
    """Bridge short gaps and drop what is too short to be a voice."""
    voiced = f0_hz > 0.0
    if not voiced.any():
        return f0_hz
    steps = np.arange(len(f0_hz))
    bridged = np.exp(np.interp(steps, steps[voiced], np.log(f0_hz[voiced])))
    kept = _without_short(voiced, LONGEST_GAP_S, is_gap=True)
    return np.where(_without_short(kept, SHORTEST_VOICED_S, is_gap=False), bridged, 0.0)


def _without_short(voiced: NDArray[np.bool_], least_s: float, *, is_gap: bool) -> NDArray[np.bool_]:
    """Turn over the runs of gaps, or of voice, that are shorter than asked; ends stay."""
    turned = voiced.copy()
    edges = np.flatnonzero(np.diff(voiced)) + 1
    for start, stop in itertools.pairwise(edges):
        if voiced[start] != is_gap and (stop - start) * STEP_S < least_s:
            turned[start:stop] = is_gap
    return turned


def take_apart(sound: Sound, f0_hz: Values | None = None) -> Parts:
    """Take a sound apart.

    Parameters
    ----------
    sound
        At 16 kHz.
    f0_hz
        Its pitch, as :func:`agreed_f0` gives it; None finds it out.
    """
    known = agreed_f0(sound) if f0_hz is None else f0_hz
    samples, times_s = sound.samples.astype(np.float64), np.arange(len(known)) * STEP_S
    envelope = pyworld.cheaptrick(samples, known, times_s, sound.rate_hz)
    aperiodicity = pyworld.d4c(samples, known, times_s, sound.rate_hz, threshold=ALL_FRAMES_VOICED)
    return Parts(known, envelope, aperiodicity, sound.rate_hz, len(sound.samples))


def put_together(parts: Parts) -> Sound:
    """Make a sound of parts; as long as the sound they were taken from."""
    made = pyworld.synthesize(
        parts.f0_hz, parts.envelope, parts.aperiodicity, parts.rate_hz, frame_period=STEP_MS
    )
    whole = np.zeros(parts.length, dtype=np.float32)
    whole[: len(made)] = made[: parts.length]
    return Sound(whole, parts.rate_hz)
