"""Pages as people open them: a server on the tests' database, and Debian's Chromium before it.

What comes in: the test's own rows. What goes out: tabs, signed in as whoever the test says, at the
width and in the theme that it says. Guaranteed: a tab that wrote an error to its console, or asked
anybody but this server for anything, fails its test when it is closed.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from infants.models import User
from pipelines.sound import write_wav
from pipelines.synthesis import InfantVoice, synthesise_cry
from tests.installation import ROOT, STOP_LIMIT_S, free_port
from tests.services import chromium

# The driver's event loop lives in the test's own thread, where Django would see it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
PHONE, DESKTOP = (390, 844), (1280, 900)
START_LIMIT_S = 60.0
PATIENCE_MS = 15_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here opens a browser, and reads what a server in another thread commits."""
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.embedded)
            item.add_marker(pytest.mark.django_db(transaction=True))


def _a_room(path: Path) -> Path:
    """Write what the microphone hears: a quiet room, crying, and the quiet room again; mono."""
    chance = np.random.default_rng(1)
    cry = synthesise_cry(InfantVoice(), seed=3, duration_s=6.0).sound
    hiss = 2e-4 * chance.standard_normal(5 * cry.rate_hz)
    loud = 0.5 * cry.samples / np.abs(cry.samples).max()
    heard = np.concatenate([hiss, loud, hiss]).astype(np.float32)
    write_wav(path, replace(cry, samples=heard))
    return path


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return a browser that hears a recording where it would hear a microphone."""
    room = _a_room(tmp_path_factory.mktemp("room") / "room.wav")
    with sync_playwright() as driver:
        words = [*chromium.QUIET, "--use-fake-ui-for-media-stream"]
        words += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={room}"]
        opened = driver.chromium.launch(executable_path=str(chromium.PROGRAM), args=words)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def address(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return where a server of its own process answers, on the database of the tests."""
    with serving(free_port(), tmp_path_factory.mktemp("server") / "log") as found:
        yield found


@contextmanager
def serving(port: int, log: Path) -> Iterator[str]:
    """Serve the database of the tests at a port, and yield the address."""
    database = f"sqlite:///{connection.settings_dict['NAME']}"
    words = ["-m", "uvicorn", "iclas.asgi:application", "--port", str(port), "--lifespan", "off"]
    words += ["--timeout-graceful-shutdown", "2"]
    with log.open("ab") as lines:
        server = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, *words],  # noqa: S607
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": database, "ALLOWED_HOSTS": "127.0.0.1"},
            stdout=lines,
            stderr=subprocess.STDOUT,
        )
    try:
        found = f"http://127.0.0.1:{port}"
        _wait_for(found, server, log)
        yield found
    finally:
        server.terminate()
        server.wait(STOP_LIMIT_S)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while server.poll() is None and time.monotonic() < deadline:
        with suppress(requests.RequestException):
            requests.get(address, timeout=5)
            return
        time.sleep(0.05)
    pytest.fail(f"the server did not start:\n{log.read_text(errors='replace')[-4000:]}")


class Tab:
    """One page in a browser of its own, and what went wrong in it."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address = context, address
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.received: dict[str, int] = {}
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("requestfinished", self._got)

    def open(self, path: str) -> Page:
        """Open a path and wait until the page stands."""
        self.page.goto(f"{self.address}{path}", wait_until="load")
        return self.page

    def forgive(self, *expected: str) -> None:
        """Take errors that a test provokes for what they are; there has to be one."""
        others = [one for one in self.errors if not any(part in one for part in expected)]
        assert len(others) < len(self.errors)
        self.errors = others

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{self.page.url}: {message.text}")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.foreign.append(request.url)

    def _got(self, request: Any) -> None:
        self.received[request.url] = request.sizes()["responseBodySize"]


Opener = Callable[..., Tab]


@pytest.fixture
def tab(browser: Browser, address: str) -> Iterator[Opener]:
    """Open tabs: for whom, how wide, in which theme and language, and at which server."""
    tabs: list[Tab] = []

    def opened(
        user: User | None = None,
        size: tuple[int, int] = DESKTOP,
        theme: str = "system",
        language: str = "en",
        at: str = "",
        **given: Any,
    ) -> Tab:
        here = at or address
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=language,
            reduced_motion="reduce",
            **given,
        )
        cookies = {"theme": theme, settings.LANGUAGE_COOKIE_NAME: language}
        if user is not None:
            client = Client()
            client.force_login(user)
            cookies[settings.SESSION_COOKIE_NAME] = client.cookies[
                settings.SESSION_COOKIE_NAME
            ].value
        context.add_cookies(
            [{"name": name, "value": value, "url": here} for name, value in cookies.items()]
        )
        tabs.append(Tab(context, here))
        return tabs[-1]

    yield opened
    for one in tabs:
        one.context.close()
    assert [error for one in tabs for error in one.errors] == []
    assert [url for one in tabs for url in one.foreign] == []
