"""That a report was made is written down, without a name."""

import datetime as dt

import pytest

from anomaly.models import Event
from anomaly.reports import note_report
from infants.access import Viewer
from tests.builders import START, a_member, an_infant

pytestmark = pytest.mark.django_db
DAYS = (dt.date(2026, 2, 1), dt.date(2026, 2, 14))


def test_who_made_which_report_is_kept_by_id() -> None:
    infant = an_infant()
    user = a_member(infant)
    note_report(Viewer(user=user), infant, START, DAYS, "document")
    event = Event.objects.get(infant=infant, kind=Event.Kind.REPORT_MADE)
    assert event.facts == {
        "by": str(user.id),
        "from": "2026-02-01",
        "to": "2026-02-14",
        "form": "document",
    }
    assert user.username not in str(event.facts) + event.key


def test_each_making_is_an_event() -> None:
    infant = an_infant()
    for form in ("page", "document", "document"):
        note_report(Viewer.system(), infant, START, DAYS, form)
    assert infant.events.count() == 3
