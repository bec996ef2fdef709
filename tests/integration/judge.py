"""What must hold after every crawl: the store is whole, and the report tells what went wrong."""

import json
from collections import Counter
from hashlib import sha256

import pyarrow.parquet as pq

from crawlers.outcome import CrawlOutcome
from crawlers.store.page_store import PageStore
from pipeline.schema import PAGES
from tests.crawl_workplace import Finished


def is_whole(store: PageStore) -> None:
    """Fail unless the store opens, each body fits its hash, and nothing is half or twice there."""
    assert [*(store.root / "journal").glob("*.arrows")] == []
    parts = store.parts()
    assert {*(store.root / "parts").iterdir()} == set(parts)
    seen = Counter[tuple[str, str]]()
    for part in parts:
        table = pq.read_table(part)
        assert table.schema.equals(PAGES)
        table.validate(full=True)
        for row in table.to_pylist():
            assert row["body_sha256"] == sha256(row["body"]).hexdigest()
            seen[row["url"], row["body_sha256"]] += 1
    assert not seen or max(seen.values()) == 1


def is_told(crawl: Finished, outcome: CrawlOutcome, status: int) -> None:
    """Fail unless exit status, stderr and last_crawl.json agree, and each failure has a remedy."""
    assert crawl.status == status, crawl.stderr
    assert "Traceback" not in crawl.stderr
    assert crawl.stderr.replace("\n", "").isprintable()  # nothing of a server's moves the cursor
    assert outcome.complete == (status == 0)
    assert crawl.errors == [f"error: {error}" for error in outcome.errors]
    assert bool(outcome.errors) == (status != 0)
    assert all(failure[key] for failure in outcome.failures for key in ("url", "what", "remedy"))
    assert "this is a fault of Loremill" not in json.dumps(outcome.failures)
