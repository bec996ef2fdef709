"""What is known of all documents but their texts: what a corpus is planned with.

Everything is decided on names, hashes and counts, so that memory holds some 500 bytes a document
and never a text that nobody asked for. What cannot be a document of ours is refused here, before
anything is hashed or compared.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.corpus.errors import CorpusError
from pipeline.licences import UnknownLicenceError, licence
from pipeline.schema import DOCUMENTS

#: Bytes of one text. The longest novels have five million; beyond this it is a dump, not a story.
LARGEST = 32_000_000
#: All that is known of a document but its text, and its place in its franchise's file.
CATALOGUE = pa.schema(
    [field for field in DOCUMENTS if field.name != "text"] + [pa.field("row", pa.int64())]
)


def read_catalogue(documents: Mapping[str, Path]) -> pa.Table:
    """The rows (schema CATALOGUE) of each franchise's documents.parquet, as they stand there.

    Raises CorpusError where a file cannot be used or a document is none, UnknownLicenceError.
    """
    tables = [CATALOGUE.empty_table()]
    for franchise in sorted(documents):
        tables.append(_read(franchise, documents[franchise]))
    table = pa.concat_tables(tables)
    names = table["doc_id"].take(order := pc.sort_indices(table["doc_id"]))
    if len(names) > 1 and pc.any(twice := pc.equal(names[1:], names[:-1])).as_py():
        row = table.slice(order[pc.index(twice, True).as_py() + 1].as_py(), 1).to_pylist()[0]
        raise CorpusError(
            f"{documents[row['franchise']]}: document {row['doc_id']!r} occurs twice; extract the "
            "franchise's documents again"
        )
    return table


def in_order(catalogue: pa.Table) -> pa.Table:
    """By franchise and work, whatever the order of files and pages; the chapters of a work as they
    stand in the file, which is the order in which they are read."""
    return catalogue.sort_by([(name, "ascending") for name in ("franchise", "work_id", "row")])


@contextmanager
def whole(path: Path, franchise: str) -> Iterator[None]:
    """What Arrow cannot read within becomes a CorpusError that names the file."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if getattr(error, "errno", None) is not None and not isinstance(error, FileNotFoundError):
            raise  # of the disk, not of what stands on it
        cause = "no such file" if isinstance(error, FileNotFoundError) else "no whole Parquet file"
        raise CorpusError(
            f"{path}: {cause}; extract the documents of {franchise!r} again"
        ) from error


def _read(franchise: str, path: Path) -> pa.Table:
    with whole(path, franchise):
        schema = pq.read_schema(path)
        _check_schema(franchise, path, schema)
        columns = [name for name in CATALOGUE.names if name != "row"]
        table = pq.read_table(path, columns=columns)
    place = DOCUMENTS.get_field_index("franchise")
    names = pa.repeat(pa.scalar(franchise), len(table))
    table = table.set_column(place, DOCUMENTS.field("franchise"), names)
    table = table.append_column("row", pa.array(np.arange(len(table))))
    _check_sizes(franchise, path, table)
    _check_licences(path, table)
    return table.cast(CATALOGUE)


def _check_schema(franchise: str, path: Path, schema: pa.Schema) -> None:
    missing = set(DOCUMENTS.names) - set(schema.names)
    other = [
        field.name
        for field in DOCUMENTS
        if field.name not in missing and schema.field(field.name).type != field.type
    ]
    if missing or other:
        what = f"lacks {', '.join(sorted(missing))}" if missing else ""
        what += (
            f"{' and ' if missing else ''}has another type of {', '.join(other)}" if other else ""
        )
        raise CorpusError(
            f"{path}: {what}; it was written by another version, so extract the documents of "
            f"{franchise!r} again"
        )


def _check_sizes(franchise: str, path: Path, table: pa.Table) -> None:
    empty = pc.sum(pc.less(table["characters"], 1)).as_py() or 0
    if empty:
        first = table["doc_id"][pc.index(pc.less(table["characters"], 1), True).as_py()]
        raise empty_documents(franchise, path, empty, first.as_py())
    long = pc.greater(table["characters"], LARGEST)
    if pc.any(long).as_py():
        row = pc.index(long, True).as_py()
        raise too_long(
            franchise, path, table["doc_id"][row].as_py(), table["characters"][row].as_py()
        )


def empty_documents(franchise: str, path: Path, count: int, first: str) -> CorpusError:
    """The error of documents without text."""
    return CorpusError(
        f"{path}: {count:,} of its documents are empty, the first is {first!r}; extraction writes "
        f"none such, so extract the documents of {franchise!r} again"
    )


def too_long(franchise: str, path: Path, doc_id: str, size: int) -> CorpusError:
    """The error of a document that is no story."""
    return CorpusError(
        f"{path}: document {doc_id!r} has {size / 1e6:,.0f} MB of text, and {LARGEST / 1e6:,.0f} "
        f"are the most; leave its page out of the sources of {franchise!r}, or have it cut into "
        "chapters"
    )


def _check_licences(path: Path, table: pa.Table) -> None:
    for spdx in pc.unique(table["licence"]).to_pylist():
        try:
            licence(spdx)
        except UnknownLicenceError as error:
            first = table["doc_id"][pc.index(table["licence"], spdx).as_py()].as_py()
            raise UnknownLicenceError(f"{path}: document {first!r}: {error}") from None
