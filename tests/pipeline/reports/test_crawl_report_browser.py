"""The page of a crawl on a phone, in a real browser: every table is there whole, as cards."""

import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import sync_playwright

from pipeline.reports.crawl import write_crawl_report
from pipeline.schema import REQUESTS
from tests.pipeline.reports.test_crawl_report import WIKI, crawl, requests, rested

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a system Chromium (apt: chromium)")

_BEYOND = "cells => cells.filter(cell => cell.getBoundingClientRect().right > innerWidth).length"


def test_a_phone_shows_every_column_with_its_name(tmp_path: Path) -> None:
    refused = requests([], sent=False, rule="robots.txt closes it", url=f"{WIKI}/{'x' * 150}")
    rows = rested((429, 30.0, 30.1), (503, None, 10.0)) + refused
    pq.write_table(pa.Table.from_pylist(rows, schema=REQUESTS), tmp_path / "record.parquet")
    failure = {"url": f"{WIKI}/{'y' * 150}", "what": "answered 404", "remedy": "leave it out"}
    page_path = tmp_path / "crawl.html"
    write_crawl_report(tmp_path / "record.parquet", crawl(failures=[failure]), page_path)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        )
        page = browser.new_page(viewport={"width": 390, "height": 900})
        page.goto(page_path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        tables = page.locator("table")
        assert tables.count() == 6
        assert page.locator("th, td").evaluate_all(_BEYOND) == 0
        for scrolled in page.locator(".scroll").all():
            assert scrolled.evaluate("box => box.scrollWidth <= box.clientWidth")
        name = "cell => getComputedStyle(cell, '::before').content"
        named: list[Any] = [cell.evaluate(name) for cell in tables.first.locator("td").all()]
        assert named == [
            f'"{column}"'
            for column in ("Requests", "Busiest minute", "Allowed", "Shortest gap", "Median",
                           "Asked", "At a time", "Received")
        ]  # fmt: skip
        browser.close()
