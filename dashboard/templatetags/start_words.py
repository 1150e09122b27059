"""How the pages of getting started say roles, times and lists."""

import datetime as dt
import zoneinfo
from typing import Any

from allauth.account.adapter import get_adapter
from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.text import get_text_list
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from infants.models import Membership

register = template.Library()
MINUTE_S = 60
ROLES: dict[str, Promise] = {
    Membership.Role.OWNER: gettext_lazy("Owner: may do everything"),
    Membership.Role.CAREGIVER: gettext_lazy("Caregiver"),
    Membership.Role.CLINICIAN: gettext_lazy("Clinician"),
    Membership.Role.RESEARCHER: gettext_lazy("Researcher: scores only"),
}


@register.filter
def role_words(role: str) -> str:
    """Return what a role is called."""
    return str(ROLES.get(role, role))


@register.filter
def ago(moment: dt.datetime) -> str:
    """Return how long ago a moment was."""
    now = timezone.now()
    if (now - moment).total_seconds() < MINUTE_S:
        return _("just now")
    return _("%(time)s ago") % {"time": timesince(moment, now, depth=1)}


@register.filter
def local_date(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
    """Return the day of a moment, where the infant lives."""
    return date_format(moment.astimezone(zone), "DATE_FORMAT")


@register.filter
def last_day(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
    """Return the last day before a moment."""
    return local_date(moment - dt.timedelta(seconds=1), zone)


@register.filter
def percent(frac: float) -> str:
    """Return a share in percent."""
    return _("%(n)d %%") % {"n": round(100 * frac)}


@register.filter
def listed(names: list[str]) -> str:
    """Return names as one list in words."""
    return get_text_list(names, _("and"))


@register.simple_tag(takes_context=True)
def may_sign_up(context: dict[str, Any]) -> bool:
    """Tell whether whoever looks at this page may make an account."""
    request = context["request"]
    return bool(get_adapter(request).is_open_for_signup(request))
