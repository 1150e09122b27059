"""Promise: what can be promised of an infant's numbers, given how much of it is known.

What comes in: how a baseline stands. What goes out: plain sentences. Guaranteed: nothing more is
promised than simulated infants kept (docs/judgement.md), and where a promise does not hold is said.
"""

from anomaly.models import PersonalModel
from pipelines.score import EARLIEST_DAYS, MINIMUM_DAYS, Learning

NOT_ELSEWHERE = (
    "None of it holds where the room, the monitor or the age differ from the baseline's by more "
    "than they did in it."
)
LASTING = (
    "Of an infant that stays as it is, at most one lasting change in 90 days is said by mistake."
)


def promised(standing: PersonalModel | Learning) -> list[str]:
    """Return what can be promised, a sentence each."""
    if isinstance(standing, Learning):
        return _promised_so_far(standing)
    return [
        "Of usual sessions, on average over infants, one in ten is called unusual at p = 0.10 and "
        f"one in twenty at 0.05. {_finest(standing)}".strip(),
        LASTING,
        NOT_ELSEWHERE,
    ]


def _promised_so_far(standing: Learning) -> list[str]:
    """Return what can be promised while the infant is being learnt."""
    later = (
        f"After {MINIMUM_DAYS} days the infant's own detectors compare, and lasting changes are "
        f"looked for. {LASTING}"
    )
    if not standing.has_numbers:
        return [
            f"No session is compared yet: crying was heard on {standing.days} days. A first "
            f"comparison takes {EARLIEST_DAYS}, one by the infant's own measure {MINIMUM_DAYS}.",
            later,
        ]
    return [
        f"Crying was heard on {standing.days} of {MINIMUM_DAYS} days; until then sessions are "
        "compared by what other infants teach. Of usual ones, on average over infants, at most one "
        "in ten is called unusual at p = 0.10 and one in twenty at 0.05; of unusual ones fewer are "
        "noticed than later.",
        later,
        NOT_ELSEWHERE,
    ]


def _finest(model: PersonalModel) -> str:
    """Say how small a p-value can be."""
    smallest = model.facts.get("smallest_p_value")
    if not smallest:
        return ""
    return f"With {model.n_sessions} sessions known, no p-value is below {smallest:.3f}."
