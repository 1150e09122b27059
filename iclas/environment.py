"""The environment, read for the settings: what cannot be read there is named, in one line.

What comes in: the variables of the process. What goes out: values of the types that the settings
ask for, or `ImproperlyConfigured` with the variable's name, never with its value, which may hold a
password.
"""

import warnings
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured


class Concealed(str):
    """A text that holds secrets, and shows none where settings or variables are listed."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Say whether there is anything."""
        return "'(concealed)'" if self else "''"


class Environment(environ.Env):  # type: ignore[misc]  # published without types
    """django-environ's, which says of a value that makes no sense whose it is."""

    def get_value(self, var: str, *given: Any, **named: Any) -> Any:  # noqa: ANN401  of any type
        """Return a variable's value."""
        try:
            return super().get_value(var, *given, **named)
        except ValueError as error:
            raise ImproperlyConfigured(_nonsense(var)) from error

    def concealed(self, var: str, default: str) -> Concealed:
        """Return a variable's value, which holds secrets."""
        return Concealed(self.str(var, default=default))

    def db_url_config(self, *given: Any, **named: Any) -> dict[str, Any]:
        """Return a database's settings, which name an engine in any case."""
        with warnings.catch_warnings():  # they would show the address, password and all
            warnings.simplefilter("ignore")
            found: dict[str, Any] = super().db_url_config(*given, **named)
        if "ENGINE" not in found:
            raise ImproperlyConfigured(_nonsense("DATABASE_URL"))
        return found

    def email_url_config(self, *given: Any, **named: Any) -> dict[str, Any]:
        """Return a mail server's settings."""
        try:
            found: dict[str, Any] = super().email_url_config(*given, **named)
        except (ImproperlyConfigured, ValueError) as error:
            raise ImproperlyConfigured(_nonsense("EMAIL_URL")) from error
        return found


def _nonsense(variable: str) -> str:
    return f"{variable} makes no sense; docs/configuration.md says what it may be."
