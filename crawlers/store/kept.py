"""What a crawl has left in its store, asked from outside while it runs or after it was killed.

A killed crawl wrote no outcome: what is known of it is what lies there, under its id.
"""

import fcntl
from pathlib import Path

import pyarrow.parquet as pq

from crawlers.page import GONE
from crawlers.store.journal import read_journal
from pipeline.schema import PAGES


def is_busy(root: Path) -> bool:
    """Whether a crawl is under way in the store at `root`: whether its lock is held."""
    try:
        with (root / ".lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def pages_kept(root: Path, crawl_id: str) -> int:
    """How many pages the crawl stored, sealed or in its journal; tombstones are none."""
    statuses = [
        pq.read_table(part, columns=["status"])["status"].to_pylist()
        for part in (root / "parts").glob(f"*-{crawl_id}.parquet")
    ]
    sealed = {part.stem for part in (root / "parts").glob(f"*-{crawl_id}.parquet")}
    statuses += [
        batch["status"].to_pylist()
        for journal in (root / "journal").glob(f"*-{crawl_id}.arrows")
        if journal.stem not in sealed
        for batch in read_journal(journal, PAGES)
    ]
    return sum(status != GONE for batch in statuses for status in batch)
