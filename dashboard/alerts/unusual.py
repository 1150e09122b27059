"""How unusual it is: what moved, by how much, on how much data; in words, and in a small picture.

What comes in: an alert's episode. What goes out: rows that a template only prints. Guaranteed: only
what the interval leaves no doubt of is said to have moved; no cause is named.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from anomaly.evidence import EMBEDDING, has_moved
from anomaly.figures import clauses
from anomaly.models import Episode, GateDecision, SessionJudgement
from anomaly.selectors.episodes import recordings_of
from dashboard.standing import is_unusual
from infants.models import Cry

CHANNELS = {
    "f0_log2_hz": gettext_lazy("Pitch"),
    "jitter_frac": gettext_lazy("Unsteadiness (jitter)"),
    "harmonics_to_noise_db": gettext_lazy("Clearness (harmonics to noise)"),
    "breath_noise_db": gettext_lazy("Breath noise"),
    "spectral_tilt_db_per_octave": gettext_lazy("Brightness (spectral tilt)"),
    "intensity_over_background_db": gettext_lazy("Loudness over the room"),
    "duration_s": gettext_lazy("Length of cries"),
}
ROOMS = {
    "unchanged": gettext_lazy("unchanged"),
    "changed": gettext_lazy("the room or the monitor sounds different since then too"),
    "unknown": gettext_lazy("could not be compared"),
}
SEVERITIES = {
    "slight": gettext_lazy("Slight evidence"),
    "clear": gettext_lazy("Clear evidence"),
    "strong": gettext_lazy("Strong evidence"),
}
WHOLE = ("autoencoder", "ocsvm", "gmm")
MOST_IN_A_LINE = 2
MIDDLE, SD, MOST_SD = 88.0, 32.0, 2.6


@dataclass(frozen=True)
class Interval:
    """Where a view lies, in standard deviations from the usual, as a drawing: x of three marks."""

    low: float
    at: float
    high: float
    words: str


@dataclass(frozen=True)
class Moved:
    """One view: its name, by how much it moved in words, and the picture of that."""

    name: str
    short: str
    words: str
    detail: str
    interval: Interval | None


@dataclass(frozen=True)
class Unusual:
    """Everything that is said of how unusual it is."""

    moved: list[Moved]
    unmoved: str
    facts: list[tuple[str, str]]

    @property
    def headline(self) -> str:
        """The first of it in one line, for a glance."""
        first = [row.short for row in self.moved[:MOST_IN_A_LINE]]
        return clauses(
            first
            or [
                _("%(label)s: %(text)s") % {"label": label, "text": text}
                for label, text in self.facts[:1]
            ]
        )


def unusual_of(episode: Episode, name: str) -> Unusual:
    """Return how unusual an episode is beside this infant's own usual."""
    if episode.kind == Episode.Kind.PERSISTENT_SHIFT:
        return _of_shift(episode, name)
    return Unusual([], "", [*_rareness(episode), *_scorers(episode), *_room(episode)])


def _of_shift(episode: Episode, name: str) -> Unusual:
    views = sorted(episode.evidence.get("views", []), key=lambda view: -view["share"])
    channels = [view for view in views if view["view"] in CHANNELS]
    still = [str(CHANNELS[view["view"]]) for view in channels if not has_moved(view)]
    return Unusual(
        moved=[_moved(view, name) for view in channels if has_moved(view)],
        unmoved=_("Unchanged: %(names)s.") % {"names": ", ".join(still)} if still else "",
        facts=[*_whole(views), *_room(episode), *_data(episode), *_strength(episode)],
    )


def _moved(view: dict[str, Any], name: str) -> Moved:
    label = str(CHANNELS[view["view"]])
    unit, ends = view.get("unit", "sd"), ("by", "low", "high")
    by, low, high = (view[end] for end in (ends if "by" in view else ("sd", "sd_low", "sd_high")))
    given = {"by": _figure(abs(by), unit), "name": name, "label": label}
    above, below = _("%(label)s %(by)s above usual"), _("%(label)s %(by)s below usual")
    more = _("%(by)s above %(name)s’s usual") if by > 0 else _("%(by)s below %(name)s’s usual")
    return Moved(
        label,
        (above if by > 0 else below) % given,
        more % given,
        _("95 %% interval %(low)s to %(high)s")
        % {"low": _signed(low, unit), "high": _signed(high, unit)},
        _interval(view, label),
    )


def rounded(value: float, places: int) -> str:
    """Return a number as it is written here; Django's own way cuts off what it does not show."""
    return number_format(round(value, places), places)


