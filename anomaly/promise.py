"""Promise: what can be promised of an infant's numbers, given how much of it is known.

What comes in: how a baseline stands. What goes out: plain sentences. Guaranteed: nothing more is
promised than simulated infants kept (docs/judgement.md), and where a promise does not hold is said.
"""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from anomaly.figures import decimal
from anomaly.models import PersonalModel
from pipelines.score import EARLIEST_DAYS, MINIMUM_DAYS, Learning

NOT_ELSEWHERE = gettext_noop(
    "None of it holds where the room, the monitor or the age differ from the baseline's by more "
    "than they did in it."
)
LASTING = gettext_noop(
    "Of an infant that stays as it is, at most one lasting change in 90 days is said by mistake."
)


def promised(standing: PersonalModel | Learning) -> list[str]:
    """Return what can be promised, a sentence or two each."""
    if isinstance(standing, Learning):
        return _promised_so_far(standing)
    usual = _(
        "Of usual sessions, on average over infants, one in ten is called unusual at p = 0.10 and "
        "one in twenty at 0.05."
    )
    return [f"{usual} {_finest(standing)}".strip(), _(LASTING), _(NOT_ELSEWHERE)]


def _promised_so_far(standing: Learning) -> list[str]:
    """Return what can be promised while the infant is being learnt."""
    later = _(
        "After %(needed)d days the infant's own detectors compare, and lasting changes are looked "
        "for."
    ) % {"needed": MINIMUM_DAYS}
    later = f"{later} {_(LASTING)}"
    if not standing.has_numbers:
        return [_without_numbers(standing), later]
    compared = _(
        "Crying was heard on %(days)d of %(needed)d days; until then sessions are compared by what "
        "other infants teach. Of usual ones, on average over infants, at most one in ten is called "
        "unusual at p = 0.10 and one in twenty at 0.05; of unusual ones fewer are noticed than "
        "later."
    ) % {"days": standing.days, "needed": MINIMUM_DAYS}
    return [compared, later, _(NOT_ELSEWHERE)]


def _without_numbers(standing: Learning) -> str:
    """Say when the first comparison comes."""
    return ngettext(
        "No session is compared yet: crying was heard on %(days)d day. A first comparison takes "
        "%(earliest)d, one by the infant's own measure %(needed)d.",
        "No session is compared yet: crying was heard on %(days)d days. A first comparison takes "
        "%(earliest)d, one by the infant's own measure %(needed)d.",
        standing.days,
    ) % {"days": standing.days, "earliest": EARLIEST_DAYS, "needed": MINIMUM_DAYS}


def _finest(model: PersonalModel) -> str:
    """Say how small a p-value can be."""
    smallest = model.facts.get("smallest_p_value")
    if not smallest:
        return ""
    return ngettext(
        "With %(n)d session known, no p-value is below %(smallest)s.",
        "With %(n)d sessions known, no p-value is below %(smallest)s.",
        model.n_sessions,
    ) % {"n": model.n_sessions, "smallest": decimal(smallest, 3)}
