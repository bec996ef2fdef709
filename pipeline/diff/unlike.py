"""What is not the same in two builds, found by digests: some hundred bytes a document.

Most documents of two builds are alike. So first each is put as its name and sixteen bytes, these
are joined, and only of those that differ is everything read.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_ROWS = 8192
_DIGESTS = pa.schema([("doc_id", pa.string()), ("digest", pa.binary())])


def digests(path: Path, columns: Sequence[str], kind: str | None = None) -> pa.Table:
    """Each document's `doc_id`, and a `digest` of these columns, or of those that the file has.

    With `kind`, only of the rows whose column `kind` is that.
    """
    batches = []
    with pq.ParquetFile(path) as file:
        names = [name for name in columns if name in file.schema_arrow.names]
        for batch in _batches(file, ["doc_id", *names], kind):
            rows = zip(*(batch[name].to_pylist() for name in names), strict=True)
            found = [blake2b(repr(row).encode(), digest_size=16).digest() for row in rows]
            batches.append(pa.table({"doc_id": batch["doc_id"], "digest": found}, _DIGESTS))
    return pa.concat_tables(batches) if batches else _DIGESTS.empty_table()


def unlike(ones: pa.Table, others: pa.Table) -> pa.ChunkedArray:
    """Names of the documents that only one has, or whose digests differ."""
    both = ones.join(others, "doc_id", join_type="full outer", right_suffix="_now")
    return both.filter(differs(both, "digest"))["doc_id"]


def rows_of(path: Path, fields: pa.Schema, wanted: pa.ChunkedArray, kind: str | None = None) -> (
    pa.Table
):  # fmt: skip
    """The rows of these documents, read a batch at a time; null where the file lacks a field."""
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        there = [name for name in fields.names if name in schema.names]
        slim = pa.schema([schema.field(name) for name in there])
        batches = (
            batch.filter(pc.is_in(batch["doc_id"], value_set=wanted)).select(there)
            for batch in _batches(file, there, kind)
        )
        table = pa.Table.from_batches(batches, schema=slim)
    for name in set(fields.names) - set(there):
        table = table.append_column(name, pa.nulls(table.num_rows, fields.field(name).type))
    return table.select(fields.names)


def differs(rows: pa.Table, name: str) -> pa.ChunkedArray:
    """Whether the column is another in `…_now`; null is a value like others."""
    one, other = rows[name], rows[f"{name}_now"]
    unequal = pc.fill_null(pc.not_equal(one, other), False)
    return pc.or_(unequal, pc.xor(pc.is_null(one), pc.is_null(other)))


def _batches(
    file: pq.ParquetFile, columns: Sequence[str], kind: str | None
) -> Iterator[pa.RecordBatch]:
    read = [*columns, "kind"] if kind else [*columns]
    for batch in file.iter_batches(_ROWS, columns=read):
        yield batch.filter(pc.equal(batch["kind"], kind)) if kind else batch
