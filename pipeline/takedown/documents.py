"""A franchise's documents without a page: what it gave, what was left out, what was changed."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.artifact import Artifact, rewrite
from pipeline.takedown import Removal, tallied
from pipeline.takedown.tables import keep, remove_rows, rows_of

#: Files of an extraction with a row for a document, and text in it.
_TABLES = {"documents": "documents.parquet", "dropped": "dropped.parquet",
           "changed": "changed.parquet"}  # fmt: skip
#: Which texts each has.
_TEXTS = {"documents": ("text",), "dropped": ("text",), "changed": ("before", "after")}
#: Of their texts; what a near-duplicate is found by, see pipeline/dedup/sign.py.
SIGNATURES = "signatures.parquet"


def touched(artifact: Artifact, removal: Removal) -> dict[str, int]:
    """How many rows each file has of the pages; a file without any is left out."""
    counts = {
        name: sum(1 for _ in rows_of(artifact.folder / file, removal, []))
        for name, file in _TABLES.items()
    }
    return {name: count for name, count in counts.items() if count}


def texts(artifact: Artifact, removal: Removal) -> Iterator[str]:
    """All texts of the pages."""
    for name, columns in _TEXTS.items():
        for row in rows_of(artifact.folder / _TABLES[name], removal, list(columns)):
            yield from (row[column] for column in columns if row[column])


def erase(root: Path, removal: Removal, takedown: str = "") -> None:
    """Make the documents under `root` anew without the pages; no earlier version stays.

    Signatures of texts that are no more among them go too. The figures keep how many went, by
    `takedown`. Raises OSError.
    """
    rewrite(root, lambda folder: _edit(folder, Artifact.load(root), removal, takedown))


def _edit(
    folder: Path, last: Artifact | None, removal: Removal, takedown: str
) -> Mapping[str, Any]:
    assert last is not None
    figures = dict(last.figures)
    went = list(rows_of(folder / _TABLES["documents"], removal, ["characters", "words"]))
    figures |= tallied(figures, takedown, len(went))
    figures["documents"] -= len(went)
    for name in ("characters", "words"):
        figures[name] -= sum(row[name] for row in went)
    reasons = Counter(
        row["reason"] for row in rows_of(folder / _TABLES["dropped"], removal, ["reason"])
    )
    figures["dropped"] -= reasons.total()
    left = Counter(figures["dropped_by_reason"])
    left.subtract(reasons)
    figures["dropped_by_reason"] = {reason: count for reason, count in left.items() if count > 0}
    for name in _TABLES.values():
        if (folder / name).is_file():
            remove_rows(folder / name, removal)
    if (folder / SIGNATURES).is_file():
        stay = pq.read_table(folder / _TABLES["documents"], columns=["text_sha256"])
        hashes = pc.unique(stay["text_sha256"])
        keep(folder / SIGNATURES, lambda rows: _in(rows["text_sha256"], hashes))
    return figures


def _in(values: pa.ChunkedArray, wanted: pa.Array) -> pa.ChunkedArray:
    return pc.is_in(values, value_set=wanted)
