"""Short words for what the timeline shows, in the reader's language.

What comes in: rows as the selectors give them. What goes out: text. Guaranteed: nothing here names
a cause; the words that the script puts together are whole sentences with named places.
"""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from anomaly.models import ScorePoint
from anomaly.selectors.lanes import Note, Serving, Version
from dashboard.standing import ODD, SHIFT, SURROUNDINGS
from dashboard.timeline.gaps import QUIET, SILENT, UNASSIGNED
from dashboard.timeline.reading import ACCEPTED, NOT_A_CRY, REFUSED, UNDECIDED
from infants.models import DiaryEntry

Scorer = ScorePoint.Scorer
EPISODES = {
    SHIFT.name: gettext_lazy("shift"),
    ODD.name: gettext_lazy("odd session"),
    SURROUNDINGS.name: gettext_lazy("new surroundings"),
}
SCORERS = {
    Scorer.AUTOENCODER.value: gettext_lazy("Autoencoder"),
    Scorer.OCSVM.value: gettext_lazy("One-class SVM"),
    Scorer.GMM.value: gettext_lazy("Gaussian mixture"),
    Scorer.LIKELIHOOD.value: gettext_lazy("Likelihood beside the population"),
    Scorer.ACOUSTICS.value: gettext_lazy("Acoustic channels"),
}
GATES = {
    ACCEPTED: gettext_lazy("accepted"),
    REFUSED: gettext_lazy("refused"),
    NOT_A_CRY: gettext_lazy("not a cry"),
    UNDECIDED: gettext_lazy("not decided"),
}
GAPS = {
    QUIET: gettext_lazy("nothing heard"),
    SILENT: gettext_lazy("the monitor is silent"),
    UNASSIGNED: gettext_lazy("no monitor assigned"),
}
KINDS = {
    DiaryEntry.Kind.FEED: gettext_lazy("feed"),
    DiaryEntry.Kind.SLEEP: gettext_lazy("sleep"),
    DiaryEntry.Kind.NAPPY: gettext_lazy("nappy"),
    DiaryEntry.Kind.TEMPERATURE: gettext_lazy("temperature"),
    DiaryEntry.Kind.MEDICINE: gettext_lazy("medicine"),
    DiaryEntry.Kind.VACCINATION: gettext_lazy("vaccination"),
    DiaryEntry.Kind.ILLNESS: gettext_lazy("illness"),
    DiaryEntry.Kind.SYMPTOM: gettext_lazy("symptom"),
    DiaryEntry.Kind.NOTE: pgettext_lazy("diary", "note"),
}
BUCKETS = {
    "single": gettext_lazy("each recording"),
    "hour": gettext_lazy("by hour"),
    "day": gettext_lazy("by day"),
    "week": gettext_lazy("by week"),
}


def note_words(note: Note) -> str:
    """Return an entry of the diary in a few words."""
    if note.temperature_c is not None:
        return f"{note.temperature_c:.1f} °C"
    text = " ".join(note.text.split())
    return text or str(KINDS[DiaryEntry.Kind(note.kind)])


def monitor_words(serving: Serving) -> str:
    """Return which monitor began to listen."""
    return _("monitor: %(name)s") % {"name": serving.name} if serving.name else _("monitor")


def version_words(version: Version) -> str:
    """Return which version began to judge, and the encoder where it is another one."""
    if version.encoder:
        return _("model %(number)d, another encoder: %(encoder)s") % {
            "number": version.number,
            "encoder": version.encoder[:12],
        }
    return _("model %(number)d") % {"number": version.number}


def script_words() -> dict[str, Any]:
    """Return the words that the script puts together."""
    return {
        "p": _("p-value (up: more unusual)"),
        "usualLine": _("p = 0.05"),
        "band": _("usual range"),
        "combined": _("Combined"),
        "sessions": _("Sessions"),
        "median": _("Median"),
        "smallest": _("Smallest"),
        "gate": _("Gate"),
        "learning": _("learning"),
        "evidence": _("Evidence of a lasting change"),
        "threshold": _("a shift opens here"),
        "diary": _("Diary"),
        "model": _("Model"),
        "monitor": _("Monitor"),
        "episodes": _("Episodes"),
        "overview": _("Overview"),
        "began": _("began"),
        "reviewedIn": _("a reviewer lets it be learnt"),
        "reviewedOut": _("a reviewer keeps it from being learnt"),
        "recording": _("Recording {number}, {time}: p = {p}; gate: {gate}."),
        "unscored": _("Recording, {time}: no p-value; gate: {gate}."),
        "bucket": _(
            "{time}: {n} recordings, median p = {p}, smallest {least}; {accepted} accepted."
        ),
        "empty": _("{time}: {n} recordings, no p-value."),
        "view": _("Shown: {from} to {to}, {form}."),
        "below": _("below 0.001"),
        "failed": _("The timeline could not be read. Check the connection and try again."),
        "loading": _("Reading …"),
        "aria": _(
            "Timeline of one infant: how unusual each recording was, and what else happened."
        ),
        "room": _("the room or the monitor sounds different"),
        "gates": {name: str(word) for name, word in GATES.items()},
        "gaps": {name: str(word) for name, word in GAPS.items()},
        "scorers": {name: str(word) for name, word in SCORERS.items()},
        "forms": {name: str(word) for name, word in BUCKETS.items()},
    }
