"""The gate's reasons in the reader's language.

What comes in: a reason as the gate wrote it, in English, and as it is kept. What goes out: the same
in the active language. Guaranteed: a reason of a form that is not known here, as an older or newer
gate may have written, stands as it is.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from anomaly.evidence import unit_words

BANDS: Mapping[str, str | Promise] = {
    "0 to 4 weeks": _("0 to 4 weeks"),
    "4 to 8 weeks": _("4 to 8 weeks"),
    "2 to 6 months": _("2 to 6 months"),
    "7 months to 2 years": _("7 months to 2 years"),
    "over 2 years": _("over 2 years"),
    "any age, as it is not known": _("any age, as it is not known"),
}
TRAITS: Mapping[str, str | Promise] = {
    "pitch": _("pitch"),
    "pitch range": _("pitch range"),
    "share of very high pitch": _("share of very high pitch"),
    "loudness over background": _("loudness over background"),
    "length of a cry unit": _("length of a cry unit"),
    "unsteadiness of pitch": _("unsteadiness of pitch"),
    "harmonics over noise": _("harmonics over noise"),
}


@dataclass(frozen=True)
class Form:
    """One form that a reason can have: as it is written, and as it is translated."""

    written: str
    shown: str | Promise

    def matches(self, text: str) -> re.Match[str] | None:
        """Return what a reason of this form says, and None of one that is not."""
        return re.fullmatch(self.written, text)


FORMS = (
    Form(
        r"no more aroused than is usual for infants of this age \((?P<band>.+)\)",
        _("no more aroused than is usual for infants of this age (%(band)s)"),
    ),
    Form(
        r"no more aroused than is usual for this infant \((?P<n>\d+) recordings\) and this age "
        r"\((?P<band>.+)\)",
        _(
            "no more aroused than is usual for this infant (%(n)s recordings) and this age "
            "(%(band)s)"
        ),
    ),
    Form(
        r"more aroused than is usual for infants of this age \((?P<band>.+)\): "
        r"(?P<spreads>[\d.]+) spreads above",
        _(
            "more aroused than is usual for infants of this age (%(band)s): %(spreads)s spreads "
            "above"
        ),
    ),
    Form(
        r"more aroused than is usual for this infant \((?P<n>\d+) recordings\) and this age "
        r"\((?P<band>.+)\): (?P<spreads>[\d.]+) spreads above",
        _(
            "more aroused than is usual for this infant (%(n)s recordings) and this age "
            "(%(band)s): %(spreads)s spreads above"
        ),
    ),
    Form(r"the voice's embedding is usual", _("the voice's embedding is usual")),
    Form(
        r"the voice's embedding tells more arousal than usual: (?P<spreads>[\d.]+) spreads above",
        _("the voice's embedding tells more arousal than usual: %(spreads)s spreads above"),
    ),
    Form(
        r"no unit has a pitch that can be measured, which is rare in crying",
        _("no unit has a pitch that can be measured, which is rare in crying"),
    ),
    Form(
        r"pitch, unit length and voice are within what is usual at (?P<band>.+)",
        _("pitch, unit length and voice are within what is usual at %(band)s"),
    ),
    Form(
        r"(?P<trait>\D+) (?P<value>-?\d\S*(?: \w+)?) is above what is usual at (?P<band>.+): "
        r"(?P<low>-?\d\S*(?: \w+)?) to (?P<high>-?\d\S*(?: \w+)?)",
        _("%(trait)s %(value)s is above what is usual at %(band)s: %(low)s to %(high)s"),
    ),
    Form(
        r"(?P<trait>\D+) (?P<value>-?\d\S*(?: \w+)?) is below what is usual at (?P<band>.+): "
        r"(?P<low>-?\d\S*(?: \w+)?) to (?P<high>-?\d\S*(?: \w+)?)",
        _("%(trait)s %(value)s is below what is usual at %(band)s: %(low)s to %(high)s"),
    ),
    Form(
        r"sounds like crying \(probability (?P<probability>[\d.]+)\)",
        _("sounds like crying (probability %(probability)s)"),
    ),
    Form(
        r"does not sound like crying \(probability (?P<probability>[\d.]+)\)",
        _("does not sound like crying (probability %(probability)s)"),
    ),
)


def reason_words(written: str) -> str:
    """Return a reason in the reader's language."""
    for form in FORMS:
        found = form.matches(written)
        if found:
            said = {name: _part(name, text) for name, text in found.groupdict().items()}
            return form.shown % said
    return written


def _part(name: str, text: str) -> str:
    return PARTS.get(name, _measure)(text)


def _measure(text: str) -> str:
    """Return a number, with its unit where it has one."""
    number, _space, unit = text.partition(" ")
    if not re.fullmatch(r"-?\d+(?:\.\d+)?", number):
        return text
    return f"{number_format(number)} {unit_words(unit)}".rstrip()


PARTS: Mapping[str, Callable[[str], str]] = {
    "band": lambda text: str(BANDS.get(text, text)),
    "trait": lambda text: str(TRAITS.get(text, text)),
}
