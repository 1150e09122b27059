"""What can be wrong in the rooms of judgement.

AnomalyError
├── NoSuchModelError     the infant has no such version in force
├── ReadingPlanError     a study cannot be made as it is planned
└── ArtefactLostError    a version's artefact is gone or is not the one that was fitted
"""

from typing import ClassVar
from uuid import UUID


class AnomalyError(Exception):
    """Root of the family; `code` names the kind to programs."""

    code: ClassVar[str] = "anomaly_error"


class NoSuchModelError(AnomalyError):
    """The infant has no such version in force."""

    code = "no_such_model"

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        """Say it for people."""
        return f"This infant has no personal model {self.number} in force."


class ArtefactLostError(AnomalyError):
    """A version's artefact is gone or is not the one that was fitted."""

    code = "artefact_lost"

    def __init__(self, model_id: UUID) -> None:
        super().__init__(model_id)
        self.model_id = model_id

    def __str__(self) -> str:
        """Say it for people."""
        return f"The artefact of personal model {self.model_id} is missing or was changed."


class ReadingPlanError(AnomalyError):
    """A study cannot be made as it is planned; `field` names what is to be changed."""

    code = "reading_plan"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field, problem)
        self.field = field
        self.problem = problem

    def __str__(self) -> str:
        """Say it for people."""
        return self.problem
