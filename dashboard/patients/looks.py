"""How reasons and sections look: a word, a shape and a class of the stylesheet.

What comes in: a reason or a section. What goes out: a `Look` in the reader's language. Guaranteed:
no two reasons share a shape or a word.
"""

from dataclasses import replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anomaly.concerns import Reason, Section
from dashboard.standing import LEARNING, ODD, RING, SHIFT, SILENT, SURROUNDINGS, USUAL, Look

MAYBE_SHAPE = "M12 3 22.5 21h-21ZM12 8.2 6.2 18.2h11.6Z"
LONG_SHAPE = f"{RING}m0 4a6 6 0 1 1 0 12 6 6 0 0 1 0-12Zm-1.4 1.6v5.4h5.4v-2.6h-2.8v-2.8Z"
LOOKS = {
    Reason.SHIFT: SHIFT,
    Reason.SUSPICION: Look("shift", "", MAYBE_SHAPE),
    Reason.EXTREME: ODD,
    Reason.SUSTAINED: Look("odd", "", LONG_SHAPE),
    Reason.SURROUNDINGS: SURROUNDINGS,
    Reason.GAP: SILENT,
    Reason.LEARNING: LEARNING,
}
REASON_WORDS: dict[Reason, str | Promise] = {
    Reason.SHIFT: _("Different from usual"),
    Reason.SUSPICION: _("A change may be beginning"),
    Reason.EXTREME: _("Odd session"),
    Reason.SUSTAINED: _("Crying for long"),
    Reason.SURROUNDINGS: _("New surroundings"),
    Reason.GAP: _("Data gap"),
    Reason.LEARNING: _("Still learning"),
}
SECTION_WORDS: dict[Section, str | Promise] = {
    Section.RISING: _("Rising deviation"),
    Section.EXTREME: _("Single odd sessions"),
    Section.SUSTAINED: _("Crying for long"),
    Section.SURROUNDINGS: _("New surroundings"),
    Section.GAP: _("Data gap"),
    Section.LEARNING: _("Still learning"),
    Section.USUAL: _("As usual"),
}
SECTION_LOOKS = {
    Section.RISING: SHIFT,
    Section.EXTREME: ODD,
    Section.SUSTAINED: LOOKS[Reason.SUSTAINED],
    Section.SURROUNDINGS: SURROUNDINGS,
    Section.GAP: SILENT,
    Section.LEARNING: LEARNING,
    Section.USUAL: USUAL,
}


def look_of_reason(reason: Reason) -> Look:
    """Return how a reason looks."""
    return replace(LOOKS[reason], word=str(REASON_WORDS[reason]))


def look_of_section(section: Section) -> Look:
    """Return how a section looks."""
    return replace(SECTION_LOOKS[section], word=str(SECTION_WORDS[section]))
