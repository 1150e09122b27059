"""The acoustic channels as people read them: a name, a unit, and words for more and less of each.

What comes in: a channel's name and values as they are stored. What goes out: words and numbers in
people's units. Guaranteed: every channel of `pipelines.acoustics` is answered; the words of those
that the monitor watches are those of its evidence (`anomaly.evidence.MOVED`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from pipelines.acoustics import CHANNELS
from pipelines.lasting import in_units

Words = str | Promise
PERCENT = "%"


def _same(value: float) -> float:
    return value


def _hertz(octaves: float) -> float:
    return float(2.0**octaves)


def _percent(frac: float) -> float:
    return 100.0 * frac


@dataclass(frozen=True)
class Shown:
    """How a channel is shown: `to_people` brings a stored value to the unit."""

    label: Words
    unit: Words
    more: Words
    less: Words
    places: int = 1
    to_people: Callable[[float], float] = _same


DB = _("dB")
SHOWN = {
    "f0_log2_hz": Shown(_("Pitch"), _("Hz"), _("higher in pitch"), _("lower in pitch"), 0, _hertz),
    "f0_slope_semitones_per_s": Shown(
        _("Slope of pitch"), _("semitones/s"), _("rising more"), _("falling more")
    ),
    "f0_range_semitones": Shown(
        _("Range of pitch"), _("semitones"), _("wider in pitch"), _("narrower in pitch")
    ),
    "jitter_frac": Shown(
        _("Unsteadiness of pitch"), PERCENT, _("less steady"), _("steadier"), 2, _percent
    ),
    "shimmer_frac": Shown(
        *(_("Unsteadiness of loudness"), PERCENT),
        *(_("less steady in loudness"), _("steadier in loudness")),
        *(1, _percent),
    ),
    "harmonics_to_noise_db": Shown(
        _("Harmonics over noise"), DB, pgettext_lazy("voice", "clearer"), _("hoarser")
    ),
    "breath_noise_db": Shown(
        _("Breath between the harmonics"), DB, _("breathier"), _("less breathy")
    ),
    "spectral_tilt_db_per_octave": Shown(
        _("Spectral tilt"), _("dB/octave"), _("brighter"), _("duller")
    ),
    "spectral_centroid_hz": Shown(
        _("Centre of the spectrum"), _("Hz"), _("weight higher up"), _("weight lower down"), 0
    ),
    "intensity_over_background_db": Shown(
        _("Loudness over the background"), DB, _("louder"), _("softer")
    ),
    "duration_s": Shown(_("Length of a cry"), _("s"), _("longer cries"), _("shorter cries"), 2),
    "pause_s": Shown(_("Pause between cries"), _("s"), _("longer pauses"), _("shorter pauses"), 2),
    "cries_per_min": Shown(
        _("Cries a minute"), _("1/min"), _("more cries a minute"), _("fewer cries a minute"), 0
    ),
    "hyperphonation_frac": Shown(
        *(_("Very high pitch"), PERCENT, _("more at very high pitch")),
        *(_("less at very high pitch"), 1, _percent),
    ),
    "subharmonic_frac": Shown(
        *(_("Doubled periods"), PERCENT, _("more doubled periods")),
        *(_("fewer doubled periods"), 1, _percent),
    ),
    "voiced_frac": Shown(
        _("Share with a pitch"), PERCENT, _("more voiced"), _("less voiced"), 1, _percent
    ),
    "noisy_frac": Shown(
        _("Share that is noise"), PERCENT, _("noisier"), _("less noisy"), 1, _percent
    ),
}
BY_NAME = {channel.name: channel for channel in CHANNELS}


def to_people(name: str, value: float) -> float:
    """Return a stored value in the unit that people read, rounded to what it is worth."""
    return float(f"{SHOWN[name].to_people(value):.4g}")


def with_unit(name: str, value: float) -> str:
    """Return a stored value with its unit."""
    shown = SHOWN[name]
    return f"{shown.to_people(value):.{shown.places}f}\N{NO-BREAK SPACE}{shown.unit}".strip()


def movement_in_units(name: str, values: Sequence[float]) -> tuple[str, list[float]]:
    """Return differences on a channel's own scale in people's units: of what it was, or points."""
    if SHOWN[name].unit == PERCENT and not BY_NAME[name].is_log:
        return str(_("points")), [100.0 * value for value in values]
    unit, moved = in_units(name, values)
    return str(SHOWN[name].unit) if unit != PERCENT else PERCENT, moved


def level_in_units(name: str, level: float) -> str:
    """Return a level on a channel's own scale as people read it."""
    return with_unit(name, float(2.0**level) if BY_NAME[name].is_log else level)


def moved_words(name: str, by: float) -> str:
    """Return what people call more of a channel, or less of it."""
    shown = SHOWN[name]
    return str(shown.more if by > 0 else shown.less)
