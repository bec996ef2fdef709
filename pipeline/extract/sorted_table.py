"""A Parquet file written in the order of a key, whatever the order the rows came in.

Pages arrive in the order of the crawl, which differs from run to run; the documents must not. Rows
are set aside in an uncompressed Arrow file, whose memory map gives any row back without reading
the others, and only the keys are sorted in memory: about 200 bytes a row, whatever its text.
"""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

#: Bytes of text held before they are set aside, and put into one row group of the result.
_BATCH_BYTES = 8 << 20
_BATCH_ROWS = 4096


class SortedTable:
    """A context manager; the file at `path` is complete when it is left without an exception.

    With `unique`, of rows with the same value in that column the first by key is written, and the
    others are handed to `on_repeat`.
    """

    def __init__(
        self,
        schema: pa.Schema,
        path: Path,
        *,
        unique: str | None = None,
        on_repeat: Callable[[dict[str, Any]], None] | None = None,
    ):
        self._unique = unique
        self._on_repeat = on_repeat
        self._schema = schema
        self._path = path
        self._aside = path.with_suffix(".unsorted")
        self._keys: list[tuple[tuple[str | int, ...], int, int]] = []
        self._batches = 0
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0

    def __enter__(self) -> "SortedTable":
        self._writer = pa.ipc.new_file(self._aside, self._schema)
        return self

    def add(self, key: tuple[str | int, ...], row: dict[str, Any]) -> None:
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
        with (
            pa.memory_map(str(self._aside)) as source,
            pa.ipc.open_file(source) as reader,
            pq.ParquetWriter(self._path, self._schema, compression="zstd") as writer,
        ):
            rows: list[pa.RecordBatch] = []
            size = 0
            seen: set[str] = set()
            for _, batch, index in self._keys:
                row = reader.get_batch(batch).slice(index, 1)
                if self._unique:
                    name = row[self._unique][0].as_py()
                    if name in seen:
                        if self._on_repeat:
                            self._on_repeat(row.to_pylist()[0])
                        continue
                    seen.add(name)
                rows.append(row)
                size += len(rows[-1]["text"][0].as_py() or "")
                if size >= _BATCH_BYTES or len(rows) >= _BATCH_ROWS:
                    writer.write_table(pa.Table.from_batches(rows).combine_chunks())
                    rows, size = [], 0
            if rows:
                writer.write_table(pa.Table.from_batches(rows).combine_chunks())
