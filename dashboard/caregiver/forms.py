"""What people type into the diary.

What comes in: a form as it was sent. What goes out: a `Said` for `infants.diary`, which alone
decides what makes sense. Guaranteed: times are taken as the infant's own; what was typed is kept.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from infants.diary import MOST_CHARACTERS, Said
from infants.errors import BadEntryError
from infants.models import DiaryEntry, Infant

TYPED = "%Y-%m-%dT%H:%M"


class LocalMoment(forms.DateTimeInput):
    """A day and a time, picked with what the device has for that."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format=TYPED)


class DecimalText(forms.TextInput):
    """A number that is typed; a comma is a point, whatever the language of the page."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:  # noqa: ANN401
        """Return what was typed."""
        value = super().value_from_datadict(data, files, name)
        return value.replace(",", ".") if isinstance(value, str) else value


class DiaryForm(forms.Form):
    """One entry; validate and render it inside `infants_time`."""

    kind = forms.ChoiceField(label=_("What"), choices=DiaryEntry.Kind.choices)
    starts_at = forms.DateTimeField(label=_("When"), widget=LocalMoment)
    ends_at = forms.DateTimeField(label=_("Until"), widget=LocalMoment, required=False)
    temperature_c = forms.FloatField(
        label=_("°C"),
        required=False,
        widget=DecimalText(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    text = forms.CharField(
        label=_("Words"),
        required=False,
        max_length=MOST_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def is_valid(self) -> bool:
        """Tell whether everything can be read; mark what cannot."""
        is_valid = super().is_valid()
        self._mark(self.errors)
        return is_valid

    def said(self) -> Said:
        """Return what was typed; call once it is valid."""
        clean = self.cleaned_data
        names = ("kind", "starts_at", "ends_at", "temperature_c", "text")
        return Said(**{name: clean[name] for name in names})

    def refuse(self, error: BadEntryError) -> None:
        """Show what makes no sense beside its field."""
        for name, problem in error.problems.items():
            self.add_error(name, problem)
        self._mark(error.problems)

    def _mark(self, names: Iterable[str]) -> None:
        """Tell those who cannot see it which fields have an error, and where it stands."""
        for name in names:
            said = {"aria-invalid": "true", "aria-describedby": f"{name}-error"}
            self.fields[name].widget.attrs |= said


def infants_time(infant: Infant) -> timezone.override:
    """Return a context in which times are typed and shown as the infant's own."""
    return timezone.override(infant.zone)


def typed(moment: dt.datetime | None, infant: Infant) -> str:
    """Return a moment as a form holds it."""
    return "" if moment is None else moment.astimezone(infant.zone).strftime(TYPED)
