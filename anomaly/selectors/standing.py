"""How an infant's baseline stands: a personal model in force, or still being learnt."""

from django.utils import timezone

from anomaly.models import PersonalModel, RecordingJudgement
from anomaly.selectors.baseline import baseline_days, newest_model
from infants.access import Viewer, infants_for
from infants.models import Infant
from pipelines.score import MINIMUM_DAYS, Learning


def baseline_standing(viewer: Viewer, infant: Infant) -> PersonalModel | Learning:
    """Return the newest version in force, or how many days of the needed ones were heard.

    While only an early version is in force, the infant is still being learnt.
    """
    judged = RecordingJudgement.objects.filter(infant=infant, infant__in=infants_for(viewer))
    newest = judged.order_by("-recording__recorded_at").values_list("encoder", flat=True)
    encoder = newest.first()
    if encoder is None:
        return Learning(0, MINIMUM_DAYS)
    model = newest_model(infant.id, encoder)
    if model is not None and not model.is_early:
        return model
    days = baseline_days(infant, timezone.now(), encoder)
    return Learning(days, MINIMUM_DAYS, has_numbers=model is not None)
