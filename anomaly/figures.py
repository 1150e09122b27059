"""Numbers and the parts of a sentence, put together the way the reader's language does.

What comes in: numbers, clauses. What goes out: text of the active language. Guaranteed: a number is
rounded, never cut off; in English its text is that of Python's own formats.
"""

from collections.abc import Iterable

from django.utils.formats import number_format
from django.utils.translation import get_language_bidi, pgettext

LEFT_TO_RIGHT = "\u200e"


def decimal(number: float, places: int) -> str:
    """Return a number rounded to so many places."""
    return str(number_format(f"{number:.{places}f}"))


def signed(number: float, places: int) -> str:
    """Return a number rounded to so many places, with its sign."""
    return str(number_format(f"{number:+.{places}f}"))


def percent(frac: float) -> str:
    """Return a share in per cent."""
    return pgettext("a share", "%(n)s%%") % {"n": decimal(100.0 * frac, 0)}


def kept_together(figures: str) -> str:
    """Return figures whose signs and order stay as they are where lines run from the right."""
    return f"{LEFT_TO_RIGHT}{figures}{LEFT_TO_RIGHT}" if get_language_bidi() else figures


def listed(items: Iterable[str]) -> str:
    """Return items as a list in a sentence."""
    return pgettext("between items of a list", ", ").join(items)


def clauses(parts: Iterable[str]) -> str:
    """Return what is said in parts as one sentence without its full stop; empty parts go."""
    return pgettext("between clauses of a sentence", "; ").join(part for part in parts if part)


def sentence(text: str) -> str:
    """Return a text with the full stop of the language."""
    return pgettext("a sentence and its full stop", "%(text)s.") % {"text": text}
