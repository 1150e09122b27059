"""E-mail, to the person's own confirmed address.

Guaranteed: nobody is written to whose address was not confirmed; the letter carries the telling's
id as its `Message-ID`, and says that a program wrote it, so that no absence is answered to it.
"""

from email.utils import parseaddr
from smtplib import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from infants.models import User
from notify.channels.message import Message
from notify.errors import GiveUpError, TryAgainError
from notify.models import Follower

FINAL = 500


def confirmed_address(user: User) -> str | None:
    """Return the address that a person has confirmed, the primary one where there are several."""
    confirmed = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "id")
    address: str | None = confirmed.values_list("email", flat=True).first()
    return address


def send(follower: Follower, message: Message) -> None:
    """Send a message as a letter."""
    address = confirmed_address(follower.user)
    if address is None:
        raise GiveUpError("no_confirmed_address")
    try:
        with translation.override(message.language):
            letter = _letter(message, address)
        sent = letter.send()
    except SMTPRecipientsRefused as error:
        codes = [code for code, _said in error.recipients.values()]
        raise _refused(min(codes, default=FINAL)) from error
    except SMTPAuthenticationError as error:
        raise TryAgainError("mail_server", "it takes no letters from this installation") from error
    except SMTPResponseException as error:
        raise _refused(error.smtp_code) from error
    except (SMTPException, OSError) as error:
        raise TryAgainError("mail_server", type(error).__name__) from error
    if not sent:
        raise TryAgainError("mail_server")


def _letter(message: Message, address: str) -> EmailMultiAlternatives:
    shown = {"message": message}
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    letter = EmailMultiAlternatives(
        " ".join(message.title.split()),
        render_to_string("notify/letter.txt", shown),
        to=[address],
        headers={"Message-ID": f"<{message.id}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    letter.attach_alternative(render_to_string("notify/letter.html", shown), "text/html")
    return letter


def _refused(code: int) -> GiveUpError | TryAgainError:
    kind = GiveUpError if code >= FINAL else TryAgainError
    return kind("refused", f"SMTP {code}")
