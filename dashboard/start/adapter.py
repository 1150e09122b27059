"""What ICLAS decides about accounts: who may sign up, where people go, and in which words.

What comes in: django-allauth's questions. What goes out: the answers. Guaranteed: where sign-up is
by invitation, an open link that this browser has looked at opens it; nobody else's does.
"""

from typing import ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from infants.access import Viewer, infants_for
from infants.invitations import is_open_invitation

INVITATION = "invitation"
"""In the session: which invitation this browser has looked at."""
MISMATCH = _("This name or e-mail address and this password do not belong together.")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # published without types
    """ICLAS' answers."""

    error_messages: ClassVar[dict[str, str | Promise]] = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": MISMATCH,
        "email_password_mismatch": MISMATCH,
        "invalid_login": MISMATCH,
        "too_many_login_attempts": _(
            "Too many wrong passwords in a row. Wait five minutes and try again."
        ),
        "incorrect_password": _("This is not your password."),
        "email_taken": _("Somebody has an account with this e-mail address already."),
    }

    @override
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Tell whether this visitor may make an account."""
        if settings.SIGN_UP == "invited":
            return is_open_invitation(request.session.get(INVITATION))
        return bool(settings.SIGN_UP == "open")

    @override
    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Return the list of infants, or where to begin for who has none and runs nothing."""
        user = request.user
        sees_some = infants_for(Viewer.of(user)).exists()
        if sees_some or getattr(user, "is_staff", False):
            return str(super().get_login_redirect_url(request))
        return resolve_url("dashboard:start")
