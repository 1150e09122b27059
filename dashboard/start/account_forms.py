"""django-allauth's forms, with labels in ICLAS' words and without words inside the fields."""

from typing import Any

from allauth.account import forms
from django.forms import CharField, TextInput
from django.utils.translation import gettext_lazy as _


class LoginForm(forms.LoginForm):  # type: ignore[misc]  # published without types
    """Name or address, and password."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        name, password = self.fields["login"], self.fields["password"]
        name.label = _("User name or e-mail address")
        name.widget.attrs = {"autocomplete": "username", "autocapitalize": "none"}
        password.help_text = ""
        password.widget.attrs.pop("placeholder", None)


class SignupForm(forms.SignupForm):  # type: ignore[misc]  # as above
    """Name, perhaps an address, and a password."""

    first_name = CharField(
        label=_("Your name, as others see it"),
        max_length=150,
        required=False,
        widget=TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ("username", "first_name", "email", "password1")

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.fields["username"].label = _("User name")
        self.fields["email"].label = _("E-mail address")
        self.fields["password1"].label = _("Password")
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        self.fields["username"].widget.attrs["autocapitalize"] = "none"
