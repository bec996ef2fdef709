"""A real book in two editions of Project Gutenberg, years apart, among others: one goes, whole."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.corpus import read_split
from pipeline.corpus.split import SPLITS
from pipeline.extract import SourceRules, extract
from pipeline.schema import PAGES
from tests.corpus_documents import build

_BOOKS = Path(__file__).parents[4] / "shared" / "data" / "gutenberg"
#: The first two are one book.
_FILES = ("972.txt", "dvldc10.txt", "pg11.txt", "pg46.txt", "pg84.txt")
_TWINS = ("books/gutenberg/0#", "books/gutenberg/1#")


def _page(number: int, body: bytes) -> dict[str, Any]:
    url = f"https://www.gutenberg.org/ebooks/{number}"
    return {
        "url": url,
        "final_url": url,
        "title": f"Book {number}",
        "page_id": str(number),
        "fetched_at": datetime(2026, 1, 1, tzinfo=UTC),
        "status": 200,
        "content_type": "text/plain",
        "body": body,
        "body_sha256": sha256(body).hexdigest(),
        "licence": "LicenseRef-PublicDomainUS",
        "spider": "gutenberg",
        "franchise": "books",
        "source": "gutenberg",
        "crawl_id": "1",
    }


@pytest.mark.skipif(not _BOOKS.is_dir(), reason=f"{_BOOKS} with third-party books is absent")
def test_the_twin_in_another_edition_is_found_and_left_out(tmp_path: Path) -> None:
    bodies = [(_BOOKS / name).read_bytes() for name in _FILES]
    pages = [pa.RecordBatch.from_pylist([_page(n, body)], PAGES) for n, body in enumerate(bodies)]
    folder = tmp_path / "books"
    folder.mkdir()
    extract(pages, {"gutenberg": SourceRules(sections=None, genre=None, language="en")}, folder)
    corpus = tmp_path / "corpus"
    build(corpus, {"books": folder / "documents.parquet"})
    works = {d.work_id for split in SPLITS for d in read_split(corpus, split)}
    assert len(works) == 4
    there = pq.read_table(folder / "documents.parquet", columns=["doc_id", "work_id"]).to_pylist()
    assert len({row["work_id"] for row in there}) == 5
    (gone,) = {row["work_id"] for row in there} - works
    dropped = pq.read_table(corpus / "dropped.parquet").to_pylist()
    names = {row["doc_id"] for row in there if row["work_id"] == gone}
    assert names <= {row["doc_id"] for row in dropped}
    assert {row["reason"] for row in dropped if row["doc_id"] in names} <= {
        "same text",
        "near-duplicate",
        "another edition",
    }
    record = pq.read_table(tmp_path / "assignments.parquet").to_pylist()
    sides = {row["unit"]: row["split"] for row in record}
    twins = {row["work_id"] for row in there if row["doc_id"].startswith(_TWINS)}
    assert gone in twins
    assert len({sides[work] for work in twins}) == 1
