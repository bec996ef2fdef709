"""The page of changes on a phone, in a real browser: whole, in dark too, without any request."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from pipeline.diff.documents import compare_documents
from pipeline.drift import compare
from pipeline.reports.changes import Comparison, write_changes_report
from tests.pipeline.extractions import article, extracted, rebuilt

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a system Chromium (apt: chromium)")

_BEYOND = "cells => cells.filter(cell => cell.getBoundingClientRect().right > innerWidth).length"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_a_refusal_whole(tmp_path: Path, scheme: Any) -> None:
    long = {"source": "w" * 80, "title": "A title that no line can hold" + "x" * 120}
    before = [article(n, **long) for n in range(6)]
    now = [rebuilt(n, **long) for n in range(4)]
    now += [article(4, 300, revision="71", **long), article(5, revision="71", **long)]
    last, new = extracted(tmp_path / "a", before), extracted(tmp_path / "b", now)
    told = Comparison(
        "Lamps", 6, compare_documents(last, new), drift=compare(last, new), refused="Look at them.",
        accept="dg launch --config-json '" + "x" * 300 + "'",
    )  # fmt: skip
    path = tmp_path / "changes.html"
    write_changes_report(told, path)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        )
        page = browser.new_page(viewport={"width": 360, "height": 800}, color_scheme=scheme)
        said, asked = [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        assert (asked, said) == ([path.as_uri()], [])
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.locator("th, td").evaluate_all(_BEYOND) == 0
        colour = page.locator("ins").first.evaluate("e => getComputedStyle(e).color")
        assert colour == {"light": "rgb(11, 100, 112)", "dark": "rgb(114, 198, 210)"}[scheme]
        browser.close()
