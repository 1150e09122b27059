"""Pseudonyms: what infants and devices are called in data that leaves without their ids.

What comes in: what kind of thing it is, and its id. What goes out: another id. Guaranteed: the same
one for as long as the installation keeps its secret key, so that files taken at different times
belong together; nobody without that key can go back from it to the id.
"""

from uuid import UUID

from django.utils.crypto import salted_hmac

SALT = "iclas.pseudonyms"


def pseudonym(kind: str, known: UUID) -> UUID:
    """Return what stands for this id."""
    digest = salted_hmac(SALT, f"{kind}:{known}", algorithm="sha256").digest()
    return UUID(bytes=digest[:16], version=4)
