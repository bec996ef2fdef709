"""The report in a real browser: it loads nothing, breaks no policy of its own, and fits a phone."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from pipeline.reports.entrance import ENTRANCE, write_entrance

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a system Chromium (apt: chromium)")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        )
        yield found
        found.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_whole_without_any_request(
    made: Any, browser: Browser, scheme: Any
) -> None:
    made.samples[0]["text"] = " " + "x" * 400  # a word that no line can hold
    made.write()
    page = browser.new_page(viewport={"width": 360, "height": 800}, color_scheme=scheme)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(made.page.as_uri())
    assert asked == [made.page.as_uri()]
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.locator(".plot.narrow").first.is_visible()
    assert not page.locator(".plot.wide").first.is_visible()
    # The plots wear the scheme's colour: a CSS variable that did not resolve would be black.
    line = page.locator("#loss-narrow-axes_1 path[style*='--after']").first
    accent = {"light": "rgb(11, 100, 112)", "dark": "rgb(114, 198, 210)"}[scheme]
    assert line.evaluate("element => getComputedStyle(element).stroke") == accent
    page.close()


def test_a_definition_is_one_click_away(made: Any, browser: Browser) -> None:
    made.write()
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.goto(made.page.as_uri())
    about = page.locator("#about-bits-per-byte")
    assert not about.is_visible()
    page.locator(".figures button").first.click()
    assert about.is_visible()
    assert "Lower is better" in about.inner_text()
    page.keyboard.press("Escape")
    assert not about.is_visible()
    page.emulate_media(media="print")
    assert about.is_visible()  # on paper nothing can be clicked, so all definitions are printed
    page.close()


def test_its_stable_address_leads_to_it(made: Any, browser: Browser) -> None:
    made.write()
    write_entrance(made.root, made.page)
    page = browser.new_page(java_script_enabled=False)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto((made.root / ENTRANCE).as_uri())
    page.wait_for_url(made.page.as_uri())
    assert page.locator("h1").inner_text() == "demo-gpt2"
    assert said == []
    page.close()
