"""How severe an alert is, in three steps, so that people can say from which on they are told; pure.

What comes in: an episode's kind and evidence. What goes out: a step. Guaranteed: a lasting shift is
as severe as its evidence is strong; an odd session is at most clear, however rare: it is one.
"""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

RARE_P_VALUE = 0.002
"""About one in five hundred usual sessions sounds so unusual; such evidence is clear."""


class Severity(models.TextChoices):
    """How strong the evidence is that something is unusual."""

    SLIGHT = "slight", _("Every alert")
    CLEAR = "clear", _("Clear and strong evidence")
    STRONG = "strong", _("Strong evidence only")


RANKS = {Severity.SLIGHT: 1, Severity.CLEAR: 2, Severity.STRONG: 3}
URGENT = Severity.STRONG
"""From here on an alert may break through quiet hours, for whoever wants that."""


def severity_of(evidence: Mapping[str, Any]) -> Severity:
    """Return how severe an episode is by its evidence; what has no step yet is the least."""
    if "severity" in evidence:
        known = set(Severity.values)
        return Severity(evidence["severity"]) if evidence["severity"] in known else Severity.SLIGHT
    p_value = evidence.get("smallest_p_value")
    is_rare = p_value is not None and p_value <= RARE_P_VALUE
    return Severity.CLEAR if is_rare else Severity.SLIGHT


def is_at_least(found: str, least: str) -> bool:
    """Tell whether a severity reaches another one."""
    return RANKS[Severity(found)] >= RANKS[Severity(least)]


def is_worse(found: str, before: str) -> bool:
    """Tell whether a severity goes beyond another one."""
    return RANKS[Severity(found)] > RANKS[Severity(before)]
