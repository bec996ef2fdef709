"""Takes a page's text out of what was made of it: documents, corpora, sample sets, pages to read.

What a document is called after says which page it is from, so rows are found by name. A text that a
model wrote has no such name: there the words themselves are looked for (`quotes`). Everything goes
through `pipeline.artifact.rewrite`, so that an output is the old one or the new one, never half of
it, and no earlier version stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urldefrag

import pyarrow as pa


@dataclass(frozen=True)
class Removal:
    """Names of what is to go."""

    prefixes: tuple[str, ...]  # of doc_ids, as `pipeline.extract.page_prefix` makes them
    addresses: frozenset[str]  # urls of the pages, percent signs undone

    def has(self, doc_id: str | None, url: str | None) -> bool:
        """Whether a document, or a page that gave none, is one of these."""
        if doc_id is not None and doc_id.startswith(self.prefixes):
            return True
        return url is not None and not self.addresses.isdisjoint(
            (unquote(url), unquote(urldefrag(url).url))
        )

    def marks(self, rows: pa.RecordBatch | pa.Table) -> list[bool]:
        """The same of each row of a table with doc_id and url."""
        pairs: Iterable[tuple[str | None, str | None]] = zip(
            rows["doc_id"].to_pylist(), rows["url"].to_pylist(), strict=True
        )
        return [self.has(doc_id, url) for doc_id, url in pairs]
