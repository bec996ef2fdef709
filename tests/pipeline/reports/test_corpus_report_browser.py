"""The page of a corpus in a real browser: a phone shows it whole, and it loads nothing."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.pipeline.reports.corpora import Corpus, document, tell

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a system Chromium (apt: chromium)")

_BEYOND = "all => all.filter(one => one.getBoundingClientRect().right > innerWidth + 1).length"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        )
        yield found
        found.close()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Stories of two sources, one of them with a near-duplicate, and a word no line can hold."""
    rows = [document(n, source="wiki" if n % 3 else "books") for n in range(30)]
    rows[1] |= {"title": "x" * 300, "genre": "y" * 300}
    told = tell(70, 40)
    rows += [document(70, told), document(71, told + " " + "z" * 300 + " and so it ended.")]
    return Corpus(tmp_path_factory.mktemp("lamps"), rows).build().write()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_whole_without_any_request(
    corpus: Corpus, browser: Browser, scheme: Any
) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 800}, color_scheme=scheme)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(corpus.page.as_uri())
    assert asked == [corpus.page.as_uri()]
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.locator(".pair article").count() == 2
    assert page.locator("h1, h2, h3, h4, p, figcaption, .cards td").evaluate_all(_BEYOND) == 0
    bars = page.locator(".cards .bar").evaluate_all("all => all.map(one => one.offsetWidth)")
    assert min(bars) > 40
    assert page.locator(".plot.narrow").first.is_visible()
    assert not page.locator(".plot.wide").first.is_visible()
    bar = page.locator("#lengths path[style*='--after']").first
    accent = {"light": "rgb(11, 100, 112)", "dark": "rgb(114, 198, 210)"}[scheme]
    assert bar.evaluate("element => getComputedStyle(element).fill") == accent
    page.close()


def test_every_figure_at_the_top_opens_its_definition(corpus: Corpus, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.goto(corpus.page.as_uri())
    for term in page.locator(".figures button").all():
        term.click()
        about = page.locator(f"#{term.get_attribute('popovertarget')}")
        assert about.is_visible()
        page.keyboard.press("Escape")
    known = {part.get_attribute("id") for part in page.locator("[popover]").all()}
    asked = {term.get_attribute("popovertarget") for term in page.locator("button.term").all()}
    assert asked <= known
    assert len(asked) >= 8
    page.close()
