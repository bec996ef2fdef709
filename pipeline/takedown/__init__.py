"""Takes a page's text out of what was made of it: documents, corpora, sample sets, pages to read.

What a document is called after says which page it is from, so rows are found by name. A text that a
model wrote has no such name: there the words themselves are looked for (`quotes`). Everything goes
through `pipeline.artifact.rewrite`, so that an output is the old one or the new one, never half of
it, and no earlier version stays.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urldefrag

import pyarrow as pa

#: The page's number in a doc_id, FRANCHISE/SOURCE/NUMBER#PLACE.
_NUMBER = re.compile(r"[^#]*/([0-9]+)#.*", re.DOTALL)


@dataclass(frozen=True)
class Removal:
    """Names of what is to go."""

    prefixes: tuple[str, ...]  # of doc_ids, as `pipeline.extract.page_name` makes them, with `#`
    addresses: frozenset[str]  # urls of the pages, percent signs undone
    #: Of addresses that only pages of a wiki have, the numbers of these: another number is another
    #: page that has been there, and stays.
    numbers: Mapping[str, Collection[str]] = field(default_factory=dict)

    def has(self, doc_id: str | None, url: str | None) -> bool:
        """Whether a document, or a page that gave none, is one of these."""
        if doc_id is not None and self._begins(doc_id, url):
            return True
        if url is None:
            return False
        number = _NUMBER.fullmatch(doc_id or "")
        for one in (url, urldefrag(url).url):
            address = unquote(one, errors="surrogateescape")
            if address in self.addresses and not (
                number and address in self.numbers and number[1] not in self.numbers[address]
            ):
                return True
        return False

    def _begins(self, doc_id: str, url: str | None) -> bool:
        """Whether a place on one of the pages follows its name.

        Rows of a table may be called `A` and `A#b`. Of all places only headings have that mark,
        and theirs are in the address too.
        """
        if not doc_id.startswith(self.prefixes):
            return False
        heading = unquote(urldefrag(url).fragment) if url is not None else None
        places = (doc_id[len(name) :] for name in self.prefixes if doc_id.startswith(name))
        return any("#" not in place or heading in (None, place) for place in places)

    def marks(self, rows: pa.RecordBatch | pa.Table) -> list[bool]:
        """The same of each row of a table with doc_id and url."""
        pairs: Iterable[tuple[str | None, str | None]] = zip(
            rows["doc_id"].to_pylist(), rows["url"].to_pylist(), strict=True
        )
        return [self.has(doc_id, url) for doc_id, url in pairs]


def tallied(figures: Mapping[str, Any], takedown: str, documents: int) -> dict[str, Any]:
    """The figure `taken_down` of an output, documents by takedown since it was built, with these.

    What is built next is compared with the edited output, and would not know of them.
    """
    if not documents:
        return {}
    before = figures.get("taken_down", {})
    return {"taken_down": {**before, takedown: before.get(takedown, 0) + documents}}
