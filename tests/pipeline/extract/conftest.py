"""Where the saved pages are: those of this project, and third-party ones that may be absent."""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.schema import PAGES


@pytest.fixture
def real_text() -> Path:
    """The folder of real pages and books beside the project's root; skips where it is absent."""
    folder = Path(__file__).parents[4] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"{folder} with third-party pages is absent")
    return folder


@pytest.fixture
def page() -> Callable[..., dict[str, Any]]:
    """Makes a row of PAGES: an article as served, each column open to change."""

    def make(body: bytes, number: int = 1, **changes: Any) -> dict[str, Any]:
        url = f"https://wiki.example/wiki/Page_{number}"
        row = {
            "url": url,
            "final_url": url,
            "title": f"Page {number}",
            "page_id": str(number),
            "revision": "70",
            "etag": None,
            "last_modified": None,
            "fetched_at": datetime(2026, 1, 1, tzinfo=UTC),
            "status": 200,
            "content_type": "text/html; charset=UTF-8",
            "body": body,
            "body_sha256": sha256(body).hexdigest(),
            "licence": "CC-BY-SA-4.0",
            "attribution_url": url,
            "spider": "wikipedia",
            "franchise": "lamps",
            "source": "wikipedia",
            "crawl_id": "1",
        }
        return row | changes

    return make


@pytest.fixture
def batches() -> Callable[[list[dict[str, Any]]], list[pa.RecordBatch]]:
    """Rows of PAGES as record batches, one a page."""
    return lambda rows: [pa.RecordBatch.from_pylist([row], schema=PAGES) for row in rows]
