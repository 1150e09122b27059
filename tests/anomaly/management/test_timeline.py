"""`manage.py timeline`: a table for people, a picture that is one."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests import judged

pytestmark = pytest.mark.django_db


@pytest.mark.embedded
def test_it_prints_what_is_known_and_draws_it(tmp_path: Path) -> None:
    infant, device = judged.an_infant_with_monitor(time_zone="Asia/Tokyo")
    judged.live_through(infant, device, days=12)
    out, png = StringIO(), tmp_path / "timeline.png"
    call_command("timeline", str(infant.id), "--png", str(png), stdout=out)
    text = out.getvalue()
    assert "learning, 8 of 9 days" in text
    assert "2026-03-01 18:00:00" in text  # nine in the morning UTC, where the infant lives
    assert "usual" in text
    assert "Research use only; not a medical device." in text
    assert png.read_bytes().startswith(b"\x89PNG")
    assert png.stat().st_size > 10_000


def test_an_unknown_infant_is_named() -> None:
    with pytest.raises(CommandError, match="no infant 'nobody'"):
        call_command("timeline", "nobody")
