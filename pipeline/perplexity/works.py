"""What a scorer needed for each work: the sums that every figure of a report is made of.

Works, not documents, are what intervals are drawn over, and what two scorers are compared by; a
work's documents of another source, genre or licence have a row of their own.
"""

from typing import Any

import pyarrow as pa

from pipeline.corpus import CorpusDocument
from pipeline.schema import WORKS
from pipeline.statistics import count_words

#: What tells the rows of a scorer apart.
KEYS = ("work_id", "franchise", "source", "genre", "licence")


class WorkSums:
    """Sums over the documents of one split under one scorer."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str | None, ...], dict[str, Any]] = {}
        self.documents = 0

    def add(self, document: CorpusDocument, nats: float, tokens: int | None = None) -> None:
        """Count a document that took so many nats, in so many tokens where the scorer has any."""
        key = tuple(getattr(document, name) for name in KEYS)
        row = self._rows.get(key)
        if row is None:
            row = dict(zip(KEYS, key, strict=True))
            row |= {"documents": 0, "bytes": 0, "words": 0, "nats": 0.0}
            row["tokens"] = None if tokens is None else 0
            self._rows[key] = row
        row["documents"] += 1
        row["bytes"] += len(document.text.encode())
        row["words"] += count_words(document.text)
        row["nats"] += nats
        if tokens is not None:
            row["tokens"] += tokens
        self.documents += 1

    def table(self, model: str, stage: str, split: str) -> pa.Table:
        """WORKS, in the order in which the works came."""
        named = {"model": model, "stage": stage, "split": split}
        return pa.Table.from_pylist([named | row for row in self._rows.values()], schema=WORKS)
