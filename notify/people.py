"""How people are called where it is said what they did."""

from infants.models import User


def named(user: User | None) -> str | None:
    """Return how a person is called; None where that is not known any more."""
    return None if user is None else user.get_short_name() or user.get_username()