def _figure(value: float, unit: str) -> str:
    return f"{rounded(value, 0 if unit == '%' else 1)} {unit}"


def _signed(value: float, unit: str) -> str:
    sign = "−" if value < 0 else "+"
    return f"{sign}{_figure(abs(value), unit)}"


def _interval(view: dict[str, Any], label: str) -> Interval:
    low, at, high = (_place(view[end]) for end in ("sd_low", "sd", "sd_high"))
    words = _("%(label)s: %(by)s standard deviations from the usual, between %(low)s and %(high)s")
    given = {"by": view["sd"], "low": view["sd_low"], "high": view["sd_high"]}
    said = {end: rounded(value, 1) for end, value in given.items()}
    return Interval(low, at, high, words % (said | {"label": label}))


def _place(sd: float) -> float:
    return round(MIDDLE + SD * max(-MOST_SD, min(MOST_SD, sd)), 1)


# --- facts ----------------------------------------------------------------------------------------


def _whole(views: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    view = next((view for view in views if view["view"] == EMBEDDING), None)
    if view is None:
        return
    label = _("Sound as a whole (embedding)")
    if view["sd_low"] > 0.0:
        by = rounded(view["sd"], 1)
        yield label, _("unlike before, by %(by)s standard deviations") % {"by": by}
    else:
        yield label, pgettext("sound", "unchanged")


def _room(episode: Episode) -> Iterator[tuple[str, str]]:
    found = episode.evidence
    if "room" in found:
        yield _("Room and monitor"), str(ROOMS.get(found["room"], ROOMS["unknown"]))
    elif found.get("room_changed_frac") is not None:
        yield (
            _("Room and monitor"),
            str(ROOMS["changed" if episode.sounds_elsewhere else "unchanged"]),
        )


def _data(episode: Episode) -> Iterator[tuple[str, str]]:
    found = episode.evidence
    counted = recordings_of(episode).filter(gate_decision__answer__in=GateDecision.COUNTED)
    cries = Cry.objects.filter(recording__in=counted.order_by()).count()
    said = [
        ngettext("%(n)s cry", "%(n)s cries", cries) % {"n": number_format(cries)},
        ngettext("%(n)s recording", "%(n)s recordings", found.get("n_recordings", 0))
        % {"n": number_format(found.get("n_recordings", 0))},
        ngettext("%(n)s day", "%(n)s days", found.get("n_days", 0))
        % {"n": number_format(found.get("n_days", 0))},
    ]
    given = dict(zip(("cries", "recordings", "days"), said, strict=True))
    yield _("Data"), _("%(cries)s in %(recordings)s on %(days)s") % given


def _strength(episode: Episode) -> Iterator[tuple[str, str]]:
    found = episode.evidence
    if "severity" not in found:
        return
    given = {
        "peak": rounded(found["peak_statistic"], 1),
        "threshold": rounded(found["threshold"], 1),
    }
    said = _("statistic %(peak)s; an alert begins at %(threshold)s") % given
    yield str(SEVERITIES.get(found["severity"], SEVERITIES["slight"])), said


def _rareness(episode: Episode) -> Iterator[tuple[str, str]]:
    p_value = episode.evidence.get("smallest_p_value")
    if p_value is None:
        return
    given = {"p": rounded(p_value, 3), "n": number_format(round(1.0 / p_value))}
    said = _("about one in %(n)s usual sessions sounds so unusual (p = %(p)s)")
    yield _("How rare"), said % given


def _scorers(episode: Episode) -> Iterator[tuple[str, str]]:
    """Say which of the views found it unusual: the sound as a whole, or the acoustic channels."""
    sessions = SessionJudgement.objects.filter(
        infant=episode.infant_id,
        started_at__gte=episode.opened_at,
        started_at__lte=episode.last_at,
    )
    rarest = sessions.order_by("p_value").first()
    if rarest is None:
        return
    named = {
        _("Sound as a whole (embedding)"): [
            rarest.p_values[n] for n in WHOLE if n in rarest.p_values
        ],
        _("Pitch, breath and other acoustic channels"): [
            rarest.p_values[n] for n in ("acoustics",) if n in rarest.p_values
        ],
    }
    for label, p_values in named.items():
        if p_values:
            smallest = min(p_values)
            said = _("unusual (p = %(p)s)") if is_unusual(smallest) else _("as usual (p = %(p)s)")
            yield label, said % {"p": rounded(smallest, 3)}
