"""The text files of a corpus and the manifest that says where each byte of them comes from.

A document is written as its UTF-8 text and nothing else, followed by a separator that has a
manifest row of its own. Readers go by the manifest's byte ranges, never by the separator's
wording, so a page that contains the separator as text stays what it is.
"""

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow.parquet as pq

from pipeline.corpus.rows import RowWriter
from pipeline.schema import DOCUMENTS, MANIFEST

#: GPT-2's end-of-text token, on a line of its own so that the files read well.
SEPARATOR = b"\n<|endoftext|>\n"

_COLUMNS = [name for name in MANIFEST.names if name in DOCUMENTS.names]


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


class SplitWriter:
    """Writes one split's text and its manifest rows; a context manager."""

    def __init__(self, folder: Path, split: str, manifest: RowWriter):
        self._path = folder / f"{split}.txt"
        self._split = split
        self._manifest = manifest
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
        """Append a document and a separator; return the document's bytes."""
        body = document["text"].encode()
        self._append(body, {"kind": "document"} | {name: document[name] for name in _COLUMNS})
        self._append(SEPARATOR, {"kind": "separator"})
        return len(body)

    def _append(self, body: bytes, row: dict[str, Any]) -> None:
        start, self._position = self._position, self._position + len(body)
        self._file.write(body)
        place = {"start": start, "end": self._position, "line": self._line}
        self._manifest.write({"split": self._split} | place | row)
        self._line += body.count(b"\n")


def read_split(folder: Path, split: str) -> Iterator[CorpusDocument]:
    """The documents of a split, in the order they stand in its file.

    Raises ManifestError where the manifest's ranges and the text file do not fit together, before
    or at the document concerned.
    """
    path = folder / f"{split}.txt"
    size = path.stat().st_size
    position = 0
    with path.open("rb") as file:
        # An empty file cannot be mapped.
        text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        for row in _manifest_rows(folder, split):
            if row["start"] != position or row["end"] < position or row["end"] > size:
                raise _mismatch(folder, path, f"bytes {row['start']} to {row['end']} of {size}")
            position = row["end"]
            if row["kind"] == "document":
                yield _document(row, text[row["start"] : row["end"]], folder, path)
        if position != size:
            raise _mismatch(folder, path, f"ends at byte {position} of {size}")


def _document(row: dict[str, Any], body: bytes, folder: Path, path: Path) -> CorpusDocument:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        where = f"bytes {row['start']} to {row['end']} ({row['doc_id']}) are cut inside a character"
        raise _mismatch(folder, path, where) from error
    return CorpusDocument(text=text, **{name: row[name] for name in _COLUMNS})


def _manifest_rows(folder: Path, split: str) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(folder / "manifest.parquet") as file:
        for batch in file.iter_batches():
            yield from (row for row in batch.to_pylist() if row["split"] == split)


def _mismatch(folder: Path, path: Path, where: str) -> ManifestError:
    return ManifestError(
        f"{folder / 'manifest.parquet'} does not match {path.name}: {where}; one of them was "
        "changed after the corpus was built, so build the corpus again"
    )
