"""What a report is asked for: from when to when, and what to include."""

import datetime as dt
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dashboard.report.making import Wanted
from dashboard.report.sections import OPTIONAL

DEFAULT_DAYS, MOST_DAYS = 14, 92
CHOICES: dict[str, Promise] = {
    "timeline": _("Timeline"),
    "protocol": _("24-hour protocol"),
    "episodes": _("Episodes with their evidence"),
    "days": _("Day by day in numbers"),
    "diary": _("Diary"),
    "quality": _("Data quality"),
    "versions": _("Versions"),
}


class ReportForm(forms.Form):
    """From a day to a day; where nothing is ticked, everything is included."""

    to = forms.DateField(label=_("To"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    include = forms.MultipleChoiceField(
        label=_("What to include"),
        choices=list(CHOICES.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, today: dt.date, asked: QueryDict | None = None) -> None:
        """Take what is asked for; where nothing is, the last fortnight."""
        first = today - dt.timedelta(days=DEFAULT_DAYS - 1)
        usual = {"from": first, "to": today, "include": list(OPTIONAL)}
        super().__init__(_with_sections(asked) if asked else None, initial=usual)
        self.today = today
        widget = forms.DateInput({"type": "date"}, "%Y-%m-%d")
        begin = forms.DateField(label=_("From"), widget=widget)  # `from` is a word of Python
        self.fields = {"from": begin, **self.fields}

    def clean(self) -> dict[str, Any]:
        """Refuse days to come, days the wrong way round, and more than a report holds."""
        given = super().clean() or self.cleaned_data
        first, last = given.get("from"), given.get("to")
        if last is not None and last > self.today:
            self.add_error("to", _("This day is still to come."))
        if first is None or last is None:
            return given
        if first > last:
            self.add_error("from", _("The first day is after the last."))
        elif (last - first).days >= MOST_DAYS:
            limit = {"days": MOST_DAYS}
            self.add_error("from", _("A report holds at most %(days)s days.") % limit)
        return given

    @property
    def wanted(self) -> Wanted | None:
        """What to make; None where the form has faults."""
        if not self.is_bound:
            given = self.initial
        elif self.is_valid():
            given = self.cleaned_data
        else:
            return None
        return Wanted(given["from"], given["to"], tuple(given["include"]))


def _with_sections(asked: QueryDict) -> QueryDict:
    """Return what is asked for, with every section ticked where none is."""
    if asked.getlist("include"):
        return asked
    filled = asked.copy()
    filled.setlist("include", list(OPTIONAL))
    return filled
