"""Rows of a CSV, TSV, JSON Lines or Parquet file as a stream: a row at a time, whatever the size.

A broken row is handed out as such with its line, and the others go on; only a file that is no table
at all ends the reading. Encodings are UTF-8, with or without a byte order mark, UTF-16 with one,
else cp1252; the delimiter is the one of comma, semicolon and tab that parts the header into most
columns, because csv.Sniffer guesses letters, too.
"""

import codecs
import csv
import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

#: A row beyond this many characters is no story; in CSV, most likely a quote that is never closed.
LARGEST_ROW = 32 * 2**20
#: A table of stories has some ten; with more than these, it is something else.
_COLUMNS = 5_000
#: Of a Parquet file, at a time: few, as a row may be a whole book.
_ROWS = 16
_BUFFER = 2**20
_DELIMITERS = ",;\t"


class TableError(ValueError):
    """A file is not the table its name promises."""


@dataclass(frozen=True)
class Row:
    """A row's values by column, such as JSON can hold."""

    place: str  # e.g. "line 17"
    values: dict[str, Any]


@dataclass(frozen=True)
class BrokenRow:
    """A row that cannot be read, and why."""

    place: str
    what: str


def read_rows(path: Path) -> Iterator[Row | BrokenRow]:
    """The rows of a table in order. Raises TableError, and OSError where the disk does."""
    match path.suffix.lower():
        case ".parquet":
            return _parquet(path)
        case ".jsonl":
            return _json_lines(path)
        case suffix:
            return _delimited(path, "\t," if suffix == ".tsv" else _DELIMITERS)


class _Lines:
    """A file's lines; `size` counts characters since it was last set to 0, up to LARGEST_ROW."""

    def __init__(self, file: IO[str]):
        self._file = file
        self.size = 0
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(LARGEST_ROW + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self.size += len(line)
        if self.size > LARGEST_ROW:
            raise csv.Error(f"is longer than {LARGEST_ROW >> 20} MiB; is a quote never closed?")
        return line


def _delimited(path: Path, delimiters: str) -> Iterator[Row | BrokenRow]:
    csv.field_size_limit(LARGEST_ROW)
    with path.open(encoding=_encoding(path), errors="replace", newline="") as file:
        first = file.readline(LARGEST_ROW)
        file.seek(0)
        # Of equals the first in `delimiters`.
        delimiter = max(delimiters, key=lambda d: len(next(csv.reader([first], delimiter=d), [])))
        lines = _Lines(file)
        reader = csv.reader(lines, delimiter=delimiter)
        header: list[str] | None = None
        while True:
            start, lines.size = lines.number + 1, 0
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield BrokenRow(f"line {start}", str(error))
                continue
            if not fields:
                continue  # an empty line
            if header is None:
                header = [name.strip() for name in fields]
                _refuse_too_wide(len(header))
                times = Counter(filter(None, header))
                if repeated := [name for name, count in times.items() if count > 1]:
                    raise TableError(f"has two columns named {min(repeated)!r}")
            elif len(fields) < len(header) or any(fields[len(header) :]):
                what = f"has {len(fields)} fields, where the header has {len(header)}"
                yield BrokenRow(f"line {start}", what)
            else:
                yield Row(f"line {start}", dict(zip(header, fields, strict=False)))


def _json_lines(path: Path) -> Iterator[Row | BrokenRow]:
    with path.open(encoding=_encoding(path), errors="replace", newline="\n") as file:
        lines = _Lines(file)
        while True:
            lines.size = 0
            try:
                line = next(lines)
                if not line.strip():
                    continue
                value = json.loads(line, parse_constant=lambda _: None)
            except StopIteration:
                return
            except csv.Error:
                yield BrokenRow(f"line {lines.number}", f"is over {LARGEST_ROW >> 20} MiB")
            except (ValueError, RecursionError) as error:
                yield BrokenRow(f"line {lines.number}", f"is not JSON: {error}")
            else:
                if isinstance(value, dict):
                    yield Row(f"line {lines.number}", value)
                else:
                    yield BrokenRow(f"line {lines.number}", "is not a JSON object")


def _parquet(path: Path) -> Iterator[Row | BrokenRow]:
    try:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER) as file:
            number = 0
            _refuse_too_wide(len(file.schema_arrow))
            for batch in file.iter_batches(batch_size=_ROWS, use_threads=False):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(f"row {number}", {k: _plain(v) for k, v in values.items()})
    except (pa.ArrowException, pa.ArrowInvalid) as error:
        reason = str(error).splitlines()[0]
        raise TableError(f"cannot be read as Parquet: {reason}") from error


def _refuse_too_wide(columns: int) -> None:
    if columns > _COLUMNS:
        raise TableError(f"has {columns:,} columns, more than the {_COLUMNS:,} that are read")


def _plain(value: Any) -> Any:
    """A value of Arrow as JSON has it; times as ISO 8601, and no bytes."""
    match value:
        case None | str() | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {str(name): _plain(part) for name, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
        case bytes():
            return None
        case _:
            return str(value)


def _encoding(path: Path) -> str:
    """By the file's bytes, all of them, a piece at a time."""
    with path.open("rb") as file:
        start = file.read(2)
        if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while piece := file.read(_BUFFER):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"
