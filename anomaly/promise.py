"""Promise: what can be promised of an infant's numbers, given how much of it is known.

What comes in: how a baseline stands. What goes out: plain sentences. Guaranteed: nothing more is
promised than simulated infants kept (docs/judgement.md), and where a promise does not hold is said.
"""

from anomaly.models import PersonalModel
from pipelines.score import MINIMUM_DAYS, Learning

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
        return [
            f"No session is compared before crying was heard on {MINIMUM_DAYS} days; so far it was "
            f"on {standing.days}.",
            f"From then on lasting changes are looked for too. {LASTING}",
        ]
    return [
        "Of usual sessions, on average over infants, one in ten is called unusual at p = 0.10 and "
        f"one in twenty at 0.05. {_finest(standing)}".strip(),
        LASTING,
        NOT_ELSEWHERE,
    ]


def _finest(model: PersonalModel) -> str:
    """Say how small a p-value can be."""
    smallest = model.facts.get("smallest_p_value")
    if not smallest:
        return ""
    return f"With {model.n_sessions} sessions known, no p-value is below {smallest:.3f}."
