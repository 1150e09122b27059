"""What people fill in about being told: of what, when, how often, and where."""

from collections.abc import Callable

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from dashboard.told.words import delay_words, repeat_words
from notify.models import Follower
from notify.severity import Severity

DELAYS_MIN = (0, 5, 10, 15, 30, 60, 120)
REPEATS_MIN = (0, 15, 30, 60, 120)
OF_PEOPLE = ("delay_min", "repeat_min", "breaks_quiet", "says_name", "language")
OF_THE_PERSON = ("label", "breaks_quiet", "says_name", "language")


class FollowerForm(forms.Form):
    """How one follower is told."""

    label = forms.CharField(
        label=_("What you call it"),
        max_length=80,
        required=False,
        help_text=_("Such as “My phone”. Others who care for the infant read it too."),
    )
    least_severity = forms.ChoiceField(
        label=_("Of what"),
        widget=forms.RadioSelect,
        choices=[
            (Severity.SLIGHT, _("Every alert")),
            (Severity.CLEAR, _("Clear and strong evidence")),
            (Severity.STRONG, _("Strong evidence only")),
        ],
    )
    delay_min = forms.TypedChoiceField(label=_("When"), coerce=int)
    repeat_min = forms.TypedChoiceField(label=_("How often"), coerce=int)
    breaks_quiet = forms.BooleanField(
        label=_("Strong evidence may disturb quiet hours"), required=False
    )
    says_name = forms.BooleanField(
        label=_("Say the infant’s name"),
        required=False,
        help_text=_("A lock screen or a messaging service may show it to others."),
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    def __init__(self, data: QueryDict | None, *, follower: Follower, is_own: bool) -> None:
        initial = {name: getattr(follower, name) for name in self.base_fields}
        super().__init__(data, initial=initial)
        left_out = set(OF_PEOPLE if follower.is_machine else ())
        left_out |= set(() if is_own else OF_THE_PERSON)
        for name in left_out:
            del self.fields[name]
        _offer(self.fields.get("delay_min"), follower.delay_min, DELAYS_MIN, delay_words)
        _offer(self.fields.get("repeat_min"), follower.repeat_min, REPEATS_MIN, repeat_words)


def _offer(
    field: forms.Field | None, chosen: int, usual: tuple[int, ...], said: Callable[[int], str]
) -> None:
    """Offer what is chosen now beside the usual, where a program chose something between."""
    if isinstance(field, forms.TypedChoiceField):
        field.choices = [(minutes, said(minutes)) for minutes in sorted({*usual, chosen})]


class ServiceForm(forms.Form):
    """Where a messaging service is."""

    address = forms.CharField(
        label=_("Address of the service"),
        max_length=1000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr", "spellcheck": "false"}),
        help_text=_(
            "As Apprise writes it, such as ntfys://ntfy.sh/a-long-secret-topic or "
            "tgram://bot-token/chat. It is not shown again."
        ),
    )


class WebhookForm(forms.Form):
    """Where a program listens."""

    address = forms.CharField(
        label=_("Address of the program"),
        max_length=1000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr", "spellcheck": "false"}),
        help_text=_("It begins with https:// and is not shown again in full."),
    )
