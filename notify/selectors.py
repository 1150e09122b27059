"""Alerts as a viewer may read them."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from infants.access import Right, Viewer, infants_for
from infants.models import Infant
from notify.models import Alert, AlertAction, Delivery, Follower, QuietHours, Suspension
from notify.quiet import Quiet

State = Alert.State
FIRST = {State.CALLING: 0, State.SNOOZED: 1, State.ACKNOWLEDGED: 2}


def visible_alerts(viewer: Viewer) -> QuerySet[Alert]:
    """Return the alerts that a viewer may see, each with what a page or a client says of it.

    `is_identified` says whether the viewer may know names, `may_act` whether to do something.
    """
    named = infants_for(viewer, Right.IDENTIFY).filter(id=OuterRef("infant"))
    acting = infants_for(viewer, Right.REVIEW).filter(id=OuterRef("infant"))
    related = ("infant", "episode", "acknowledged_by", "snoozed_by")
    seen = Alert.objects.filter(infant__in=infants_for(viewer)).select_related(*related)
    return seen.annotate(is_identified=Exists(named), may_act=Exists(acting))


def open_alerts(viewer: Viewer, now: dt.datetime, infant: Infant | None = None) -> list[Alert]:
    """Return the alerts that go on, of one infant or of all: what nobody has taken comes first."""
    seen = visible_alerts(viewer).filter(closed_at=None)
    own = seen if infant is None else seen.filter(infant=infant)
    newest_first = own.order_by("-opened_at", "-id")
    return sorted(newest_first, key=lambda alert: FIRST[alert.state(now)])


def past_alerts(viewer: Viewer) -> QuerySet[Alert]:
    """Return the visible alerts that are over, the newest first."""
    return visible_alerts(viewer).filter(closed_at__isnull=False).order_by("-opened_at", "-id")


def alert_of(viewer: Viewer, alert_id: UUID) -> Alert | None:
    """Return a visible alert."""
    return visible_alerts(viewer).filter(id=alert_id).first()


def acted_on_at(viewer: Viewer) -> dict[UUID, dt.datetime]:
    """Return when anybody last took, put off or held alerts, by infant whom the viewer may see."""
    rows = AlertAction.objects.filter(alert__infant__in=infants_for(viewer)).order_by()
    acted = dict(rows.values_list("alert__infant").annotate(newest=Max("at")))
    held = Suspension.objects.filter(infant__in=infants_for(viewer)).order_by()
    moments = held.values_list("infant").annotate(Max("began_at"), Max("ended_at"))
    for infant, began_at, ended_at in moments:
        known = (began_at, ended_at, acted.get(infant))
        acted[infant] = max(one for one in known if one is not None)
    return acted


def actions_of(alert: Alert) -> list[AlertAction]:
    """Return what was done with an alert, newest first."""
    return list(alert.actions.select_related("by").order_by("-at", "-id"))


def alerts_where(viewer: Viewer, chosen: Mapping[str, Any]) -> QuerySet[Alert]:
    """Return the visible alerts of an infant, open or closed, or opened in a span."""
    columns = {
        "infant": "infant_id",
        "open": "closed_at__isnull",
        "from": "opened_at__gte",
        "to": "opened_at__lt",
    }
    wanted = {column: chosen[name] for name, column in columns.items() if name in chosen}
    return visible_alerts(viewer).filter(**wanted)


def quiet_of(viewer: Viewer, infant: Infant) -> Quiet | None:
    """Return the viewer's own quiet hours around an infant; None where there are none."""
    own = quiet_hours_of(viewer, infant)
    return None if own is None else own.quiet(infant.zone)


def quiet_hours_of(viewer: Viewer, infant: Infant) -> QuietHours | None:
    """Return the row of the viewer's own quiet hours around an infant."""
    if viewer.user is None:
        return None
    return QuietHours.objects.filter(user=viewer.user, infant=infant).first()


def suspension_of(viewer: Viewer, infant: Infant, now: dt.datetime) -> Suspension | None:
    """Return the suspension of messages about a visible infant that goes on."""
    going = Suspension.objects.filter(infant__in=infants_for(viewer).filter(id=infant.id))
    return going.filter(ended_at=None, until__gt=now).select_related("by").first()


def suspensions_of(infants: Collection[UUID], now: dt.datetime) -> dict[UUID, Suspension]:
    """Return the suspensions of these infants that go on; who has none is left out."""
    going = Suspension.objects.filter(infant__in=infants, ended_at=None, until__gt=now)
    return {one.infant_id: one for one in going.select_related("by")}


# --- who is told, and how that went ---------------------------------------------------------------


def visible_followers(viewer: Viewer, infant: Infant | None = None) -> QuerySet[Follower]:
    """Return the followers that a viewer may see, in the order in which they are told.

    They are the viewer's own, and all of an infant whose people the viewer may know.
    """
    own = Q(user=viewer.user, infant__in=infants_for(viewer))
    known = Q(infant__in=infants_for(viewer, Right.IDENTIFY))
    seen = Follower.objects.filter(known if viewer.user is None else own | known)
    asked = seen if infant is None else seen.filter(infant=infant)
    return asked.select_related("user").order_by("delay_min", "created_at", "id")


def changeable_followers(viewer: Viewer) -> QuerySet[Follower]:
    """Return the followers that a viewer may change: the own ones, and all where in charge."""
    own = Q(user=viewer.user, infant__in=infants_for(viewer))
    managed = Q(infant__in=infants_for(viewer, Right.MANAGE))
    seen = Follower.objects.filter(managed if viewer.user is None else own | managed)
    return seen.select_related("user", "infant")


def newest_deliveries(followers: QuerySet[Follower]) -> dict[UUID, Delivery]:
    """Return the last telling of each follower that came to an end."""
    ended = Delivery.objects.filter(ended_at__isnull=False).exclude(state=Delivery.State.DROPPED)
    rows = ended.filter(follower__in=followers.order_by()).order_by("ended_at", "id")
    return {row.follower_id: row for row in rows}


def deliveries_where(viewer: Viewer, **wanted: Any) -> QuerySet[Delivery]:
    """Return the tellings of the infants that a viewer may see, the newest first."""
    seen = Delivery.objects.filter(follower__infant__in=infants_for(viewer), **wanted)
    return seen.select_related("follower", "news").order_by("-created_at", "-id")


def tellings_of(viewer: Viewer, alert: Alert) -> QuerySet[Delivery]:
    """Return the tellings of an alert to followers that a viewer may see, the newest first."""
    seen = visible_followers(viewer, alert.infant).order_by()
    told = Delivery.objects.filter(news__alert=alert, follower__in=seen)
    newest = Coalesce("ended_at", "due_at").desc()
    return told.select_related("follower__user", "news").order_by(newest, "-id")
