"""The page of all models in a real browser: a phone shows it whole, and it loads nothing."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.pipeline.reports.contenders import Contenders

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


@pytest.fixture
def contenders(made: Any) -> Contenders:
    found = Contenders(made, made.root)
    made.samples[0]["text"] = " " + "x" * 400  # a word that no line can hold
    made.copying_figures["passed"] = False  # a mark in each row, which needs room
    lstm = {"recurrent": {"cell": "lstm"}, "tokenizer": {"kind": "characters"}}
    found.add("fox-lstm-with-a-name-that-no-cell-can-hold-on-one-line", 2.62, lstm)
    for number in range(4):
        found.add(f"fox-gpt2-{number}", 2.1 + number / 100, {"size": "mini"}, wobble=0.3 * number)
    found.write()
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_whole_without_any_request(
    contenders: Contenders, browser: Browser, scheme: Any
) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 800}, color_scheme=scheme)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(contenders.page.as_uri())
    assert asked == [contenders.page.as_uri()]
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for region in page.locator(".scroll").all():
        assert region.evaluate("one => one.scrollWidth - one.clientWidth") == 0
    assert page.locator(".plot.narrow").first.is_visible()
    assert not page.locator(".plot.wide").first.is_visible()
    dot = page.locator("#models-narrow-axes_1 path[style*='--after']").first
    accent = {"light": "rgb(11, 100, 112)", "dark": "rgb(114, 198, 210)"}[scheme]
    assert dot.evaluate("element => getComputedStyle(element).stroke") == accent
    page.close()


def test_a_desk_shows_every_column_and_paper_every_definition(
    contenders: Contenders, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(contenders.page.as_uri())
    region = page.locator("[aria-label='All models']")
    assert region.evaluate("one => one.scrollWidth - one.clientWidth") == 0
    about = page.locator("#about-best")
    assert not about.is_visible()
    page.get_by_role("button", name="behind the best").click()
    assert about.is_visible()
    page.keyboard.press("Escape")
    page.emulate_media(media="print")
    assert about.is_visible()
    page.close()
