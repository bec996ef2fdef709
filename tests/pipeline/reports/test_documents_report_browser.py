"""The page of documents on a phone, in a real browser: every table is there whole, as cards."""

import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import sync_playwright

from pipeline.reports.documents import write_documents_report
from pipeline.schema import CHANGED, DROPPED
from tests.pipeline.reports.test_documents_report import FIGURES, changed, dropped

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a system Chromium (apt: chromium)")

_BEYOND = "cells => cells.filter(cell => cell.getBoundingClientRect().right > innerWidth).length"


def test_a_phone_shows_every_column_with_its_name(tmp_path: Path) -> None:
    drops = [dropped(1, text="y" * 400, reason="z" * 90), dropped(2, title="x" * 150)]
    changes = [
        changed(n, "boilerplate", "This summary was taken from the show's own site. " * 3, "")
        for n in range(12)
    ]
    changes += [changed(n, "markup", "It rained {{cite|" + "w" * 90, "It rained") for n in range(3)]
    rows = [{key: row[key] for key in CHANGED.names if key in row} for row in changes]
    pq.write_table(pa.Table.from_pylist(drops, DROPPED), tmp_path / "dropped.parquet")
    pq.write_table(pa.Table.from_pylist(rows, CHANGED), tmp_path / "changed.parquet")
    page_path = tmp_path / "documents.html"
    write_documents_report(tmp_path, "Lamps", FIGURES, page_path)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        )
        page = browser.new_page(viewport={"width": 390, "height": 900})
        page.goto(page_path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        tables = page.locator("table")
        assert tables.count() == 2
        assert page.locator("th, td").evaluate_all(_BEYOND) == 0
        for scrolled in page.locator(".scroll").all():
            assert scrolled.evaluate("box => box.scrollWidth <= box.clientWidth")
        name = "cell => getComputedStyle(cell, '::before').content"
        named: list[list[Any]] = [
            [cell.evaluate(name) for cell in table.locator("tr >> nth=1").locator("td").all()]
            for table in tables.all()
        ]
        assert named == [['"Source"', '"Documents"', '"For example"'], ['"Before"', '"After"']]
        browser.close()
