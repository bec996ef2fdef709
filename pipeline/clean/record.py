"""What cleaning changed: how many documents a rule touched, and a few passages before and after.

Of each repair's changes a few are drawn by the hash of a seed and the document's name, so the draw
is random and the same whatever the order of documents. Boilerplate is recorded in full, each line
with the document it stood in, for nothing else remembers it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.clean import Change
from pipeline.schema import CHANGED

BOILERPLATE = "boilerplate"
#: Changes of a rule that are shown, the seed of their draw, and characters around each.
DRAWN, SEED = 5, 0
_BEFORE, _AFTER = 80, 160
_BATCH_ROWS = 1000


class ChangeRecord:
    """A context manager; the file at `path` is complete when it is left without an exception."""

    def __init__(self, path: Path):
        self._path = path
        self._counts: Counter[str] = Counter()
        self._drawn: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self._rows: list[dict[str, Any]] = []

    @property
    def counts(self) -> dict[str, int]:
        """Documents that each rule changed."""
        return dict(sorted(self._counts.items()))

    def __enter__(self) -> "ChangeRecord":
        self._writer = pq.ParquetWriter(self._path, CHANGED, compression="zstd")
        return self

    def add(self, document: Mapping[str, Any], changes: Iterable[Change]) -> None:
        """Take what the repairs did to a document, a row of DOCUMENTS; of each rule the first."""
        for rule, change in {change.rule: change for change in reversed([*changes])}.items():
            self._counts[rule] += 1
            drawn = self._drawn.setdefault(rule, [])
            rank = sha256(f"{SEED}\0{rule}\0{document['doc_id']}".encode()).hexdigest()
            if len(drawn) < DRAWN or rank < drawn[-1][0]:
                drawn.append((rank, _row(document, rule, *_passages(change))))
                drawn.sort(key=lambda entry: entry[0])
                del drawn[DRAWN:]

    def removed(self, document: Mapping[str, Any], lines: list[str]) -> None:
        """Take the boilerplate that was taken off a document."""
        self._counts[BOILERPLATE] += bool(lines)
        self._rows += [_row(document, BOILERPLATE, line, "") for line in lines]
        if len(self._rows) >= _BATCH_ROWS:
            self._flush()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                for _, drawn in sorted(self._drawn.items()):
                    self._rows += [row for _, row in drawn]
                self._flush()
        finally:
            self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, CHANGED))
            self._rows = []


def _row(document: Mapping[str, Any], rule: str, before: str, after: str) -> dict[str, Any]:
    named = {name: document[name] for name in CHANGED.names if name in document}
    return named | {"rule": rule, "before": before, "after": after}


def _passages(change: Change) -> tuple[str, str]:
    """The passage around the first difference, before and after, with what is invisible named."""
    pairs = enumerate(zip(change.before, change.after, strict=False))
    shorter = min(len(change.before), len(change.after))
    same = next((place for place, (old, new) in pairs if old != new), shorter)
    begin = max(0, same - _BEFORE)
    before, after = (
        _visible(text[begin : same + _AFTER]) for text in (change.before, change.after)
    )
    return before, after


def _visible(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else f"\\u{ord(c):04x}" for c in text)
