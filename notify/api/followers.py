"""Followers: who is told of an infant's alerts, how and when, and trying it."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from infants.api.base import ApiListView, ApiView, Document, document
from notify.api.filters import FollowerFilters
from notify.api.follower_documents import (
    FollowerPatchSerializer,
    FollowerSerializer,
    NewFollowerSerializer,
    TrialSerializer,
)
from notify.deliveries import send_trial
from notify.errors import UnknownFollowerError
from notify.followers import (
    Added,
    follow_by_email,
    follow_by_push,
    follow_by_service,
    follow_by_webhook,
    set_follower,
    unfollow,
)
from notify.models import Follower
from notify.selectors import visible_followers

LANGUAGE = "en"


class FollowersView(ApiListView):
    """Followers."""

    serializer_class = FollowerSerializer
    filters_class = FollowerFilters
    ordering = ("delay_min", "id")

    def get_queryset(self) -> QuerySet[Follower]:
        """Return the rows that the viewer may see and asks for."""
        chosen = self.chosen()
        seen = visible_followers(self.viewer)
        return seen.filter(infant=chosen["infant"]) if "infant" in chosen else seen

    @extend_schema(operation_id="list_followers", parameters=[FollowerFilters], tags=["followers"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List who is told, in the order in which they are.

        One reads the own ones, and all of an infant whose people one may know.
        """
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="add_follower",
        request=NewFollowerSerializer,
        responses={201: OpenApiResponse(FollowerSerializer, "Told from now on.")},
        tags=["followers"],
    )
    def post(self, request: Request) -> Response:
        """Have yourself told of an infant's alerts by a channel.

        An address that is known already is switched on again. `secret`, of a webhook, is answered
        this once.
        """
        asked = NewFollowerSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        chosen = dict(asked.validated_data)
        added = self._added(chosen)
        set_follower(self.viewer, added.follower.id, chosen)
        shown = _document(self, added.follower.id) | {"secret": added.secret or None}
        return Response(shown, status=201)

    def _added(self, chosen: dict[str, Any]) -> Added:
        infant, address = chosen.pop("infant"), chosen.pop("address", "")
        subscription = chosen.pop("subscription", {})
        match chosen.pop("channel"):
            case Follower.Channel.EMAIL:
                return follow_by_email(self.viewer, infant, LANGUAGE)
            case Follower.Channel.PUSH:
                return follow_by_push(self.viewer, infant, subscription, LANGUAGE)
            case Follower.Channel.SERVICE:
                return follow_by_service(self.viewer, infant, address, LANGUAGE)
        return follow_by_webhook(self.viewer, infant, address)


class FollowerView(ApiView):
    """One follower."""

    @extend_schema(operation_id="read_follower", responses=FollowerSerializer, tags=["followers"])
    def get(self, request: Request, follower_id: UUID) -> Response:
        """Read how somebody is told."""
        del request
        return Response(_document(self, follower_id))

    @extend_schema(
        operation_id="change_follower",
        request=FollowerPatchSerializer,
        responses=FollowerSerializer,
        tags=["followers"],
    )
    def patch(self, request: Request, follower_id: UUID) -> Response:
        """Change of what, when and how somebody is told; what is left out stays as it is.

        Who manages the infant may set from which severity on, when and how often others are told,
        and switch them off; the rest is the person's own.
        """
        asked = FollowerPatchSerializer(data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        set_follower(self.viewer, follower_id, asked.validated_data)
        return Response(_document(self, follower_id))

    @extend_schema(
        operation_id="remove_follower",
        request=None,
        responses={204: OpenApiResponse(description="Told by this way no more.")},
        tags=["followers"],
    )
    def delete(self, request: Request, follower_id: UUID) -> Response:
        """Tell by this way no more; e-mail stays in the list, as switched off."""
        del request
        unfollow(self.viewer, follower_id)
        return Response(status=204)


class TrialView(ApiView):
    """Trying a follower."""

    http_method_names = ("post", "options")

    @extend_schema(
        operation_id="try_follower", request=None, responses=TrialSerializer, tags=["followers"]
    )
    def post(self, request: Request, follower_id: UUID) -> Response:
        """Send a trial message now, and answer how it went: `sent`, or `dropped` with a reason."""
        trial = send_trial(self.viewer, follower_id)
        return Response(document(TrialSerializer, trial, request))


def _document(view: ApiView, follower_id: UUID) -> Document:
    found = visible_followers(view.viewer).filter(id=follower_id).first()
    if found is None:
        raise UnknownFollowerError
    return document(FollowerSerializer, found, view.request)
