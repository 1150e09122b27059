"""Evidence of an episode in words: what moved, by how much, on how much data.

What comes in: an episode's evidence, as `pipelines.lasting` wrote it. What goes out: plain words
with figures for those who want them. Guaranteed: no cause is named and nothing is a diagnosis; only
what the interval leaves no doubt of is said to have moved.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Evidence = Mapping[str, Any]

MOVED = {
    "f0_log2_hz": ("higher in pitch", "lower in pitch"),
    "jitter_frac": ("less steady", "steadier"),
    "harmonics_to_noise_db": ("clearer", "hoarser"),
    "breath_noise_db": ("breathier", "less breathy"),
    "spectral_tilt_db_per_octave": ("brighter", "duller"),
    "intensity_over_background_db": ("louder", "softer"),
    "duration_s": ("longer cries", "shorter cries"),
}
"""Of each channel, what people call more of it and less of it."""
EMBEDDING = "embedding"
LEAST_SHARE = 0.05
MOST_VIEWS = 3
ROOMS = {"unchanged": "room unchanged", "changed": "room or monitor changed too"}
SEVERITY = {
    "slight": "slight evidence",
    "clear": "clear evidence",
    "strong": "strong evidence",
}
LABELS = {"room": "the room sounds different", "device": "another monitor is listening"}


def movement_words(evidence: Evidence) -> str:
    """Say what moved: "higher in pitch (+14 % [9, 19]), steadier (...); room unchanged"."""
    if "views" not in evidence:
        return ""
    moved = ", ".join(_moved(evidence))
    as_a_whole = _whole(evidence)
    room = ROOMS.get(evidence.get("room", ""), "")
    return "; ".join(part for part in (moved, as_a_whole, room) if part)


def movement_briefly(evidence: Evidence) -> str:
    """Say what moved without figures: "higher in pitch, steadier; room unchanged"."""
    views = evidence.get("views", [])
    moved = ", ".join(_named(view) for view in _clear(views))
    whole = any(view["view"] == EMBEDDING and view["sd_low"] > 0.0 for view in views)
    as_a_whole = "sound as a whole unlike before" if whole and not moved else ""
    room = ROOMS.get(evidence.get("room", ""), "") if views else ""
    return "; ".join(part for part in (moved, as_a_whole, room) if part)


def _moved(evidence: Evidence) -> Iterator[str]:
    """Name the channels that moved beyond doubt, the one with most of the evidence first."""
    for view in _clear(evidence["views"]):
        yield f"{_named(view)} ({_figures(view)})"


def _clear(views: Iterable[Evidence]) -> list[Evidence]:
    """Return the channels that moved beyond doubt, the one with most of the evidence first."""
    clear = [view for view in views if view["view"] in MOVED and _is_clear(view)]
    return sorted(clear, key=lambda view: -view["share"])[:MOST_VIEWS]


def _named(view: Evidence) -> str:
    more, less = MOVED[view["view"]]
    return more if view["sd"] > 0 else less


def _is_clear(view: Evidence) -> bool:
    return bool(view["share"] >= LEAST_SHARE) and has_moved(view)


def has_moved(view: Evidence) -> bool:
    """Tell whether the interval leaves no doubt that a view has moved."""
    return bool(view["sd_low"] > 0.0 or view["sd_high"] < 0.0)


def _figures(view: Evidence) -> str:
    """Say by how much, with the interval of 95 %."""
    if "by" not in view:
        return f"{view['sd']:+.1f} sd [{view['sd_low']:.1f}, {view['sd_high']:.1f}]"
    unit = view["unit"]
    places = 0 if unit == "%" else 1
    by, low, high = (f"{view[name]:+.{places}f}" for name in ("by", "low", "high"))
    return f"{by} {unit} [{low}, {high}]"


def _whole(evidence: Evidence) -> str:
    """Say whether the sound as a whole, which the encoder hears, is another."""
    view = next((view for view in evidence["views"] if view["view"] == EMBEDDING), None)
    if view is None:
        return ""
    if view["sd_low"] > 0.0:
        return f"sound as a whole unlike before ({_figures(view)})"
    return "sound as a whole unchanged"


def change_words(evidence: Evidence) -> str:
    """Say which surroundings changed."""
    labels = [change["label"] for change in evidence.get("changes", [])]
    return " and ".join(LABELS[label] for label in dict.fromkeys(labels) if label in LABELS)
