"""Infants, recordings and sessions in full, episodes, and what reviewers say of them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from anomaly.api.base import JudgedPagination
from anomaly.api.filters import EpisodeFilters
from anomaly.api.serializers import (
    CryReviewSerializer,
    EpisodeReviewSerializer,
    EpisodeSerializer,
    InfantDetailSerializer,
    RecordingDetailSerializer,
    SessionDetailSerializer,
)
from anomaly.models import Episode
from anomaly.reviews import answer_cry, review_cry, review_episode
from anomaly.selectors.episodes import episodes_where
from anomaly.selectors.judged import recording_in_full, session_in_full
from infants.api.base import ApiListView, ApiView, document
from infants.api.permissions import IsPersonOrDevice
from infants.api.serializers import RecordingSerializer
from infants.selectors import infant_named


class InfantView(ApiView):
    """One infant."""

    @extend_schema(operation_id="read_infant", responses=InfantDetailSerializer, tags=["infants"])
    def get(self, request: Request, infant_id: UUID) -> Response:
        """Read an infant: age, corrected age, and how the baseline stands."""
        infant = infant_named(self.viewer, str(infant_id))
        return Response(document(InfantDetailSerializer, infant, request))


class RecordingView(ApiView):
    """One recording."""

    permission_classes = (IsPersonOrDevice,)

    @extend_schema(
        operation_id="read_recording",
        responses=PolymorphicProxySerializer(
            component_name="RecordingAsSeen",
            serializers=[RecordingDetailSerializer, RecordingSerializer],
            resource_type_field_name=None,
        ),
        tags=["recordings"],
    )
    def get(self, request: Request, recording_id: UUID) -> Response:
        """Read a recording: its cries, the gate's decision, the judgement.

        The device that made it reads where it stands, and no more.
        """
        recording = recording_in_full(self.viewer, recording_id)
        if recording is None:
            raise NotFound("There is no such recording that you may see.")
        is_device = self.viewer.device is not None
        shown = RecordingSerializer if is_device else RecordingDetailSerializer
        return Response(document(shown, recording, request))


class RecordingReviewView(ApiView):
    """What a person decides of one cry."""

    @extend_schema(
        operation_id="review_recording",
        request=CryReviewSerializer,
        responses=RecordingDetailSerializer,
        tags=["reviews"],
    )
    def post(self, request: Request, recording_id: UUID) -> Response:
        """Say whether the baseline may learn a cry, whatever the gate said, or what it was.

        Owners, caregivers and clinicians may. `null`, or an empty answer, takes it back. The
        recording's own judgement stays as it was.
        """
        asked = CryReviewSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        if "answer" in said:
            found: object = answer_cry(self.viewer, recording_id, said["answer"])
        else:
            found = review_cry(self.viewer, recording_id, said["may_learn"])
        if found is None:
            raise NotFound("There is no such recording that you may review.")
        recording = recording_in_full(self.viewer, recording_id)
        return Response(document(RecordingDetailSerializer, recording, request))


class SessionView(ApiView):
    """One bout of crying."""

    @extend_schema(
        operation_id="read_session", responses=SessionDetailSerializer, tags=["recordings"]
    )
    def get(self, request: Request, session_id: UUID) -> Response:
        """Read a bout of crying with its judgement: the unit at which p-values hold."""
        session = session_in_full(self.viewer, session_id)
        if session is None:
            raise NotFound("There is no such session that you may see.")
        return Response(document(SessionDetailSerializer, session, request))


class EpisodesView(ApiListView):
    """Episodes."""

    serializer_class = EpisodeSerializer
    pagination_class = JudgedPagination
    filters_class = EpisodeFilters
    ordering = ("-opened_at", "-id")

    def get_queryset(self) -> QuerySet[Episode]:
        """Return the rows that the viewer may see and asks for."""
        return episodes_where(self.viewer, self.chosen())

    @extend_schema(operation_id="list_episodes", parameters=[EpisodeFilters], tags=["timeline"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List episodes, newest first; `from` and `to` go by their opening."""
        return super().get(request, *args, **kwargs)


class EpisodeReviewView(ApiView):
    """What a person says of one shift."""

    @extend_schema(
        operation_id="review_episode",
        request=EpisodeReviewSerializer,
        responses=EpisodeSerializer,
        tags=["reviews"],
    )
    def post(self, request: Request, episode_id: UUID) -> Response:
        """Say whether a shift is the infant's new usual, or is never to be learnt.

        Owners, caregivers and clinicians may. An empty verdict takes it back.
        """
        asked = EpisodeReviewSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        episode = review_episode(self.viewer, episode_id, asked.validated_data["verdict"])
        if episode is None:
            raise NotFound("There is no such episode that you may review.")
        return Response(document(EpisodeSerializer, episode, request))
