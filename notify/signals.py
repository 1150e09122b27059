"""The signals of `notify`, for whoever watches: an alert was raised, a message was tried.

What listens changes nothing, and what goes wrong there is logged and stops nobody.
"""

from django.dispatch import Signal

alert_raised = Signal()
"""Sent with `alert_id` once that is committed; again where a withdrawn alert is back."""
delivery_tried = Signal()
"""Sent with `deliveries`, all of one message, `outcome` and `began_at`, once that is written."""
