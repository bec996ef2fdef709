"""What can be wrong with the files that duplicates are looked for in."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


class DedupError(ValueError):
    """A file cannot be used; the message names it and the remedy, in one line."""


def check_columns(path: Path, columns: Iterable[str], remedy: str) -> pa.Schema:
    """The file's schema. Raises DedupError where it is no Parquet file or lacks a column."""
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        cause = "no such file" if isinstance(error, FileNotFoundError) else "no whole Parquet file"
        raise DedupError(f"{path}: {cause}; {remedy}") from error
    if missing := set(columns) - set(schema.names):
        raise DedupError(f"{path}: lacks {', '.join(sorted(missing))}; {remedy}")
    return schema
