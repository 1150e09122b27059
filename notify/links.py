"""Links that go out in messages, where no request says under which address the pages are."""

from uuid import UUID

from django.conf import settings


def link_to(path: str) -> str:
    """Return the address of a page of this installation."""
    return f"{settings.ICLAS_ADDRESS.rstrip('/')}{path}"


def link_to_followers(infant_id: UUID) -> str:
    """Return where a person says how to be told of an infant."""
    return link_to(f"/infants/{infant_id}/told/")
