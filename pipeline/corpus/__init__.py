"""Documents of one or more franchises -> train, validation and test text, every byte traceable.

The documents are read twice: first only their names and hashes, to find duplicates and deal the
works to splits, then their texts, which go straight to the files. So memory holds some hundred
bytes a document, and the result depends on the documents and the configuration alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.corpus.card import write_attribution, write_card
from pipeline.corpus.figures import Figures
from pipeline.corpus.files import (
    CorpusDocument,
    ManifestError,
    SplitWriter,
    manifest_writer,
    read_split,
)
from pipeline.corpus.layout import make_layout
from pipeline.corpus.rows import RowWriter
from pipeline.corpus.spec import CorpusConfig
from pipeline.corpus.split import SPLITS, assign_splits
from pipeline.licences import licence
from pipeline.schema import DOCUMENTS, DROPPED

__all__ = [
    "CorpusConfig",
    "CorpusDocument",
    "CorpusError",
    "ManifestError",
    "build_corpus",
    "read_split",
]

#: What the first reading asks of a document: all that a dropped row names of it but the text.
_NAMES = ["work_id", "text_sha256"] + [
    name for name in DOCUMENTS.names if name in DROPPED.names and name != "text"
]
_BATCH_ROWS = 256


class CorpusError(ValueError):
    """A corpus cannot be made of these documents; the message names the remedy."""


@dataclass
class _Plan:
    """What the first reading decides: where each document goes, and which are left out."""

    splits: Mapping[str, str]  # of the unit of the split: work, or document
    by_work: bool
    duplicates: Mapping[str, str]  # doc_id -> the doc_id of the same text that is kept

    def split(self, row: Mapping[str, Any]) -> str:
        return self.splits[row["work_id"] if self.by_work else row["doc_id"]]


def build_corpus(
    documents: Mapping[str, Path], config: CorpusConfig, folder: Path
) -> dict[str, Any]:
    """Write a corpus into `folder` and return its figures.

    `documents` leads from a franchise's name to its `documents.parquet`. Writes train.txt,
    validation.txt, test.txt, manifest.parquet, dropped.parquet, ATTRIBUTION.md, README.md. Of
    documents with the same text the first is kept, in order of franchise and file. Raises
    CorpusError, UnknownLicenceError.
    """
    _check_schemas(documents)
    with RowWriter(folder / "dropped.parquet", DROPPED) as dropped:
        plan = _plan(documents, config, dropped)
    figures = Figures(duplicates=len(plan.duplicates), split_by=plan.by_work)
    layout = make_layout(config.layout, (row["genre"] for row in _rows(documents, ["genre"])))
    with manifest_writer(folder, layout) as manifest:
        for split in SPLITS:
            with SplitWriter(folder, split, manifest, layout) as writer:
                for row in _rows(documents, DOCUMENTS.names):
                    if row["doc_id"] not in plan.duplicates and plan.split(row) == split:
                        figures.add(split, row, writer.write(row))
    result = figures.as_dict()
    write_attribution(folder)
    write_card(folder, result)
    return result


def _plan(documents: Mapping[str, Path], config: CorpusConfig, dropped: RowWriter) -> _Plan:
    kept: dict[str, str] = {}  # text_sha256 -> doc_id
    duplicates: dict[str, str] = {}
    works: dict[str, str] = {}  # doc_id -> work_id
    for row in _rows(documents, _NAMES):
        doc_id = row["doc_id"]
        if doc_id in works or doc_id in duplicates:
            raise CorpusError(
                f"{documents[row['franchise']]}: document {doc_id!r} occurs twice; extract the "
                "franchise's documents again"
            )
        licence(row["licence"])
        first = kept.setdefault(row["text_sha256"], doc_id)
        if first != doc_id:
            duplicates[doc_id] = first
            values = {name: row.get(name) for name in DROPPED.names}
            reason = f"same text as {first}"
            dropped.write(values | {"stage": "corpus", "reason": reason, "figure": 1.0})
        else:
            works[doc_id] = row["work_id"]
    by_work = len(set(works.values())) >= len(SPLITS)
    units = works.values() if by_work else works.keys()
    if len(set(units)) < len(SPLITS):
        raise CorpusError(
            f"franchises {', '.join(sorted(documents)) or '(none)'} have {len(works)} documents "
            f"together, and train, validation and test need one each; add sources or raise limits "
            "in their defs.yaml, or look into dropped.parquet for what was left out and why"
        )
    return _Plan(assign_splits(units, config.validation, config.test), by_work, duplicates)


def _rows(documents: Mapping[str, Path], columns: list[str]) -> Iterator[dict[str, Any]]:
    """The documents in their one order: by franchise, then as they stand in the file."""
    for franchise in sorted(documents):
        with pq.ParquetFile(documents[franchise]) as file:
            for batch in file.iter_batches(_BATCH_ROWS, columns=columns):
                for row in batch.to_pylist():
                    yield row | {"franchise": franchise}


def _check_schemas(documents: Mapping[str, Path]) -> None:
    for franchise, path in documents.items():
        missing = set(DOCUMENTS.names) - set(pq.read_schema(path).names)
        if missing:
            raise CorpusError(
                f"{path}: lacks {', '.join(sorted(missing))}; it was written by another version, "
                f"so extract the documents of {franchise!r} again"
            )
