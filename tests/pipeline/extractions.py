"""Extractions of a wiki's pages, by the real thing, for tests that hold two of them together."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from pipeline.extract import SourceRules, extract
from pipeline.schema import PAGES
from tests.pipeline.clean.texts import prose

_RULES = SourceRules(None, None, "en")


def article(number: int, words: int = 80, **columns: Any) -> dict[str, Any]:
    """A row of PAGES: an article whose plot has so many words; fewer are its beginning."""
    told = " ".join(prose(400, number).split()[:words])
    return _page(number, f"<h2>Plot</h2><p>{told}</p>", **columns)


def rebuilt(number: int, **columns: Any) -> dict[str, Any]:
    """The same article in a markup without headings, as a new revision."""
    told = prose(400, number)
    return _page(number, f"<div>Plot</div><div>{told}</div>", **({"revision": "71"} | columns))


def films(number: int, many: int, **columns: Any) -> dict[str, Any]:
    """A list with the plots of so many films: each is a document."""
    rows = "".join(
        f"<tr><td>Film {n}</td><td>{prose(60, 1000 * number + n)}</td></tr>" for n in range(many)
    )
    return _page(number, f"<table><tr><th>Film</th><th>Plot</th></tr>{rows}</table>", **columns)


def table_row(name: str, words: int = 80) -> dict[str, Any]:
    """A row of a table, which is called by its title."""
    told = " ".join(prose(400, len(name)).split()[:words])
    body = json.dumps({"title": name, "text": told}).encode()
    address = f"file:t.csv#{quote(name, safe='')}"
    columns = {"url": address, "final_url": address, "page_id": f"t.csv/{name}", "body": body,
               "title": name, "content_type": "application/json", "attribution_url": None,
               "body_sha256": sha256(body).hexdigest()}  # fmt: skip
    return _page(0, "", **columns)


def extracted(folder: Path, pages: Iterable[dict[str, Any]]) -> Path:
    """The folder, with what extraction makes of the pages."""
    folder.mkdir(parents=True)
    pages = list(pages)
    rules = {page["source"]: _RULES for page in pages}
    extract((pa.RecordBatch.from_pylist([page], schema=PAGES) for page in pages), rules, folder)
    return folder


def _page(number: int, content: str, **columns: Any) -> dict[str, Any]:
    body = f'<body><div class="mw-parser-output">{content}</div></body>'.encode()
    url = f"https://wiki.example/wiki/Lamp_{number}"
    row = {
        "url": url, "final_url": url, "title": f"Lamp {number}", "page_id": str(number),
        "revision": "70", "etag": None, "last_modified": None,
        "fetched_at": datetime(2026, 1, 1, tzinfo=UTC), "status": 200,
        "content_type": "text/html", "body": body, "body_sha256": sha256(body).hexdigest(),
        "licence": "CC-BY-SA-4.0", "attribution_url": url, "signals": None,
        "spider": "wikipedia", "franchise": "lamps", "source": "wiki", "crawl_id": "1",
    }  # fmt: skip
    return row | columns
