"""What is asked of the list: filters and order, as the query string holds them.

What comes in: a query string. What goes out: an `Asked`, and links that change one thing of it.
Guaranteed: what is no choice is taken for the usual one, so that an old link still works.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from anomaly.selectors.patients import Whose

PERIODS = {
    "24h": (_("24 hours"), dt.timedelta(hours=24)),
    "7d": (_("7 days"), dt.timedelta(days=7)),
    "30d": (_("30 days"), dt.timedelta(days=30)),
}
DATA = {
    "any": _("any"),
    "fresh": _("in the last 12 hours"),
    "old": _("older than 12 hours"),
}
WHOSE = {Whose.MINE: _("my patients"), Whose.ALL: _("everybody I may review")}
SORTS = {
    "need": _("most pressing first"),
    "name": _("name"),
    "age": _("age"),
    "since": _("since when"),
    "sure": _("how sure"),
    "cries": _("cries a day"),
    "data": _("last data"),
    "reviewed": _("last reviewed"),
}
COLUMNS = ("name", "since", "sure", "cries", "data", "reviewed")
DESCENDING_FIRST = frozenset({"since", "sure", "cries", "data", "reviewed"})


@dataclass(frozen=True)
class Asked:
    """What is asked; `sort` names a column, with a minus in front where it runs downwards."""

    period: str = "7d"
    data: str = "any"
    whose: Whose = Whose.ALL
    unreviewed: bool = False
    sort: str = "need"

    @classmethod
    def of(cls, query: Mapping[str, Any], *, has_own: bool) -> Self:
        """Read a query string; who has patients of their own sees those unless others are asked."""
        usual = Whose.MINE if has_own else Whose.ALL
        whose = query.get("whose", "")
        return cls(
            period=_choice(query, "period", PERIODS, "7d"),
            data=_choice(query, "data", DATA, "any"),
            whose=Whose(whose) if has_own and whose in set(Whose) else usual,
            unreviewed=query.get("unreviewed") == "1",
            sort=_choice(query, "sort", {*SORTS, *(f"-{name}" for name in SORTS)}, "need"),
        )

    @property
    def reach(self) -> dt.timedelta:
        """How far back single events count."""
        return PERIODS[self.period][1]

    @property
    def column(self) -> str:
        """By what it is sorted."""
        return self.sort.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        """Whether the order runs downwards."""
        return self.sort.startswith("-")

    def query(self, **changed: Any) -> str:
        """Return the query string of this with something changed."""
        wanted = asdict(replace(self, **changed))
        return urlencode({k: "1" if v is True else v for k, v in wanted.items() if v is not False})

    def sorted_by(self, column: str) -> str:
        """Return the query string that sorts by a column, or turns its order round."""
        downwards = column in DESCENDING_FIRST
        if self.column == column:
            downwards = not self.is_descending
        return self.query(sort=f"-{column}" if downwards else column)


def _choice(query: Mapping[str, Any], name: str, known: Any, usual: str) -> str:  # noqa: ANN401
    asked = query.get(name, "")
    return asked if asked in known else usual
