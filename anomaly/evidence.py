"""Evidence of an episode in words: what moved, by how much, on how much data.

What comes in: an episode's evidence, as `pipelines.lasting` wrote it. What goes out: plain words
of the reader's language, with figures for those who want them. Guaranteed: no cause is named and
nothing is a diagnosis; only what the interval leaves no doubt of is said to have moved.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from anomaly.figures import clauses, decimal, kept_together, listed, signed

Evidence = Mapping[str, Any]

MOVED = {
    "f0_log2_hz": (gettext_lazy("higher in pitch"), gettext_lazy("lower in pitch")),
    "jitter_frac": (gettext_lazy("less steady"), gettext_lazy("steadier")),
    "harmonics_to_noise_db": (gettext_lazy("clearer"), gettext_lazy("hoarser")),
    "breath_noise_db": (gettext_lazy("breathier"), gettext_lazy("less breathy")),
    "spectral_tilt_db_per_octave": (gettext_lazy("brighter"), gettext_lazy("duller")),
    "intensity_over_background_db": (gettext_lazy("louder"), gettext_lazy("softer")),
    "duration_s": (gettext_lazy("longer cries"), gettext_lazy("shorter cries")),
}
"""Of each channel, what people call more of it and less of it."""
EMBEDDING = "embedding"
LEAST_SHARE = 0.05
MOST_VIEWS = 3
ROOMS = {
    "unchanged": gettext_lazy("room unchanged"),
    "changed": gettext_lazy("room or monitor changed too"),
}
SEVERITY = {
    "slight": gettext_lazy("slight evidence"),
    "clear": gettext_lazy("clear evidence"),
    "strong": gettext_lazy("strong evidence"),
}
LABELS = {
    "room": gettext_lazy("the room sounds different"),
    "device": gettext_lazy("another monitor is listening"),
}
UNITS = {
    "semitones": gettext_lazy("semitones"),
    "Hz": gettext_lazy("Hz"),
    "dB": gettext_lazy("dB"),
    "s": gettext_lazy("s"),
}


def movement_words(evidence: Evidence) -> str:
    """Say what moved: "higher in pitch (+14 % [9, 19]), steadier (...); room unchanged"."""
    if "views" not in evidence:
        return ""
    return clauses([listed(_moved(evidence)), _whole(evidence), _room(evidence)])


def movement_briefly(evidence: Evidence) -> str:
    """Say what moved without figures: "higher in pitch, steadier; room unchanged"."""
    views = evidence.get("views", [])
    moved = listed(_named(view) for view in _clear(views))
    whole = any(view["view"] == EMBEDDING and view["sd_low"] > 0.0 for view in views)
    as_a_whole = _("sound as a whole unlike before") if whole and not moved else ""
    return clauses([moved, as_a_whole, _room(evidence) if views else ""])


def severity_words(evidence: Evidence) -> str:
    """Say how strong the evidence is; what has no word yet stands as it is."""
    found = evidence.get("severity", "")
    return str(SEVERITY.get(found, found))


def _room(evidence: Evidence) -> str:
    return str(ROOMS.get(evidence.get("room", ""), ""))


def _moved(evidence: Evidence) -> Iterator[str]:
    """Name the channels that moved beyond doubt, the one with most of the evidence first."""
    for view in _clear(evidence["views"]):
        said = {"moved": _named(view), "figures": _figures(view)}
        yield _("%(moved)s (%(figures)s)") % said


def _clear(views: Iterable[Evidence]) -> list[Evidence]:
    """Return the channels that moved beyond doubt, the one with most of the evidence first."""
    clear = [view for view in views if view["view"] in MOVED and _is_clear(view)]
    return sorted(clear, key=lambda view: -view["share"])[:MOST_VIEWS]


def _named(view: Evidence) -> str:
    return direction_words(view["view"], is_more=view["sd"] > 0)


def direction_words(channel: str, *, is_more: bool) -> str:
    """Say what people call more of a channel, or less of it."""
    more, less = MOVED[channel]
    return str(more if is_more else less)


def unit_words(unit: str) -> str:
    """Return a unit as it is written in the reader's language."""
    return str(UNITS.get(unit, unit))


def _is_clear(view: Evidence) -> bool:
    return bool(view["share"] >= LEAST_SHARE) and has_moved(view)


def has_moved(view: Evidence) -> bool:
    """Tell whether the interval leaves no doubt that a view has moved."""
    return bool(view["sd_low"] > 0.0 or view["sd_high"] < 0.0)


def _figures(view: Evidence) -> str:
    """Say by how much, with the interval of 95 %."""
    if "by" not in view:
        said = {
            "by": signed(view["sd"], 1),
            "low": decimal(view["sd_low"], 1),
            "high": decimal(view["sd_high"], 1),
        }
        return kept_together(
            pgettext("standard deviations", "%(by)s sd [%(low)s, %(high)s]") % said
        )
    places = 0 if view["unit"] == "%" else 1
    said = {name: signed(view[name], places) for name in ("by", "low", "high")}
    said["unit"] = unit_words(view["unit"])
    return kept_together(_("%(by)s %(unit)s [%(low)s, %(high)s]") % said)


def _whole(evidence: Evidence) -> str:
    """Say whether the sound as a whole, which the encoder hears, is another."""
    view = next((view for view in evidence["views"] if view["view"] == EMBEDDING), None)
    if view is None:
        return ""
    if view["sd_low"] > 0.0:
        return _("sound as a whole unlike before (%(figures)s)") % {"figures": _figures(view)}
    return _("sound as a whole unchanged")


def change_words(evidence: Evidence) -> str:
    """Say which surroundings changed."""
    changed = {change["label"] for change in evidence.get("changes", [])}
    if changed >= set(LABELS):
        return _both_words(evidence)
    return next((str(words) for label, words in LABELS.items() if label in changed), "")


def _both_words(evidence: Evidence) -> str:
    """Name both changes, the earlier one first."""
    first = next(change["label"] for change in evidence["changes"] if change["label"] in LABELS)
    if first == "room":
        return _("the room sounds different and another monitor is listening")
    return _("another monitor is listening and the room sounds different")
