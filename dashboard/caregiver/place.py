"""Where one is: whose page it is, which page, and where one can go from there.

What comes in: a signed-in request and an infant's id. What goes out: a `Place`, which every page of
an infant shows above its content. Guaranteed: an infant that the viewer may not see answers like
one that does not exist.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dashboard import words
from infants.access import Right, Viewer, infants_for
from infants.errors import UnknownInfantError
from infants.models import Infant
from infants.selectors import infant_named, visible_infants

TABS: dict[str, str | Promise] = {
    "infant": _("Now"),
    "recordings": _("Recordings"),
    "diary": _("Diary"),
    "history": _("Course"),
    "protocol": _("24 hours"),
    "report": _("Report"),
}
"""An infant's pages by url name, in the order in which they are offered."""


@dataclass(frozen=True)
class Link:
    """Somewhere to go, by name; the present place is marked."""

    href: str
    words: str | Promise
    is_here: bool


@dataclass(frozen=True)
class Place:
    """Whose page it is, for whom, and at which moment."""

    viewer: Viewer
    infant: Infant
    now: dt.datetime
    tab: str
    name: str
    is_identified: bool
    others: list[Link]
    can_write: bool
    can_manage: bool

    @property
    def tabs(self) -> list[Link]:
        """The pages of this infant."""
        return [
            Link(reverse(f"dashboard:{tab}", args=[self.infant.id]), said, tab == self.tab)
            for tab, said in TABS.items()
        ]

    @property
    def now_there(self) -> dt.datetime:
        """The moment where the infant lives."""
        return self.now.astimezone(self.infant.zone)


def place_of(request: HttpRequest, infant_id: UUID, tab: str) -> Place:
    """Return the place, or raise `Http404`."""
    viewer = Viewer.of(request.user)
    try:
        infant = infant_named(viewer, str(infant_id))
    except UnknownInfantError as error:
        raise Http404 from error
    is_identified = bool(getattr(infant, "is_identified", False))
    return Place(
        viewer=viewer,
        infant=infant,
        now=timezone.now(),
        tab=tab,
        name=words.called(infant, is_identified=is_identified),
        is_identified=is_identified,
        others=_others(viewer, infant, tab),
        can_write=infants_for(viewer, Right.WRITE_DIARY).filter(id=infant.id).exists(),
        can_manage=infants_for(viewer, Right.MANAGE).filter(id=infant.id).exists(),
    )


def _others(viewer: Viewer, infant: Infant, tab: str) -> list[Link]:
    """Return the same page of every other infant that the viewer may see, by name."""
    links = [
        Link(
            reverse(f"dashboard:{tab}", args=[one.id]),
            words.called(one, is_identified=bool(getattr(one, "is_identified", False))),
            is_here=False,
        )
        for one in visible_infants(viewer)
        if one.id != infant.id
    ]
    return sorted(links, key=lambda link: str(link.words))


def fresh_key() -> str:
    """Return a key for one entry of a form: sent twice, it is written once."""
    return str(uuid4())
