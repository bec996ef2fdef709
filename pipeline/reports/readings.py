"""Figures with their intervals, read out of the tables of what was measured."""

import math
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.intervals import Interval


def interval(row: Mapping[str, Any]) -> Interval:
    """Of a row with value, low and high. Raises ValueError where the figure is not finite."""
    if not math.isfinite(row["value"]):
        raise ValueError(f"{row.get('measure', 'a figure')} is {row['value']}; let it be measured")
    return Interval(row["value"], row["low"], row["high"])


def reading(table: pa.Table, **where: Any) -> Interval | None:
    """The figure of the first row with these values; None where there is none."""
    rows = _rows(table, where)
    return interval(rows[0]) if rows else None


def over_steps(table: pa.Table, **where: Any) -> list[tuple[int, Interval]]:
    """(step, figure) of the rows with these values, in the order of steps."""
    found = [(row["step"], interval(row)) for row in _rows(table, where)]
    return sorted(found, key=lambda pair: pair[0])


def _rows(table: pa.Table, where: Mapping[str, Any]) -> list[dict[str, Any]]:
    kept = pa.array([True] * table.num_rows, pa.bool_())
    for column, value in where.items():
        of = table[column]
        kept = pc.and_(
            kept,
            pc.is_null(of) if value is None else pc.fill_null(pc.equal(of, value), False),
        )
    return list(table.filter(kept).to_pylist())
