"""The text files of a corpus and the manifest that says where each byte of them comes from.

Each document is written as its layout says; separators and control tokens have manifest rows of
their own. Readers go by the manifest's byte ranges, never by a separator's wording, so a page that
contains one as text stays what it is. The manifest's rows are in the order of the bytes, so a place
is found by the statistics of its row groups alone, and its metadata names the layout.
"""

import hashlib
import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow.parquet as pq

from pipeline.corpus.layout import TextLayout, read_layout
from pipeline.corpus.rows import RowWriter
from pipeline.schema import DOCUMENTS, MANIFEST

_COLUMNS = [name for name in MANIFEST.names if name in DOCUMENTS.names]
_BATCH_ROWS = 4096


class ManifestError(ValueError):
    """The manifest does not match its text."""


@dataclass(frozen=True)
class CorpusDocument:
    """One document of a split, as its manifest row and byte range give it."""

    text: str
    doc_id: str
    work_id: str
    franchise: str
    source: str
    url: str
    title: str
    licence: str
    revision: str | None
    section: str | None
    genre: str | None
    language: str | None
    attribution_url: str | None
    text_sha256: str


def manifest_writer(folder: Path, layout: TextLayout) -> RowWriter:
    """A writer of the corpus's manifest.parquet; SplitWriters fill it, split after split."""
    schema = MANIFEST.with_metadata(layout.metadata())
    return RowWriter(folder / "manifest.parquet", schema)


class SplitWriter:
    """Writes one split's text and its manifest rows; a context manager."""

    def __init__(self, folder: Path, split: str, manifest: RowWriter, layout: TextLayout):
        self._path = folder / f"{split}.txt"
        self._split = split
        self._manifest = manifest
        self._layout = layout
        self._position = 0
        self._line = 1

    def __enter__(self) -> "SplitWriter":
        self._file = self._path.open("wb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def write(self, document: Mapping[str, Any]) -> int:
        """Append a row of DOCUMENTS; return the bytes of its text, of what is around it left out.

        Raises ManifestError where `text_sha256` is not the text's.
        """
        text = document["text"].encode()
        if hashlib.sha256(text).hexdigest() != document["text_sha256"]:
            raise ManifestError(
                f"document {document['doc_id']!r} of franchise {document['franchise']!r}: its "
                "text_sha256 is not that of its text, so documents.parquet was changed after it "
                "was written; extract the franchise's documents again"
            )
        before, after = self._layout.around(document["genre"])
        columns = {name: document[name] for name in _COLUMNS}
        self._append("control", before)
        self._append("document", self._layout.escape(text), columns)
        self._append("control", after)
        self._append("separator", self._layout.separator)
        return len(text)

    def _append(self, kind: str, body: bytes, columns: Mapping[str, Any] | None = None) -> None:
        if not body and columns is None:
            return  # a row of no bytes only for an empty document
        start, self._position = self._position, self._position + len(body)
        self._file.write(body)
        place = {"start": start, "end": self._position, "line": self._line, "kind": kind}
        self._manifest.write({"split": self._split, **place, **(columns or {})})
        self._line += body.count(b"\n")


def read_split(folder: Path, split: str) -> Iterator[CorpusDocument]:
    """The documents of a split, in the order they stand in its file, escapes undone.

    Raises ManifestError where the manifest and the text file do not fit together, before or at the
    document concerned.
    """
    path = folder / f"{split}.txt"
    size = path.stat().st_size
    position = 0
    with path.open("rb") as file, pq.ParquetFile(folder / "manifest.parquet") as manifest:
        layout = _layout(folder, manifest)
        # An empty file cannot be mapped.
        text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        for row in _rows(manifest, split):
            if row["start"] != position or row["end"] < position or row["end"] > size:
                raise _mismatch(folder, path, f"bytes {row['start']} to {row['end']} of {size}")
            position = row["end"]
            if row["kind"] == "document":
                body = layout.unescape(text[row["start"] : row["end"]])
                if hashlib.sha256(body).hexdigest() != row["text_sha256"]:
                    where = f"bytes {row['start']} to {row['end']} are not the text of"
                    raise _mismatch(folder, path, f"{where} document {row['doc_id']!r}")
                yield CorpusDocument(text=body.decode(), **{name: row[name] for name in _COLUMNS})
        if position != size:
            raise _mismatch(folder, path, f"ends at byte {position} of {size}")


def corpus_layout(folder: Path) -> TextLayout:
    """The layout of a corpus, with its control tokens. Raises ManifestError."""
    with pq.ParquetFile(folder / "manifest.parquet") as manifest:
        return _layout(folder, manifest)


def _layout(folder: Path, manifest: pq.ParquetFile) -> TextLayout:
    schema = manifest.schema_arrow
    try:
        layout = read_layout(schema.metadata)
    except ValueError as error:
        raise _other_version(folder, str(error)) from error
    if missing := set(MANIFEST.names) - set(schema.names):
        raise _other_version(folder, f"it lacks {', '.join(sorted(missing))}")
    return layout


def _rows(manifest: pq.ParquetFile, split: str) -> Iterator[dict[str, Any]]:
    """A split's rows; row groups that hold none of it are not read."""
    column = manifest.schema_arrow.get_field_index("split")
    groups = []
    for number in range(manifest.num_row_groups):
        bounds = manifest.metadata.row_group(number).column(column).statistics
        if bounds is None or not bounds.has_min_max or bounds.min <= split <= bounds.max:
            groups.append(number)
    for batch in manifest.iter_batches(_BATCH_ROWS, row_groups=groups):
        yield from (row for row in batch.to_pylist() if row["split"] == split)


def _other_version(folder: Path, what: str) -> ManifestError:
    return ManifestError(
        f"{folder / 'manifest.parquet'}: {what}; another version wrote it, so build the corpus "
        "again"
    )


def _mismatch(folder: Path, path: Path, where: str) -> ManifestError:
    return ManifestError(
        f"{folder / 'manifest.parquet'} does not match {path.name}: {where}; one of them was "
        f"changed after the corpus was built; remove {folder} and build the corpus again"
    )
