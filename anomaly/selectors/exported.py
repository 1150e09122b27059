"""What a viewer takes away: recordings with all that was decided on them, in pages.

What comes in: a viewer, infants and a span of time. What goes out: rows in the order of their
recording. Guaranteed: no cursor of the database is held open between two pages, so that a reader
who is slow, or gone, holds nothing up; memory does not grow with the number of rows; every pass
gives the recordings that had come in when the taking began; a right or a consent that ends on the
way ends the pages too.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Count, F, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from devices.models import Device
from infants.access import Viewer, exportable_infants
from infants.models import Cry, Infant, Recording
from infants.pseudonyms import pseudonym

PAGE_ROWS = 500
UNREAD = (
    *("gate_features", "room", "passed", "quality", "source_format", "detail"),
    *("gate_decision__parts", "gate_decision__abstained", "gate_decision__given"),
    *("judgement__model__facts", "session__judgement__p_values"),
)


@dataclass(frozen=True)
class Subject:
    """An infant as the viewer may know it: by its own id, or by a pseudonym."""

    infant: Infant
    is_identified: bool

    @property
    def id(self) -> UUID:
        """What the infant is called in what goes out."""
        return self.infant.id if self.is_identified else pseudonym("infant", self.infant.id)

    def device_id(self, device: Device) -> UUID:
        """Return what a device is called in what goes out."""
        return device.id if self.is_identified else pseudonym("device", device.id)


@dataclass(frozen=True)
class Taken:
    """What is taken away: of whom, from when to when, and as of when."""

    viewer: Viewer
    subjects: Sequence[Subject]
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    as_of: dt.datetime = field(default_factory=timezone.now)

    @classmethod
    def of(
        cls,
        viewer: Viewer,
        infants: QuerySet[Infant],
        start: dt.datetime | None = None,
        end: dt.datetime | None = None,
    ) -> "Taken":
        """Return what this viewer takes of infants that `exported_infants` has chosen."""
        subjects = [Subject(one, one.is_identified) for one in infants]  # type: ignore[attr-defined]
        return cls(viewer, subjects, start, end)

    def rows(self, *, with_cries: bool = False) -> Iterator[tuple[Subject, Recording]]:
        """Yield every recording, infant by infant, oldest first."""
        for subject in self.subjects:
            for recording in self.recordings(subject, with_cries=with_cries):
                yield subject, recording

    def recordings(self, subject: Subject, *, with_cries: bool = False) -> Iterator[Recording]:
        """Yield an infant's recordings, oldest first; each is good until the next is asked for."""
        recordings = self._chosen(subject)
        if with_cries:
            cries = Cry.objects.defer("embedding", "measures").order_by("index")
            recordings = recordings.prefetch_related(Prefetch("cries", cries))
        page = list(recordings[:PAGE_ROWS])
        while page:
            at, last = page[-1].recorded_at, page[-1].id
            while page:
                yield page[0]
                _let_go(page.pop(0))
            later = Q(recorded_at__gt=at) | Q(recorded_at=at, id__gt=last)
            page = list(recordings.filter(later)[:PAGE_ROWS])

    def devices(self, subject: Subject) -> QuerySet[Device]:
        """Return the devices that made these recordings."""
        made = self._chosen(subject).order_by().values("device")
        return Device.objects.filter(id__in=made)

    def embeddings(self, subject: Subject) -> Iterator[tuple[UUID, dt.datetime, int, str, bytes]]:
        """Yield of each embedded cry its recording, that one's time, place, encoder and vector."""
        chosen = self._chosen(subject).order_by().values("id")
        cries = Cry.objects.filter(recording__in=chosen, embedding__isnull=False)
        ordered = cries.order_by("recording__recorded_at", "recording_id", "index")
        columns = ("recording_id", "recording__recorded_at", "index", "encoder", "embedding")
        yield from ordered.values_list(*columns).iterator()

    def _chosen(self, subject: Subject) -> QuerySet[Recording]:
        recordings = Recording.objects.filter(
            infant=subject.infant,
            infant__in=exportable_infants(self.viewer),
            received_at__lte=self.as_of,
        )
        if self.start is not None:
            recordings = recordings.filter(recorded_at__gte=self.start)
        if self.end is not None:
            recordings = recordings.filter(recorded_at__lt=self.end)
        return _with_all_decided(recordings).order_by("recorded_at", "id")


def _let_go(recording: Recording) -> None:
    """Forget what a recording holds: rows that point at each other wait for the collector."""
    for row in (recording.session, recording):
        if row is not None:
            vars(row).clear()


def _with_all_decided(recordings: QuerySet[Recording]) -> QuerySet[Recording]:
    """Join what was decided, and count the cries."""
    cries = Cry.objects.filter(recording=OuterRef("id")).order_by().values("recording")
    length = Sum(F("offset_s") - F("onset_s"))
    return (
        recordings.select_related(
            "device", "gate_decision", "judgement__model", "session__judgement"
        )
        .defer(*UNREAD)
        .annotate(
            n_cries=Coalesce(Subquery(cries.annotate(n=Count("id")).values("n")), 0),
            cry_s=Coalesce(Subquery(cries.annotate(s=length).values("s")), 0.0),
        )
    )
