"""Single rows of a corpus's manifest, found by the statistics of its row groups.

A manifest has two to four rows a document, some 700,000 a gigabyte of text; they stand in the order
of the bytes, so that one or two groups of some ten thousand rows hold what is asked for.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpus.files import ManifestError, corpus_layout

Row = Mapping[str, Any]


class ManifestRows:
    """A corpus's manifest.parquet, opened; every method raises ManifestError."""

    def __init__(self, folder: Path):
        self.path = folder / "manifest.parquet"
        try:
            self.layout = corpus_layout(folder)
            self._file = pq.ParquetFile(self.path)
        except FileNotFoundError as error:
            raise ManifestError(f"{self.path}: missing; build the corpus again") from error
        except (OSError, pa.ArrowException) as error:
            raise self._unreadable(error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def between(self, split: str, low: int, high: int) -> list[Row]:
        """The rows of a split that share bytes with `low` to `high`, in order."""
        found: list[Row] = []
        for group in self._groups(split, "start", high):
            bounds = self._bounds(group, "end")
            if bounds and bounds[1] <= low:
                continue
            table = self._read(group)
            places = zip(*_lists(table, "split", "start", "end"), strict=True)
            found += [
                table.slice(at, 1).to_pylist()[0]
                for at, (of, start, end) in enumerate(places)
                if of == split and start < high and end > low
            ]
        return found

    def last_before_line(self, split: str, line: int | None = None) -> Row | None:
        """The split's last row that begins on a line before this one; the very last without one."""
        for group in reversed(self._groups(split, "line", line)):
            table = self._read(group, ["split", "start", "end", "line"])
            splits, lines = _lists(table, "split", "line")
            for at in reversed(range(len(splits))):
                if splits[at] == split and (line is None or lines[at] < line):
                    row: Row = table.slice(at, 1).to_pylist()[0]
                    return row
        return None

    def _groups(self, split: str, column: str, below: int | None) -> list[int]:
        """The row groups that may hold rows of a split whose `column` is below a bound."""
        found = []
        for group in range(self._file.num_row_groups):
            names, figures = self._bounds(group, "split"), self._bounds(group, column)
            if names and not names[0] <= split <= names[1]:
                continue
            if figures and below is not None and figures[0] >= below:
                continue
            found.append(group)
        return found

    def _bounds(self, group: int, column: str) -> tuple[Any, Any] | None:
        index = self._file.schema_arrow.get_field_index(column)
        statistics = self._file.metadata.row_group(group).column(index).statistics
        known = statistics is not None and statistics.has_min_max
        return (statistics.min, statistics.max) if known else None

    def _read(self, group: int, columns: list[str] | None = None) -> pa.Table:
        try:
            return self._file.read_row_group(group, columns)
        except (OSError, pa.ArrowException) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> ManifestError:
        return ManifestError(f"{self.path}: cannot be read ({error}); build the corpus again")


def _lists(table: pa.Table, *columns: str) -> list[list[Any]]:
    # Arrow's `to_numpy` would be faster, but for its import of pandas.
    return [table[name].to_pylist() for name in columns]
