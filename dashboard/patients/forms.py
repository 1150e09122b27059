"""What people may say on the patients' pages."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from infants.notes import LONGEST

LONGEST_SEEN = 20_000


class ReviewForm(forms.Form):
    """That a patient was looked at: what was shown, and a word on it."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput, max_length=LONGEST_SEEN)
    note = forms.CharField(
        required=False,
        max_length=LONGEST,
        label=_("A word on it (optional)"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean_seen(self) -> dict[str, int] | None:
        """Return how much was shown of each concern; None where the page did not say."""
        text = self.cleaned_data["seen"]
        if not text:
            return None
        try:
            seen: Any = json.loads(text)
        except ValueError as error:
            raise forms.ValidationError(_("This is not what the page sent.")) from error
        if not isinstance(seen, dict) or not all(type(rank) is int for rank in seen.values()):
            raise forms.ValidationError(_("This is not what the page sent."))
        return seen


class NoteForm(forms.Form):
    """A note for the infant's diary."""

    text = forms.CharField(
        max_length=LONGEST,
        label=_("New note"),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write the note first.")},
    )
