"""What people fill in around readings: a plan, and an opinion."""

import datetime as dt
import secrets
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from anomaly.models import Opinion, Reading, ReadingTask
from anomaly.reading_tasks import ReadingPlan
from anomaly.selectors.readings import choosable_infants, possible_readers
from infants.access import Viewer
from infants.models import Infant, User

MONTH = dt.timedelta(days=30)
MOST_PER_INFANT = 50
OPINIONS = [
    (Opinion.USUAL, _("Usual crying")),
    (Opinion.UNUSUAL, _("Unusual crying")),
    (Opinion.CANNOT_TELL, _("I cannot tell")),
]
CONFIDENCES = [
    (Reading.Confidence.LOW, _("Guessing")),
    (Reading.Confidence.MIDDLE, _("Rather sure")),
    (Reading.Confidence.HIGH, _("Sure")),
]
UNITS = [
    (ReadingTask.Unit.SESSION, _("bouts of crying")),
    (ReadingTask.Unit.EPISODE, _("episodes, and usual bouts for comparison")),
    (ReadingTask.Unit.INFANT, _("infants, some recordings of the whole time")),
]


class People(forms.ModelMultipleChoiceField):
    """Some of the people around these infants, by name."""

    def label_from_instance(self, obj: Any) -> str:  # noqa: ANN401  as Django declares it
        """Return how a person is called."""
        return obj.get_full_name() or obj.username


class PlanForm(forms.Form):
    """What is to be read, of whom, and by whom."""

    name = forms.CharField(max_length=120, label=_("Name of the study"))
    unit = forms.ChoiceField(choices=UNITS, label=_("What is heard at once"))
    infants = forms.ModelMultipleChoiceField(
        queryset=Infant.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        label=_("Of which infants"),
    )
    start = forms.DateField(
        label=_("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    end = forms.DateField(
        label=_("Until"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    per_infant = forms.IntegerField(
        min_value=1, max_value=MOST_PER_INFANT, initial=5, label=_("At most so many of each infant")
    )
    is_balanced = forms.BooleanField(
        required=False,
        initial=True,
        label=_("Half of them unusual by the model, as far as possible"),
    )
    readers = People(
        queryset=User.objects.none(), widget=forms.CheckboxSelectMultiple, label=_("Readers")
    )
    is_blinded = forms.BooleanField(
        required=False, initial=True, label=_("Blinded: no names, no times, no scores")
    )

    def __init__(self, viewer: Viewer, *args: Any, **kwargs: Any) -> None:
        today = timezone.now().date()
        kwargs.setdefault("initial", {"start": today - MONTH, "end": today})
        super().__init__(*args, **kwargs)
        for name, rows in (
            ("infants", choosable_infants(viewer)),
            ("readers", possible_readers(viewer)),
        ):
            field = self.fields[name]
            if isinstance(field, forms.ModelMultipleChoiceField):
                field.queryset = rows

    def clean(self) -> dict[str, Any]:
        """Refuse a stretch of time that runs backwards."""
        said = super().clean() or self.cleaned_data
        if "start" in said and "end" in said and said["end"] < said["start"]:
            self.add_error("end", _("This is before the first day."))
        return said

    def plan(self) -> ReadingPlan:
        """Return the plan, with a seed of its own; the last day counts in full."""
        said = self.cleaned_data
        infants: list[UUID] = [infant.id for infant in said["infants"]]
        readers: list[User] = list(said["readers"])
        return ReadingPlan(
            name=said["name"],
            unit=ReadingTask.Unit(said["unit"]),
            infants=infants,
            start=_midnight(said["start"]),
            end=_midnight(said["end"] + dt.timedelta(days=1)),
            readers=readers,
            per_infant=said["per_infant"],
            is_balanced=said["is_balanced"],
            is_blinded=said["is_blinded"],
            seed=secrets.randbelow(2**31),
        )


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


class OpinionForm(forms.Form):
    """What a reader says of what was heard."""

    opinion = forms.ChoiceField(
        choices=OPINIONS,
        widget=forms.RadioSelect,
        label=_("For this infant, what you heard is"),
        error_messages={"required": _("Say what you think first; “I cannot tell” is an answer.")},
    )
    confidence = forms.TypedChoiceField(
        choices=CONFIDENCES,
        coerce=int,
        widget=forms.RadioSelect,
        label=_("How sure are you?"),
        error_messages={"required": _("Say how sure you are.")},
    )
