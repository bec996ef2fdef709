"""Rows written before a nullable column was added read as if it stood there, null in each.

So a schema may grow without any stored part being rewritten; anything else is another schema.
"""

from typing import TypeVar

import pyarrow as pa

Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)


def is_older(schema: pa.Schema, today: pa.Schema) -> bool:
    """Whether rows of `schema` lack nothing of `today` but nullable columns."""
    added = [field for field in today if field.name not in schema.names]
    kept = [field for field in today if field.name in schema.names]
    return (
        len(kept) == len(schema.names)
        and all(field.nullable for field in added)
        and all(schema.field(field.name).equals(field) for field in kept)
    )


def as_of_today(rows: Rows, today: pa.Schema) -> Rows:
    """The rows with all columns of `today`, in its order."""
    if rows.schema.equals(today):
        return rows
    columns = [
        rows.column(field.name)
        if field.name in rows.schema.names
        else pa.nulls(rows.num_rows, field.type)
        for field in today
    ]
    return type(rows).from_arrays(columns, schema=today)
