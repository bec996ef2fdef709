"""What became of each page that was read: how many documents it gave, and of how many characters.

A documents' file says nothing of a page without a story, and a page's revision alone does not say
whether its bytes are those of last time. With one short row a page, the next extraction can be
held against this one: a fall in what the same pages give is a site that changed its markup.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.schema import READ_PAGES

_BATCH_ROWS = 4096


class PageRecord:
    """A context manager; the file at `path` is complete when it is left without an exception.

    Holds one row a page in memory, some hundred bytes.
    """

    def __init__(self, path: Path):
        self._path = path
        self._batches: list[pa.RecordBatch] = []
        self._rows: list[dict[str, Any]] = []

    def __enter__(self) -> "PageRecord":
        return self

    def add(
        self, name: str, page: Mapping[str, Any], documents: Sequence[Mapping[str, Any]]
    ) -> None:
        """Take a page, a row of PAGES, and the documents it gave, before boilerplate is taken off.

        `name` is what the page's doc_ids begin with.
        """
        told = {field: page[field] for field in READ_PAGES.names if field in page}
        characters = sum(document["characters"] for document in documents)
        counts = {"documents": len(documents), "characters": characters}
        self._rows.append({"page": name} | told | counts)
        if len(self._rows) >= _BATCH_ROWS:
            self._flush()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._flush()
            table = pa.Table.from_batches(self._batches, READ_PAGES)
            order = [(name, "ascending") for name in ("source", "url")]
            pq.write_table(table.sort_by(order), self._path, compression="zstd")

    def _flush(self) -> None:
        self._batches.append(pa.RecordBatch.from_pylist(self._rows, READ_PAGES))
        self._rows = []
