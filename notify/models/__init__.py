"""Alerts and what was done with them, when to be quiet; who is told, of what, how that went."""

from notify.models.alerts import Alert, AlertAction, QuietHours
from notify.models.deliveries import Delivery, News
from notify.models.followers import Follower
from notify.models.suspensions import Suspension

__all__ = ["Alert", "AlertAction", "Delivery", "Follower", "News", "QuietHours", "Suspension"]
