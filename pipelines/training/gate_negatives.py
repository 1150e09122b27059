"""Hard negatives for the gate's cry head: what is easily taken for crying, made in code.

In: how many, and a generator. Out: clips of five seconds of laughter, speech-like babble, singing,
coughs and sneezes, barks and miaows, farm animals, birds, alarms and rings, horns and sirens, bells
and music, engines, water and creaks, each with its kind. Guaranteed: seeded; no recording of
anything is used, so that recordings of such sounds stay what the gate is judged on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import scipy.signal
from numpy.typing import NDArray

RATE_HZ = 16_000
CLIP_S = 5.0
TOP_HZ = 7_500.0

Signal = NDArray[np.float64]
Maker = Callable[[np.random.Generator], Signal]


def hard_negatives(count: int, rng: np.random.Generator) -> Iterator[tuple[str, Signal]]:
    """Give clips in turn over the kinds, each as its kind and samples at 16 kHz.

    Parameters
    ----------
    count
        How many clips of every kind.
    rng
        Draws everything about them.
    """
    for kind, makers in KINDS.items():
        for number in range(count):
            clip = makers[number % len(makers)](rng)
            floor = 10.0 ** rng.uniform(-4.0, -1.8)
            clip = clip / max(float(np.max(np.abs(clip))), 1e-9)
            yield kind, clip + floor * rng.standard_normal(len(clip))


# --- building blocks ----------------------------------------------------------------------------


def _silence() -> Signal:
    return np.zeros(int(CLIP_S * RATE_HZ))


def _place(clip: Signal, sound: Signal, at_s: float) -> None:
    """Add a sound to a clip from a time on; what does not fit is left out."""
    start = int(at_s * RATE_HZ)
    part = sound[: max(0, len(clip) - start)]
    clip[start : start + len(part)] += part


def _contour(points: Sequence[float] | Signal, length_s: float) -> Signal:
    """Draw a smooth line through evenly spaced points."""
    count = max(2, int(length_s * RATE_HZ))
    return np.interp(np.linspace(0.0, 1.0, count), np.linspace(0.0, 1.0, len(points)), points)


def _envelope(length_s: float, rise_s: float, fall_s: float) -> Signal:
    times_s = np.arange(max(2, int(length_s * RATE_HZ))) / RATE_HZ
    rising = np.minimum(times_s / max(rise_s, 1e-3), 1.0)
    return rising * np.minimum((times_s[-1] - times_s) / max(fall_s, 1e-3), 1.0)


def _harmonics(pitch_hz: Signal, tilt_db: float, rng: np.random.Generator) -> Signal:
    """Sum the harmonics of a pitch, each so many dB per octave weaker, none over 7.5 kHz."""
    angle = 2.0 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    made = np.zeros(len(pitch_hz))
    for order in range(1, min(60, int(TOP_HZ / max(float(pitch_hz.min()), 30.0))) + 1):
        gain = 10.0 ** (-tilt_db * np.log2(order) / 20.0)
        made += np.where(order * pitch_hz < TOP_HZ, gain, 0.0) * np.sin(
            order * angle + rng.uniform(0.0, 6.28)
        )
    return made


def _resonances(samples: Signal, centres_hz: Sequence[float] | Signal, sharpness: float) -> Signal:
    """Give a sound the resonances of a throat, and a little of itself."""
    made = 0.1 * samples
    for centre_hz in centres_hz:
        b, a = scipy.signal.iirpeak(min(centre_hz, TOP_HZ), sharpness, fs=RATE_HZ)
        made = made + scipy.signal.lfilter(b, a, samples)
    return np.asarray(made)


def _vowel(rng: np.random.Generator, size: float = 1.0) -> list[float]:
    """Draw three formants; size is 1 for a man's throat and 1.5 for a child's."""
    first, second = rng.uniform(300.0, 850.0), rng.uniform(900.0, 2_200.0)
    return [size * first, size * second, size * 2_700.0]


def _voiced(
    pitch_hz: Signal, formants_hz: Sequence[float], breath: float, rng: np.random.Generator
) -> Signal:
    source = _harmonics(pitch_hz, float(rng.uniform(6.0, 12.0)), rng)
    source = source / max(float(np.std(source)), 1e-9)
    return _resonances(source + breath * rng.standard_normal(len(source)), formants_hz, 5.0)


def _band(length_s: float, low_hz: float, high_hz: float, rng: np.random.Generator) -> Signal:
    noise = rng.standard_normal(max(2, int(length_s * RATE_HZ)))
    edges = [max(low_hz, 30.0), min(high_hz, TOP_HZ)]
    return np.asarray(
        scipy.signal.sosfilt(
            scipy.signal.butter(2, edges, "bandpass", fs=RATE_HZ, output="sos"), noise
        )
    )


# --- people -------------------------------------------------------------------------------------


def _laughter(rng: np.random.Generator) -> Signal:
    """Make bouts of short voiced syllables, four to six in a second, falling and dying away."""
    clip, at_s, size = _silence(), rng.uniform(0.0, 0.6), rng.uniform(1.0, 1.6)
    pitch_hz, rate_hz = rng.uniform(150.0, 650.0), rng.uniform(3.8, 6.5)
    while at_s < CLIP_S - 0.3:
        start_hz, gain, formants_hz = pitch_hz * rng.uniform(0.8, 1.5), 1.0, _vowel(rng, size)
        for _ in range(int(rng.integers(3, 13))):
            length_s = rng.uniform(0.35, 0.7) / rate_hz
            line_hz = _contour(start_hz * np.array([1.0, 1.08, 0.85]), length_s)
            syllable = _voiced(line_hz, formants_hz, rng.uniform(0.1, 0.8), rng)
            _place(clip, gain * syllable * _envelope(length_s, 0.015, 0.05), at_s)
            gap_s = 1.0 / rate_hz - length_s
            puff = 0.3 * gain * _band(gap_s, 400.0, 4_000.0, rng) * _envelope(gap_s, 0.02, 0.02)
            _place(clip, puff, at_s + length_s)
            at_s += rng.uniform(0.9, 1.15) / rate_hz
            start_hz, gain = start_hz * rng.uniform(0.93, 1.01), gain * rng.uniform(0.8, 1.0)
        breath_s = rng.uniform(0.2, 0.6)
        _place(clip, 0.15 * _band(breath_s, 800.0, 5_000.0, rng), at_s)
        at_s += breath_s + rng.uniform(0.0, 0.8)
    return clip


def _babble(rng: np.random.Generator) -> Signal:
    """Make speech-like sentences: syllables with moving formants and hisses between them."""
    clip, at_s, size = _silence(), rng.uniform(0.0, 0.5), rng.uniform(1.0, 1.6)
    pitch_hz, rate_hz = rng.uniform(95.0, 420.0), rng.uniform(3.0, 6.0)
    while at_s < CLIP_S - 0.2:
        line_hz = pitch_hz * rng.uniform(0.9, 1.3)
        for _ in range(int(rng.integers(2, 9))):
            length_s = rng.uniform(0.5, 0.95) / rate_hz
            shape = rng.uniform(0.88, 1.15, size=3)
            syllable = _voiced(_contour(line_hz * shape, length_s), _vowel(rng, size), 0.1, rng)
            _place(clip, rng.uniform(0.4, 1.0) * syllable * _envelope(length_s, 0.03, 0.05), at_s)
            if rng.random() < 0.4:
                hiss_s = rng.uniform(0.03, 0.12)
                hiss = _band(hiss_s, 2_000.0, 7_000.0, rng) * _envelope(hiss_s, 0.01, 0.02)
                _place(clip, rng.uniform(0.2, 0.8) * hiss, at_s + length_s)
            at_s += 1.0 / rate_hz
            line_hz *= rng.uniform(0.94, 1.02)
        at_s += rng.uniform(0.1, 0.9)
    return clip


def _singing(rng: np.random.Generator) -> Signal:
    """Make held vowels on the steps of a scale, with vibrato."""
    clip, at_s, size = _silence(), 0.0, rng.uniform(1.0, 1.4)
    base_hz = rng.uniform(120.0, 500.0)
    while at_s < CLIP_S - 0.2:
        length_s = float(rng.choice([0.25, 0.5, 1.0])) * rng.uniform(0.8, 1.2)
        step = float(rng.choice([0, 2, 4, 5, 7, 9, 12]))
        times_s = np.arange(max(2, int(length_s * RATE_HZ))) / RATE_HZ
        vibrato = 1.0 + rng.uniform(0.0, 0.03) * np.sin(2 * np.pi * rng.uniform(4.5, 7) * times_s)
        note = _voiced(base_hz * 2.0 ** (step / 12.0) * vibrato, _vowel(rng, size), 0.05, rng)
        _place(clip, note * _envelope(length_s, 0.06, 0.08), at_s)
        at_s += length_s + (rng.uniform(0.1, 0.5) if rng.random() < 0.2 else 0.0)
    return clip


def _coughs(rng: np.random.Generator) -> Signal:
    """Make bursts of air with a sudden start, alone or two to four in a row, some voiced."""
    clip, at_s, size = _silence(), rng.uniform(0.0, 1.0), rng.uniform(1.0, 1.6)
    while at_s < CLIP_S - 0.2:
        for _ in range(int(rng.integers(1, 5))):
            length_s = rng.uniform(0.12, 0.4)
            low_hz = rng.uniform(200.0, 900.0)
            burst = _band(length_s, low_hz, rng.uniform(2_500.0, 7_000.0), rng)
            burst = _resonances(burst, _vowel(rng, size), 3.0)
            decay = np.exp(-np.arange(len(burst)) / (rng.uniform(0.04, 0.15) * RATE_HZ))
            if rng.random() < 0.5:
                line_hz = _contour(rng.uniform(120.0, 450.0) * np.array([1.0, 0.7]), length_s)
                tail = _voiced(line_hz, _vowel(rng, size), 0.6, rng)
                burst = burst / np.std(burst) + rng.uniform(0.2, 0.9) * tail / np.std(tail)
            _place(clip, burst / np.std(burst) * decay * _envelope(length_s, 0.006, 0.03), at_s)
            at_s += length_s + rng.uniform(0.05, 0.35)
        at_s += rng.uniform(0.5, 3.0)
    return clip


# --- animals ------------------------------------------------------------------------------------


def _calls(
    rng: np.random.Generator,
    pitch_hz: tuple[float, float],
    length_s: tuple[float, float],
    gap_s: tuple[float, float],
    shape: Sequence[float],
    rough: float,
) -> Signal:
    """Make calls of one animal: a pitch line, a throat of its own, and as much roughness."""
    clip, at_s = _silence(), rng.uniform(0.0, 0.8)
    own_hz = np.exp(rng.uniform(*np.log(pitch_hz)))
    formants_hz = _vowel(rng, rng.uniform(1.0, 1.9))
    while at_s < CLIP_S - 0.1:
        long_s = rng.uniform(*length_s)
        line_hz = own_hz * rng.uniform(0.9, 1.1) * _contour(shape, long_s)
        wobble = np.interp(
            np.arange(len(line_hz)),
            np.arange(0, len(line_hz) + 80, 80),
            rng.standard_normal(len(np.arange(0, len(line_hz) + 80, 80))),
        )
        call = _voiced(line_hz * (1.0 + 0.05 * rough * wobble), formants_hz, rough, rng)
        _place(clip, call * _envelope(long_s, 0.02, 0.35 * long_s), at_s)
        at_s += long_s + rng.uniform(*gap_s)
    return clip


def _barks(rng: np.random.Generator) -> Signal:
    rough = rng.uniform(0.4, 1.5)
    return _calls(rng, (180.0, 900.0), (0.08, 0.25), (0.12, 0.9), (0.8, 1.1, 0.6), rough)


def _miaows(rng: np.random.Generator) -> Signal:
    shape = (0.8, rng.uniform(1.0, 1.4), rng.uniform(0.6, 1.0))
    return _calls(rng, (350.0, 800.0), (0.35, 1.0), (0.8, 3.0), shape, rng.uniform(0.05, 0.3))


def _moos(rng: np.random.Generator) -> Signal:
    rough = rng.uniform(0.1, 0.6)
    return _calls(rng, (70.0, 260.0), (0.7, 2.0), (0.5, 2.5), (0.8, 1.0, 1.0, 0.8), rough)


def _bleats(rng: np.random.Generator) -> Signal:
    """Make calls that tremble eight times in a second or so, as of sheep and goats."""
    times_s = np.arange(int(CLIP_S * RATE_HZ)) / RATE_HZ
    trembling = 1.0 + rng.uniform(0.5, 0.9) * np.sin(2.0 * np.pi * rng.uniform(6, 14) * times_s)
    rough = rng.uniform(0.2, 0.8)
    return trembling * _calls(rng, (150.0, 450.0), (0.5, 1.5), (0.3, 2.5), (1.0, 1.0, 0.9), rough)


def _grunts(rng: np.random.Generator) -> Signal:
    rough = rng.uniform(1.0, 2.5)
    return _calls(rng, (70.0, 500.0), (0.1, 0.7), (0.1, 1.0), (0.8, 1.0, 0.9), rough)


def _caws(rng: np.random.Generator) -> Signal:
    """Make rough calls of crows, hens and frogs."""
    rough = rng.uniform(0.5, 2.0)
    return _calls(rng, (250.0, 1_300.0), (0.06, 0.45), (0.05, 0.8), (0.9, 1.0, 0.8), rough)


def _crowing(rng: np.random.Generator) -> Signal:
    shape = (0.7, 1.0, 0.8, 1.1, 1.1, 0.7)
    return _calls(rng, (400.0, 950.0), (0.8, 2.2), (1.0, 4.0), shape, rng.uniform(0.05, 0.5))


def _chirps(rng: np.random.Generator) -> Signal:
    """Make whistles that glide quickly, in phrases that repeat."""
    clip, at_s = _silence(), rng.uniform(0.0, 0.5)
    phrase = [
        (rng.uniform(1_500.0, 6_500.0), rng.uniform(0.6, 1.5), rng.uniform(0.03, 0.25))
        for _ in range(int(rng.integers(1, 6)))
    ]
    while at_s < CLIP_S - 0.1:
        for pitch_hz, glide, length_s in phrase:
            line_hz = np.minimum(_contour([pitch_hz, pitch_hz * glide], length_s), 7_000.0)
            whistle = _harmonics(line_hz, 30.0, rng)
            _place(clip, whistle * _envelope(length_s, 0.01, 0.02), at_s)
            at_s += length_s + rng.uniform(0.01, 0.12)
        at_s += rng.uniform(0.1, 1.5)
    return clip


# --- things -------------------------------------------------------------------------------------


def _beeps(rng: np.random.Generator) -> Signal:
    """Make alarm clocks, telephones and appliances: equal tones in an even rhythm."""
    clip, at_s = _silence(), rng.uniform(0.0, 0.5)
    pitches_hz = rng.uniform(400.0, 3_500.0) * np.array([1.0, rng.choice([1.0, 1.26, 1.33, 1.5])])
    length_s, gap_s = rng.uniform(0.04, 0.6), rng.uniform(0.04, 0.5)
    many, pause_s, tilt_db = int(rng.integers(1, 9)), rng.uniform(0.0, 1.5), rng.uniform(3, 30)
    while at_s < CLIP_S - 0.05:
        for number in range(many):
            line_hz = _contour([pitches_hz[number % 2]] * 2, length_s)
            _place(clip, _harmonics(line_hz, tilt_db, rng) * _envelope(length_s, 0.005, 0.01), at_s)
            at_s += length_s + gap_s
        at_s += pause_s
    return clip


def _siren(rng: np.random.Generator) -> Signal:
    """Make a siren that rises and falls without a pause, or leaps between two pitches."""
    times_s = np.arange(int(CLIP_S * RATE_HZ)) / RATE_HZ
    phase = 2.0 * np.pi * (rng.uniform(0.15, 4.0) * times_s + rng.random())
    swing = np.sign(np.sin(phase)) if rng.random() < 0.3 else scipy.signal.sawtooth(phase, 0.5)
    line_hz = rng.uniform(450.0, 1_300.0) * 2.0 ** (rng.uniform(0.1, 0.7) * swing)
    loudness = np.interp(times_s, np.linspace(0.0, CLIP_S, 5), rng.uniform(0.2, 1.0, 5))
    return _harmonics(line_hz, rng.uniform(4.0, 18.0), rng) * loudness


def _horn(rng: np.random.Generator) -> Signal:
    """Make two or three steady tones at once, long or short, as of cars and trains."""
    clip, at_s = _silence(), rng.uniform(0.0, 1.0)
    base_hz = rng.uniform(220.0, 600.0)
    while at_s < CLIP_S - 0.1:
        length_s = rng.uniform(0.15, 2.0)
        for ratio in (1.0, 1.2, 1.5)[: int(rng.integers(1, 4))]:
            tone = _harmonics(_contour([base_hz * ratio] * 2, length_s), rng.uniform(2, 9), rng)
            _place(clip, tone * _envelope(length_s, 0.02, 0.03), at_s)
        at_s += length_s + rng.uniform(0.1, 1.5)
    return clip


def _struck(rng: np.random.Generator) -> Signal:
    """Make bells, glasses and plucked strings: partials that ring on."""
    clip, at_s = _silence(), rng.uniform(0.0, 0.5)
    base_hz, even = rng.uniform(150.0, 1_500.0), rng.random() < 0.4
    ratios = np.arange(1.0, 7.0) if even else np.array([0.5, 1.0, 1.19, 1.5, 2.0, 2.7, 4.1])
    ring_s, every_s = rng.uniform(0.1, 2.5), rng.uniform(0.15, 1.5)
    while at_s < CLIP_S - 0.1:
        times_s = np.arange(int(2.5 * RATE_HZ)) / RATE_HZ
        pitch_hz = base_hz * (2.0 ** (float(rng.choice([0, 2, 4, 7, 9])) / 12.0) if even else 1.0)
        for ratio in ratios[ratios * pitch_hz < TOP_HZ]:
            tone = np.sin(2.0 * np.pi * ratio * pitch_hz * times_s)
            _place(clip, tone * np.exp(-times_s * (0.5 + 0.5 * ratio) / ring_s) / ratio, at_s)
        at_s += every_s * rng.uniform(0.9, 1.1)
    return clip


def _music(rng: np.random.Generator) -> Signal:
    """Make chords that change, with a melody over them."""
    clip, at_s = _silence(), 0.0
    base_hz, beat_s, tilt_db = rng.uniform(100.0, 300.0), rng.uniform(0.2, 0.7), rng.uniform(5, 15)
    while at_s < CLIP_S - 0.1:
        steps = float(rng.choice([0, 5, 7, 9])) + np.array(
            [0.0, 4.0, 7.0, rng.choice([12, 14, 16])]
        )
        for step in steps:
            line_hz = _contour([base_hz * 2.0 ** (step / 12.0)] * 2, beat_s)
            _place(clip, _harmonics(line_hz, tilt_db, rng) * _envelope(beat_s, 0.02, 0.1), at_s)
        at_s += beat_s
    return clip


def _engine(rng: np.random.Generator) -> Signal:
    """Make motors, saws and hair dryers: a low or whining pitch that revs, under noise."""
    times_s = np.arange(int(CLIP_S * RATE_HZ)) / RATE_HZ
    revs = np.interp(times_s, np.linspace(0.0, CLIP_S, 6), rng.uniform(0.7, 1.5, 6))
    base_hz = float(np.exp(rng.uniform(np.log(30.0), np.log(500.0))))
    tone = _harmonics(base_hz * revs, rng.uniform(1.0, 8.0), rng)
    noise = _band(CLIP_S, 100.0, rng.uniform(1_000.0, 7_000.0), rng)
    loudness = np.interp(times_s, np.linspace(0.0, CLIP_S, 6), rng.uniform(0.2, 1.0, 6))
    mixed = tone / np.std(tone) + rng.uniform(0.2, 3.0) * noise / np.std(noise)
    return _resonances(mixed, rng.uniform(300.0, 5_000.0, 3), 2.0) * loudness


def _water(rng: np.random.Generator) -> Signal:
    """Make pouring and dripping: a hiss, and bubbles that rise in pitch as they burst."""
    clip = rng.uniform(0.0, 0.3) * _band(CLIP_S, 500.0, 7_000.0, rng)
    for at_s in rng.uniform(0.0, CLIP_S, int(rng.integers(10, 250))):
        length_s, pitch_hz = rng.uniform(0.01, 0.08), rng.uniform(400.0, 3_500.0)
        line_hz = _contour([pitch_hz, pitch_hz * rng.uniform(1.0, 1.6)], length_s)
        angle = 2.0 * np.pi * np.cumsum(line_hz) / RATE_HZ
        decay = np.exp(-5.0 * np.linspace(0.0, 1.0, len(line_hz)))
        _place(clip, rng.uniform(0.1, 1.0) * np.sin(angle) * decay, at_s)
    return clip


def _creaks(rng: np.random.Generator) -> Signal:
    """Make doors and brakes: knocks so quick that they become a pitch, through fixed resonances."""
    clip, at_s = _silence(), rng.uniform(0.0, 1.0)
    centres_hz = rng.uniform(300.0, 3_500.0, 4)
    while at_s < CLIP_S - 0.2:
        length_s = rng.uniform(0.2, 1.8)
        line_hz = _contour(np.exp(rng.uniform(np.log(15.0), np.log(700.0), 4)), length_s)
        knocks = np.diff(np.floor(np.cumsum(line_hz) / RATE_HZ), prepend=0.0)
        knocks *= rng.uniform(0.5, 1.0, len(knocks))
        sound = _resonances(knocks, centres_hz, rng.uniform(4.0, 25.0))
        _place(clip, sound * _envelope(length_s, 0.02, 0.05), at_s)
        at_s += length_s + rng.uniform(0.1, 1.5)
    return clip


KINDS: dict[str, tuple[Maker, ...]] = {
    "laughter": (_laughter,),
    "babble": (_babble, _singing),
    "coughs": (_coughs,),
    "pets": (_barks, _miaows),
    "animals": (_moos, _bleats, _grunts, _crowing, _caws),
    "birds": (_chirps,),
    "alarms": (_beeps, _siren, _horn),
    "music": (_struck, _music),
    "machines": (_engine, _creaks),
    "water": (_water,),
}
"""Makers by kind; training may leave any one kind out to see how it fares on it."""
