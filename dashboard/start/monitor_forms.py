"""What people ask of a monitor from afar."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from devices.models import DeviceSettings
from infants.models import Infant

AS_IT_IS, LISTEN = "as-it-is", "0"
SUSPENSIONS_MIN = {
    "30": _("For half an hour"),
    "60": _("For an hour"),
    "240": _("For four hours"),
    "720": _("For twelve hours"),
}


class MonitorForm(forms.Form):
    """A monitor's settings."""

    sensitivity = forms.ChoiceField(
        label=_("How easily it records"),
        widget=forms.RadioSelect,
        choices=DeviceSettings.Sensitivity.choices,
    )
    upload = forms.ChoiceField(
        label=_("What it sends"),
        widget=forms.RadioSelect,
        choices=DeviceSettings.Upload.choices,
        help_text=_("What it sends is what can be heard and compared; the rest stays unknown."),
    )
    is_wifi_only = forms.BooleanField(
        label=_("Wait for Wi-Fi before sending recordings"), required=False
    )
    suspend = forms.ChoiceField(
        label=_("Record nothing"),
        choices=[
            (AS_IT_IS, _("Leave as it is")),
            (LISTEN, _("Listen from now on")),
            *SUSPENSIONS_MIN.items(),
        ],
        help_text=_("While it records nothing, nothing is known of the crying."),
    )

    @classmethod
    def initial_of(cls, held: DeviceSettings) -> dict[str, Any]:
        """Return what is asked now, as this form asks for it."""
        names = ("sensitivity", "upload", "is_wifi_only")
        return {name: getattr(held, name) for name in names}

    def asked(self, now: dt.datetime) -> dict[str, Any]:
        """Return what is to be asked of the monitor."""
        said = dict(self.cleaned_data)
        suspend = said.pop("suspend")
        if suspend == LISTEN:
            said["suspended_until"] = None
        elif suspend != AS_IT_IS:
            minutes = dt.timedelta(minutes=int(suspend))
            said["suspended_until"] = (now + minutes).replace(microsecond=0)
        return said


class RenameForm(forms.Form):
    """What people call a monitor."""

    name = forms.CharField(label=_("Name"), max_length=120)


class ServeForm(forms.Form):
    """Whom a monitor serves from now on."""

    infant = forms.ModelChoiceField(
        label=_("It listens to"), queryset=Infant.objects.none(), empty_label=None
    )

    def __init__(self, infants: list[Infant], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["infant"]
        field.queryset = Infant.objects.filter(id__in=[infant.id for infant in infants])
