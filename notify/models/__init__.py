"""Alerts and what was done with them, quiet hours; who is told, of what, and how that went."""

from notify.models.alerts import Alert, AlertAction, QuietHours
from notify.models.deliveries import Delivery, News
from notify.models.followers import Follower

__all__ = ["Alert", "AlertAction", "Delivery", "Follower", "News", "QuietHours"]
