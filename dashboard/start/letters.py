"""Letters: an invitation as plain text and as HTML.

Guaranteed: a mail server that does not take a letter stops nothing; the caller hears that it was
not sent, and has the link to hand over.
"""

import logging
from smtplib import SMTPException

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from infants.models import Invitation

log = logging.getLogger(__name__)
FOLDER = "dashboard/start/letters"


def send_invitation(invitation: Invitation, link: str, inviter: str) -> bool:
    """Send the link to the address given; tell whether the letter is on its way."""
    shown = {"invitation": invitation, "link": link, "inviter": inviter}
    letter = EmailMultiAlternatives(
        _("%(name)s invites you to ICLAS") % {"name": " ".join(inviter.split())},
        render_to_string(f"{FOLDER}/invitation.txt", shown),
        to=[invitation.email],
    )
    letter.attach_alternative(render_to_string(f"{FOLDER}/invitation.html", shown), "text/html")
    try:
        return letter.send() == 1
    except (OSError, SMTPException) as error:
        log.warning("invitation %s was not sent: %s", invitation.id, type(error).__name__)
        return False
