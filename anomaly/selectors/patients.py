"""The patients of a clinician, as the list shows them, and what was said of each.

What comes in: the viewer, the moment, and whose patients. What goes out: a `Patient` for each.
Guaranteed: a fixed number of queries, however many patients there are; only who may review is
shown them.
"""

import datetime as dt
import enum
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from anomaly.concerns import Concern, Section, concerns_of, section_of, within
from anomaly.models import Episode, PatientReview, Suspicion
from anomaly.selectors.crying import Crying, crying_of_late, usual_day
from anomaly.selectors.overview import Overview, overviews
from infants.access import Right, Viewer, infants_for, patients_of
from infants.models import Infant, Membership, User

LOOKED_BACK = dt.timedelta(days=30)
RECENT_REVIEWS = dt.timedelta(days=7)
MOST_REVIEWS = 30
UNHEARD = Crying(0, 0.0, None, None)


class Whose(enum.StrEnum):
    """Whose patients are asked for."""

    MINE = "mine"
    ALL = "all"


@dataclass(frozen=True)
class Patient:
    """What is known of one patient.

    `known` are the concerns of the last 30 days, the most pressing first, `concerns` those of them
    that are asked for; `reviews` are those that count, of the last seven days and the newest one
    whenever it was, newest first.
    """

    seen: Overview
    known: list[Concern]
    concerns: list[Concern]
    crying: Crying
    reviews: list[PatientReview]
    clinicians: list[User]

    @property
    def infant(self) -> Infant:
        """Whose records these are."""
        return self.seen.infant

    @property
    def section(self) -> Section:
        """Where in the list it stands."""
        return section_of(self.concerns)

    @property
    def news(self) -> list[Concern]:
        """What no review has seen, or not with so much evidence."""
        return [
            one
            for one in self.concerns
            if one.is_news and not any(review.covers(one.key, one.rank) for review in self.reviews)
        ]

    @property
    def is_unreviewed(self) -> bool:
        """Whether nobody has looked yet, or something new has happened since."""
        return not self.reviews or bool(self.news)

    def since(self, start: dt.datetime) -> "Patient":
        """Return the patient without what was over before this moment."""
        return replace(self, concerns=within(self.known, start))


def patients(viewer: Viewer, now: dt.datetime, whose: Whose = Whose.ALL) -> list[Patient]:
    """Return the patients whom the viewer cares for, or all of whom the viewer may review."""
    return _patients(viewer, now, asked_for(viewer, whose))


def patient_named(viewer: Viewer, infant_id: UUID, now: dt.datetime) -> Patient | None:
    """Return one patient, or None: there is none whom this viewer may review."""
    found = _patients(viewer, now, asked_for(viewer, Whose.ALL).filter(id=infant_id))
    return found[0] if found else None


def asked_for(viewer: Viewer, whose: Whose) -> QuerySet[Infant]:
    """Return the infants whose list is asked for; a list shows only whom one may review."""
    allowed = infants_for(viewer, Right.ATTEND)
    own = patients_of(viewer).values("id")
    return allowed.filter(id__in=own) if whose is Whose.MINE else allowed


def reviews_of_patient(viewer: Viewer, infant: Infant) -> list[PatientReview]:
    """Return the newest reviews of a patient, undone ones included."""
    allowed = PatientReview.objects.filter(infant__in=infants_for(viewer, Right.ATTEND))
    rows = allowed.filter(infant=infant).select_related("reviewer", "undone_by")
    return list(rows.order_by("-reviewed_at")[:MOST_REVIEWS])


def _patients(viewer: Viewer, now: dt.datetime, chosen: QuerySet[Infant]) -> list[Patient]:
    found = overviews(viewer, now, among=chosen, is_counted=False)
    ids = [one.infant.id for one in found]
    episodes, reviews, clinicians = _episodes(ids, now), _reviews(ids, now), _clinicians(ids)
    suspicions = {row.infant_id: row for row in Suspicion.objects.filter(infant__in=ids)}
    heard = crying_of_late(ids, now)
    patients = []
    for seen in found:
        own = seen.infant.id
        usual = usual_day(seen.days, seen.infant.local_day(now))
        crying = replace(heard.get(own, UNHEARD), usual=usual)
        concerns = concerns_of(seen, episodes[own], suspicions.get(own), crying, now)
        patients.append(Patient(seen, concerns, concerns, crying, reviews[own], clinicians[own]))
    return patients


def _episodes(ids: Collection[UUID], now: dt.datetime) -> dict[UUID, list[Episode]]:
    current = Q(closed_at=None) | Q(last_at__gte=now - LOOKED_BACK)
    grouped: dict[UUID, list[Episode]] = defaultdict(list)
    for row in Episode.objects.filter(current, infant__in=ids):
        grouped[row.infant_id].append(row)
    return grouped


def _reviews(ids: Collection[UUID], now: dt.datetime) -> dict[UUID, list[PatientReview]]:
    counted = PatientReview.objects.filter(undone_at=None)
    newest = counted.filter(infant=OuterRef("id")).order_by("-reviewed_at").values("id")[:1]
    last = Infant.objects.filter(id__in=ids).order_by().values(last=Subquery(newest))
    wanted = Q(reviewed_at__gte=now - RECENT_REVIEWS) | Q(id__in=last)
    grouped: dict[UUID, list[PatientReview]] = defaultdict(list)
    rows = counted.filter(wanted, infant__in=ids).select_related("reviewer")
    for row in rows.order_by("-reviewed_at"):
        grouped[row.infant_id].append(row)
    return grouped


def _clinicians(ids: Collection[UUID]) -> dict[UUID, list[User]]:
    """Return who is assigned to each infant as a clinician now."""
    still = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    live = Membership.objects.filter(
        still, infant__in=ids, role=Membership.Role.CLINICIAN, revoked_at=None
    )
    grouped: dict[UUID, list[User]] = defaultdict(list)
    for row in live.select_related("user").order_by("user__last_name", "user__username"):
        grouped[row.infant_id].append(row.user)
    return grouped
