"""Rolling a personal model back to an earlier version."""

from django.utils import timezone

from anomaly.errors import NoSuchModelError
from anomaly.models import BaselineEntry, Event, PersonalModel
from infants.locks import infant_locked
from infants.models import Infant


def roll_back(infant: Infant, number: int) -> PersonalModel:
    """Put an earlier version in force again; commits.

    Later versions are withdrawn, and so are the recordings that were admitted after what the
    earlier version had learnt: the next version starts from its baseline. Rows already scored
    keep the version they name.
    """
    now = timezone.now()
    with infant_locked(infant.id):
        target = infant.personal_models.filter(number=number, withdrawn_at=None).first()
        if target is None:
            raise NoSuchModelError(number)
        later = infant.personal_models.filter(number__gt=number, withdrawn_at=None)
        withdrawn = list(later.values_list("number", flat=True))
        later.update(withdrawn_at=now)
        BaselineEntry.objects.filter(
            infant=infant, withdrawn_at=None, recorded_at__gt=target.learnt_until
        ).update(withdrawn_at=now)
        Event.objects.create(
            infant=infant,
            kind=Event.Kind.MODEL_WITHDRAWN,
            key=f"{number}@{now.isoformat()}",
            occurred_at=now,
            facts={"in_force": number, "withdrawn": withdrawn},
        )
    return target
