"""Posting to an address that somebody typed in: no redirect, no proxy, no waiting for long.

Guaranteed: goes where `outside_only` lets it; an answer that is no success raises what the sender
needs to know, and nothing of the address or the answer's text is in it.
"""

from collections.abc import Mapping
from http import HTTPStatus

import requests

from notify.errors import DeliveryError, GiveUpError, GoneError, TryAgainError
from notify.network import ForbiddenAddressError, outside_only

TIMEOUT_S = (5.0, 10.0)
MOST_WAIT_S = 3600.0
AGAIN = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post a body and return the answer's status."""
    try:
        with outside_only(), requests.Session() as session:
            session.trust_env = False
            said = session.post(
                url,
                data=body,
                headers=dict(headers),
                timeout=TIMEOUT_S,
                allow_redirects=False,
                stream=True,
            )
            said.close()
    except ForbiddenAddressError as error:
        raise GiveUpError("forbidden_address") from error
    except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
        raise GiveUpError("bad_address") from error
    except requests.RequestException as error:
        raise TryAgainError("no_answer", type(error).__name__) from error
    if not said.ok or said.is_redirect:
        raise _refused(said)
    return said.status_code


def _refused(said: requests.Response) -> DeliveryError:
    """Return what an answer that is no success means; each channel decides what is final."""
    status, detail = said.status_code, f"HTTP {said.status_code}"
    if status == HTTPStatus.GONE:
        return GoneError("gone", detail)
    return TryAgainError("refused", detail, retry_after_s(said.headers.get("Retry-After", "")))


def retry_after_s(said: str) -> float | None:
    """Return how long a receiver wants to be left alone, where it says so in seconds."""
    return min(float(said), MOST_WAIT_S) if said.isascii() and said.isdigit() else None
