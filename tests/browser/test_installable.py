"""Installed on a phone: without a network a page that says so, and nothing kept of anybody."""

import json

import requests

from tests.browser.conftest import PHONE, Opener
from tests.builders import a_member, an_infant


def test_without_a_network_there_is_a_page_that_says_so(tab: Opener) -> None:
    infant = an_infant(name="Zenobia")
    one = tab(a_member(infant), PHONE)
    page = one.open("/")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    one.context.set_offline(True)
    page.goto(f"{one.address}/infants/{infant.id}/")
    assert page.locator("h1").inner_text() == "No network"
    kept = page.evaluate(
        """async () => {
            const names = await caches.keys();
            const all = await Promise.all(names.map(async n => (await caches.open(n)).keys()));
            return all.flat().map(one => new URL(one.url).pathname);
        }"""
    )
    assert kept
    said = page.evaluate("caches.match('/offline/').then(page => page.text())")
    assert "Zenobia" not in said
    assert str(infant.id) not in said
    assert [path for path in kept if not path.startswith(("/static/", "/offline/"))] == []
    one.context.set_offline(False)
    page.get_by_role("link", name="Try again").click()
    page.get_by_role("heading", name="Zenobia").wait_for()
    one.errors = [error for error in one.errors if "ERR_INTERNET_DISCONNECTED" not in error]


def test_the_manifest_is_whole(address: str) -> None:
    said = requests.get(f"{address}/manifest.webmanifest", timeout=10)
    described = json.loads(said.text)
    assert said.headers["Content-Type"] == "application/manifest+json"
    assert described["display"] == "standalone"
    for icon in described["icons"]:
        assert requests.get(f"{address}{icon['src']}", timeout=10).content[:4] == b"\x89PNG"
