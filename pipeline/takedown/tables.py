"""Rows of a Parquet file taken out: the file is written anew beside itself and replaced.

It reads a row group at a time and keeps the schema's metadata; an output's files are hard links
while it is edited, so that nothing may be written into them.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.takedown import Removal

#: The columns that tell whose row it is.
NAMES = ["doc_id", "url"]


def rows_of(path: Path, removal: Removal, columns: list[str]) -> Iterator[dict[str, Any]]:
    """The columns of the rows to be removed; none where there is no such file."""
    if not path.is_file():
        return
    with pq.ParquetFile(path) as file:
        read = list(dict.fromkeys([*NAMES, *columns]))
        for batch in file.iter_batches(256, columns=read):
            marks = pa.array(removal.marks(batch), pa.bool_())
            yield from batch.filter(marks).to_pylist()


def remove_rows(path: Path, removal: Removal) -> None:
    """Write the file without the rows of these documents."""
    keep(path, lambda table: pc.invert(pa.array(removal.marks(table), pa.bool_())))


def keep(path: Path, chosen: Callable[[pa.Table], pa.BooleanArray]) -> None:
    """Write the file with the chosen rows only."""

    def filtered(table: pa.Table) -> pa.Table:
        return table.filter(chosen(table))

    change(path, filtered)


def change(path: Path, edit: Callable[[pa.Table], pa.Table]) -> None:
    """Write the file with what `edit` makes of each row group."""
    aside = path.with_name(f".{path.name}")
    with (
        pq.ParquetFile(path) as file,
        pq.ParquetWriter(aside, file.schema_arrow, compression="zstd") as writer,
    ):
        for group in range(file.num_row_groups):
            writer.write_table(edit(file.read_row_group(group)))
    aside.replace(path)
