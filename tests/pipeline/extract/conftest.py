"""Where the saved pages are: those of this project, and third-party ones that may be absent."""

import time
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


@pytest.fixture
def grows_no_faster() -> Callable[[Callable[[int], object], int], None]:
    """Asserts that `work(4 * n)` takes no more than about four times as long as `work(n)`.

    Where the cost is the square it is sixteen times. Both are timed in the same run, of the
    process's own time, and one of several tries is enough, so that no busy machine matters.
    """

    def check(work: Callable[[int], object], n: int) -> None:
        ratios = []
        for _ in range(5):
            once, more = _seconds(work, n), _seconds(work, 4 * n)
            # What takes no time at all, beside which a collection of garbage is much.
            ratios.append((more + 0.02) / (once + 0.02))
            if ratios[-1] < 8:
                return
        raise AssertionError(f"four times as much took {min(ratios):.0f} times as long")

    return check


def _seconds(work: Callable[[int], object], n: int) -> float:
    begun = time.process_time()
    work(n)
    return time.process_time() - begun
