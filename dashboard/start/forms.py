"""What people fill in: an infant's particulars, an invitation, what is agreed, an erasure."""

import datetime as dt
import zoneinfo
from functools import cache
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from infants.household import Agreement, Particulars
from infants.invitations import Terms
from infants.models import Consent, Infant, Membership
from infants.models.people import TERM_WEEKS

LEAST_WEEKS, MOST_WEEKS = 20, 45
DAYS_KEPT = 30
Policy = Infant.AudioPolicy
Role = Membership.Role


class DateInput(forms.DateInput):
    """The browser's own way to choose a date, which reads and writes ISO 8601."""

    input_type = "date"

    def __init__(self, **attrs: Any) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%d")


@cache
def time_zones() -> list[tuple[str, str]]:
    """Return the zones that people live in, by region and town."""
    names = (name for name in zoneinfo.available_timezones() if "/" in name)
    lived_in = (name for name in names if not name.startswith(("Etc/", "SystemV/", "posix/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in sorted(lived_in))]


class InfantForm(forms.Form):
    """An infant's name, place and dates."""

    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("As the family says it."))
    birth_date = forms.DateField(label=_("Date of birth"), required=False, widget=DateInput())
    due_date = forms.DateField(
        label=_("Date on which the birth was due"),
        required=False,
        widget=DateInput(),
        help_text=_("For infants born early. Or say below how long the pregnancy lasted."),
    )
    weeks = forms.IntegerField(
        label=_("Length of the pregnancy, in weeks"),
        required=False,
        min_value=LEAST_WEEKS,
        max_value=MOST_WEEKS,
    )
    days = forms.IntegerField(label=_("and days"), required=False, min_value=0, max_value=6)
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=time_zones,
        initial="UTC",
        help_text=_("Days and nights are counted where the infant lives."),
    )

    @classmethod
    def initial_of(cls, infant: Infant) -> dict[str, Any]:
        """Return what is known of an infant, as this form asks for it."""
        known: dict[str, Any] = {
            "name": infant.name,
            "birth_date": infant.birth_date,
            "time_zone": infant.time_zone,
        }
        if infant.gestational_age_weeks is not None:
            known["weeks"], known["days"] = divmod(round(infant.gestational_age_weeks * 7), 7)
        return known

    def clean_birth_date(self) -> dt.date | None:
        """Refuse a day that has not come anywhere on earth."""
        born: dt.date | None = self.cleaned_data["birth_date"]
        if born is not None and born > (timezone.now() + dt.timedelta(hours=14)).date():
            raise forms.ValidationError(_("This day has not come yet."))
        return born

    @override
    def clean(self) -> dict[str, Any]:
        """Refuse days without weeks, and dates that contradict each other."""
        said = super().clean() or {}
        if said.get("days") and said.get("weeks") is None and "weeks" not in self.errors:
            self.add_error("weeks", _("Say the weeks too."))
        due, born = said.get("due_date"), said.get("birth_date")
        if due is not None and "birth_date" not in self.errors:
            self._check_due(due, born)
        return said

    def _check_due(self, due: dt.date, born: dt.date | None) -> None:
        if born is None:
            self.add_error("birth_date", _("Say the date of birth too."))
        elif not LEAST_WEEKS <= _weeks_at_birth(due, born) <= MOST_WEEKS:
            self.add_error("due_date", _("The two dates do not go together."))
        elif self.cleaned_data.get("weeks") is not None:
            self.add_error("due_date", _("Give this date or the weeks, not both."))

    def particulars(self) -> Particulars:
        """Return what was said, checked."""
        said = self.cleaned_data
        weeks: float | None = None
        if said["due_date"]:
            weeks = _weeks_at_birth(said["due_date"], said["birth_date"])
        elif said["weeks"] is not None:
            weeks = min(float(MOST_WEEKS), said["weeks"] + (said["days"] or 0) / 7)
        return Particulars(said["name"], said["time_zone"], said["birth_date"], weeks)


def _weeks_at_birth(due: dt.date, born: dt.date) -> float:
    return TERM_WEEKS - (due - born).days / 7


class InvitationForm(forms.Form):
    """Whom to invite, as what, and for how long."""

    role = forms.ChoiceField(
        label=_("As"),
        widget=forms.RadioSelect,
        choices=[
            (Role.CAREGIVER, _("Caregiver: sees everything, listens, writes the diary")),
            (Role.CLINICIAN, _("Clinician: a caregiver’s rights, and reviews what stood out")),
            (Role.RESEARCHER, _("Researcher: sees the scores, and neither name nor audio")),
        ],
        initial=Role.CAREGIVER,
    )
    infants = forms.ModelMultipleChoiceField(
        label=_("To"), queryset=Infant.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    email = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        help_text=_("The invitation goes there. Left empty, you get a link to hand over."),
    )
    access_until = forms.DateField(
        label=_("Access ends on"),
        required=False,
        widget=DateInput(),
        help_text=_("Left empty, it lasts until you end it."),
    )

    def clean_access_until(self) -> dt.date | None:
        """Refuse an end that is over."""
        until: dt.date | None = self.cleaned_data["access_until"]
        if until is not None and until < timezone.now().date():
            raise forms.ValidationError(_("This day is over."))
        return until

    def terms(self, zone: zoneinfo.ZoneInfo) -> Terms:
        """Return what is offered; access ends with the day, where the infant lives."""
        said, until = self.cleaned_data, None
        if said["access_until"] is not None:
            night = said["access_until"] + dt.timedelta(days=1)
            until = dt.datetime.combine(night, dt.time.min, zone)
        return Terms(said["role"], said["email"], until)


class AgreementForm(forms.Form):
    """What happens with the audio, and what is agreed to."""

    audio_policy = forms.ChoiceField(
        label=_("The audio"),
        widget=forms.RadioSelect,
        choices=[
            (Policy.KEEP, _("Keep it: you can listen again, and a clinician can too")),
            (Policy.ERASE_AFTER, _("Erase it after some days: the scores stay, listening ends")),
            (
                Policy.EMBEDDING_ONLY,
                _("Erase it at once: only numbers are kept, nobody can ever listen"),
            ),
        ],
    )
    audio_kept_days = forms.IntegerField(
        label=_("Days until the audio is erased"),
        required=False,
        min_value=1,
        max_value=3650,
        initial=DAYS_KEPT,
    )
    recording = forms.BooleanField(
        label=_(
            "I may decide for this infant, and agree that the crying is recorded and compared."
        ),
        required=False,
    )
    research = forms.BooleanField(
        label=_("Researchers whom I invite may see the scores, without name and without audio."),
        required=False,
        help_text=_("Taken back, researchers lose their access at once."),
    )

    @override
    def clean(self) -> dict[str, Any]:
        """Ask for the days where they matter."""
        said = super().clean() or {}
        asks = said.get("audio_policy") == Policy.ERASE_AFTER
        if asks and said.get("audio_kept_days") is None and "audio_kept_days" not in self.errors:
            self.add_error("audio_kept_days", _("Say after how many days."))
        return said

    def agreement(self) -> Agreement:
        """Return what was agreed."""
        said = self.cleaned_data
        purposes = frozenset(one for one in Consent.Purpose.values if said[one])
        return Agreement(said["audio_policy"], said["audio_kept_days"], purposes)


class EraseForm(forms.Form):
    """The name, typed by whoever means it."""

    name = forms.CharField(
        label=_("The infant’s name"), widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *given: Any, infant_name: str, **named: Any) -> None:
        super().__init__(*given, **named)
        self.infant_name = infant_name

    def clean_name(self) -> str:
        """Refuse any other name."""
        typed = str(self.cleaned_data["name"])
        if typed.casefold() != self.infant_name.strip().casefold():
            raise forms.ValidationError(_("This is not the name. Nothing was erased."))
        return typed
