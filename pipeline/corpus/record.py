"""On which side of the split each work stands, once and for all: a corpus's lasting record.

It lies beside the corpus's builds and outlives them. A work keeps its side when others come and
go, and when it goes itself and comes back; so what a model was measured on yesterday is never what
one is trained on tomorrow. Read when a build begins, replaced in one step when it ends.
"""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.atomic import write_atomically
from pipeline.corpus.errors import CorpusError
from pipeline.corpus.split import SPLITS, Side
from pipeline.schema import ASSIGNMENTS

#: Its name, in the folder that holds the corpus's builds.
RECORD = "assignments.parquet"
#: What to do where a record stands in the way.
REMEDY = (
    "remove it to deal all works anew; models that were measured before are then not comparable"
)
_UNIT = b"split_by"


@dataclass(frozen=True)
class Record:
    """What is split, and the side of each unit that ever was dealt one."""

    path: Path
    split_by: str | None  # work, document; None before the first build
    sides: dict[str, Side]


def read_record(path: Path) -> Record:
    """The record at `path`; an empty one where there is none. Raises CorpusError."""
    if not path.exists():
        return Record(path, None, {})
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise CorpusError(
            f"{path}: no whole Parquet file ({str(error).splitlines()[0]}); put a copy of it back, "
            f"or {REMEDY}"
        ) from error
    split_by = (table.schema.metadata or {}).get(_UNIT, b"").decode()
    if not table.schema.equals(ASSIGNMENTS) or split_by not in ("work", "document"):
        raise CorpusError(
            f"{path}: not a record of sides as this version writes it; put a copy back, or {REMEDY}"
        )
    units, splits, reasons = (column.to_pylist() for column in table.columns)
    if unknown := sorted(set(splits) - set(SPLITS)):
        place = splits.index(unknown[0])
        raise CorpusError(
            f"{path}: row {place + 1} has the split {unknown[0]!r}, which is none of "
            f"{', '.join(SPLITS)}; put a copy back, or {REMEDY}"
        )
    sides = dict(zip(units, map(Side, splits, reasons), strict=True))
    if len(sides) < len(units):
        raise CorpusError(f"{path}: names a {split_by} twice; put a copy back, or {REMEDY}")
    return Record(path, split_by, sides)


def write_record(path: Path, split_by: str, sides: dict[str, Side]) -> None:
    """Replace the record, in one step."""
    units = sorted(sides)
    columns = [units, [sides[u].split for u in units], [sides[u].reason for u in units]]
    schema = ASSIGNMENTS.with_metadata({_UNIT: split_by})
    sink = pa.BufferOutputStream()
    table = pa.Table.from_arrays(list(map(pa.array, columns, schema.types)), schema=schema)
    pq.write_table(table, sink, compression="zstd")
    write_atomically(path, sink.getvalue().to_pybytes())
