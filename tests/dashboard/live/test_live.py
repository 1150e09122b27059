"""The stream tells of what changed, to whom it may be told, and nothing of what it was."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.test import AsyncClient
from django.utils import timezone

from anomaly.selectors.pulse import pulse
from dashboard.live import views
from infants.access import Viewer
from infants.models import DiaryEntry, Infant, Membership, Recording, User
from notify.actions import acknowledge
from tests.builders import a_member, a_recording, an_infant
from tests.notify.rows import an_alert

pytestmark = pytest.mark.django_db(transaction=True)
LIMIT_S = 20.0


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "LOOKS_EVERY_S", 0.02)
    monkeypatch.setattr(views, "BEATS_EVERY_S", 0.1)


async def _events(user: User, seen: str = "") -> AsyncIterator[tuple[str, dict[str, Any]]]:
    client = AsyncClient()
    await sync_to_async(client.force_login)(user)
    answer = await client.get("/live/", {"seen": seen})
    assert answer.headers["Content-Type"] == "text/event-stream"
    async for chunk in answer.streaming_content:  # type: ignore[union-attr]
        lines = dict(line.split(": ", 1) for line in chunk.decode().strip().splitlines())
        if "event" in lines:
            yield lines["event"], json.loads(lines["data"])


async def _next(events: AsyncIterator[tuple[str, dict[str, Any]]], name: str) -> dict[str, Any]:
    async with asyncio.timeout(LIMIT_S):
        async for found, data in events:
            if found == name:
                return data
    pytest.fail(f"no event {name}")


def _two_families() -> tuple[User, Infant, Infant]:
    own, foreign = an_infant(), an_infant(name="Bo")
    return a_member(own), own, foreign


def _get_on(infant: Infant) -> None:
    recording = a_recording(infant)
    Recording.objects.filter(id=recording.id).update(state_changed_at=timezone.now())


def _write_down(infant: Infant) -> None:
    DiaryEntry.objects.create(infant=infant, kind=DiaryEntry.Kind.FEED, starts_at=timezone.now())


def test_what_changes_is_told_to_those_who_may_see_it() -> None:
    @async_to_sync
    async def listen() -> None:
        user, own, foreign = await sync_to_async(_two_families)()
        async with aclosing(_events(user)) as events:
            await _next(events, "beat")
            await sync_to_async(_get_on)(foreign)
            await sync_to_async(_get_on)(own)
            assert await _next(events, "changed") == {"infants": [str(own.id)]}

    listen()


def test_what_changed_while_the_page_was_on_its_way_is_told_at_once() -> None:
    @async_to_sync
    async def listen() -> None:
        user, own, _ = await sync_to_async(_two_families)()
        made = timezone.now().isoformat()
        await sync_to_async(_get_on)(own)
        async with aclosing(_events(user, seen=made)) as events:
            assert await _next(events, "changed") == {"infants": [str(own.id)]}

    listen()


def test_a_quiet_stream_shows_that_it_lives() -> None:
    @async_to_sync
    async def listen() -> None:
        user, _, _ = await sync_to_async(_two_families)()
        async with aclosing(_events(user)) as events:
            assert await _next(events, "beat") == {}
            assert await _next(events, "beat") == {}

    listen()


def test_a_stream_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    @async_to_sync
    async def listen() -> None:
        monkeypatch.setattr(views, "LASTS_S", 0.2)
        user, _, _ = await sync_to_async(_two_families)()
        async with asyncio.timeout(LIMIT_S):
            assert {name async for name, _ in _events(user)} == {"beat"}

    listen()


def test_who_is_signed_out_is_told_to_ask_no_more() -> None:
    @async_to_sync
    async def listen() -> None:
        assert (await AsyncClient().get("/live/")).status_code == 204

    listen()


def test_every_change_that_pages_show_gives_another_mark() -> None:
    user, own, _ = _two_families()
    viewer, marks = Viewer.of(user), []
    for change in (lambda: _get_on(own), lambda: _write_down(own)):
        marks.append(pulse(viewer))
        change()
    marks.append(pulse(viewer))
    assert [set(mark) for mark in marks] == [{own.id}] * 3
    times = [mark[own.id] for mark in marks]
    assert times == sorted(set(times))


def test_what_the_other_parent_does_with_an_alert_is_told() -> None:
    user, own, _ = _two_families()
    alert = an_alert(own)
    before = views._changes(Viewer.of(user))
    acknowledge(Viewer(user=a_member(own, Membership.Role.CAREGIVER)), alert.id, timezone.now())
    assert views._changes(Viewer.of(user))[own.id] > before[own.id]
