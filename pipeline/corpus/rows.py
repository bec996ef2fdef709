"""Rows written to a Parquet file as they come, a batch at a time."""

from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_BATCH_ROWS = 10_000
_BATCH_CHARACTERS = 16 << 20  # of the rows' text, so that long ones do not pile up


class RowWriter:
    """A context manager that writes rows of one schema; missing columns are null."""

    def __init__(self, path: Path, schema: pa.Schema):
        self._schema = schema
        self._path = path
        self._rows: list[dict[str, Any]] = []
        self._characters = 0

    def __enter__(self) -> "RowWriter":
        self._writer = pq.ParquetWriter(self._path, self._schema, compression="zstd")
        return self

    def write(self, row: dict[str, Any]) -> None:
        """Take a row."""
        self._rows.append(row)
        self._characters += sum(len(value) for value in row.values() if isinstance(value, str))
        if len(self._rows) >= _BATCH_ROWS or self._characters >= _BATCH_CHARACTERS:
            self._flush()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._flush()
        finally:
            self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []
            self._characters = 0
