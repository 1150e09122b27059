"""An alert in words, for the templates that show one wherever they are included."""

from django import template
from django.utils import timezone

from dashboard.alerts.words import Line, line_of
from notify.models import Alert

register = template.Library()


@register.filter
def alert_line(alert: Alert) -> Line:
    """Return the line that says what an alert is and where it stands now."""
    return line_of(alert, timezone.now())
