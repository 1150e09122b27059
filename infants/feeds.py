"""Calendar addresses: made, read and revoked.

What comes in: a viewer who may take an infant's data away; later a secret. What goes out: the
secret, shown once; later whose calendar it is. Guaranteed: only the digest of a secret is kept; a
wrong and a revoked address fail alike, and so does that of a person who may no longer take the data
away.
"""

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from infants.access import Right, Viewer, infants_for
from infants.errors import UnknownInfantError
from infants.models import CalendarFeed, User
from infants.selectors import exported_infant

NOTED_EVERY = dt.timedelta(minutes=10)
"""Programs ask often; that they do is written down no more often than this."""


@dataclass(frozen=True)
class Offered:
    """A feed, and the secret of its address, which can never be read again."""

    feed: CalendarFeed
    secret: str


def feeds_of(viewer: Viewer, infant_id: UUID) -> QuerySet[CalendarFeed]:
    """Return the living feeds of an infant: the viewer's own, and for owners everybody's."""
    managed = Q(infant__in=infants_for(viewer, Right.MANAGE))
    seen = managed if viewer.user is None else managed | Q(person=viewer.user)
    feeds = CalendarFeed.objects.filter(seen, infant=infant_id, revoked_at=None)
    return feeds.select_related("person")


def offer_feed(viewer: Viewer, person: User, infant_id: UUID, language: str) -> Offered:
    """Make an address under which a calendar program may read along."""
    infant = exported_infant(viewer, infant_id)
    secret = secrets.token_urlsafe(32)
    feed = CalendarFeed.objects.create(
        infant=infant, person=person, digest=_digest(secret), language=language
    )
    return Offered(feed, secret)


def revoke_feed(viewer: Viewer, infant_id: UUID, feed_id: UUID) -> bool:
    """Let an address serve nobody any more; tell whether it did until now."""
    feeds = feeds_of(viewer, infant_id).filter(id=feed_id)
    return bool(feeds.select_related(None).update(revoked_at=timezone.now()))


def feed_at(secret: str) -> CalendarFeed | None:
    """Return the living feed at an address, and note that it was asked for."""
    feeds = CalendarFeed.objects.filter(digest=_digest(secret), revoked_at=None)
    feed = feeds.select_related("person").first()
    if feed is None:
        return None
    try:
        exported_infant(Viewer.of(feed.person), feed.infant_id)
    except UnknownInfantError:
        return None
    now = timezone.now()
    if feed.last_read_at is None or feed.last_read_at < now - NOTED_EVERY:
        feeds.select_related(None).update(last_read_at=now)
    return feed


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
