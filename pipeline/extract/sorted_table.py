"""A Parquet file written in the order of a key, whatever the order the rows came in.

Pages arrive in the order of the crawl, which differs from run to run; the documents must not. Rows
are set aside in an uncompressed Arrow file, whose memory map gives any row back without reading
the others, and only the keys are sorted in memory: about 200 bytes a row, whatever its text.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

#: Bytes of text held before they are set aside, and put into one row group of the result.
_BATCH_BYTES = 8 << 20
_BATCH_ROWS = 4096

Row = dict[str, Any]
#: Reads all rows that will be written, then says of each what is written: a row, or none.
Revision = Callable[[Iterable[Row]], Callable[[Row], Row | None]]


class SortedTable:
    """A context manager; the file at `path` is complete when it is left without an exception.

    With `unique`, of rows with the same value in that column the first by key is written, and the
    others are handed to `on_repeat`. With `revise`, what is written depends on all rows together.
    """

    def __init__(
        self,
        schema: pa.Schema,
        path: Path,
        *,
        unique: str | None = None,
        on_repeat: Callable[[Row], None] | None = None,
        revise: Revision | None = None,
    ):
        self._unique = unique
        self._on_repeat = on_repeat
        self._revise = revise
        self._schema = schema
        self._path = path
        self._aside = path.with_suffix(".unsorted")
        self._keys: list[tuple[tuple[str | int, ...], int, int]] = []
        self._batches = 0
        self._rows: list[Row] = []
        self._bytes = 0

    def __enter__(self) -> "SortedTable":
        self._writer = pa.ipc.new_file(self._aside, self._schema)
        return self

    def add(self, key: tuple[str | int, ...], row: Row) -> None:
        """Take a row of the schema. Rows of equal keys stay in the order they came in."""
        self._keys.append((key, self._batches, len(self._rows)))
        self._rows.append(row)
        self._bytes += len(row["text"] or "")
        if self._bytes >= _BATCH_BYTES or len(self._rows) >= _BATCH_ROWS:
            self._set_aside()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._set_aside()
                self._writer.close()
                self._write_sorted()
            else:
                self._writer.close()
        finally:
            self._aside.unlink(missing_ok=True)

    def _set_aside(self) -> None:
        if self._rows:
            self._writer.write_batch(pa.RecordBatch.from_pylist(self._rows, schema=self._schema))
            self._batches += 1
        self._rows, self._bytes = [], 0

    def _write_sorted(self) -> None:
        self._keys.sort(key=lambda entry: entry[0])
        with pa.memory_map(str(self._aside)) as source, pa.ipc.open_file(source) as reader:

            def read(batch: int, index: int) -> pa.RecordBatch:
                return reader.get_batch(batch).slice(index, 1)

            places = list(self._distinct(read))
            rows: Iterator[pa.RecordBatch] = (read(*place) for place in places)
            if self._revise:
                revised = self._revise(read(*place).to_pylist()[0] for place in places)
                rows = self._revised(rows, revised)
            self._write(rows)

    def _distinct(self, read: Callable[[int, int], pa.RecordBatch]) -> Iterator[tuple[int, int]]:
        """Where the rows are, in their order, without repeats."""
        seen: set[str] = set()
        for _, batch, index in self._keys:
            if self._unique:
                row = read(batch, index)
                name = row[self._unique][0].as_py()
                if name in seen:
                    if self._on_repeat:
                        self._on_repeat(row.to_pylist()[0])
                    continue
                seen.add(name)
            yield batch, index

    def _revised(
        self, rows: Iterable[pa.RecordBatch], revised: Callable[[Row], Row | None]
    ) -> Iterator[pa.RecordBatch]:
        for batch in rows:
            row = batch.to_pylist()[0]
            now = revised(row)
            if now is row:
                yield batch
            elif now is not None:
                yield pa.RecordBatch.from_pylist([now], schema=self._schema)

    def _write(self, rows: Iterable[pa.RecordBatch]) -> None:
        with pq.ParquetWriter(self._path, self._schema, compression="zstd") as writer:
            held: list[pa.RecordBatch] = []
            size = 0
            for row in rows:
                held.append(row)
                size += len(row["text"][0].as_py() or "")
                if size >= _BATCH_BYTES or len(held) >= _BATCH_ROWS:
                    writer.write_table(pa.Table.from_batches(held).combine_chunks())
                    held, size = [], 0
            if held:
                writer.write_table(pa.Table.from_batches(held).combine_chunks())
